#include "attnc/decompile/Parts.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <span>

namespace attnc {

using namespace decompilation;

namespace {

ast::TermRef term(decltype(ast::Term::node) node) {
  return std::make_shared<ast::Term>(ast::Term{std::move(node), {}});
}
ast::TermRef atom(const std::string &name, std::vector<ast::KeywordArgument> keywords = {},
                  std::vector<ast::ExprRef> arguments = {}) {
  return term(ast::AtomTerm{{name, {}}, std::move(arguments), std::move(keywords), std::nullopt});
}
ast::TermRef beside(std::vector<ast::TermRef> row) {
  return row.size() == 1 ? row[0] : term(ast::TensorTerm{std::move(row)});
}
ast::TermRef after(const std::vector<ast::TermRef> &layers) {
  std::vector<ast::TermRef> flat;
  for (const ast::TermRef &layer : layers)
    if (auto *sequence = std::get_if<ast::SeqTerm>(&layer->node))
      flat.insert(flat.end(), sequence->terms.begin(), sequence->terms.end());
    else
      flat.push_back(layer);
  return flat.size() == 1 ? flat[0] : term(ast::SeqTerm{std::move(flat)});
}

/// Part of a layer: a wire that goes on, a generator, or layers of its own beside other parts.
struct Cell;
using Layer = std::vector<Cell>;
struct Cell {
  std::size_t in = 1, out = 1; // wires
  ast::TermRef atom;           // null: layers, or where there are none a wire
  std::vector<Layer> layers;

  bool isWire() const { return !atom && layers.empty(); }
};
bool isWires(const Layer &layer) { return std::ranges::all_of(layer, &Cell::isWire); }

/// A part of a layer and the part of the next one that takes its wires.
struct Block {
  Layer above, below;
};

/// The smallest blocks that two layers part into. What has no wires between the layers is a block of its own.
std::vector<Block> blocksOf(const Layer &above, const Layer &below) {
  std::vector<Block> blocks;
  for (std::size_t i = 0, j = 0; i < above.size() || j < below.size();) {
    Block block;
    std::size_t out = 0, in = 0;
    auto takeAbove = [&] { out += above[i].out, block.above.push_back(above[i++]); };
    auto takeBelow = [&] { in += below[j].in, block.below.push_back(below[j++]); };
    if (i < above.size() && above[i].out == 0)
      takeAbove();
    else if (j < below.size() && below[j].in == 0)
      takeBelow();
    else
      for (takeAbove(), takeBelow(); out != in;)
        out < in ? takeAbove() : takeBelow();
    blocks.push_back(std::move(block));
  }
  return blocks;
}

/// Composes with a layer. Blocks that stand beside each other are composed each by itself,
/// (a @ b) ; (c @ d) = (a ; c) @ (b ; d), so that what is done to some wires does not carry the others along.
void compose(std::vector<Layer> &layers, const Layer &layer) {
  if (isWires(layer))
    return;
  std::vector<Block> blocks;
  if (!layers.empty())
    blocks = blocksOf(layers.back(), layer);
  if (blocks.size() < 2) {
    layers.push_back(layer);
    return;
  }
  Layer merged;
  for (Block &block : blocks) {
    if (isWires(block.below) || isWires(block.above)) {
      std::ranges::move(isWires(block.below) ? block.above : block.below, std::back_inserter(merged));
      continue;
    }
    Cell cell{0, 0, nullptr, {}};
    for (const Cell &part : block.above)
      cell.in += part.in;
    for (const Cell &part : block.below)
      cell.out += part.out;
    if (block.above.size() == 1 && !block.above[0].atom)
      cell.layers = std::move(block.above[0].layers);
    else
      cell.layers.push_back(std::move(block.above));
    compose(cell.layers, block.below);
    merged.push_back(std::move(cell));
  }
  layers.back() = std::move(merged);
}

ast::TermRef termOf(const std::vector<Layer> &layers);
void appendTerms(const Layer &layer, std::vector<ast::TermRef> &row) {
  for (const Cell &cell : layer)
    if (cell.layers.size() == 1)
      appendTerms(cell.layers[0], row);
    else
      row.push_back(cell.isWire() ? atom("id") : cell.atom ? cell.atom : termOf(cell.layers));
}
ast::TermRef termOf(const std::vector<Layer> &layers) {
  std::vector<ast::TermRef> terms;
  for (const Layer &layer : layers) {
    std::vector<ast::TermRef> row;
    appendTerms(layer, row);
    terms.push_back(beside(std::move(row)));
  }
  return after(terms);
}

using Order = std::vector<std::size_t>;
Order inOrder(std::size_t count) {
  Order order(count);
  std::iota(order.begin(), order.end(), std::size_t(0));
  return order;
}

class PointFreeWriter {
public:
  explicit PointFreeWriter(const Source &source) : source(source) {}

  /// The inputs enter in the given order.
  ast::TermRef write(const Diagram &diagram, const Order &entry) {
    Layers layers;
    for (std::size_t input : entry)
      layers.wires.push_back(diagram.inputs[input]);
    std::vector<std::size_t> lastUse(diagram.wires.size());
    for (std::size_t i = 0; i < diagram.ops.size(); ++i)
      for (WireId wire : diagram.ops[i].operands)
        lastUse[wire.index()] = i + 1;
    for (WireId wire : diagram.outputs)
      lastUse[wire.index()] = diagram.ops.size() + 1;
    for (std::size_t i = 0; i < diagram.ops.size(); ++i) {
      const Op &op = diagram.ops[i];
      Order order = operandOrder(op, layers.wires);
      std::vector<WireId> operands;
      for (std::size_t operand : order)
        operands.push_back(op.operands[operand]);
      // The operands stand together where the first of them was; the others keep their order.
      std::vector<WireId> wanted;
      std::size_t place = operands.empty() ? 0 : ~std::size_t(0);
      for (WireId wire : layers.wires) {
        if (place == ~std::size_t(0) && wire == operands[0])
          place = wanted.size();
        if (lastUse[wire.index()] > i + 1)
          wanted.push_back(wire);
      }
      if (operands.empty())
        place = wanted.size();
      wanted.insert(wanted.begin() + place, operands.begin(), operands.end());
      layers.route(wanted);
      Layer row(place);
      row.push_back({operands.size(),
                     op.results.size(),
                     std::visit([&](const auto &g) { return generator(g, op, diagram, order); }, op.generator),
                     {}});
      row.resize(row.size() + wanted.size() - place - operands.size());
      compose(layers.terms, row);
      wanted.erase(wanted.begin() + place, wanted.begin() + place + operands.size());
      wanted.insert(wanted.begin() + place, op.results.begin(), op.results.end());
      layers.wires = std::move(wanted);
    }
    layers.route(diagram.outputs);
    if (layers.terms.empty()) // nothing was done to the wires
      layers.terms.emplace_back(std::max<std::size_t>(1, layers.wires.size()));
    return termOf(layers.terms);
  }

  const std::string &error() const { return failure; }

private:
  /// The order in which operands are written: a function that is lifted by its arguments; what a box or a scan is
  /// given as it stands.
  static Order operandOrder(const Op &op, const std::vector<WireId> &wires) {
    auto *box = std::get_if<Box>(&op.generator);
    auto *scan = std::get_if<Scan>(&op.generator);
    if (box)
      if (auto implicit = lifted(*box))
        return implicit->operands;
    Order order = inOrder(op.operands.size());
    auto place = [&](std::size_t i) { return std::ranges::find(wires, op.operands[i]); };
    if (box || scan)
      std::stable_sort(order.begin() + (scan ? scan->states : 0), order.end(),
                       [&](std::size_t a, std::size_t b) { return place(a) < place(b); });
    return order;
  }

  /// Layers one after the other, and the wires below the last.
  struct Layers {
    std::vector<Layer> terms;
    std::vector<WireId> wires;

    /// Copies, deletes and swaps until the wires are those wanted.
    void route(const std::vector<WireId> &wanted) {
      Layer row;
      std::vector<WireId> copied;
      for (WireId wire : wires) {
        std::size_t count = std::count(wanted.begin(), wanted.end(), wire);
        row.push_back(copies(count));
        copied.insert(copied.end(), count, wire);
      }
      compose(terms, row);
      // Where each wire goes; equal ones keep their order. Odd-even transposition sorts by swaps of neighbours.
      std::map<WireId, std::size_t> next;
      Order goal;
      for (WireId wire : copied) {
        std::size_t &from = next[wire];
        from = std::find(wanted.begin() + from, wanted.end(), wire) - wanted.begin();
        goal.push_back(from++);
      }
      for (std::size_t parity = 0; !std::is_sorted(goal.begin(), goal.end()); parity ^= 1) {
        Layer swaps;
        for (std::size_t i = 0; i < goal.size();) {
          if (i % 2 == parity && i + 1 < goal.size() && goal[i] > goal[i + 1]) {
            std::swap(goal[i], goal[i + 1]);
            swaps.push_back({2, 2, atom("swap"), {}});
            i += 2;
          } else {
            swaps.emplace_back();
            ++i;
          }
        }
        compose(terms, swaps);
      }
      wires = wanted;
    }

    static Cell copies(std::size_t count) {
      if (count == 0)
        return {1, 0, atom("del"), {}};
      if (count == 1)
        return {};
      Cell cell{1, count, nullptr, {}};
      for (std::size_t have = 1; have < count; ++have) {
        Layer row(have - 1);
        row.push_back({1, 2, atom("copy"), {}});
        cell.layers.push_back(std::move(row));
      }
      return cell;
    }
  };

  ast::TermRef literal(ast::ExprRef value) { return term(ast::LiteralTerm{std::move(value)}); }

  ast::TermRef generator(const Const &g, const Op &, const Diagram &, const Order &) {
    if (auto *whole = std::get_if<std::int64_t>(&g.value))
      return literal(integer(*whole));
    if (auto *truth = std::get_if<bool>(&g.value))
      return literal(expr(ast::BoolLiteral{*truth}));
    double value = std::get<double>(g.value);
    if (std::isnan(value))
      failure = "the language has no constant NaN";
    if (std::isinf(value) && value > 0) // a name alone would be an atom
      return after({literal(realValue(-value)), atom("neg")});
    return literal(realValue(value));
  }
  ast::TermRef generator(const SizeValue &g, const Op &, const Diagram &, const Order &) {
    return atom("size", {}, {sizeValue(g.size)});
  }
  ast::TermRef generator(const Pointwise &g, const Op &, const Diagram &, const Order &) {
    return atom(std::string(info(g.fn).name));
  }
  ast::TermRef generator(const Gather &, const Op &, const Diagram &, const Order &) { return atom("gather"); }
  ast::TermRef generator(const Scatter &g, const Op &, const Diagram &, const Order &) {
    return atom("scatter", {keyword("size", sizeValue(g.size))});
  }
  ast::TermRef generator(const TopK &g, const Op &, const Diagram &, const Order &) {
    return atom("topk", {keyword("k", sizeValue(g.count))});
  }
  ast::TermRef generator(const Softmax &g, const Op &op, const Diagram &diagram, const Order &) {
    std::vector<ast::KeywordArgument> keywords;
    if (std::size_t rank = diagram.type(op.operands[0]).rank(); rank > 1)
      keywords.push_back(keyword("axes", integer(rank)));
    if (g.sink)
      keywords.push_back(keyword("sink", expr(ast::BoolLiteral{true})));
    return atom("softmax", keywords);
  }
  ast::TermRef generator(const Transpose &, const Op &, const Diagram &, const Order &) { return atom("transpose"); }
  ast::TermRef generator(const Reshape &g, const Op &op, const Diagram &diagram, const Order &) {
    std::size_t rank = diagram.type(op.operands[0]).rank();
    if (rank == 0 || g.axes.empty())
      failure = "the language has no reshape to or from a scalar";
    std::vector<ast::TermRef> steps;
    for (; rank > 1; --rank)
      steps.push_back(atom("merge"));
    for (const Size &factor : splitFactors(g.axes))
      steps.push_back(atom("split", {keyword("h", sizeValue(factor))}));
    return steps.empty() ? atom("id") : after(steps);
  }

  std::optional<ast::Name> indexName(bool indexed, const Diagram &body) {
    if (!indexed)
      return std::nullopt;
    const std::string &name = body.wire(body.inputs[0]).name;
    return ast::Name{isLegalName(name) && !source.reserved().contains(name) ? name : "i", {}};
  }
  /// The first `fixed` inputs of the body, and then those that follow for the operands in their order.
  ast::TermRef inside(const Size &size, const Diagram &body, std::size_t fixed, const Order &order) {
    Order entry = inOrder(fixed);
    for (std::size_t operand : order)
      entry.push_back(fixed + operand);
    boxes.push_back(size);
    ast::TermRef result = write(body, entry);
    boxes.pop_back();
    return result;
  }
  static std::vector<Mode> inOrderOf(const Order &order, const std::vector<Mode> &modes) {
    std::vector<Mode> result;
    for (std::size_t operand : order)
      result.push_back(modes[operand]);
    return result;
  }
  ast::TermRef generator(const Box &g, const Op &, const Diagram &, const Order &order) {
    if (auto implicit = lifted(g))
      return atom(std::string(info(implicit->fn).name));
    return term(ast::BoxTerm{g.cap, sizeExpr(g.size), indexName(g.indexed, *g.body), inOrderOf(order, g.modes),
                             inside(g.size, *g.body, g.indexed, order)});
  }
  ast::TermRef generator(const Scan &g, const Op &, const Diagram &, const Order &all) {
    Order order;
    for (std::size_t operand : std::span(all).subspan(g.states))
      order.push_back(operand - g.states);
    ast::ScanTerm scan{sizeExpr(g.size), indexName(g.indexed, *g.body), inOrderOf(order, g.modes), {}, nullptr};
    for (unsigned i = 0; i < g.states; ++i)
      scan.states.push_back(typeExpr(g.body->type(g.body->inputs[g.indexed + i])));
    scan.body = inside(g.size, *g.body, g.indexed + g.states, order);
    return term(std::move(scan));
  }
  ast::TermRef generator(const Call &g, const Op &, const Diagram &, const Order &) {
    std::vector<ast::KeywordArgument> keywords;
    for (const auto &[name, size] : source.call(g).keywords)
      keywords.push_back(keyword(name, sizeValue(size)));
    return atom(g.name, keywords);
  }
  ast::TermRef generator(const Apply &g, const Op &, const Diagram &, const Order &) {
    if (!source.perIsNearest(g, boxes))
      failure = fmt::format("the parameters of '{}' are picked by a box that is not the nearest of its size",
                            source.label(g.learner));
    return atom(source.label(g.learner));
  }

  const Source &source;
  std::vector<Size> boxes;
  std::string failure;
};

} // namespace

tl::expected<ast::DiagramDecl, std::string> toPointFree(const Definition &definition, const KnownDiagrams &known) {
  Source source(definition, known);
  if (source.diagram().inputs.empty() && source.diagram().outputs.empty())
    return tl::unexpected<std::string>("a diagram of no wires has no point-free form");
  std::vector<ast::LearnerDecl> learners;
  ast::DiagramDecl result = source.declaration(learners);
  ast::PointFreeForm form;
  for (const Type &type : source.diagram().inputTypes())
    form.domain.push_back(typeExpr(type));
  form.learners.assign(learners.begin(), learners.end());
  PointFreeWriter writer(source);
  form.term = writer.write(source.diagram(), inOrder(source.diagram().inputs.size()));
  result.form = std::move(form);
  if (!writer.error().empty())
    return tl::unexpected(writer.error());
  return result;
}

} // namespace attnc
