#include "attnc/lower/AmxToLLVM.h"

#include "attnc/dialect/AttncDialect.h"

#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace attnc {

namespace {

namespace llvmir = mlir::LLVM;
using mlir::ConversionPatternRewriter;
using mlir::LogicalResult;
using mlir::Value;
using namespace dialect;

Value tile(ConversionPatternRewriter &rewriter, mlir::Location location, uint8_t number) {
  return llvmir::ConstantOp::create(rewriter, location, rewriter.getI8IntegerAttr(int8_t(number)));
}

void call(ConversionPatternRewriter &rewriter, mlir::Operation *op, llvm::StringRef name, mlir::ValueRange operands) {
  llvmir::CallIntrinsicOp::create(rewriter, op->getLoc(), rewriter.getStringAttr("llvm.x86." + name), operands);
  rewriter.eraseOp(op);
}

/// The 64 bytes that LDTILECFG reads (Intel's manual, volume 1, 18.3): palette 1, then from byte 16 on the bytes of a
/// row of each tile in 16 bits, from byte 48 on its rows in 8.
llvmir::GlobalOp configuration(ConversionPatternRewriter &rewriter, mlir::ModuleOp module) {
  constexpr llvm::StringLiteral name = "amx_configuration";
  if (auto made = module.lookupSymbol<llvmir::GlobalOp>(name))
    return made;
  constexpr int64_t size = 64;
  llvm::SmallVector<int8_t> bytes(size, 0);
  bytes[0] = 1;
  for (unsigned i = 0; i < 8; ++i) {
    bytes[16 + 2 * i] = 64;
    bytes[48 + i] = 16;
  }
  mlir::OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(module.getBody());
  auto type = mlir::RankedTensorType::get({size}, rewriter.getI8Type());
  return llvmir::GlobalOp::create(rewriter, module.getLoc(), llvmir::LLVMArrayType::get(rewriter.getI8Type(), size),
                                  /*isConstant=*/true, llvmir::Linkage::Internal, name,
                                  mlir::DenseElementsAttr::get(type, llvm::ArrayRef<int8_t>(bytes)), size);
}

struct Configure : mlir::ConvertOpToLLVMPattern<AmxConfigureOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(AmxConfigureOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const final {
    auto global = configuration(rewriter, op->getParentOfType<mlir::ModuleOp>());
    call(rewriter, op, "ldtilecfg", llvmir::AddressOfOp::create(rewriter, op.getLoc(), global).getResult());
    return mlir::success();
  }
};

struct Release : mlir::ConvertOpToLLVMPattern<AmxReleaseOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(AmxReleaseOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const final {
    call(rewriter, op, "tilerelease", {});
    return mlir::success();
  }
};

struct Zero : mlir::ConvertOpToLLVMPattern<AmxZeroOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(AmxZeroOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const final {
    call(rewriter, op, "tilezero", tile(rewriter, op.getLoc(), op.getTile()));
    return mlir::success();
  }
};

struct Multiply : mlir::ConvertOpToLLVMPattern<AmxMultiplyOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(AmxMultiplyOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const final {
    llvm::SmallVector<Value> tiles;
    for (uint8_t number : {op.getSums(), op.getLeft(), op.getRight()})
      tiles.push_back(tile(rewriter, op.getLoc(), number));
    call(rewriter, op, "tdpbf16ps", tiles);
    return mlir::success();
  }
};

/// A load or a store.
template <class Op> struct Move : mlir::ConvertOpToLLVMPattern<Op> {
  using mlir::ConvertOpToLLVMPattern<Op>::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor operands, ConversionPatternRewriter &rewriter) const final {
    mlir::Location location = op.getLoc();
    Value address =
        this->getStridedElementPtr(rewriter, location, op.getArray().getType(), operands.getArray(), operands.getAt());
    Value four = llvmir::ConstantOp::create(rewriter, location, rewriter.getI64IntegerAttr(4));
    Value bytes = llvmir::MulOp::create(rewriter, location, operands.getStride(), four);
    const char *name = std::is_same_v<Op, AmxLoadOp> ? "tileloadd64" : "tilestored64";
    call(rewriter, op, name, {tile(rewriter, location, op.getTile()), address, bytes});
    return mlir::success();
  }
};

} // namespace

void populateAmxToLLVMPatterns(const mlir::LLVMTypeConverter &converter, mlir::RewritePatternSet &patterns) {
  patterns.add<Configure, Release, Zero, Multiply, Move<AmxLoadOp>, Move<AmxStoreOp>>(converter);
}

} // namespace attnc
