#include "attnc/stream/FormTopK.h"
#include "attnc/stream/Explain.h"
#include "attnc/stream/Score.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

// A selection goes by rows: the axes before its own are all of the batch, and a row of scores is made where it is read,
// if nothing else reads it.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace linalg = mlir::linalg;
using dialect::StreamOp;
using dialect::TopKOp;
using mlir::Value;

class TopKFormer {
public:
  TopKFormer(mlir::IRRewriter &rewriter, TopKOp op, const StreamRefusal &refused)
      : rewriter(rewriter), op(op), refused(refused) {
    unsigned rows = op.getRows();
    for (unsigned loop = 0; loop < rows; ++loop)
      roles.batch.push_back(loop);
    for (unsigned loop = 0; loop <= rows; ++loop)
      scores.loops.push_back(loop);
    scores.array = op.getArray();
    roles.key = rows;
    roles.depth = rows + 1;
    roles.feature = rows + 2;
    roles.firstPlace = rows + 3;
  }

  bool run() {
    if (!mlir::getElementTypeOrSelf(op.getArray()).isF32())
      why = "it orders numbers that are not f32";
    else if (form(true) || form(false))
      return true;
    op.emitRemark() << "not streamed: " << why;
    return false;
  }

private:
  bool form(bool streamed) {
    Score score(rewriter, op, roles, /*plain=*/true);
    Value element = streamed ? isForThisAlone(op.getArray()) ? score.element(scores) : Value() : score.stored(scores);
    if (!element || !score.places.empty() || score.term)
      return false;
    dialect::ScoreOp::create(score.body(), op.getLoc(), element, Value(), Value(), Value(), mlir::ValueRange());
    Roles roles = this->roles;
    roles.hasDepth = score.contracted();
    unsigned loops = roles.batch.size() + 3 + roles.hasDepth;
    llvm::SmallVector<Value> contraction, others;
    llvm::SmallVector<mlir::Attribute> maps;
    auto map = [&](llvm::ArrayRef<unsigned> along) {
      llvm::SmallVector<mlir::AffineExpr> axes;
      for (unsigned loop : along)
        axes.push_back(rewriter.getAffineDimExpr(*roles.streamLoop(loop)));
      maps.push_back(mlir::AffineMapAttr::get(mlir::AffineMap::get(loops, 0, axes, rewriter.getContext())));
    };
    auto take = [&](const Read &read, llvm::SmallVectorImpl<Value> &arrays) {
      arrays.push_back(read.array);
      map(read.loops);
    };
    for (const Read &operand : score.operands)
      take(operand, contraction);
    for (const Read &other : score.others)
      take(other, others);

    rewriter.setInsertionPoint(op);
    mlir::Location location = op.getLoc();
    llvm::SmallVector<mlir::OpFoldResult> sizes;
    for (unsigned loop : roles.batch)
      sizes.push_back(sizeOf(loop));
    sizes.push_back(mlir::getAsOpFoldResult(op.getCount()));
    llvm::SmallVector<unsigned> ranks(roles.batch.begin(), roles.batch.end());
    ranks.push_back(*roles.feature);
    llvm::SmallVector<Value> outputs;
    for (mlir::Type type : {op.getValues().getType(), op.getIndices().getType()}) {
      outputs.push_back(mlir::tensor::EmptyOp::create(rewriter, location, sizes, mlir::getElementTypeOrSelf(type)));
      map(ranks);
    }
    Value keys = mlir::getValueOrCreateConstantIndexOp(rewriter, location, sizeOf(roles.key));
    auto stream =
        StreamOp::create(rewriter, location, mlir::TypeRange(mlir::ValueRange(outputs)), rewriter.getStringAttr("topk"),
                         rewriter.getI64IntegerAttr(roles.batch.size()), contraction, mlir::ValueRange(), others,
                         outputs, keys, /*queries=*/Value(), rewriter.getArrayAttr(maps), /*termsCount=*/0);
    stream.getScore().push_back(score.takeBlock().release());
    if (std::string reason = refused ? refused(stream) : std::string(); !reason.empty()) {
      rewriter.eraseOp(stream);
      why = std::move(reason);
      return false;
    }
    explain(stream);
    llvm::SmallVector<Value> results;
    for (auto [stream, op] : llvm::zip(stream.getResults(), op.getResults())) {
      Value given = stream;
      if (given.getType() != op.getType())
        given = mlir::tensor::CastOp::create(rewriter, location, op.getType(), given);
      results.push_back(given);
    }
    rewriter.replaceOp(op, results);
    return true;
  }

  /// The extent of a loop, from an array that need not be computed.
  mlir::OpFoldResult sizeOf(unsigned loop) {
    return mlir::tensor::getMixedSize(rewriter, op.getLoc(), shaped(op.getArray()), loop);
  }

  /// Nothing else reads what the scores are made of.
  static bool isForThisAlone(Value array) {
    if (mlir::cast<mlir::RankedTensorType>(array.getType()).getRank() == 0)
      return true;
    auto made = array.getDefiningOp<linalg::GenericOp>();
    return !made || (array.hasOneUse() && llvm::all_of(made.getDpsInputs(), isForThisAlone));
  }

  mlir::IRRewriter &rewriter;
  TopKOp op;
  const StreamRefusal &refused;
  Roles roles;
  Read scores;
  std::string why;
};

} // namespace

bool formTopK(mlir::IRRewriter &rewriter, TopKOp op, const StreamRefusal &refused) {
  return TopKFormer(rewriter, op, refused).run();
}

} // namespace attnc
