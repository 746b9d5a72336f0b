#pragma once
#include "attnc/diagram/Diagram.h"
#include "attnc/render/Picture.h"

#include <optional>

namespace attnc::render {

/// An operation that is drawn as one node: a generator by itself, or lifted over axes by boxes that hold nothing else,
/// or a fold of a whole array (a capped box around a bare wire).
struct Leaf {
  struct Port {
    std::size_t operand; // which operand of the outermost operation
    bool shared = false; // shared by one of the boxes around
  };
  const Generator *core = nullptr;
  std::vector<Size> axes;  // of the boxes, outermost first
  std::vector<Size> folds; // of a fold, outermost first; the core is its innermost box
  std::vector<Port> ports;
  /// A constant inside, instead of the operand at that place of a binary function.
  std::optional<Line> leftConstant, rightConstant;
  /// The whole is a constant that is written so; it has no ports then.
  std::optional<Line> constant;
};

/// The leaf that an operation can be drawn as. Without `lifted`, only a generator by itself.
std::optional<Leaf> leafOf(const Op &op, bool lifted);

/// Puts a constant operand of a binary function into its sign, `÷ √d`, so that its port is no more. `constantOf` is of
/// the wires of the diagram around.
void holdConstants(Leaf &leaf, const Op &op, const std::vector<std::optional<Line>> &constantOf);

enum class Form : std::uint8_t { Disc, Rectangle, Stadium, Triangle, Funnel, CutRectangle, RoundRectangle, Crossing };

/// The conventional sign of a leaf.
struct Sign {
  Form form;
  Role role;
  Line label;
  std::string tip;
  bool white = false; // the label, on dark
};
Sign signOf(const Leaf &leaf, const Definition &definition);

/// `Σ`, `max` … for a cap.
Line capLabel(Cap cap, double size);
/// Sizes as a small label: `n d`.
Line sizeLabel(const std::vector<Size> &sizes, double size);
/// Types as mathematics writes them: names of sizes in italics.
Line typeLabel(const Type &type, double size);
/// Operand and result types, for tool tips.
std::string typesOf(const Diagram &diagram, const Op &op);

} // namespace attnc::render
