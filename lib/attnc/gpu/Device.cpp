#include "attnc/gpu/Gpu.h"
#include "attnc/gpu/GroupInstructions.h"
#include "attnc/gpu/Host.h"
#include "attnc/gpu/Kernels.h"
#include "attnc/gpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace func = mlir::func;
namespace gpu = mlir::gpu;
namespace LLVM = mlir::LLVM;
namespace memref = mlir::memref;
namespace nvgpu = mlir::nvgpu;
namespace vector = mlir::vector;
using mlir::Value;
using mlir::ValueRange;

constexpr unsigned globalSpace = 1;
constexpr llvm::StringLiteral sharedName = "attnc_shared";

/// What a thread asks of its device, as intrinsics of LLVM.
class Instructions {
public:
  explicit Instructions(func::FuncOp function, int64_t threads)
      : function(function), threads(threads), code(function.getLoc(), function.getContext()) {}

  void run() {
    function->walk([&](mlir::Operation *op) {
      code.setInsertionPoint(op);
      code.setLoc(op->getLoc());
      replace(op);
    });
  }

private:
  void replace(mlir::Operation *op) {
    if (mlir::isa<gpu::ThreadIdOp>(op))
      with(op, special("tid.x"));
    else if (mlir::isa<gpu::BlockIdOp>(op))
      with(op, special("ctaid.x"));
    else if (mlir::isa<gpu::GridDimOp>(op))
      with(op, special("nctaid.x"));
    else if (mlir::isa<gpu::BlockDimOp>(op))
      with(op, arith::ConstantIndexOp::create(code, threads).getResult());
    else if (mlir::isa<gpu::BarrierOp>(op))
      with(op, call("barrier.cta.sync.aligned.all", {}, number(0)));
    else if (auto wait = mlir::dyn_cast<nvgpu::DeviceAsyncWaitOp>(op))
      arrive(wait);
    else if (auto shuffle = mlir::dyn_cast<gpu::ShuffleOp>(op))
      exchange(shuffle);
    else if (auto load = mlir::dyn_cast<nvgpu::LdMatrixOp>(op))
      squares(load);
    else if (auto product = mlir::dyn_cast<nvgpu::MmaSyncOp>(op))
      multiply(product);
    else if (auto copy = mlir::dyn_cast<nvgpu::DeviceAsyncCopyOp>(op))
      ask(copy);
    else if (auto array = mlir::dyn_cast<memref::AllocaOp>(op))
      share(array);
    else if (writeGroupInstruction(code, op))
      return;
    else if (mlir::isa<arith::TruncFOp>(op) && mlir::getElementTypeOrSelf(op->getResult(0)).isBF16())
      with(op, LLVM::FPTruncOp::create(code, op->getResult(0).getType(), op->getOperand(0))->getResults());
    else if (mlir::isa<arith::ExtFOp>(op) && mlir::getElementTypeOrSelf(op->getOperand(0)).isBF16())
      with(op, LLVM::FPExtOp::create(code, op->getResult(0).getType(), op->getOperand(0))->getResults());
    else if (mlir::isa<mlir::math::Exp2Op>(op) && op->getResult(0).getType().isF32())
      with(op, call("ex2.approx.ftz.f32", code.getF32Type(), op->getOperand(0)));
  }

  static void with(mlir::Operation *op, ValueRange results) {
    op->replaceAllUsesWith(results);
    op->erase();
  }

  /// llvm.nvvm.NAME
  ValueRange call(llvm::StringRef name, mlir::Type result, ValueRange arguments) {
    auto intrinsic = code.getStringAttr("llvm.nvvm." + name);
    if (!result)
      return LLVM::CallIntrinsicOp::create(code, intrinsic, arguments)->getResults();
    return LLVM::CallIntrinsicOp::create(code, result, intrinsic, arguments)->getResults();
  }
  Value number(int32_t value) { return LLVM::ConstantOp::create(code, code.getI32IntegerAttr(value)); }
  Value special(llvm::StringRef name) {
    Value read = call(("read.ptx.sreg." + name).str(), code.getI32Type(), {})[0];
    return arith::IndexCastUIOp::create(code, code.getIndexType(), read);
  }

  /// The address of an element.
  Value address(Value array, ValueRange place, unsigned space) {
    auto type = mlir::cast<mlir::MemRefType>(array.getType());
    auto [strides, offset] = type.getStridesAndOffset();
    Value at = arith::ConstantIndexOp::create(code, offset);
    for (auto [coordinate, stride] : llvm::zip(place, strides))
      at = arith::AddIOp::create(code, at,
                                 arith::MulIOp::create(code, coordinate, arith::ConstantIndexOp::create(code, stride)));
    Value bytes = arith::ConstantIndexOp::create(code, type.getElementTypeBitWidth() / 8);
    Value base = memref::ExtractAlignedPointerAsIndexOp::create(code, array);
    Value whole = arith::AddIOp::create(code, base, arith::MulIOp::create(code, at, bytes));
    Value word = arith::IndexCastOp::create(code, code.getI64Type(), whole);
    return LLVM::IntToPtrOp::create(code, LLVM::LLVMPointerType::get(code.getContext(), space), word);
  }

  void arrive(nvgpu::DeviceAsyncWaitOp wait) {
    mlir::Operation *group = wait.getAsyncDependencies().getDefiningOp();
    call("cp.async.wait.all", {}, {});
    wait->erase();
    group->erase();
  }

  /// 16 bytes to shared memory, 0 in place of those that are not there.
  void ask(nvgpu::DeviceAsyncCopyOp copy) {
    Value to = address(copy.getDst(), copy.getDstIndices(), sharedSpace);
    Value from = address(copy.getSrc(), copy.getSrcIndices(), globalSpace);
    int32_t size = mlir::cast<mlir::MemRefType>(copy.getDst().getType()).getElementTypeBitWidth() / 8;
    Value count = arith::IndexCastOp::create(code, code.getI32Type(), copy.getSrcElements());
    call("cp.async.cg.shared.global.16.s", {}, {to, from, LLVM::MulOp::create(code, count, number(size))});
    copy->erase();
  }

  void exchange(gpu::ShuffleOp shuffle) {
    Value all = number(-1), most = number(warpSize - 1);
    Value result =
        call("shfl.sync.bfly.f32", code.getF32Type(), {all, shuffle.getValue(), shuffle.getOffset(), most})[0];
    shuffle.getShuffleResult().replaceAllUsesWith(result);
    shuffle->erase();
  }

  /// The i-th pair of a vector of pairs as a word, and back.
  Value word(Value pairs, int64_t i) {
    Value pair = vector::ExtractOp::create(code, pairs, i);
    return LLVM::BitcastOp::create(code, code.getI32Type(), pair);
  }

  void squares(nvgpu::LdMatrixOp load) {
    auto type = mlir::cast<mlir::VectorType>(load.getRes().getType());
    int64_t count = type.getShape()[0];
    auto words =
        LLVM::LLVMStructType::getLiteral(code.getContext(), llvm::SmallVector<mlir::Type>(count, code.getI32Type()));
    Value from = address(load.getSrcMemref(), load.getIndices(), sharedSpace);
    std::string name = (llvm::Twine("ldmatrix.sync.aligned.m8n8.x") + llvm::Twine(count) +
                        (load.getTranspose() ? ".trans" : "") + ".b16.p3")
                           .str();
    Value read = call(name, words, from)[0];
    Value result = arith::ConstantOp::create(code, code.getZeroAttr(type));
    auto pair = mlir::VectorType::get({2}, type.getElementType());
    for (int64_t i = 0; i < count; ++i) {
      Value half = LLVM::BitcastOp::create(code, pair, LLVM::ExtractValueOp::create(code, read, i));
      result = vector::InsertOp::create(code, half, result, i);
    }
    with(load, result);
  }

  /// The words of a factor: pairs of bf16, or f32 rounded to tf32.
  void addWords(Value factor, llvm::SmallVectorImpl<Value> &words) {
    auto type = mlir::cast<mlir::VectorType>(factor.getType());
    for (int64_t i = 0; i < type.getShape()[0]; ++i)
      if (type.getElementType().isF32())
        words.push_back(call("f2tf32.rna", code.getI32Type(),
                             vector::ExtractOp::create(code, factor, llvm::ArrayRef<int64_t>{i, 0}).getResult())[0]);
      else
        words.push_back(word(factor, i));
  }

  void multiply(nvgpu::MmaSyncOp product) {
    llvm::SmallVector<Value> arguments;
    addWords(product.getMatrixA(), arguments);
    addWords(product.getMatrixB(), arguments);
    for (int64_t i = 0; i < 4; ++i)
      arguments.push_back(vector::ExtractOp::create(code, product.getMatrixC(), llvm::ArrayRef<int64_t>{i / 2, i % 2}));
    auto type = mlir::cast<mlir::VectorType>(product.getRes().getType());
    auto four =
        LLVM::LLVMStructType::getLiteral(code.getContext(), llvm::SmallVector<mlir::Type>(4, type.getElementType()));
    Value sums =
        call(product.getTf32Enabled() ? "mma.m16n8k8.row.col.tf32" : "mma.m16n8k16.row.col.bf16", four, arguments)[0];
    Value result = arith::ConstantOp::create(code, code.getZeroAttr(type));
    for (int64_t i = 0; i < 4; ++i)
      result = vector::InsertOp::create(code, LLVM::ExtractValueOp::create(code, sums, i), result,
                                        llvm::ArrayRef<int64_t>{i / 2, i % 2});
    with(product, result);
  }

  /// The memory of a block, whose length a launch says: a symbol that is nowhere defined.
  void share(memref::AllocaOp array) {
    auto module = function->getParentOfType<mlir::ModuleOp>();
    if (!module.lookupSymbol(sharedName)) {
      mlir::OpBuilder::InsertionGuard guard(code);
      code.setInsertionPointToStart(module.getBody());
      LLVM::GlobalOp::create(code, LLVM::LLVMArrayType::get(code.getI8Type(), 0), /*isConstant=*/false,
                             LLVM::Linkage::External, sharedName, mlir::Attribute(), /*alignment=*/16, sharedSpace);
    }
    auto symbol = module.lookupSymbol<LLVM::GlobalOp>(sharedName);
    symbol.setAlignment(std::max<uint64_t>(symbol.getAlignment().value_or(1), array.getAlignment().value_or(1)));
    auto pointer = LLVM::LLVMPointerType::get(code.getContext(), sharedSpace);
    auto one = LLVM::LLVMArrayType::get(code.getI64Type(), 1);
    auto type = LLVM::LLVMStructType::getLiteral(code.getContext(), {pointer, pointer, code.getI64Type(), one, one});
    Value memory = LLVM::AddressOfOp::create(code, pointer, sharedName), described = LLVM::PoisonOp::create(code, type);
    auto word = [&](int64_t value) { return LLVM::ConstantOp::create(code, code.getI64IntegerAttr(value)); };
    auto put = [&](Value value, llvm::ArrayRef<int64_t> at) {
      described = LLVM::InsertValueOp::create(code, described, value, at);
    };
    put(memory, 0);
    put(memory, 1);
    put(word(0), 2);
    put(word(array.getType().getNumElements()), {3, 0});
    put(word(1), {4, 0});
    with(array, mlir::UnrealizedConversionCastOp::create(code, array.getType(), described)->getResults());
  }

  func::FuncOp function;
  int64_t threads;
  mlir::ImplicitLocOpBuilder code;
};

/// Tensor maps are given by value: their addresses are those of the arguments themselves.
void passMaps(gpu::GPUFuncOp kernel, func::FuncOp function) {
  constexpr int64_t alignment = 64;
  mlir::ImplicitLocOpBuilder code(function.getLoc(), function.getContext());
  for (mlir::BlockArgument argument : function.getArguments()) {
    unsigned number = argument.getArgNumber();
    if (!kernel.getArgAttr(number, mapAttribute))
      continue;
    argument.setType(LLVM::LLVMPointerType::get(code.getContext()));
    code.setInsertionPointToStart(argument.getOwner());
    Value word = LLVM::PtrToIntOp::create(code, code.getI64Type(), argument);
    Value place = arith::IndexCastOp::create(code, code.getIndexType(), word);
    for (mlir::Operation *user : llvm::make_early_inc_range(argument.getUsers()))
      if (mlir::isa<memref::ExtractAlignedPointerAsIndexOp>(user)) {
        user->getResult(0).replaceAllUsesWith(place);
        user->erase();
      }
    mlir::Type words = LLVM::LLVMArrayType::get(code.getI64Type(), mapWords);
    function.setArgAttr(number, LLVM::LLVMDialect::getByValAttrName(), mlir::TypeAttr::get(words));
    function.setArgAttr(number, LLVM::LLVMDialect::getAlignAttrName(), code.getI64IntegerAttr(alignment));
  }
  function.setFunctionType(code.getFunctionType(function.getBody().getArgumentTypes(), {}));
}

struct Device : mlir::PassWrapper<Device, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Device)
  llvm::StringRef getArgument() const final { return "attnc-device"; }
  llvm::StringRef getDescription() const final { return "kernels as functions of a GPU's registers and instructions"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect, memref::MemRefDialect,
                    vector::VectorDialect>();
  }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    replaceKernels(rewriter, getOperation(), [&](gpu::GPUFuncOp kernel) {
      func::FuncOp function = emptyFunction(rewriter, kernel, {});
      rewriter.inlineRegionBefore(kernel.getBody(), function.getBody(), function.getBody().end());
      mlir::Operation *end = function.getBody().front().getTerminator();
      rewriter.setInsertionPoint(end);
      rewriter.replaceOpWithNewOp<func::ReturnOp>(end);
      // How many registers a thread may have depends on how many threads there are. NVIDIA's assembler would rather
      // spill some than have fewer blocks at once, where it is not told that one is enough.
      int64_t threads = threadsOf(kernel);
      function->setAttr("passthrough",
                        rewriter.getArrayAttr({rewriter.getStrArrayAttr({"nvvm.maxntid", std::to_string(threads)}),
                                               rewriter.getStrArrayAttr({"nvvm.minctasm", "1"})}));
      Instructions(function, threads).run();
      passMaps(kernel, function);
    });
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createDevicePass() { return std::make_unique<Device>(); }

} // namespace attnc
