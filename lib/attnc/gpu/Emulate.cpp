#include "attnc/gpu/Collectives.h"
#include "attnc/gpu/EmulateThreads.h"
#include "attnc/gpu/Host.h"
#include "attnc/gpu/Kernels.h"
#include "attnc/gpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

// A kernel on a CPU: blocks are a loop, and so are the threads of a block, once for each stretch between two places
// where they meet. What a thread keeps from one stretch to the next has a place for each thread. Where threads wait for
// one another otherwise, the code of one is kept, and the driver runs them in turn (EmulateThreads.h).
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace func = mlir::func;
namespace gpu = mlir::gpu;
namespace memref = mlir::memref;
namespace nvgpu = mlir::nvgpu;
namespace scf = mlir::scf;
using mlir::Value;
using mlir::ValueRange;

/// Whether threads meet inside.
bool meets(mlir::Operation *op) {
  return op
      ->walk([](mlir::Operation *inner) {
        return isCollective(inner) ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
      })
      .wasInterrupted();
}

/// Loops, branches and ends of bodies in which threads meet, and the meetings themselves: code of the block.
bool isOfBlock(mlir::Operation *op) {
  if (op->hasTrait<mlir::OpTrait::IsTerminator>())
    return mlir::isa<gpu::ReturnOp>(op) || meets(op->getParentOp());
  return meets(op);
}

class Splitter {
public:
  Splitter(gpu::GPUFuncOp kernel, func::FuncOp function)
      : kernel(kernel), threads(threadsOf(kernel)), code(kernel.getLoc(), function.getContext()),
        entry(function.addEntryBlock()) {
    code.setInsertionPointToEnd(entry);
    Value blocks = entry->getArguments().back();
    mlir::Operation *end = func::ReturnOp::create(code);
    code.setInsertionPoint(end);
    auto outer = scf::ForOp::create(code, index(code, 0), blocks, index(code, 1));
    places.emplace(kernel.getLoc(), mlir::OpBuilder(outer));
    for (auto [given, made] : llvm::zip(kernel.getArguments(), entry->getArguments()))
      uniform.map(given, made);
    kernel->walk([&](mlir::Operation *op) {
      if (mlir::isa<gpu::BlockIdOp>(op))
        uniform.map(op->getResult(0), outer.getInductionVar());
      else if (mlir::isa<gpu::GridDimOp>(op))
        uniform.map(op->getResult(0), blocks);
    });
    code.setInsertionPoint(outer.getBody()->getTerminator());
    kernel->walk([&](memref::AllocaOp array) { share(array); });
  }

  void run() {
    number(kernel.getBody().front());
    findPlaces();
    body(kernel.getBody().front());
  }

private:
  //===- Stretches ------------------------------------------------------------------------------------------------===//

  /// Numbers the stretches of operations between those of the block.
  void number(mlir::Block &block) {
    ++stretches;
    for (mlir::Operation &op : block) {
      if (!isOfBlock(&op)) {
        stretch[&op] = stretches;
        continue;
      }
      ++stretches;
      for (mlir::Region &region : op.getRegions())
        for (mlir::Block &inside : region)
          number(inside);
      ++stretches;
    }
  }

  /// The stretch that an operation, or what it is in, belongs to; 0 for those of the block.
  unsigned stretchOf(mlir::Operation *op) const {
    for (; op != kernel; op = op->getParentOp())
      if (auto found = stretch.find(op); found != stretch.end())
        return found->second;
    return 0;
  }

  /// What is the same for all threads, or computed again where it is needed.
  bool isRepeated(Value value) const {
    mlir::Operation *op = value.getDefiningOp();
    return uniform.contains(value) || mlir::isa_and_nonnull<gpu::ThreadIdOp, gpu::BlockDimOp>(op) ||
           (op && op->hasTrait<mlir::OpTrait::ConstantLike>()) || (op && mlir::isa<mlir::MemRefType>(value.getType()));
  }

  bool isRepeated(mlir::Operation *op) const {
    return op->getNumResults() > 0 &&
           llvm::all_of(op->getResults(), [&](Value v) { return isRepeated(v) && !place.contains(v); });
  }

  /// Gives a place for each thread to what is used in another stretch than it is made in.
  void findPlaces() {
    kernel->walk([&](mlir::Operation *op) {
      for (mlir::Region &region : op->getRegions())
        for (mlir::Block &block : region)
          for (Value argument : block.getArguments())
            if (mlir::isa<scf::ForOp>(op) && isOfBlock(op) && argument != block.getArgument(0))
              placeFor(argument);
      unsigned here = stretchOf(op);
      auto elsewhere = [&](mlir::Operation *user) { return stretchOf(user) != here || isRepeated(user); };
      for (Value result : op->getResults())
        if (!isRepeated(result) && (here == 0 || llvm::any_of(result.getUsers(), elsewhere)))
          placeFor(result);
      if (mlir::isa<nvgpu::MmaSyncOp>(op)) // threads read the operands of others
        for (Value operand : op->getOperands())
          placeFor(operand);
    });
  }

  void placeFor(Value value) {
    if (place.contains(value) || mlir::isa<nvgpu::DeviceAsyncTokenType>(value.getType()))
      return;
    mlir::Type type = value.getType();
    llvm::SmallVector<int64_t> shape{threads};
    if (auto wide = mlir::dyn_cast<mlir::VectorType>(type)) {
      shape.append(wide.getShape().begin(), wide.getShape().end());
      type = wide.getElementType();
    }
    place[value] = memref::AllocaOp::create(*places, mlir::MemRefType::get(shape, type));
  }

  //===- Code -----------------------------------------------------------------------------------------------------===//

  void eachThread(llvm::function_ref<void(Value thread)> body) {
    loop(code, index(code, 0), index(code, threads), 1, body);
  }

  /// A value as a thread has it, in code for that thread. `known` are those that it has at hand.
  Value get(Value value, Value thread, mlir::IRMapping &known) {
    if (Value found = known.lookupOrNull(value))
      return found;
    Value made;
    if (Value found = uniform.lookupOrNull(value)) {
      made = found;
    } else if (Value at = place.lookup(value)) {
      made = loadPlace(code, at, thread, value.getType());
    } else {
      mlir::Operation *op = value.getDefiningOp();
      if (mlir::isa<gpu::ThreadIdOp>(op)) {
        made = thread;
      } else if (mlir::isa<gpu::BlockDimOp>(op)) {
        made = index(code, threads);
      } else if (auto array = mlir::dyn_cast<memref::AllocaOp>(op)) {
        made = memref::MemorySpaceCastOp::create(code, array.getType(), shared.lookup(array));
      } else {
        for (Value operand : op->getOperands())
          get(operand, thread, known);
        code.clone(*op, known);
        made = known.lookup(value);
      }
    }
    known.map(value, made);
    return made;
  }
  Value get(Value value, Value thread) {
    mlir::IRMapping known;
    return get(value, thread, known);
  }
  void set(Value value, Value to, Value thread) {
    if (Value at = place.lookup(value))
      storePlace(code, to, at, thread);
  }

  /// The memory of a block: at first bytes 0xff, so that what is read unwritten is NaN.
  void share(memref::AllocaOp array) {
    auto type = mlir::MemRefType::get(array.getType().getShape(), array.getType().getElementType());
    Value made = shared[array] = memref::AllocaOp::create(*places, type, array.getAlignmentAttr());
    loop(code, index(code, 0), index(code, type.getNumElements()), 1,
         [&](Value i) { memref::StoreOp::create(code, splat(code, type.getElementType(), -1), made, ValueRange{i}); });
  }

  void body(mlir::Block &block) {
    llvm::SmallVector<mlir::Operation *> run;
    for (mlir::Operation &op : block) {
      if (!isOfBlock(&op)) {
        run.push_back(&op);
        continue;
      }
      flush(run);
      ofBlock(&op);
    }
    flush(run);
  }

  void flush(llvm::SmallVectorImpl<mlir::Operation *> &run) {
    bool matters = llvm::any_of(run, [&](mlir::Operation *op) {
      return !mlir::isMemoryEffectFree(op) ? !mlir::isa<memref::AllocaOp>(op)
                                           : llvm::any_of(op->getResults(), [&](Value v) { return place.contains(v); });
    });
    if (matters)
      eachThread([&](Value thread) {
        mlir::IRMapping known;
        llvm::SmallPtrSet<mlir::Operation *, 32> inside(run.begin(), run.end());
        for (mlir::Operation *op : run) {
          if (isRepeated(op))
            continue; // made where it is asked for
          op->walk([&](mlir::Operation *inner) {
            for (Value operand : inner->getOperands())
              if (!op->isAncestor(operand.getParentBlock()->getParentOp()) || op == inner)
                get(operand, thread, known);
          });
          mlir::Operation *copy = code.clone(*op, known);
          for (auto [result, made] : llvm::zip(op->getResults(), copy->getResults()))
            set(result, made, thread);
        }
      });
    run.clear();
  }

  /// What is the same for all threads, as the first one has it.
  Value first(Value value) { return get(value, index(code, 0)); }

  void ofBlock(mlir::Operation *op) {
    code.setLoc(op->getLoc());
    if (auto again = mlir::dyn_cast<scf::ForOp>(op)) {
      repeat(again);
    } else if (auto choice = mlir::dyn_cast<scf::IfOp>(op)) {
      choose(choice);
    } else if (auto yield = mlir::dyn_cast<scf::YieldOp>(op)) {
      llvm::SmallVector<Value> to;
      if (auto again = mlir::dyn_cast<scf::ForOp>(yield->getParentOp()))
        to.append(again.getRegionIterArgs().begin(), again.getRegionIterArgs().end());
      else
        to.append(yield->getParentOp()->getResults().begin(), yield->getParentOp()->getResults().end());
      move(yield.getResults(), to);
    } else if (!mlir::isa<gpu::ReturnOp>(op)) {
      eachThread([&](Value thread) {
        emulateCollective(
            code, op, thread, [&](Value value, Value of) { return get(value, of); },
            [&](Value value) { return place.lookup(value); });
      });
    }
  }

  void move(ValueRange from, ValueRange to) {
    if (from.empty())
      return;
    eachThread([&](Value thread) {
      llvm::SmallVector<Value> values;
      mlir::IRMapping known;
      for (Value value : from)
        values.push_back(get(value, thread, known));
      for (auto [value, target] : llvm::zip(values, to))
        set(target, value, thread);
    });
  }

  void repeat(scf::ForOp again) {
    move(again.getInitArgs(), again.getRegionIterArgs());
    auto made =
        scf::ForOp::create(code, first(again.getLowerBound()), first(again.getUpperBound()), first(again.getStep()));
    uniform.map(again.getInductionVar(), made.getInductionVar());
    {
      mlir::OpBuilder::InsertionGuard guard(code);
      code.setInsertionPoint(made.getBody()->getTerminator());
      body(*again.getBody());
    }
    move(again.getRegionIterArgs(), again.getResults());
  }

  void choose(scf::IfOp choice) {
    branch(
        code, first(choice.getCondition()), [&] { body(*choice.thenBlock()); },
        [&] {
          if (choice.elseBlock())
            body(*choice.elseBlock());
        });
  }

  gpu::GPUFuncOp kernel;
  int64_t threads;
  Code code;
  std::optional<Code> places; // before all blocks
  mlir::Block *entry;
  mlir::IRMapping uniform;
  unsigned stretches = 0;
  llvm::DenseMap<mlir::Operation *, unsigned> stretch;
  llvm::DenseMap<Value, Value> place;
  llvm::DenseMap<mlir::Operation *, Value> shared;
};

struct Emulate : mlir::PassWrapper<Emulate, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Emulate)
  llvm::StringRef getArgument() const final { return "attnc-emulate"; }
  llvm::StringRef getDescription() const final { return "kernels as functions in which blocks and threads are loops"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<arith::ArithDialect, func::FuncDialect, memref::MemRefDialect, scf::SCFDialect,
                    mlir::vector::VectorDialect>();
  }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    replaceKernels(rewriter, getOperation(), [&](gpu::GPUFuncOp kernel) {
      func::FuncOp function = emptyFunction(rewriter, kernel, rewriter.getIndexType());
      if (hasWarpGroups(kernel))
        return emulateThread(rewriter, kernel, function);
      Splitter(kernel, function).run();
      emulateCopies(function);
    });
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createEmulatePass() { return std::make_unique<Emulate>(); }

} // namespace attnc
