#include "attnc/diagram/Builder.h"

#include <algorithm>

namespace attnc {

WireId Builder::input(Type type, std::string name) {
  WireId id(diagram.wires.size());
  diagram.wires.push_back({std::move(type), {}, static_cast<unsigned>(diagram.inputs.size()), std::move(name)});
  diagram.inputs.push_back(id);
  return id;
}

tl::expected<std::vector<WireId>, std::string> Builder::add(Generator generator, std::vector<WireId> operands,
                                                            Span span) {
  std::vector<Type> operandTypes;
  for (WireId wire : operands)
    operandTypes.push_back(diagram.type(wire));
  auto types = resultTypes(generator, operandTypes, *learners);
  if (!types)
    return tl::unexpected(types.error());
  if (const DiagramRef &body = bodyOf(generator)) {
    if (body->depth >= maxBodyDepth)
      return tl::unexpected("boxes would be nested more than " + std::to_string(maxBodyDepth) + " deep");
    diagram.depth = std::max(diagram.depth, body->depth + 1);
  }
  OpId op(diagram.ops.size());
  std::vector<WireId> results;
  for (unsigned port = 0; port < types->size(); ++port) {
    results.push_back(WireId(diagram.wires.size()));
    diagram.wires.push_back({std::move((*types)[port]), op, port, {}});
  }
  diagram.ops.push_back({std::move(generator), std::move(operands), results, span});
  return results;
}

tl::expected<WireId, std::string> Builder::add1(Generator generator, std::vector<WireId> operands, Span span) {
  return add(std::move(generator), std::move(operands), span).map([](const std::vector<WireId> &r) {
    return r.front();
  });
}

std::optional<std::int64_t> Builder::constantOf(WireId wire) const {
  OpId producer = diagram.wire(wire).producer;
  if (!producer.valid())
    return std::nullopt;
  auto *constant = std::get_if<Const>(&diagram.op(producer).generator);
  auto *value = constant ? std::get_if<std::int64_t>(&constant->value) : nullptr;
  return value ? std::optional(*value) : std::nullopt;
}

void Builder::suggestName(WireId wire, const std::string &name) {
  std::string &current = diagram.wires[wire.index()].name;
  if (current.empty())
    current = name;
}

Diagram Builder::finish(const std::vector<WireId> &outputs) && {
  std::vector<bool> needed(diagram.ops.size());
  auto need = [&](WireId wire) {
    if (OpId op = diagram.wire(wire).producer; op.valid())
      needed[op.index()] = true;
  };
  for (WireId wire : outputs)
    need(wire);
  for (std::size_t i = diagram.ops.size(); i-- > 0;)
    if (needed[i])
      for (WireId wire : diagram.ops[i].operands)
        need(wire);

  Diagram result;
  result.depth = diagram.depth;
  std::vector<WireId> renamed(diagram.wires.size());
  auto keep = [&](WireId old, OpId producer) {
    renamed[old.index()] = WireId(result.wires.size());
    Wire wire = std::move(diagram.wires[old.index()]);
    wire.producer = producer;
    result.wires.push_back(std::move(wire));
    return renamed[old.index()];
  };
  for (WireId input : diagram.inputs)
    result.inputs.push_back(keep(input, {}));
  for (std::size_t i = 0; i < diagram.ops.size(); ++i) {
    if (!needed[i])
      continue;
    Op op = std::move(diagram.ops[i]);
    OpId id(result.ops.size());
    for (WireId &operand : op.operands)
      operand = renamed[operand.index()];
    for (WireId &wire : op.results)
      wire = keep(wire, id);
    result.ops.push_back(std::move(op));
  }
  for (WireId output : outputs)
    result.outputs.push_back(renamed[output.index()]);
  return result;
}

} // namespace attnc
