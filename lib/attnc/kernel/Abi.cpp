#include "attnc/kernel/Abi.h"

#include "attnc/diagram/Parameters.h"
#include "attnc/diagram/Transform.h"

#include <fmt/format.h>
#include <set>

namespace attnc {

/// A letter, digit or `_` for each byte; never empty, never led by a digit.
static std::string identifier(std::string_view name) {
  std::string text;
  for (char c : name) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    bool digit = c >= '0' && c <= '9';
    if (digit && text.empty())
      text += '_';
    text += letter || digit ? c : '_';
  }
  return text.empty() ? "_" : text;
}

static const std::set<std::string, std::less<>> &reservedWords() {
  static const std::set<std::string, std::less<>> words = {// C11 and C++20, and the types the prototype itself uses.
                                                           "alignas",
                                                           "alignof",
                                                           "and",
                                                           "and_eq",
                                                           "asm",
                                                           "auto",
                                                           "bitand",
                                                           "bitor",
                                                           "bool",
                                                           "break",
                                                           "case",
                                                           "catch",
                                                           "char",
                                                           "char8_t",
                                                           "char16_t",
                                                           "char32_t",
                                                           "class",
                                                           "co_await",
                                                           "co_return",
                                                           "co_yield",
                                                           "compl",
                                                           "concept",
                                                           "const",
                                                           "consteval",
                                                           "constexpr",
                                                           "constinit",
                                                           "const_cast",
                                                           "continue",
                                                           "decltype",
                                                           "default",
                                                           "delete",
                                                           "do",
                                                           "double",
                                                           "dynamic_cast",
                                                           "else",
                                                           "enum",
                                                           "explicit",
                                                           "export",
                                                           "extern",
                                                           "false",
                                                           "float",
                                                           "for",
                                                           "friend",
                                                           "goto",
                                                           "if",
                                                           "inline",
                                                           "int",
                                                           "long",
                                                           "mutable",
                                                           "namespace",
                                                           "new",
                                                           "noexcept",
                                                           "not",
                                                           "not_eq",
                                                           "nullptr",
                                                           "operator",
                                                           "or",
                                                           "or_eq",
                                                           "private",
                                                           "protected",
                                                           "public",
                                                           "register",
                                                           "reinterpret_cast",
                                                           "requires",
                                                           "restrict",
                                                           "return",
                                                           "short",
                                                           "signed",
                                                           "sizeof",
                                                           "static",
                                                           "static_assert",
                                                           "static_cast",
                                                           "struct",
                                                           "switch",
                                                           "template",
                                                           "this",
                                                           "thread_local",
                                                           "throw",
                                                           "true",
                                                           "try",
                                                           "typedef",
                                                           "typeid",
                                                           "typename",
                                                           "typeof",
                                                           "union",
                                                           "unsigned",
                                                           "using",
                                                           "virtual",
                                                           "void",
                                                           "volatile",
                                                           "wchar_t",
                                                           "while",
                                                           "xor",
                                                           "xor_eq",
                                                           "linux",
                                                           "unix",
                                                           "int32_t",
                                                           "int64_t",
                                                           "uint8_t",
                                                           "uint16_t"};
  return words;
}

std::string kernelSymbol(std::string_view name) { return identifier("attnc_" + std::string(name)); }

static DType dtypeOf(const Type &type, DType real) {
  return type.kind == Kind::Real ? real : type.kind == Kind::Int ? DType::I64 : DType::Bool;
}

KernelAbi abiOf(const Definition &definition, DType real, const Size::Values &fixed) {
  KernelAbi abi{kernelSymbol(definition.name), {}};
  std::set<std::string, std::less<>> taken;
  auto add = [&](KernelArgument::Role role, std::string name, const Type &type) {
    std::string symbol = identifier(name);
    if (reservedWords().contains(symbol))
      symbol += '_';
    std::string unique = symbol;
    for (unsigned i = 2; !taken.insert(unique).second; ++i)
      unique = fmt::format("{}_{}", symbol, i);
    abi.arguments.push_back({role, std::move(name), std::move(unique), type, dtypeOf(type, real)});
  };
  const Diagram &diagram = definition.diagram;
  for (WireId input : diagram.inputs)
    add(KernelArgument::Role::Input, diagram.wire(input).name, diagram.type(input));
  for (const Parameter &parameter : parametersOf(definition))
    add(KernelArgument::Role::Parameter, parameter.name, parameter.type);
  for (std::size_t i = 0; i < diagram.outputs.size(); ++i) {
    std::string name = i < definition.outputNames.size() ? definition.outputNames[i] : "";
    if (name.empty())
      name = diagram.outputs.size() == 1 ? "out" : fmt::format("out{}", i);
    add(KernelArgument::Role::Output, std::move(name), diagram.type(diagram.outputs[i]));
  }
  Size::Bindings bindings;
  for (const auto &[name, value] : fixed)
    bindings.emplace(name, Size(value));
  for (const std::string &size : substitute(definition, bindings).sizeNames())
    add(KernelArgument::Role::SizeValue, size, Type{Kind::Int, {}});
  return abi;
}

} // namespace attnc
