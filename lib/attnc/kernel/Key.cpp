#include "attnc/kernel/Key.h"

#include "attnc/kernel/Compiler.h"
#include "attnc/kernel/Host.h"

#include <bit>
#include <fmt/format.h>
#include <map>
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
      number(std::size_t(constraint.relation));
      for (const std::optional<Size> &more : {constraint.modulus, constraint.exponent}) {
        number(more.has_value());
        if (more)
          size(*more);
      }
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

} // namespace

std::string serialise(const Definition &definition) { return Serialiser().definition(definition); }

std::optional<Hash128> kernelKey(const Definition &definition, const KernelVariant &variant) {
  std::string compiler = compilerIdentity();
  if (compiler.empty())
    return std::nullopt;
  std::string text = fmt::format("compiler {}\nmachine {}\ntarget {}\nreal {}\nlevel {}\ntf32 {}\n", compiler,
                                 hostIdentity(), variant.target, name(variant.real), variant.level, variant.tf32);
  for (const auto &[size, value] : variant.sizes)
    text += fmt::format("size {} {}\n", size, value);
  return hash128(text + serialise(definition));
}

} // namespace attnc
