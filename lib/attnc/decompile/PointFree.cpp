#include "attnc/decompile/Parts.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

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
ast::TermRef after(std::vector<ast::TermRef> layers) {
  return layers.size() == 1 ? layers[0] : term(ast::SeqTerm{std::move(layers)});
}

class PointFreeWriter {
public:
  explicit PointFreeWriter(const Source &source) : source(source) {}

  ast::TermRef write(const Diagram &diagram) {
    Layers layers{{}, diagram.inputs};
    std::vector<std::size_t> lastUse(diagram.wires.size());
    for (std::size_t i = 0; i < diagram.ops.size(); ++i)
      for (WireId wire : diagram.ops[i].operands)
        lastUse[wire.index()] = i + 1;
    for (WireId wire : diagram.outputs)
      lastUse[wire.index()] = diagram.ops.size() + 1;
    for (std::size_t i = 0; i < diagram.ops.size(); ++i) {
      const Op &op = diagram.ops[i];
      // The operands stand together where the first of them was; the others keep their order.
      std::vector<WireId> wanted;
      std::size_t place = op.operands.empty() ? 0 : ~std::size_t(0);
      for (WireId wire : layers.wires) {
        if (place == ~std::size_t(0) && wire == op.operands[0])
          place = wanted.size();
        if (lastUse[wire.index()] > i + 1)
          wanted.push_back(wire);
      }
      if (op.operands.empty())
        place = wanted.size();
      wanted.insert(wanted.begin() + place, op.operands.begin(), op.operands.end());
      layers.route(wanted);
      std::vector<ast::TermRef> row(place, atom("id"));
      row.push_back(std::visit([&](const auto &g) { return generator(g, op, diagram); }, op.generator));
      row.insert(row.end(), wanted.size() - place - op.operands.size(), atom("id"));
      layers.add(std::move(row));
      wanted.erase(wanted.begin() + place, wanted.begin() + place + op.operands.size());
      wanted.insert(wanted.begin() + place, op.results.begin(), op.results.end());
      layers.wires = std::move(wanted);
    }
    layers.route(diagram.outputs);
    if (layers.terms.empty()) // nothing was done to the wires
      layers.add(std::vector<ast::TermRef>(std::max<std::size_t>(1, layers.wires.size()), atom("id")));
    return after(std::move(layers.terms));
  }

  const std::string &error() const { return failure; }

private:
  /// Layers one after the other, and the wires below the last.
  struct Layers {
    std::vector<ast::TermRef> terms;
    std::vector<WireId> wires;

    void add(std::vector<ast::TermRef> row) { terms.push_back(beside(std::move(row))); }

    /// Copies, deletes and swaps until the wires are those wanted.
    void route(const std::vector<WireId> &wanted) {
      std::vector<ast::TermRef> row;
      std::vector<WireId> copied;
      bool changes = false;
      for (WireId wire : wires) {
        std::size_t count = std::count(wanted.begin(), wanted.end(), wire);
        changes |= count != 1;
        row.push_back(copies(count));
        copied.insert(copied.end(), count, wire);
      }
      if (changes)
        add(std::move(row));
      // Where each wire goes; equal ones keep their order. Odd-even transposition sorts by swaps of neighbours.
      std::map<WireId, std::size_t> next;
      std::vector<std::size_t> goal;
      for (WireId wire : copied) {
        std::size_t &from = next[wire];
        from = std::find(wanted.begin() + from, wanted.end(), wire) - wanted.begin();
        goal.push_back(from++);
      }
      for (std::size_t parity = 0; !std::is_sorted(goal.begin(), goal.end()); parity ^= 1) {
        std::vector<ast::TermRef> swaps;
        bool swapped = false;
        for (std::size_t i = 0; i < goal.size();) {
          if (i % 2 == parity && i + 1 < goal.size() && goal[i] > goal[i + 1]) {
            std::swap(goal[i], goal[i + 1]);
            swaps.push_back(atom("swap"));
            swapped = true;
            i += 2;
          } else {
            swaps.push_back(atom("id"));
            ++i;
          }
        }
        if (swapped)
          add(std::move(swaps));
      }
      wires = wanted;
    }

    static ast::TermRef copies(std::size_t count) {
      if (count == 0)
        return atom("del");
      if (count == 1)
        return atom("id");
      std::vector<ast::TermRef> layers;
      for (std::size_t have = 1; have < count; ++have) {
        std::vector<ast::TermRef> row(have - 1, atom("id"));
        row.push_back(atom("copy"));
        layers.push_back(beside(std::move(row)));
      }
      return after(std::move(layers));
    }
  };

  ast::TermRef literal(ast::ExprRef value) { return term(ast::LiteralTerm{std::move(value)}); }

  ast::TermRef generator(const Const &g, const Op &, const Diagram &) {
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
  ast::TermRef generator(const SizeValue &g, const Op &, const Diagram &) {
    return atom("size", {}, {sizeValue(g.size)});
  }
  ast::TermRef generator(const Pointwise &g, const Op &, const Diagram &) { return atom(std::string(info(g.fn).name)); }
  ast::TermRef generator(const Gather &, const Op &, const Diagram &) { return atom("gather"); }
  ast::TermRef generator(const Scatter &g, const Op &, const Diagram &) {
    return atom("scatter", {keyword("size", sizeValue(g.size))});
  }
  ast::TermRef generator(const TopK &g, const Op &, const Diagram &) {
    return atom("topk", {keyword("k", sizeValue(g.count))});
  }
  ast::TermRef generator(const Softmax &g, const Op &op, const Diagram &diagram) {
    std::vector<ast::KeywordArgument> keywords;
    if (std::size_t rank = diagram.type(op.operands[0]).rank(); rank > 1)
      keywords.push_back(keyword("axes", integer(rank)));
    if (g.sink)
      keywords.push_back(keyword("sink", expr(ast::BoolLiteral{true})));
    return atom("softmax", keywords);
  }
  ast::TermRef generator(const Transpose &, const Op &, const Diagram &) { return atom("transpose"); }
  ast::TermRef generator(const Reshape &g, const Op &op, const Diagram &diagram) {
    std::size_t rank = diagram.type(op.operands[0]).rank();
    if (rank == 0 || g.axes.empty())
      failure = "the language has no reshape to or from a scalar";
    std::vector<ast::TermRef> steps;
    for (; rank > 1; --rank)
      steps.push_back(atom("merge"));
    for (const Size &factor : splitFactors(g.axes))
      steps.push_back(atom("split", {keyword("h", sizeValue(factor))}));
    return steps.empty() ? atom("id") : after(std::move(steps));
  }

  std::optional<ast::Name> indexName(bool indexed, const Diagram &body) {
    if (!indexed)
      return std::nullopt;
    const std::string &name = body.wire(body.inputs[0]).name;
    return ast::Name{isLegalName(name) && !source.reserved().contains(name) ? name : "i", {}};
  }
  ast::TermRef inside(const Size &size, const Diagram &body) {
    boxes.push_back(size);
    ast::TermRef result = write(body);
    boxes.pop_back();
    return result;
  }
  ast::TermRef generator(const Box &g, const Op &, const Diagram &) {
    return term(ast::BoxTerm{g.cap, sizeExpr(g.size), indexName(g.indexed, *g.body), g.modes, inside(g.size, *g.body)});
  }
  ast::TermRef generator(const Scan &g, const Op &, const Diagram &) {
    ast::ScanTerm scan{sizeExpr(g.size), indexName(g.indexed, *g.body), g.modes, {}, nullptr};
    for (unsigned i = 0; i < g.states; ++i)
      scan.states.push_back(typeExpr(g.body->type(g.body->inputs[g.indexed + i])));
    scan.body = inside(g.size, *g.body);
    return term(std::move(scan));
  }
  ast::TermRef generator(const Call &g, const Op &, const Diagram &) {
    std::vector<ast::KeywordArgument> keywords;
    for (const auto &[name, size] : source.call(g).keywords)
      keywords.push_back(keyword(name, sizeValue(size)));
    return atom(g.name, keywords);
  }
  ast::TermRef generator(const Apply &g, const Op &, const Diagram &) {
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
  form.term = writer.write(source.diagram());
  result.form = std::move(form);
  if (!writer.error().empty())
    return tl::unexpected(writer.error());
  return result;
}

} // namespace attnc
