#include "attnc/dialect/AttncDialect.h"
#include "attnc/lower/Nest.h"
#include "attnc/lower/Passes.h"
#include "attnc/lower/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
namespace tensor = mlir::tensor;
using mlir::Value;
using mlir::ValueRange;

/// Selection, in the order "NaN, then greater, then lower index": the best so far are held in order, and an element
/// that goes before the last of them is moved in. O(n + m count) comparisons where m elements enter, of random ones
/// about count (1 + log(n / count)), and no scratch.
scf::LoopNest select(mlir::OpBuilder &builder, dialect::TopKOp op) {
  mlir::Location location = op.getLoc();
  Value array = op.getArray(), results = op.getCount();
  auto sizes = tensor::getMixedSizes(builder, location, array);
  llvm::SmallVector<mlir::OpFoldResult> outer(llvm::drop_end(sizes)), all = outer;
  all.push_back(mlir::getAsOpFoldResult(results));
  auto indexConstant = [](mlir::OpBuilder &b, mlir::Location l, int64_t value) {
    return arith::ConstantIndexOp::create(b, l, value);
  };
  mlir::Type scalar = mlir::getElementTypeOrSelf(array);
  Value zero = indexConstant(builder, location, 0), one = indexConstant(builder, location, 1);
  Value high = mlir::getValueOrCreateConstantIndexOp(builder, location, sizes.back());
  Value lowest = arith::ConstantOp::create(builder, location, unitOf(Cap::Max, scalar));
  Value nowhere = arith::ConstantOp::create(builder, location, builder.getI64IntegerAttr(-1));
  Value no = arith::ConstantOp::create(builder, location, builder.getBoolAttr(false));
  Value some = arith::MinUIOp::create(builder, location, results, one);
  Value looked = arith::MulIOp::create(builder, location, high, some); // none, where nothing is to be held
  Value initial[] = {emptyTensor(builder, location, all, scalar),
                     emptyTensor(builder, location, all, builder.getI64Type())};

  auto before = [&](mlir::OpBuilder &b, mlir::Location l, Value x, Value y) -> Value {
    if (!mlir::isa<mlir::FloatType>(scalar))
      return arith::CmpIOp::create(b, l, arith::CmpIPredicate::sgt, x, y);
    Value xNaN = arith::CmpFOp::create(b, l, arith::CmpFPredicate::UNO, x, x);
    Value yNumber = arith::CmpFOp::create(b, l, arith::CmpFPredicate::ORD, y, y);
    Value greater = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OGT, x, y);
    return arith::OrIOp::create(b, l, greater, arith::AndIOp::create(b, l, xNaN, yNumber));
  };
  using List = llvm::SmallVector<Value>;
  auto done = loopNest(
      builder, location, outer, initial, [&](mlir::OpBuilder &b, mlir::Location l, ValueRange row, ValueRange arrays) {
        auto at = [&](Value place) {
          List whole(row);
          whole.push_back(place);
          return whole;
        };
        auto put = [&](mlir::OpBuilder &b, mlir::Location l, Value x, Value i, Value place, ValueRange held) -> List {
          return {tensor::InsertOp::create(b, l, x, held[0], at(place)),
                  tensor::InsertOp::create(b, l, i, held[1], at(place))};
        };
        auto best = scf::ForOp::create(
            b, l, zero, looked, one, arrays, [&](mlir::OpBuilder &b, mlir::Location l, Value i, ValueRange held) {
              Value x = tensor::ExtractOp::create(b, l, array, at(i));
              Value least = arith::SubIOp::create(b, l, results, one);
              Value last = arith::MinUIOp::create(b, l, i, least); // the place that is written if x enters
              // While there is room nothing has been written at `last`, and what is read there does not matter.
              Value room = arith::CmpIOp::create(b, l, arith::CmpIPredicate::ult, i, results);
              Value worst = tensor::ExtractOp::create(b, l, held[0], at(last));
              Value enters = arith::OrIOp::create(b, l, room, before(b, l, x, worst));
              // A loop of one step or none in place of a branch: what a loop carries stays in its array.
              Value times = arith::IndexCastUIOp::create(b, l, b.getIndexType(), enters);
              auto entered = scf::ForOp::create(
                  b, l, zero, times, one, held, [&](mlir::OpBuilder &b, mlir::Location l, Value, ValueRange held) {
                    List carried(held);
                    carried.append({x, arith::IndexCastOp::create(b, l, b.getI64Type(), i), no});
                    auto moved = scf::ForOp::create(
                        b, l, zero, last, one, carried,
                        [&](mlir::OpBuilder &b, mlir::Location l, Value place, ValueRange now) {
                          Value y = tensor::ExtractOp::create(b, l, now[0], at(place));
                          Value j = tensor::ExtractOp::create(b, l, now[1], at(place));
                          Value found = arith::OrIOp::create(b, l, now[4], before(b, l, now[2], y));
                          auto select = [&](Value p, Value q) -> Value {
                            return arith::SelectOp::create(b, l, found, p, q);
                          };
                          List next = put(b, l, select(now[2], y), select(now[3], j), place, now.take_front(2));
                          next.append({select(y, now[2]), select(j, now[3]), found});
                          scf::YieldOp::create(b, l, next);
                        });
                    ValueRange now = moved.getResults();
                    scf::YieldOp::create(b, l, put(b, l, now[2], now[3], last, now.take_front(2)));
                  });
              scf::YieldOp::create(b, l, entered.getResults());
            });
        auto filled = scf::ForOp::create(b, l, high, results, one, best.getResults(),
                                         [&](mlir::OpBuilder &b, mlir::Location l, Value place, ValueRange held) {
                                           scf::YieldOp::create(b, l, put(b, l, lowest, nowhere, place, held));
                                         });
        return List(filled.getResults());
      });
  markParallel(done.loops);
  return done;
}

struct ExpandTopK : mlir::PassWrapper<ExpandTopK, mlir::OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandTopK)
  llvm::StringRef getArgument() const final { return "attnc-expand-topk"; }
  llvm::StringRef getDescription() const final { return "top-k as loops"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<arith::ArithDialect, scf::SCFDialect, tensor::TensorDialect>();
  }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    getOperation()->walk([&](dialect::TopKOp op) {
      rewriter.setInsertionPoint(op);
      llvm::SmallVector<Value> results;
      for (auto [selected, result] : llvm::zip(select(rewriter, op).results, op.getResults()))
        results.push_back(selected.getType() == result.getType()
                              ? selected
                              : tensor::CastOp::create(rewriter, op.getLoc(), result.getType(), selected).getResult());
      rewriter.replaceOp(op, results);
    });
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createExpandTopKPass() { return std::make_unique<ExpandTopK>(); }

} // namespace attnc
