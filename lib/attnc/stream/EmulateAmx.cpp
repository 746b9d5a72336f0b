#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Pairs.h"
#include "attnc/stream/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

// Tile registers on a machine that lacks them, and the rounding that comes with them. The registers of a function are
// an array of its own, which what it calls does not see, as is their way: nothing is in them when a function is
// entered.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace vector = mlir::vector;
using namespace dialect;
using mlir::Value;
using mlir::ValueRange;

constexpr int64_t tiles = 8, rows = 16, words = 16;

struct Tile {
  Code &code;
  Value registers;
  int64_t number;

  mlir::VectorType type() const { return mlir::VectorType::get({words}, code.getF32Type()); }
  Value row(Value r) const {
    return vector::LoadOp::create(code, type(), registers, ValueRange{index(code, number), r, index(code, 0)});
  }
  void setRow(Value r, Value vector) const {
    vector::StoreOp::create(code, vector, registers, ValueRange{index(code, number), r, index(code, 0)});
  }
  Value word(Value r, Value c) const {
    return memref::LoadOp::create(code, registers, ValueRange{index(code, number), r, c});
  }
};

void eachRow(Code &code, llvm::function_ref<void(Value)> body) {
  loop(code, index(code, 0), index(code, rows), 1, body);
}

/// The first bf16 of each word, or the second one, as an f32.
Value half(Code &code, Value vector, bool second) {
  auto bits = mlir::VectorType::get({words}, code.getI32Type());
  Value word = arith::BitcastOp::create(code, bits, vector);
  Value shifted = second ? arith::AndIOp::create(code, word, splat(code, bits, 0xFFFF0000)).getResult()
                         : arith::ShLIOp::create(code, word, splat(code, bits, 16)).getResult();
  return arith::BitcastOp::create(code, vector.getType(), shifted);
}

void multiply(Code &code, const Tile &sums, const Tile &left, const Tile &right) {
  eachRow(code, [&](Value r) {
    Value row = loop(code, index(code, 0), index(code, words), 1, sums.row(r), [&](Value p, ValueRange carried) {
      Value pair = broadcast(code, left.word(r, p), words), column = right.row(p), sum = carried[0];
      for (bool second : {false, true})
        sum = vector::FMAOp::create(code, half(code, pair, second), half(code, column, second), sum);
      return llvm::SmallVector<Value>{sum};
    })[0];
    sums.setRow(r, row);
  });
}

/// One operation, in place of which the code goes.
void emulate(Code &code, Value registers, mlir::Operation *op) {
  auto tile = [&](uint8_t number) { return Tile{code, registers, number}; };
  auto place = [&](auto move, Value r) { return add(code, move.getAt(), attnc::multiply(code, r, move.getStride())); };
  if (auto zero = mlir::dyn_cast<AmxZeroOp>(op)) {
    Tile to = tile(zero.getTile());
    eachRow(code, [&](Value r) { to.setRow(r, splat(code, to.type(), 0)); });
  } else if (auto load = mlir::dyn_cast<AmxLoadOp>(op)) {
    Tile to = tile(load.getTile());
    eachRow(code, [&](Value r) {
      to.setRow(r, vector::LoadOp::create(code, to.type(), load.getArray(), ValueRange{place(load, r)}));
    });
  } else if (auto store = mlir::dyn_cast<AmxStoreOp>(op)) {
    Tile from = tile(store.getTile());
    eachRow(code, [&](Value r) {
      vector::StoreOp::create(code, from.row(r), store.getArray(), ValueRange{place(store, r)});
    });
  } else if (auto product = mlir::dyn_cast<AmxMultiplyOp>(op)) {
    multiply(code, tile(product.getSums()), tile(product.getLeft()), tile(product.getRight()));
  }
  op->erase();
}

struct EmulateAmx : mlir::PassWrapper<EmulateAmx, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(EmulateAmx)
  llvm::StringRef getArgument() const final { return "attnc-emulate-amx"; }
  llvm::StringRef getDescription() const final { return "tile registers as arrays, what is done with them as loops"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<arith::ArithDialect, memref::MemRefDialect, mlir::scf::SCFDialect, vector::VectorDialect>();
  }

  void runOnOperation() final {
    for (auto function : getOperation().getOps<mlir::func::FuncOp>()) {
      llvm::SmallVector<mlir::Operation *> found;
      llvm::SmallVector<mlir::LLVM::CallIntrinsicOp> roundings;
      bool keeps = false; // something in a tile
      function.walk([&](mlir::Operation *op) {
        bool isState = mlir::isa<AmxConfigureOp, AmxReleaseOp>(op);
        if (isState || mlir::isa<AmxZeroOp, AmxLoadOp, AmxStoreOp, AmxMultiplyOp>(op))
          found.push_back(op);
        keeps |= found.size() && found.back() == op && !isState;
        if (auto call = mlir::dyn_cast<mlir::LLVM::CallIntrinsicOp>(op); call && call.getIntrin() == roundIntrinsic)
          roundings.push_back(call);
      });
      Value registers;
      if (keeps) {
        Code code = Code::atBlockBegin(function.getLoc(), &function.getBody().front());
        auto type = mlir::MemRefType::get({tiles, rows, words}, code.getF32Type());
        registers = memref::AllocaOp::create(code, type, code.getI64IntegerAttr(64));
      }
      for (mlir::Operation *op : found) {
        Code code(op->getLoc(), op);
        emulate(code, registers, op);
      }
      for (mlir::LLVM::CallIntrinsicOp call : roundings) {
        Code code(call.getLoc(), call);
        Value rounded = arith::TruncFOp::create(code, call.getResult(0).getType(), call.getOperand(0));
        call.getResult(0).replaceAllUsesWith(rounded);
        call.erase();
      }
    }
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createEmulateAmxPass() { return std::make_unique<EmulateAmx>(); }

} // namespace attnc
