#include "attnc/stream/Algebra.h"
#include "attnc/stream/JointTiles.h"
#include "attnc/stream/Narrow.h"
#include "attnc/stream/Passes.h"
#include "attnc/stream/Rows.h"
#include "attnc/stream/Tiles.h"
#include "attnc/stream/TopK.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "llvm/Support/FormatVariadic.h"

// How streams are mapped onto a processor: by tiles, by rows, or into lists.
namespace attnc {

namespace {

using dialect::StreamOp;

/// Queries from which lanes are filled with them.
constexpr int64_t fewQueries = 4;

/// Whether all queries meet the same keys.
bool canFillLanes(StreamOp stream) { return stream.hasQueries() && !stream.hasOwnRows() && !stream.isRanked(); }

/// Whether there are, as far as is known, so few queries that most lanes would be empty.
bool hasFewQueries(StreamOp stream) {
  int64_t queries = stream.extentOf(stream.queryLoop());
  return !mlir::ShapedType::isDynamic(queries) && queries < fewQueries;
}

/// Whether all that is multiplied is kept in bf16.
bool multipliesPairs(StreamOp stream) {
  unsigned count = stream.getContraction().size() + stream.getValue().size();
  return count > 0 && !stream.isJoint() && !stream.isTermed() &&
         llvm::all_of(llvm::seq(count), [&](unsigned i) { return isNarrow(stream, i); });
}

/// Whether each key, and each value, is a row of f32 along memory.
bool liesInRows(StreamOp stream) {
  if (stream.isTermed())
    return false;
  auto isRow = [&](unsigned operand, unsigned loop) {
    auto type = mlir::cast<mlir::MemRefType>(stream.arrays()[operand].getType());
    if (!type.getElementType().isF32())
      return false;
    llvm::SmallVector<int64_t> strides;
    int64_t offset;
    mlir::AffineMap map = stream.mapOf(operand);
    return succeeded(type.getStridesAndOffset(strides, offset)) && strides.back() == 1 &&
           map.getDimPosition(map.getNumResults() - 1) == loop;
  };
  unsigned values = stream.getContraction().size();
  return (!stream.isContracted() || isRow(1, stream.depthLoop())) &&
         (!stream.isValued() || isRow(values, stream.featureLoop()));
}

struct Tiles : mlir::PassWrapper<Tiles, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Tiles)
  Tiles(const Machine &machine = {}) {
    vectorBits = machine.vectorBits;
    registers = machine.registers;
    pairs = machine.pairs;
  }
  Tiles(const Tiles &other) : PassWrapper(other) {}
  llvm::StringRef getArgument() const final { return "attnc-tiles"; }
  llvm::StringRef getDescription() const final { return "streams on arrays as loops over tiles of vectors"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::LLVM::LLVMDialect,
                    mlir::memref::MemRefDialect, mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
  }

  void runOnOperation() final {
    llvm::SmallVector<StreamOp> streams;
    getOperation()->walk([&](StreamOp op) { streams.push_back(op); });
    for (auto [number, stream] : llvm::enumerate(streams)) {
      Code code(stream.getLoc(), stream);
      Machine machine{vectorBits, registers, multipliesPairs(stream) ? Machine::Pairs(pairs) : Machine::Pairs::None};
      std::string name = llvm::formatv("stream_{0}", number);
      if (!stream.isRanked() && !algebra::withAlgebra(std::string_view(stream.getAlgebra()), [](auto) {})) {
        stream.emitOpError() << "there is no algebra '" << stream.getAlgebra() << "'";
        return signalPassFailure();
      }
      if (stream.isJoint()) {
        emitJointTiles(code, stream, machine, name);
        stream.erase();
        continue;
      }
      bool lanes = canFillLanes(stream), rows = liesInRows(stream);
      if (!lanes && !rows) {
        stream.emitOpError() << "the keys of a query do not lie in rows along memory";
        return signalPassFailure();
      }
      if (stream.isRanked())
        emitTopK(code, stream, machine, name);
      else if (!lanes || (rows && hasFewQueries(stream)))
        emitRows(code, stream, machine, name);
      else
        emitTiles(code, stream, machine, name);
      stream.erase();
    }
  }

  Option<unsigned> vectorBits{*this, "vector-bits", llvm::cl::desc("bits of a vector"), llvm::cl::init(128)};
  Option<unsigned> registers{*this, "registers", llvm::cl::desc("how many vectors registers hold"), llvm::cl::init(16)};
  Option<Machine::Pairs> pairs{*this, "pairs", llvm::cl::desc("what multiplies pairs of bf16"),
                               llvm::cl::init(Machine::Pairs::None),
                               llvm::cl::values(clEnumValN(Machine::Pairs::None, "none", "nothing"),
                                                clEnumValN(Machine::Pairs::Dot, "dot", "dot products of vectors"),
                                                clEnumValN(Machine::Pairs::Tiles, "tiles", "tile registers"))};
};

} // namespace

bool goesByPairs(StreamOp stream) { return canFillLanes(stream) && !hasFewQueries(stream) && multipliesPairs(stream); }

std::unique_ptr<mlir::Pass> createTilesPass(const Machine &machine) { return std::make_unique<Tiles>(machine); }
void registerTilesPass() { mlir::PassRegistration<Tiles>(); }

} // namespace attnc
