#include "attnc/stream/Joint.h"

#include "attnc/stream/Explain.h"
#include "attnc/stream/Score.h"
#include "attnc/stream/Slides.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/TypeUtilities.h"

// For one query the second keys are the queries of an ordinary stream over the first: Σ_d q_d k1_jd k2_kd is the
// contraction of the query q ∘ k2_k with k1_j. The states of all second keys merge, the accumulators of each multiplied
// by its value: what merges states of disjoint keys merges those of pairs.
namespace attnc {

namespace {

namespace linalg = mlir::linalg;
using dialect::SoftmaxOp;
using dialect::StreamOp;
using mlir::Value;

/// Second keys lie in the lanes of vectors, and those of a tile are filled up: what a pair of extents costs. A tile
/// ends with the merging of its states, which takes about as long as a block of keys.
constexpr int64_t lanes = 16, merging = 8;

class JointFormer {
public:
  JointFormer(mlir::IRRewriter &rewriter, const Sum &sum, const StreamRefusal &refused)
      : rewriter(rewriter), outer(sum), refused(refused), loops(outer.op.getNumLoops()) {}

  bool run() {
    if (!flatten() || !findSoftmax())
      return false;
    if (attempt())
      return true;
    outer.op->emitRemark() << "not streamed over pairs of keys: " << why;
    return false;
  }

private:
  /// The factors of both folds, in the loops of the outer one and one more.
  bool flatten() {
    unsigned loop = loops;
    for (const Read &factor : outer.factors) {
      auto fold = inner ? std::nullopt : sumOf(factor.array);
      mlir::AffineMap output =
          fold ? fold->op.getMatchingIndexingMap(fold->op.getDpsInitOperand(0)) : mlir::AffineMap();
      if (!fold || !factor.along(outer.loop) || !output.isProjectedPermutation()) {
        factors.push_back(factor);
        continue;
      }
      for (Read inside : fold->factors) {
        for (unsigned &at : inside.loops)
          at = at == fold->loop
                   ? loop
                   : factor.loops[*output.getResultPosition(mlir::getAffineDimExpr(at, output.getContext()))];
        factors.push_back(inside);
      }
      inner = fold;
    }
    return inner.has_value();
  }

  bool findSoftmax() {
    for (auto [i, read] : llvm::enumerate(factors))
      if (auto op = read.array.getDefiningOp<SoftmaxOp>(); op && op.getRows() + 2 == read.loops.size()) {
        unsigned last = read.loops.back(), before = read.loops[op.getRows()];
        if (std::minmax(last, before) != std::minmax(outer.loop, loops))
          continue;
        softmax = op;
        weights = read;
        factors.erase(factors.begin() + i);
        return true;
      }
    return false;
  }

  /// Which axis lies in the lanes: the one that costs less, else that of the inner fold.
  void choose(Roles &roles) {
    keys = extentOf(rewriter, outer.op, outer.loop);
    seconds = extentOf(rewriter, inner->op, inner->loop);
    auto first = mlir::getConstantIntValue(keys), second = mlir::getConstantIntValue(seconds);
    auto cost = [](int64_t keys, int64_t lanesOf) { return (keys + merging) * llvm::alignTo(lanesOf, lanes); };
    bool turned = first && second && cost(*second, *first) < cost(*first, *second);
    roles.key = turned ? loops : outer.loop;
    roles.query = turned ? outer.loop : loops;
    if (turned)
      std::swap(keys, seconds);
  }

  bool attempt() {
    Roles roles;
    roles.joint = true;
    roles.depth = loops + 1;
    roles.firstPlace = loops + 2;
    for (unsigned loop = 0; loop < loops; ++loop) {
      if (loop == outer.loop)
        continue;
      if (weights.along(loop))
        roles.batch.push_back(loop);
      else if (roles.feature)
        return fail("the values have two axes of features");
      else
        roles.feature = loop;
    }
    if (!roles.feature)
      return fail("the values have no axis of features");
    rewriter.setInsertionPoint(outer.op);
    choose(roles);

    mlir::Location location = outer.op.getLoc();
    Score score(rewriter, outer.op, roles, /*plain=*/true);
    Value logit = score.element({softmax.getArray(), weights.loops}), factor, sink;
    if (!logit || !score.contracted())
      return fail("the score is no contraction of a query and two keys");
    if (softmax.getSink())
      sink = score.element({softmax.getSink(), llvm::to_vector<6>(llvm::drop_end(weights.loops, 2))});
    std::optional<Read> values[2];
    for (Read read : factors) {
      bool first = read.along(roles.key), second = read.along(*roles.query);
      if (first != second && read.along(*roles.feature)) {
        if (values[second] || !score.slides(read) || !isRow(read, roles))
          return fail("each axis of keys has one array of values");
        values[second] = read;
        continue;
      }
      Value element = read.along(*roles.feature) ? Value() : score.element(read);
      if (!element || score.contracts(element))
        return fail("a factor of softmax's weights is made from the contraction, or of features");
      factor = factor ? mlir::arith::MulFOp::create(score.body(), location, factor, element).getResult() : element;
    }
    if (!values[0] || !values[1] || (softmax.getSink() && !sink))
      return fail("each axis of keys has one array of values");
    dialect::ScoreOp::create(score.body(), location, logit, factor, sink, Value(), score.places);
    return replace(roles, score, *values[0], *values[1]);
  }

  static bool isRow(const Read &read, const Roles &roles) {
    return mlir::getElementTypeOrSelf(read.array).isF32() &&
           llvm::all_of(read.loops, [&](unsigned loop) { return roles.streamLoop(loop).has_value(); });
  }

  bool replace(const Roles &roles, Score &score, const Read &first, const Read &second) {
    linalg::GenericOp fold = outer.op;
    unsigned count = roles.batch.size() + 4 + score.places.size();
    llvm::SmallVector<mlir::Attribute> maps;
    auto map = [&](llvm::ArrayRef<unsigned> along) {
      llvm::SmallVector<mlir::AffineExpr> axes;
      for (unsigned loop : along)
        axes.push_back(rewriter.getAffineDimExpr(*roles.streamLoop(loop)));
      maps.push_back(mlir::AffineMapAttr::get(mlir::AffineMap::get(count, 0, axes, rewriter.getContext())));
    };
    auto take = [&](llvm::ArrayRef<Read> reads) {
      llvm::SmallVector<Value> arrays;
      for (const Read &read : reads) {
        arrays.push_back(read.array);
        map(read.loops);
      }
      return arrays;
    };
    auto contraction = take(score.operands), values = take({first, second}), others = take(score.others);
    llvm::SmallVector<unsigned> output;
    mlir::AffineMap written = fold.getMatchingIndexingMap(fold.getDpsInitOperand(0));
    for (unsigned axis = 0; axis < written.getNumResults(); ++axis)
      output.push_back(written.getDimPosition(axis));
    map(output);
    auto shape = fold.getDpsInits()[0].getDefiningOp<linalg::FillOp>().getOutputs()[0];
    Value empty = mlir::tensor::EmptyOp::create(rewriter, fold.getLoc(),
                                                mlir::tensor::getMixedSizes(rewriter, fold.getLoc(), shape),
                                                mlir::getElementTypeOrSelf(shape));
    auto stream = StreamOp::create(rewriter, fold.getLoc(), mlir::TypeRange(empty.getType()),
                                   rewriter.getStringAttr("softmax"), rewriter.getI64IntegerAttr(roles.batch.size()),
                                   contraction, values, others, empty, keys, seconds, rewriter.getArrayAttr(maps),
                                   /*termsCount=*/0);
    stream.getScore().push_back(score.takeBlock().release());
    for (mlir::Operation &op : llvm::make_early_inc_range(llvm::reverse(stream.getScore().front())))
      if (mlir::isOpTriviallyDead(&op)) // the conditions of places
        rewriter.eraseOp(&op);
    if (!slide(stream))
      fail("the keys of a query lie neither where those of others do nor where the query's place tells");
    else if (refused)
      fail(refused(stream));
    if (!why.empty()) {
      rewriter.eraseOp(stream);
      return false;
    }
    explain(stream);
    rewriter.replaceOp(fold, stream.getResult(0));
    return true;
  }

  /// Whether all places are those of windows.
  static bool slide(StreamOp stream) {
    unsigned values = stream.getContraction().size();
    for (auto [operand, own] : {std::pair(1u, stream.keyLoop()), std::pair(2u, stream.queryLoop()),
                                std::pair(values, stream.keyLoop()), std::pair(values + 1, stream.queryLoop())}) {
      unsigned placed = 0;
      for (mlir::AffineExpr axis : stream.mapOf(operand).getResults())
        if (unsigned loop = mlir::cast<mlir::AffineDimExpr>(axis).getPosition(); loop >= stream.loopCount())
          if (++placed > 1 || !slidingLoop(stream, loop - stream.loopCount(), own))
            return false;
    }
    return true;
  }

  bool fail(llvm::StringRef reason) {
    why = reason.str();
    return false;
  }

  mlir::IRRewriter &rewriter;
  Sum outer;
  const StreamRefusal &refused;
  unsigned loops; // of the outer fold; the number of the inner one's axis
  std::optional<Sum> inner;
  llvm::SmallVector<Read, 4> factors; // but the weights
  SoftmaxOp softmax;
  Read weights;
  Value keys, seconds; // how many there are
  std::string why;
};

} // namespace

bool formJoint(mlir::IRRewriter &rewriter, const Sum &sum, const StreamRefusal &refused) {
  return JointFormer(rewriter, sum, refused).run();
}

} // namespace attnc
