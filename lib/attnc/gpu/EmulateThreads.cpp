#include "attnc/gpu/EmulateThreads.h"

#include "attnc/dialect/DeviceOps.h"
#include "attnc/gpu/Host.h"
#include "attnc/gpu/Kernels.h"
#include "attnc/launch/Emulated.h"
#include "attnc/stream/Lanes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include "llvm/ADT/TypeSwitch.h"

namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace func = mlir::func;
namespace gpu = mlir::gpu;
namespace memref = mlir::memref;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

/// What a thread asks of its device, as calls of `attnc_emulated_…`.
class Calls {
public:
  explicit Calls(func::FuncOp function) : function(function), code(function.getLoc(), function.getContext()) {}

  void run(int64_t threads) {
    this->threads = threads;
    function->walk([&](mlir::Operation *op) {
      code.setInsertionPoint(op);
      code.setLoc(op->getLoc());
      replace(op);
    });
    if (shared)
      shared->erase();
  }

private:
  void replace(mlir::Operation *op) {
    llvm::TypeSwitch<mlir::Operation *>(op)
        .Case([&](gpu::ThreadIdOp op) { with(op, place("thread")); })
        .Case([&](gpu::BlockIdOp op) { with(op, place("block")); })
        .Case([&](gpu::GridDimOp op) { with(op, function.getArguments().back()); })
        .Case([&](gpu::BlockDimOp op) { with(op, index(code, threads)); })
        .Case([&](gpu::BarrierOp op) { with(op, call("barrier", {}, {})); })
        .Case([&](gpu::ShuffleOp op) {
          Value other = call("exchange", code.getF32Type(), {op.getValue(), op.getOffset()})[0];
          op.getShuffleResult().replaceAllUsesWith(other);
          op->erase();
        })
        .Case([&](memref::ExtractAlignedPointerAsIndexOp op) {
          if (auto array = op.getSource().getDefiningOp<memref::AllocaOp>())
            shareAt(array, op);
        })
        .Case([&](dialect::BeginBarrierOp op) {
          with(op, call("begin_barrier", {}, {op.getBarrier(), number(op.getArrivals())}));
        })
        .Case([&](dialect::PublishBarriersOp op) { op->erase(); })
        .Case([&](dialect::RegistersOp op) { op->erase(); })
        .Case([&](dialect::ExpectOp op) { with(op, call("expect", {}, {op.getBarrier(), number(op.getBytes())})); })
        .Case([&](dialect::ArriveOp op) {
          Value condition = arith::ExtUIOp::create(code, code.getI32Type(), op.getCondition());
          with(op, call("arrive", {}, {op.getBarrier(), condition}));
        })
        .Case([&](dialect::WaitOp op) { with(op, call("wait", {}, op->getOperands())); })
        .Case([&](dialect::MeetOp op) { with(op, call("meet", {}, {op.getNumber(), number(op.getThreads())})); })
        .Case([&](dialect::PassOp op) { with(op, call("pass", {}, {op.getNumber(), number(op.getThreads())})); })
        .Case([&](dialect::LoadBoxOp op) {
          constexpr std::size_t axes = 5;
          Values arguments{address(op.getMap()), op.getTo(), op.getBarrier()};
          arguments.append(op.getAt().begin(), op.getAt().end());
          while (arguments.size() < 3 + axes)
            arguments.push_back(arith::ConstantOp::create(code, code.getI32IntegerAttr(0)));
          with(op, call("load_box", {}, arguments));
        })
        .Case([&](dialect::GroupProductOp op) { multiply(op); })
        .Case([&](dialect::AwaitOp op) {
          Value sums = filled(code.getF32Type(), op.getSums(), op.getSums().size());
          call("await", {}, {address(sums), number(int64_t(op.getSums().size())), number(int64_t(op.getPending()))});
          with(op, read(sums, op->getNumResults()));
        });
  }

  /// The place of what a block shares is all that is asked of it.
  void shareAt(memref::AllocaOp array, memref::ExtractAlignedPointerAsIndexOp place) {
    shared = array;
    with(place, index(code, firstShared));
  }

  void multiply(dialect::GroupProductOp op) {
    enum { float16 = 6, bfloat16 = 9 }; // CUtensorMapDataType
    auto steps = int64_t(op.getRightSteps().size());
    auto matrices = [&](Value matrix, llvm::ArrayRef<int64_t> steps) {
      Values all;
      for (int64_t step : steps)
        all.push_back(arith::AddIOp::create(code, matrix, number(step)));
      return address(filled(code.getI64Type(), all, all.size()));
    };
    Value sums = filled(code.getF32Type(), op.getSums(), op->getNumResults());
    bool inRegisters = !op.getLeft().empty();
    Value left = inRegisters ? address(filled(code.getI32Type(), op.getLeft(), op.getLeft().size())) : number(0);
    Value leftAt = inRegisters ? number(0) : matrices(op.getLeftMatrix(), op.getLeftSteps());
    call("product", {},
         {address(sums), number(op->getNumResults()), number(op.getSums().empty()), left, leftAt,
          matrices(op.getRightMatrix(), op.getRightSteps()), number(steps), number(op.getTurned()),
          number(op.getElement().isBF16() ? bfloat16 : float16)});
    with(op, read(sums, op->getNumResults()));
  }

  Value number(int64_t value) { return arith::ConstantOp::create(code, code.getI64IntegerAttr(value)); }
  Value address(Value array) {
    Value at = memref::ExtractAlignedPointerAsIndexOp::create(code, array);
    return arith::IndexCastOp::create(code, code.getI64Type(), at);
  }

  /// A buffer of the thread with the values, made once.
  Value filled(mlir::Type element, ValueRange values, std::size_t count) {
    Value buffer;
    {
      mlir::OpBuilder::InsertionGuard guard(code);
      code.setInsertionPointToStart(&function.getBody().front());
      buffer = memref::AllocaOp::create(code, mlir::MemRefType::get({int64_t(count)}, element));
    }
    for (auto [i, value] : llvm::enumerate(values))
      memref::StoreOp::create(code, value, buffer, ValueRange{index(code, int64_t(i))});
    return buffer;
  }
  Values read(Value buffer, std::size_t count) {
    Values values;
    for (std::size_t i = 0; i < count; ++i)
      values.push_back(memref::LoadOp::create(code, buffer, ValueRange{index(code, int64_t(i))}));
    return values;
  }

  static void with(mlir::Operation *op, ValueRange results) {
    op->replaceAllUsesWith(results);
    op->erase();
  }

  ValueRange call(llvm::StringRef name, mlir::TypeRange results, ValueRange arguments) {
    std::string symbol = ("attnc_emulated_" + name).str();
    auto module = function->getParentOfType<mlir::ModuleOp>();
    if (!module.lookupSymbol(symbol)) {
      mlir::OpBuilder::InsertionGuard guard(code);
      code.setInsertionPointToStart(module.getBody());
      auto type = code.getFunctionType(arguments.getTypes(), results);
      func::FuncOp::create(code, symbol, type).setPrivate();
    }
    return func::CallOp::create(code, symbol, results, arguments)->getResults();
  }
  Value place(llvm::StringRef name) {
    return arith::IndexCastOp::create(code, code.getIndexType(), call(name, code.getI64Type(), {})[0]);
  }

  func::FuncOp function;
  mlir::ImplicitLocOpBuilder code;
  int64_t threads = 0;
  mlir::Operation *shared = nullptr; // the memory of the block
};

} // namespace

bool hasWarpGroups(gpu::GPUFuncOp kernel) {
  return kernel->walk([](dialect::WaitOp) { return mlir::WalkResult::interrupt(); }).wasInterrupted();
}

void emulateThread(mlir::IRRewriter &rewriter, gpu::GPUFuncOp kernel, func::FuncOp function) {
  int64_t threads = threadsOf(kernel);
  rewriter.inlineRegionBefore(kernel.getBody(), function.getBody(), function.getBody().end());
  mlir::Block &entry = function.getBody().front();
  entry.addArgument(rewriter.getIndexType(), function.getLoc());
  mlir::Operation *end = entry.getTerminator();
  rewriter.setInsertionPoint(end);
  rewriter.replaceOpWithNewOp<func::ReturnOp>(end);
  Calls(function).run(threads);
}

} // namespace attnc
