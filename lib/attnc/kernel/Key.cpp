#include "attnc/kernel/Key.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <link.h>
#include <llvm-c/Core.h>
#include <map>
#include <span>
#include <utility>

namespace attnc {

namespace {

/// Every field is written with its length or its end, so that different diagrams cannot give the same bytes.
class Serialiser {
public:
  std::string definition(const Definition &d) {
    out = fmt::format("definition {} {}\n", d.name, d.learners.size());
    for (const Learner &learner : d.learners) {
      number(unsigned(learner.kind));
      types(learner.domain);
      types(learner.codomain);
      sizes(learner.per);
      size(learner.width);
      out += '\n';
    }
    number(d.constraints.size());
    for (const Constraint &constraint : d.constraints) {
      size(constraint.left);
      size(constraint.right);
      number(constraint.modulus.has_value());
      if (constraint.modulus)
        size(*constraint.modulus);
    }
    // The order in which a kernel takes those that are not compiled in.
    std::vector<std::string> names = d.sizeNames();
    number(names.size());
    for (const std::string &name : names)
      text(name);
    diagram(d.diagram);
    return std::move(out);
  }

private:
  std::string out;
  std::map<const Diagram *, std::string> bodies;

  void number(std::uint64_t value) { out += fmt::format("{},", value); }
  void text(std::string_view value) { out += fmt::format("{}:{}", value.size(), value); }
  void size(const Size &value) { text(value.str()); }
  void sizes(const std::vector<Size> &values) {
    number(values.size());
    for (const Size &value : values)
      size(value);
  }
  void type(const Type &value) {
    number(unsigned(value.kind));
    sizes(value.axes);
  }
  void types(const std::vector<Type> &values) {
    number(values.size());
    for (const Type &value : values)
      type(value);
  }
  void wires(const std::vector<WireId> &ids) {
    number(ids.size());
    for (WireId id : ids)
      number(id.index());
  }
  void modes(const std::vector<Mode> &values) {
    number(values.size());
    for (Mode mode : values)
      number(unsigned(mode));
  }

  void diagram(const Diagram &d) {
    number(d.wires.size());
    for (const Wire &wire : d.wires)
      type(wire.type);
    wires(d.inputs);
    wires(d.outputs);
    number(d.ops.size());
    for (const Op &op : d.ops) {
      number(op.generator.index());
      std::visit([this](const auto &generator) { fields(generator); }, op.generator);
      wires(op.operands);
      wires(op.results);
      out += '\n';
    }
  }
  /// A body that many boxes share is written once; its hash stands for it.
  void body(const DiagramRef &ref) {
    auto [at, fresh] = bodies.try_emplace(ref.get());
    if (fresh) {
      std::string outer = std::exchange(out, {});
      diagram(*ref);
      std::string hash = hash128(out).hex();
      out = std::move(outer);
      bodies[ref.get()] = hash;
      out += hash;
    } else {
      out += at->second;
    }
  }

  void fields(const Const &c) {
    number(c.value.index());
    if (const double *real = std::get_if<double>(&c.value))
      number(std::bit_cast<std::uint64_t>(*real));
    else if (const std::int64_t *integer = std::get_if<std::int64_t>(&c.value))
      number(std::uint64_t(*integer));
    else
      number(std::get<bool>(c.value));
  }
  void fields(const SizeValue &g) { size(g.size); }
  void fields(const Pointwise &g) { text(info(g.fn).name); }
  void fields(const Gather &) {}
  void fields(const Scatter &g) { size(g.size); }
  void fields(const TopK &g) { size(g.count); }
  void fields(const Softmax &g) { number(g.sink); }
  void fields(const Transpose &) {}
  void fields(const Reshape &g) { sizes(g.axes); }
  void fields(const Box &g) {
    number(unsigned(g.cap));
    size(g.size);
    number(g.indexed);
    modes(g.modes);
    body(g.body);
  }
  void fields(const Scan &g) {
    size(g.size);
    number(g.indexed);
    number(g.states);
    modes(g.modes);
    body(g.body);
  }
  void fields(const Call &g) { body(g.body); }
  void fields(const Apply &g) {
    number(g.learner.index());
    number(g.per.size());
    for (unsigned depth : g.per)
      number(depth);
  }
};

struct BuildIdSearch {
  std::uintptr_t address;
  std::string found;
};

/// Looks for the note "GNU", type NT_GNU_BUILD_ID, in the loaded object that covers the address.
int searchBuildId(dl_phdr_info *object, std::size_t, void *data) {
  auto &search = *static_cast<BuildIdSearch *>(data);
  std::span<const ElfW(Phdr)> segments(object->dlpi_phdr, object->dlpi_phnum);
  auto covers = [&](const ElfW(Phdr) & segment) {
    std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    return segment.p_type == PT_LOAD && search.address >= begin && search.address - begin < segment.p_memsz;
  };
  if (std::ranges::none_of(segments, covers))
    return 0;
  for (const ElfW(Phdr) & segment : segments) {
    if (segment.p_type != PT_NOTE)
      continue;
    auto at = reinterpret_cast<const char *>(object->dlpi_addr + segment.p_vaddr);
    for (const char *end = at + segment.p_memsz; end - at >= std::ptrdiff_t(sizeof(ElfW(Nhdr)));) {
      auto note = reinterpret_cast<const ElfW(Nhdr) *>(at);
      const char *name = at + sizeof *note;
      const char *content = name + (note->n_namesz + 3) / 4 * 4;
      if (note->n_type == NT_GNU_BUILD_ID && std::string_view(name, note->n_namesz) == std::string_view("GNU", 4))
        for (std::size_t i = 0; i < note->n_descsz; ++i)
          search.found += fmt::format("{:02x}", static_cast<unsigned char>(content[i]));
      at = content + (note->n_descsz + 3) / 4 * 4;
    }
  }
  return 1;
}

} // namespace

std::string serialise(const Definition &definition) { return Serialiser().definition(definition); }

std::string buildId() {
  BuildIdSearch search{reinterpret_cast<std::uintptr_t>(&buildId), {}};
  ::dl_iterate_phdr(searchBuildId, &search);
  return search.found;
}

std::optional<Hash128> kernelKey(const Definition &definition, const KernelVariant &variant) {
  std::string build = buildId();
  if (build.empty())
    return std::nullopt;
  unsigned major, minor, patch; // of the library in the process, which may be newer than its headers
  LLVMGetVersion(&major, &minor, &patch);
  std::string text = fmt::format("attnc {} llvm {}.{}.{}\ntarget {}\nreal {}\nlevel {}\n", build, major, minor, patch,
                                 variant.target.key(), name(variant.real), variant.level);
  for (const auto &[size, value] : variant.sizes)
    text += fmt::format("size {} {}\n", size, value);
  return hash128(text + serialise(definition));
}

} // namespace attnc
