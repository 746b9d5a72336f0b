#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Explain.h"
#include "attnc/stream/FormTopK.h"
#include "attnc/stream/Joint.h"
#include "attnc/stream/Linear.h"
#include "attnc/stream/Normaliser.h"
#include "attnc/stream/Passes.h"
#include "attnc/stream/Score.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

// Finds streams. A fold Σ_j w(i, j) v(j, e) is one when its weights are produced along j: from a contraction of queries
// and keys, by any arithmetic, perhaps through a softmax over j. The boxes around it are loops here, the names and the
// calls are gone and copies are looked through, so that it is found however it is written.
namespace attnc {

namespace {

namespace linalg = mlir::linalg;
using dialect::SoftmaxOp;
using dialect::StreamOp;
using mlir::Value;

/// One way to see a fold as a stream.
struct Formation {
  Roles roles;
  std::string algebra;
  std::optional<Read> value;
  std::unique_ptr<mlir::Block> region, term;
  llvm::SmallVector<Read, 3> contraction;
  llvm::SmallVector<Read, 4> others;
  llvm::SmallVector<Normaliser, 1> normalisers; // of the result, the first one last
  std::optional<Read> measured;                 // the sums along the keys that the stream gives too
};

class Former {
public:
  Former(mlir::IRRewriter &rewriter, const Sum &sum, const StreamRefusal &refused)
      : rewriter(rewriter), sum(sum), refused(refused) {}

  /// The stream in place of the fold, or nothing with `why`.
  bool run() {
    if (!looksLikeAttention())
      return false;
    for (bool plain : {false, true}) {
      this->plain = plain;
      for (unsigned i = 0; i <= sum.factors.size(); ++i) // each factor as the values, then none
        if (auto formation = attempt(i)) {
          if (replace(*formation))
            return true;
          break;
        }
    }
    sum.op->emitRemark() << "not streamed: " << why;
    return false;
  }

private:
  /// A softmax along the folded loop, and along no other with it.
  SoftmaxOp softmaxOf(const Read &read) const {
    auto softmax = read.array.getDefiningOp<SoftmaxOp>();
    bool along = softmax && !read.loops.empty() && read.loops.back() == sum.loop;
    return along && softmax.getRows() + 1 == read.loops.size() ? softmax : nullptr;
  }

  bool looksLikeAttention() {
    return llvm::any_of(sum.factors, [&](const Read &f) {
      return softmaxOf(f) || (f.loops.size() > 1 && f.along(sum.loop) && mapOf(f.array) && isForThisAlone(f.array));
    });
  }

  /// Nothing else reads what the map is made of, contractions and all: else they are arrays anyway, and a stream would
  /// compute them once more. Numbers are for all.
  bool isForThisAlone(Value array) {
    if (mlir::cast<mlir::RankedTensorType>(array.getType()).getRank() == 0)
      return true;
    auto made = array.getDefiningOp<linalg::GenericOp>();
    if (!made)
      return true;
    if (!endsHere(made))
      return false;
    auto map = mapOf(array);
    return !map || llvm::all_of(map.getDpsInputs(), [&](Value input) { return isForThisAlone(input); });
  }
  /// Whether all that an operation is used for goes into the fold.
  bool endsHere(mlir::Operation *op) {
    if (op == sum.op)
      return true;
    auto [at, isNew] = ends.try_emplace(op, false);
    if (isNew) {
      bool all = !op->use_empty() && op->getBlock() == sum.op->getBlock() &&
                 llvm::all_of(op->getUsers(), [&](mlir::Operation *user) { return endsHere(user); });
      ends[op] = all;
      return all;
    }
    return at->second;
  }

  static void add(llvm::SmallVectorImpl<unsigned> &set, const Read &read) {
    for (unsigned loop : read.loops)
      if (!llvm::is_contained(set, loop))
        set.push_back(loop);
  }

  std::unique_ptr<Formation> attempt(unsigned values) {
    llvm::SmallVector<unsigned> weightLoops, valueLoops;
    for (auto [i, factor] : llvm::enumerate(sum.factors))
      add(i == values ? valueLoops : weightLoops, factor);
    auto formation = std::make_unique<Formation>();
    Roles &roles = formation->roles;
    roles.key = sum.loop;
    roles.depth = sum.op.getNumLoops();
    roles.firstPlace = roles.depth + 1;
    llvm::SmallVector<unsigned> queries;
    for (unsigned loop = 0; loop < sum.op.getNumLoops(); ++loop) {
      if (loop == sum.loop)
        continue;
      bool inWeights = llvm::is_contained(weightLoops, loop), inValues = llvm::is_contained(valueLoops, loop);
      if (inWeights && !inValues)
        queries.push_back(loop);
      if (!inWeights && inValues && roles.feature)
        return refuse("the values have two axes of features");
      if (!inWeights && inValues)
        roles.feature = loop;
      else if (inWeights || inValues)
        roles.batch.push_back(loop);
      else
        return refuse("it is the same along an axis");
    }
    if (values < sum.factors.size()) {
      const Read &value = sum.factors[values];
      if (!roles.feature || !value.along(sum.loop) || softmaxOf(value))
        return refuse("no factor has an axis of features of its own");
    } else if (roles.feature) {
      return refuse("no factor has an axis of features of its own");
    }
    // The lanes are filled by the longest axis of queries along which the contraction has queries, the last one of
    // alike.
    llvm::SmallVector<int64_t> extents = sum.op.getStaticLoopRanges();
    if (llvm::none_of(extents, mlir::ShapedType::isDynamic))
      llvm::stable_sort(queries, [&](unsigned a, unsigned b) { return extents[a] < extents[b]; });
    for (unsigned query : llvm::reverse(queries)) {
      Roles chosen = roles;
      chosen.query = query;
      llvm::erase(chosen.batch, query);
      if (gather(*formation, chosen, values))
        return formation;
    }
    // There is none, or each query has keys of its own.
    return gather(*formation, roles, values) ? std::move(formation) : nullptr;
  }

  bool gather(Formation &formation, const Roles &roles, unsigned values) {
    // A normaliser of the weights is one of the result. Most are made of a sum along the keys, which is taken beside.
    formation.normalisers.clear();
    llvm::SmallVector<Read, 2> weights;
    llvm::SmallVector<Read, 2> sums;
    for (auto [i, factor] : llvm::enumerate(sum.factors)) {
      Read read = factor;
      if (i != values && !softmaxOf(read))
        while (auto normaliser = normaliserOf(read, roles.key)) {
          collectMeasures(*normaliser, sums);
          formation.normalisers.push_back(*normaliser);
          read = normaliser->read;
        }
      weights.push_back(read);
    }
    return (sums.size() == 1 && gather(formation, roles, values, weights, sums[0])) ||
           gather(formation, roles, values, weights, std::nullopt);
  }

  bool gather(Formation &formation, const Roles &roles, unsigned values, llvm::ArrayRef<Read> weights,
              const std::optional<Read> &measured) {
    mlir::Location location = sum.op.getLoc();
    Score score(rewriter, sum.op, roles, plain);
    Value logit, factor, sink, measure;
    auto times = [&](Value &product, Value element) {
      product = product ? mlir::arith::MulFOp::create(score.body(), location, product, element).getResult() : element;
    };
    formation.algebra = "sum";
    for (auto [i, read] : llvm::enumerate(weights)) {
      if (i == values)
        continue;
      SoftmaxOp softmax = logit ? nullptr : softmaxOf(read);
      Value element = score.element(softmax ? Read{softmax.getArray(), read.loops} : read);
      if (!element)
        return fail("a score takes more than one contraction, or an index of another loop");
      if (!softmax) {
        times(factor, element);
        continue;
      }
      formation.algebra = "softmax";
      logit = element;
      if (softmax.getSink()) {
        sink = score.element({softmax.getSink(), llvm::to_vector<6>(llvm::drop_end(read.loops))});
        if (!sink)
          return fail("a sink is an element of each query");
      }
    }
    if (measured)
      for (const Read &read : summands(*measured)) {
        Value element = score.element(read);
        if (!element || logit)
          return false;
        times(measure, element);
      }
    if (!score.contracted() && !logit)
      return fail("no score is a contraction of queries and keys");
    if (logit && factor && score.contracts(factor))
      return fail("a factor of softmax's weights is made from the contraction too");
    if (values < weights.size()) {
      formation.value = weights[values];
      if (!roles.query) {
        auto inside = score.placed(*formation.value);
        if (!inside || formation.value->loops.back() != *roles.feature)
          return fail("the features of a value do not follow one another in memory");
        if (*inside) {
          auto number = [&](double value) {
            return mlir::arith::ConstantOp::create(score.body(), location, score.body().getF32FloatAttr(value));
          };
          Value given = factor ? factor : number(1);
          factor = mlir::arith::SelectOp::create(score.body(), location, *inside, given, number(0));
        }
      }
    }
    if (!logit)
      logit = std::exchange(factor, nullptr);
    dialect::ScoreOp::create(score.body(), location, logit, factor, sink, measure, score.places);
    if (!score.joinContractions())
      return fail("a score takes several contractions that are not summed");
    formation.roles = roles;
    formation.roles.hasDepth = score.contracted();
    formation.contraction = score.operands;
    formation.term = std::move(score.term);
    formation.others = score.others;
    formation.region = score.takeBlock();
    formation.measured = measured;
    return true;
  }

  /// The factors of what is summed in another fold along as many keys, in the loops of this one.
  llvm::SmallVector<Read, 2> summands(const Read &of) {
    Sum other = *sumOf(of.array);
    mlir::AffineMap output = other.op.getMatchingIndexingMap(other.op.getDpsInitOperand(0));
    for (Read &factor : other.factors)
      for (unsigned &loop : factor.loops)
        loop = loop == other.loop
                   ? sum.loop
                   : of.loops[*output.getResultPosition(mlir::getAffineDimExpr(loop, output.getContext()))];
    return other.factors;
  }

  std::unique_ptr<Formation> refuse(llvm::StringRef reason) {
    fail(reason);
    return nullptr;
  }
  bool fail(llvm::StringRef reason) {
    if (why.empty() || reason.starts_with("a score") || reason.starts_with("no score"))
      why = reason.str();
    return false;
  }

  bool replace(Formation &formation) {
    const Roles &roles = formation.roles;
    unsigned loops = roles.batch.size() + 2 + roles.hasDepth + formation.value.has_value() +
                     mlir::cast<dialect::ScoreOp>(formation.region->getTerminator()).getPlaces().size();
    llvm::SmallVector<mlir::Attribute> maps;
    auto map = [&](llvm::ArrayRef<unsigned> along) {
      llvm::SmallVector<mlir::AffineExpr> axes;
      for (unsigned loop : along)
        axes.push_back(rewriter.getAffineDimExpr(*roles.streamLoop(loop)));
      maps.push_back(mlir::AffineMapAttr::get(mlir::AffineMap::get(loops, 0, axes, rewriter.getContext())));
    };
    llvm::SmallVector<Value> contraction, values, others, outputs;
    auto take = [&](const Read &read, llvm::SmallVectorImpl<Value> &arrays) {
      arrays.push_back(read.array);
      map(read.loops);
    };
    for (const Read &operand : formation.contraction)
      take(operand, contraction);
    if (formation.value)
      take(*formation.value, values);
    for (const Read &other : formation.others)
      take(other, others);
    linalg::GenericOp fold = sum.op;
    llvm::SmallVector<unsigned> output;
    mlir::AffineMap written = fold.getMatchingIndexingMap(fold.getDpsInitOperand(0));
    for (unsigned axis = 0; axis < written.getNumResults(); ++axis)
      output.push_back(written.getDimPosition(axis));

    rewriter.setInsertionPoint(fold);
    auto write = [&](linalg::GenericOp like, llvm::ArrayRef<unsigned> along) {
      auto shape = like.getDpsInits()[0].getDefiningOp<linalg::FillOp>().getOutputs()[0];
      outputs.push_back(mlir::tensor::EmptyOp::create(rewriter, fold.getLoc(),
                                                      mlir::tensor::getMixedSizes(rewriter, fold.getLoc(), shape),
                                                      mlir::getElementTypeOrSelf(shape)));
      map(along);
    };
    write(fold, output);
    if (formation.measured)
      write(sumOf(formation.measured->array)->op, formation.measured->loops);
    // Where all rows are at places, no array tells how many keys there are.
    Value keys;
    unsigned keyLoop = roles.batch.size() + 1;
    if (llvm::none_of(maps, [&](mlir::Attribute map) {
          return mlir::cast<mlir::AffineMapAttr>(map).getValue().isFunctionOfDim(keyLoop);
        }))
      keys = extentOf(rewriter, fold, sum.loop);
    auto stream = StreamOp::create(rewriter, fold.getLoc(), mlir::TypeRange(mlir::ValueRange(outputs)),
                                   rewriter.getStringAttr(formation.algebra),
                                   rewriter.getI64IntegerAttr(roles.batch.size()), contraction, values, others, outputs,
                                   keys, /*queries=*/Value(), rewriter.getArrayAttr(maps), formation.term ? 1 : 0);
    stream.getScore().push_back(formation.region.release());
    if (formation.term)
      stream.getTerms()[0].push_back(formation.term.release());
    if (std::string reason = refused ? refused(stream) : std::string(); !reason.empty()) {
      rewriter.eraseOp(stream);
      why = std::move(reason);
      return false;
    }
    explain(stream);
    Value result = stream.getResult(0);
    for (const Normaliser &normaliser : llvm::reverse(formation.normalisers))
      result = formation.measured
                   ? normalise(rewriter, normaliser, result, output, formation.measured->array, stream.getResult(1))
                   : normalise(rewriter, normaliser, result, output, nullptr, nullptr);
    rewriter.replaceOp(fold, result);
    return true;
  }

  mlir::IRRewriter &rewriter;
  Sum sum;
  const StreamRefusal &refused;
  bool plain = false; // whether scores are
  std::string why;
  llvm::DenseMap<mlir::Operation *, bool> ends;
};

struct Stream : mlir::PassWrapper<Stream, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Stream)
  explicit Stream(StreamRefusal refuse) : refuse(std::move(refuse)) {}
  llvm::StringRef getArgument() const final { return "attnc-stream"; }
  llvm::StringRef getDescription() const final { return "folds whose operands are produced along their axis"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<dialect::AttncDialect, mlir::arith::ArithDialect, mlir::tensor::TensorDialect>();
  }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    mlir::Block &block = getOperation().getBody().front();
    form(rewriter, block);
    // What was made for streams that are not, or that streams do without.
    for (mlir::Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (mlir::isOpTriviallyDead(&op))
        rewriter.eraseOp(&op);
  }

private:
  /// Consumers first: what only a stream asked for is gone before it is looked at.
  void form(mlir::IRRewriter &rewriter, mlir::Block &block) {
    for (mlir::Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
      if (mlir::isOpTriviallyDead(&op)) {
        rewriter.eraseOp(&op);
      } else if (auto fold = mlir::dyn_cast<linalg::GenericOp>(op)) {
        auto sum = fold->getNumResults() == 1 ? sumOf(fold.getResult(0)) : std::nullopt;
        if (!sum || formJoint(rewriter, *sum, refuse))
          continue;
        llvm::SmallVector<Sum, 2> folds = splitFold(rewriter, *sum);
        if (folds.empty())
          folds.push_back(*sum);
        for (const Sum &each : folds)
          Former(rewriter, each, refuse).run();
      } else if (auto best = mlir::dyn_cast<dialect::TopKOp>(op)) {
        formTopK(rewriter, best, refuse);
      } else if (!mlir::isa<linalg::LinalgOp>(op)) {
        for (mlir::Region &region : op.getRegions())
          for (mlir::Block &inside : region)
            form(rewriter, inside);
      }
    }
  }

  StreamRefusal refuse;
};

} // namespace

std::unique_ptr<mlir::Pass> createStreamPass(StreamRefusal refuse) {
  return std::make_unique<Stream>(std::move(refuse));
}

} // namespace attnc
