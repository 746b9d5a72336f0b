#include "attnc/kernel/Header.h"

#include <fmt/format.h>

namespace attnc {

static std::string_view cType(DType dtype) {
  switch (dtype) {
  case DType::F32:
    return "float";
  case DType::F64:
    return "double";
  case DType::BF16:
    return "uint16_t";
  case DType::I64:
    return "int64_t";
  default:
    return "uint8_t";
  }
}

/// Text that cannot end the comment it is put into.
static std::string inComment(std::string text) {
  for (std::size_t at = 0; (at = text.find("*/", at)) != std::string::npos;)
    text.insert(at + 1, " ");
  return text;
}

static std::string commentLines(const std::string &text) {
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    line.erase(line.find_last_not_of(" \t\r") + 1);
    out += line.empty() ? " *\n" : fmt::format(" * {}\n", inComment(line));
    begin = end + 1;
  }
  return out;
}

/// `[n d]`, and what it is for the sizes compiled in: `[n d] = [24 32]`.
static std::string shapeOf(const Type &type, const Size::Values &fixed) {
  std::string text = type.str();
  std::vector<std::int64_t> shape;
  bool symbolic = false;
  for (const Size &axis : type.axes) {
    symbolic |= !axis.isConstant();
    if (auto value = axis.evaluate(fixed))
      shape.push_back(*value);
  }
  return symbolic && shape.size() == type.axes.size() ? fmt::format("{} = {}", text, shapeText(shape)) : text;
}

/// An array as other programs have it, as in launch/Program.h; several headers may be included together.
static constexpr std::string_view tensorText = R"(#ifndef ATTNC_TENSOR
#define ATTNC_TENSOR
/** The layout of DLPack's DLTensor. */
typedef struct attnc_tensor {
  void *data;
  struct {
    int32_t type, id; /* 2: a CUDA device; 1: this machine, for the emulated device */
  } device;
  int32_t ndim;
  struct {
    uint8_t code, bits; /* code 0: int, 2: float, 4: bfloat, 6: bool of 8 bits */
    uint16_t lanes;
  } dtype;
  int64_t *shape;
  int64_t *strides; /* null: dense and row-major, as arrays must be */
  uint64_t byte_offset;
} attnc_tensor;
#endif

)";

std::string headerText(const Definition &definition, DType real, const Size::Values &fixed, bool device) {
  KernelAbi abi = abiOf(definition, real, fixed);
  // The name keeps its case, so that `k` and `K` can be included together.
  std::string guard = fmt::format("ATTNC_KERNEL_{}_H", abi.symbol.substr(abi.symbol.find('_') + 1));

  std::string lines, prototype;
  std::size_t width = 0;
  for (const KernelArgument &argument : abi.arguments)
    width = std::max(width, argument.symbol.size());
  for (const KernelArgument &argument : abi.arguments) {
    bool size = argument.role == KernelArgument::Role::SizeValue;
    bool output = argument.role == KernelArgument::Role::Output;
    std::string_view role = size                                           ? "size"
                            : output                                       ? "output"
                            : argument.role == KernelArgument::Role::Input ? "input"
                                                                           : "parameter";
    std::string what = size ? "" : " " + shapeOf(argument.type, fixed);
    if (argument.symbol != argument.name && !argument.name.empty())
      what += fmt::format(" (`{}`)", inComment(argument.name));
    lines += fmt::format(" *   {:{}}  {}{}\n", argument.symbol, width, role, what);
    prototype += fmt::format("{}{}{} {}{}", prototype.empty() ? "" : ",\n    ", size || output ? "" : "const ",
                             size     ? "int64_t"
                             : device ? "attnc_tensor"
                                      : cType(argument.dtype),
                             size ? "" : "*", argument.symbol);
  }
  std::string values;
  for (const std::string &name : definition.sizeNames())
    if (auto found = fixed.find(name); found != fixed.end())
      values += fmt::format("{}{} = {}", values.empty() ? "" : ", ", name, found->second);

  if (device)
    prototype += fmt::format("{}void *stream", prototype.empty() ? "" : ",\n    ");
  std::string text = fmt::format(
      "#ifndef {0}\n#define {0}\n\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n", guard);
  if (device)
    text += tensorText;
  text += fmt::format("/**\n * {}\n *\n", inComment(definition.signature()));
  if (!definition.doc.empty())
    text += commentLines(definition.doc) + " *\n";
  if (!values.empty())
    text += fmt::format(" * Compiled for {}.\n *\n", values);
  text += lines;
  text += " *\n * Arrays are dense and row-major; outputs overlap no other array.\n * Returns 0, or 1 when there is "
          "not enough memory.\n";
  if (real == DType::BF16 && !device)
    text +=
        " * Also 5 where it is compiled for tile registers (AMX) and the system does not let the process use them.\n";
  if (device)
    text +=
        fmt::format(" * Also 2 without a device, 3 for an array that is not as above, 4 for an error of the driver:\n"
                    " * {}_error() says what, for the last call of this thread. Work goes to the stream (null: the\n"
                    " * default one) of the context that is current; nothing is waited for, nothing is copied.\n",
                    abi.symbol);
  if (real == DType::BF16)
    text += " * A real is the 16 bits of a bfloat16, the upper half of a float.\n";
  text += fmt::format(" */\nint32_t {}({});\n\n", abi.symbol, prototype.empty() ? "void" : "\n    " + prototype);
  if (device)
    text += fmt::format("const char *{}_error(void);\n\n", abi.symbol);
  text += fmt::format("#ifdef __cplusplus\n}}\n#endif\n\n#endif /* {} */\n", guard);
  return text;
}

} // namespace attnc
