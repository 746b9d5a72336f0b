#include "attnc/launch/Plan.h"

#include "attnc/dialect/DeviceOps.h"
#include "attnc/gpu/Gpu.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/TypeUtilities.h"

#include <fmt/format.h>

namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace gpu = mlir::gpu;
namespace memref = mlir::memref;
namespace scf = mlir::scf;
using mlir::Value;

/// Writes the host's function down, an operation at a time.
class Writer {
public:
  explicit Writer(mlir::func::FuncOp host) : host(host) {}

  tl::expected<Plan, std::string> write() {
    for (mlir::BlockArgument argument : host.getArguments()) {
      registerOf(argument);
      ++(argument.getType().isIndex() ? plan.sizes : plan.arrays);
    }
    for (mlir::BlockArgument argument : host.getArguments())
      if (auto shape = host.getArgAttrOfType<mlir::AffineMapAttr>(argument.getArgNumber(), dialect::shapeAttribute))
        for (auto [axis, extent] : llvm::enumerate(shape.getValue().getResults()))
          emit({ATTNC_EXTENT, argument.getArgNumber(), int64_t(axis), extentOf(extent)});
    block(host.getBody().front());
    emit({ATTNC_END});
    if (!complaint.empty())
      return tl::unexpected(complaint);
    plan.registers = next;
    return std::move(plan);
  }

private:
  void emit(std::initializer_list<int64_t> words) { plan.code.insert(plan.code.end(), words); }

  int64_t registerOf(Value value) {
    auto [found, fresh] = registers.try_emplace(value, next);
    if (fresh)
      ++next;
    return found->second;
  }

  int64_t constant(int64_t value) {
    emit({ATTNC_CONSTANT, next, value});
    return next++;
  }
  int64_t binary(int64_t code, int64_t a, int64_t b) {
    emit({code, next, a, b});
    return next++;
  }

  /// An extent of the interface from the sizes.
  int64_t extentOf(mlir::AffineExpr expression) {
    if (auto value = mlir::dyn_cast<mlir::AffineConstantExpr>(expression))
      return constant(value.getValue());
    if (auto symbol = mlir::dyn_cast<mlir::AffineSymbolExpr>(expression))
      return plan.arrays + symbol.getPosition();
    auto both = mlir::cast<mlir::AffineBinaryOpExpr>(expression);
    int64_t left = extentOf(both.getLHS()), right = extentOf(both.getRHS());
    return binary(both.getKind() == mlir::AffineExprKind::Add ? ATTNC_ADD : ATTNC_MULTIPLY, left, right);
  }

  void block(mlir::Block &operations) {
    for (mlir::Operation &op : operations)
      write(&op);
  }

  void write(mlir::Operation *op) {
    if (mlir::isa<mlir::func::ReturnOp, scf::YieldOp>(op))
      return;
    if (auto value = mlir::dyn_cast<arith::ConstantOp>(op)) {
      if (auto number = mlir::dyn_cast<mlir::IntegerAttr>(value.getValue()))
        emit({ATTNC_CONSTANT, registerOf(value), number.getInt()});
    } else if (mlir::isa<arith::AddIOp>(op)) {
      binary(op, ATTNC_ADD);
    } else if (mlir::isa<arith::SubIOp>(op)) {
      binary(op, ATTNC_SUBTRACT);
    } else if (mlir::isa<arith::MulIOp>(op)) {
      binary(op, ATTNC_MULTIPLY);
    } else if (mlir::isa<arith::DivUIOp, arith::DivSIOp>(op)) { // of extents, which are not negative
      binary(op, ATTNC_DIVIDE);
    } else if (mlir::isa<arith::MinUIOp, arith::MinSIOp>(op)) {
      binary(op, ATTNC_MINIMUM);
    } else if (mlir::isa<arith::MaxUIOp, arith::MaxSIOp>(op)) {
      binary(op, ATTNC_MAXIMUM);
    } else if (mlir::isa<arith::IndexCastOp, arith::IndexCastUIOp, memref::ReinterpretCastOp, memref::CastOp>(op)) {
      registers.try_emplace(op->getResult(0), registerOf(op->getOperand(0)));
    } else if (auto array = mlir::dyn_cast<memref::AllocOp>(op)) {
      allocate(array);
    } else if (auto map = mlir::dyn_cast<dialect::TensorMapOp>(op)) {
      describe(map);
    } else if (mlir::isa<dialect::ProcessorsOp>(op)) {
      emit({ATTNC_PROCESSORS, registerOf(op->getResult(0))});
    } else if (auto free = mlir::dyn_cast<memref::DeallocOp>(op)) {
      emit({ATTNC_RELEASE, registerOf(free.getMemref())});
    } else if (auto launched = mlir::dyn_cast<gpu::LaunchFuncOp>(op)) {
      launch(launched);
    } else if (auto loop = mlir::dyn_cast<scf::ForOp>(op); loop && loop.getInitArgs().empty()) {
      emit({ATTNC_LOOP, registerOf(loop.getInductionVar()), registerOf(loop.getLowerBound()),
            registerOf(loop.getUpperBound()), registerOf(loop.getStep()), 0});
      auto begin = int64_t(plan.code.size());
      block(*loop.getBody());
      emit({ATTNC_NEXT, registerOf(loop.getInductionVar()), registerOf(loop.getUpperBound()),
            registerOf(loop.getStep()), begin});
      plan.code[begin - 1] = int64_t(plan.code.size());
    } else if (!op->use_empty() || !mlir::isMemoryEffectFree(op)) {
      complaint = fmt::format("the host has no instruction for '{}'", op->getName().getStringRef().str());
    }
  }

  void binary(mlir::Operation *op, int64_t code) {
    int64_t a = registerOf(op->getOperand(0)), b = registerOf(op->getOperand(1));
    emit({code, registerOf(op->getResult(0)), a, b});
  }

  void allocate(memref::AllocOp array) {
    mlir::MemRefType type = array.getType();
    int64_t bytes = type.getElementTypeBitWidth() / 8;
    for (int64_t extent : type.getShape())
      if (!mlir::ShapedType::isDynamic(extent))
        bytes *= extent;
    int64_t total = constant(bytes);
    for (Value extent : array.getDynamicSizes())
      total = binary(ATTNC_MULTIPLY, total, registerOf(extent));
    emit({ATTNC_ALLOCATE, registerOf(array), total});
  }

  void describe(dialect::TensorMapOp map) {
    enum { float16 = 6, bfloat16 = 9 }; // CUtensorMapDataType
    int64_t array = registerOf(map.getArray()), to = registerOf(map);
    next = to + mapWords;
    bool brain = mlir::getElementTypeOrSelf(map.getArray()).isBF16();
    emit({ATTNC_MAP, to, array, brain ? bfloat16 : float16, int64_t(map.getExtents().size())});
    for (Value extent : map.getExtents())
      plan.code.push_back(registerOf(extent));
    for (Value stride : map.getStrides())
      plan.code.push_back(registerOf(stride));
    llvm::append_range(plan.code, map.getBox());
  }

  void launch(gpu::LaunchFuncOp op) {
    std::string name = op.getKernelName().str();
    auto kernel = llvm::find(plan.kernels, name) - plan.kernels.begin();
    auto count = int64_t(op.getKernelOperands().size());
    if (kernel == int64_t(plan.kernels.size())) {
      plan.kernels.push_back(name);
      plan.arguments.push_back(count);
      plan.maps.push_back(
          llvm::count_if(op.getKernelOperands(), [](Value v) { return v.getDefiningOp<dialect::TensorMapOp>(); }));
      Value bytes = op.getDynamicSharedMemorySize();
      plan.shared.push_back(bytes ? int32_t(mlir::getConstantIntValue(bytes).value_or(0)) : 0);
    }
    emit({ATTNC_LAUNCH, kernel, registerOf(op.getGridSizeX()), registerOf(op.getBlockSizeX()), count});
    for (Value argument : op.getKernelOperands())
      plan.code.push_back(registerOf(argument));
  }

  mlir::func::FuncOp host;
  Plan plan;
  llvm::DenseMap<Value, int64_t> registers;
  int64_t next = 0;
  std::string complaint;
};

} // namespace

tl::expected<Plan, std::string> planOf(mlir::ModuleOp launches) {
  auto hosts = launches.getOps<mlir::func::FuncOp>();
  return Writer(*hosts.begin()).write();
}

} // namespace attnc
