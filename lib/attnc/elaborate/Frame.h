#pragma once
#include "attnc/diagram/Builder.h"

#include <map>
#include <unordered_map>

namespace attnc::elaboration {

struct Frame;

/// A wire of some frame around.
struct Value {
  Frame *frame = nullptr;
  WireId wire;

  const Type &type() const;
};
using Values = std::vector<Value>;

/// The body that is being built: of the definition, or of a box inside it. A wire of an outer frame that is used
/// here enters once, shared.
struct Frame {
  struct Bound {
    Value value;
    Span span;
    bool used = false;
    bool binding = false; // of a `name = …`, so that its disuse is worth a warning
  };

  Frame(const std::vector<Learner> &learners, Frame *parent, std::optional<Size> axis)
      : builder(learners), parent(parent), axis(std::move(axis)) {}

  Builder builder;
  Frame *parent;            // null for the body of a definition or of a filling
  std::optional<Size> axis; // of the box whose body this is
  std::unordered_map<std::string, Bound> names;
  std::vector<std::pair<Value, WireId>> captured; // outer wires by their inputs here

  /// The wire of this frame that carries an outer value.
  WireId import(const Value &value) {
    if (value.frame == this)
      return value.wire;
    auto key = std::make_pair(value.frame, value.wire.index());
    if (auto known = inputs.find(key); known != inputs.end())
      return known->second;
    WireId inner = builder.input(value.type(), value.frame->builder.name(value.wire));
    captured.emplace_back(value, inner);
    inputs.emplace(key, inner);
    return inner;
  }

  Bound *find(const std::string &name) {
    for (Frame *frame = this; frame; frame = frame->parent)
      if (auto found = frame->names.find(name); found != frame->names.end())
        return &found->second;
    return nullptr;
  }

private:
  std::map<std::pair<Frame *, std::size_t>, WireId> inputs;
};

inline const Type &Value::type() const { return frame->builder.type(wire); }

} // namespace attnc::elaboration
