#include "attnc/stream/Chunk.h"
#include "attnc/stream/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "llvm/Support/FormatVariadic.h"

namespace attnc {

namespace {

struct Chunks : mlir::PassWrapper<Chunks, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Chunks)
  Chunks(const Machine &machine = {}) {
    vectorBits = machine.vectorBits;
    registers = machine.registers;
  }
  Chunks(const Chunks &other) : PassWrapper(other) {}
  llvm::StringRef getArgument() const final { return "attnc-chunks"; }
  llvm::StringRef getDescription() const final { return "chunked scans on arrays as loops of vectors"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::math::MathDialect,
                    mlir::memref::MemRefDialect, mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
  }

  void runOnOperation() final {
    llvm::SmallVector<dialect::ChunksOp> all;
    getOperation()->walk([&](dialect::ChunksOp op) { all.push_back(op); });
    for (auto [number, op] : llvm::enumerate(all)) {
      Code code(op.getLoc(), op);
      Chunk(code, op, Machine{vectorBits, registers}, llvm::formatv("scan{0}", number)).emit();
      op.erase();
    }
  }

  Option<unsigned> vectorBits{*this, "vector-bits", llvm::cl::desc("bits of a vector"), llvm::cl::init(128)};
  Option<unsigned> registers{*this, "registers", llvm::cl::desc("how many vectors registers hold"), llvm::cl::init(16)};
};

} // namespace

std::unique_ptr<mlir::Pass> createChunksPass(const Machine &machine) { return std::make_unique<Chunks>(machine); }
void registerChunksPass() { mlir::PassRegistration<Chunks>(); }

} // namespace attnc
