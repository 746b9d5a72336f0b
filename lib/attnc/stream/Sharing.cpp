#include "attnc/stream/Sharing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"

namespace attnc {

namespace arith = mlir::arith;
namespace func = mlir::func;
namespace scf = mlir::scf;
using mlir::Value;
using mlir::ValueRange;

/// Multiplications from which a stream is shared out: about ten times what starting threads costs.
constexpr int64_t worthThreads = 1 << 19;

Sharing::Sharing(Code &code, Value work, std::string name) : code(code), name(std::move(name)) {
  if (auto known = mlir::getConstantIntValue(work)) {
    always = *known >= worthThreads;
    never = !always;
    return;
  }
  worth = less(code, index(code, worthThreads - 1), work);
}

/// An earlier function that does the same, in place of this one: the streams of alike layers are compiled once.
static void useAlike(func::FuncOp function, func::CallOp call) {
  for (auto other : function->getParentOfType<mlir::ModuleOp>().getOps<func::FuncOp>())
    if (other != function && other.getFunctionType() == function.getFunctionType() &&
        mlir::OperationEquivalence::isRegionEquivalentTo(&other.getBody(), &function.getBody(),
                                                         mlir::OperationEquivalence::IgnoreLocations)) {
      call.setCallee(other.getName());
      function.erase();
      return;
    }
}

void Sharing::forEach(llvm::StringRef what, Value count, llvm::function_ref<void(Value)> body) {
  Value none = index(code, 0), one = index(code, 1);
  if (never)
    return loop(code, none, count, 1, body);
  auto inParallel = [&](llvm::function_ref<void(Value)> body) {
    auto parallel = scf::ParallelOp::create(code, ValueRange{none}, ValueRange{count}, ValueRange{one});
    mlir::OpBuilder::InsertionGuard guard(code);
    code.setInsertionPoint(parallel.getBody()->getTerminator());
    body(parallel.getInductionVars()[0]);
  };
  if (always)
    return inParallel(body);
  // The task is one function, called from both loops.
  auto inOrder = scf::ForOp::create(code, none, count, one);
  {
    mlir::OpBuilder::InsertionGuard guard(code);
    code.setInsertionPoint(inOrder.getBody()->getTerminator());
    body(inOrder.getInductionVar());
  }
  mlir::IRRewriter rewriter(code);
  func::CallOp task;
  auto outlined =
      mlir::outlineSingleBlockRegion(rewriter, code.getLoc(), inOrder.getRegion(), name + "_" + what.str(), &task);
  outlined->setPrivate();
  useAlike(*outlined, task);
  code.setInsertionPointAfter(inOrder);
  branch(
      code, worth,
      [&] {
        inParallel([&](Value number) {
          mlir::IRMapping values;
          values.map(inOrder.getInductionVar(), number);
          code.clone(*task, values);
        });
      },
      [&] { inOrder->moveBefore(code.getInsertionBlock(), code.getInsertionPoint()); });
}

Value fromBothEnds(Code &code, Value number, Value count) {
  Value two = index(code, 2), half = code.createOrFold<arith::DivUIOp>(number, two);
  Value odd = less(code, index(code, 0), code.createOrFold<arith::RemUIOp>(number, two));
  return choose(code, odd, subtract(code, subtract(code, count, index(code, 1)), half), half);
}

Value Sharing::slots() { return never ? index(code, 1) : ask("omp_get_max_threads"); }
Value Sharing::slot() { return never ? index(code, 0) : ask("omp_get_thread_num"); }

Value Sharing::ask(llvm::StringRef function) {
  auto module = code.getInsertionBlock()->getParentOp()->getParentOfType<mlir::ModuleOp>();
  if (!module.lookupSymbol(function)) {
    mlir::OpBuilder::InsertionGuard guard(code);
    code.setInsertionPointToStart(module.getBody());
    func::FuncOp::create(code, function, code.getFunctionType({}, code.getI32Type())).setPrivate();
  }
  Value number = func::CallOp::create(code, function, mlir::TypeRange{code.getI32Type()}).getResult(0);
  return arith::IndexCastOp::create(code, code.getIndexType(), number);
}

} // namespace attnc
