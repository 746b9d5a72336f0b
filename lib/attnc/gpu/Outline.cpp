#include "attnc/dialect/DeviceOps.h"
#include "attnc/gpu/Gpu.h"
#include "attnc/gpu/Host.h"
#include "attnc/gpu/Passes.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace gpu = mlir::gpu;
namespace memref = mlir::memref;
namespace scf = mlir::scf;
using mlir::Value;

/// An array as kernels take it: an address, whose extents follow from the sizes that the kernel takes too.
mlir::MemRefType addressOf(Value array) {
  return mlir::MemRefType::get({}, mlir::cast<mlir::MemRefType>(array.getType()).getElementType());
}

/// One grid on its way into a kernel. What it uses from outside is followed back to addresses, sizes and steps of the
/// host's loops, which become arguments; what was computed of them on the way is computed again inside.
class Kernel {
public:
  Kernel(mlir::func::FuncOp host, scf::ParallelOp grid) : host(host), grid(grid) {}

  mlir::LogicalResult outline(mlir::OpBuilder &builder, gpu::GPUModuleOp module, const std::string &name) {
    llvm::SetVector<Value> used;
    grid->walk([&](mlir::Operation *op) {
      if (op != grid)
        for (Value operand : op->getOperands())
          if (!grid->isAncestor(operand.getParentBlock()->getParentOp()))
            used.insert(operand);
    });
    for (Value extent : grid.getUpperBound()) // what the host launches is known to it
      if (failed(findLeaves(extent, /*mayRead=*/false)))
        return mlir::failure();
    for (Value value : used)
      if (failed(findLeaves(value, /*mayRead=*/true)))
        return mlir::failure();
    used.insert(grid.getUpperBound().begin(), grid.getUpperBound().end());
    llvm::stable_sort(leaves, [](Value a, Value b) { return !isMap(a) && isMap(b); });

    builder.setInsertionPointToEnd(module.getBody());
    llvm::SmallVector<mlir::Type> types;
    for (Value leaf : leaves)
      types.push_back(isArray(leaf) ? mlir::Type(addressOf(leaf)) : leaf.getType());
    auto kernel = gpu::GPUFuncOp::create(builder, grid.getLoc(), name, builder.getFunctionType(types, {}));
    kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), builder.getUnitAttr());
    kernel.setKnownBlockSize(llvm::ArrayRef<int32_t>{int32_t(threads()), 1, 1});
    builder.setInsertionPointToStart(&kernel.getBody().front());
    for (auto [i, leaf] : llvm::enumerate(leaves)) {
      if (!isArray(leaf))
        inside.map(leaf, kernel.getArgument(i));
      if (isMap(leaf))
        kernel.setArgAttr(i, mapAttribute, builder.getUnitAttr());
    }
    for (auto [i, leaf] : llvm::enumerate(leaves))
      if (isArray(leaf))
        inside.map(leaf, described(builder, leaf, kernel.getArgument(i)));
    for (Value value : used)
      compute(builder, value);
    body(builder);
    gpu::ReturnOp::create(builder, grid.getLoc());
    launch(builder, kernel);
    grid->erase();
    return mlir::success();
  }

private:
  static bool isArray(Value value) { return mlir::isa<mlir::MemRefType>(value.getType()); }

  static bool isMap(Value value) { return value.getDefiningOp<dialect::TensorMapOp>(); }

  /// Arguments of the host's function, steps of its loops, arrays of scratch, and what only the host can know or make.
  static bool isLeaf(Value value) {
    return mlir::isa<mlir::BlockArgument>(value) || value.getDefiningOp<memref::AllocOp>() ||
           value.getDefiningOp<dialect::ProcessorsOp>() || isMap(value);
  }

  static Value rootOf(Value array) { return memref::skipViewLikeOps(mlir::cast<mlir::MemrefValue>(array)); }

  /// Whether the kernel reads what was read before it: nothing in between writes to the array.
  bool readsTheSame(memref::LoadOp load) {
    if (!load || load->getBlock() != grid->getBlock())
      return false;
    Value array = rootOf(load.getMemRef());
    auto mayWrite = [&](mlir::Operation *op) {
      return !mlir::isa<memref::LoadOp, memref::DimOp, mlir::ViewLikeOpInterface>(op) &&
             llvm::any_of(op->getOperands(),
                          [&](Value operand) { return isArray(operand) && rootOf(operand) == array; });
    };
    for (mlir::Operation *op = load->getNextNode(); op != grid; op = op->getNextNode())
      if (!op || op->walk([&](mlir::Operation *inner) {
                     return mayWrite(inner) ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
                   }).wasInterrupted())
        return false;
    return true;
  }

  /// `mayRead`: elements of arrays too, which the kernel then reads for itself.
  mlir::LogicalResult findLeaves(Value value, bool mayRead) {
    if (!seen.insert(value).second)
      return mlir::success();
    llvm::SmallVector<Value> needed;
    if (isLeaf(value)) {
      if (auto array = value.getDefiningOp<memref::AllocOp>())
        needed.append(array.getDynamicSizes().begin(), array.getDynamicSizes().end());
      else if (isArray(value) && !mlir::cast<mlir::MemRefType>(value.getType()).hasStaticShape())
        needed = sizes();
    } else {
      mlir::Operation *op = value.getDefiningOp();
      bool reads = mayRead && readsTheSame(mlir::dyn_cast<memref::LoadOp>(op));
      if (!reads && (op->getNumRegions() != 0 || !mlir::isMemoryEffectFree(op)))
        return op->emitOpError() << "gives a value that a kernel needs and the host cannot know";
      needed.append(op->operand_begin(), op->operand_end());
    }
    for (Value other : needed)
      if (failed(findLeaves(other, mayRead)))
        return mlir::failure();
    if (isLeaf(value))
      leaves.push_back(value);
    return mlir::success();
  }

  llvm::SmallVector<Value> sizes() {
    llvm::SmallVector<Value> result;
    for (mlir::BlockArgument argument : host.getArguments())
      if (argument.getType().isIndex())
        result.push_back(argument);
    return result;
  }

  /// The array at an address.
  Value described(mlir::OpBuilder &builder, Value array, Value address) {
    mlir::Location location = grid.getLoc();
    auto type = mlir::cast<mlir::MemRefType>(array.getType());
    if (type.getRank() == 0)
      return address;
    llvm::SmallVector<Value> dynamic;
    if (auto scratch = array.getDefiningOp<memref::AllocOp>()) {
      for (Value extent : scratch.getDynamicSizes())
        dynamic.push_back(compute(builder, extent));
    } else if (!type.hasStaticShape()) {
      unsigned number = mlir::cast<mlir::BlockArgument>(array).getArgNumber();
      auto shape = host.getArgAttrOfType<mlir::AffineMapAttr>(number, dialect::shapeAttribute).getValue();
      llvm::SmallVector<Value> symbols;
      for (Value size : sizes())
        symbols.push_back(inside.lookup(size));
      for (int64_t axis = 0; axis < type.getRank(); ++axis)
        if (type.isDynamicDim(axis))
          dynamic.push_back(mlir::affine::expandAffineExpr(builder, location, shape.getResult(axis), {}, symbols));
    }
    return denseView(builder, location, type, address, mlir::getMixedValues(type.getShape(), dynamic, builder));
  }

  /// The value inside the kernel.
  Value compute(mlir::OpBuilder &builder, Value value) {
    if (Value known = inside.lookupOrNull(value))
      return known;
    mlir::Operation *op = value.getDefiningOp();
    for (Value operand : op->getOperands())
      compute(builder, operand);
    builder.clone(*op, inside);
    return inside.lookup(value);
  }

  /// Whether a point is the work of a block, and how many threads that has.
  bool isOfBlocks() { return grid->hasAttr(blockAttribute); }
  int64_t threads() {
    auto own = grid->getAttrOfType<mlir::IntegerAttr>(blockAttribute);
    return own ? own.getInt() : threadsOfBlock;
  }

  /// The bytes that a block shares, of which there is one array at most.
  int64_t sharedBytes() {
    int64_t bytes = 0;
    grid->walk([&](memref::AllocaOp array) {
      if (array.getType().getMemorySpaceAsInt() == sharedSpace)
        bytes = array.getType().getNumElements();
    });
    return bytes;
  }

  /// Each thread takes the points t, t + T, t + 2 T … of all T threads, or each block of all blocks; the last axis runs
  /// fastest.
  void body(mlir::OpBuilder &builder) {
    mlir::Location location = grid.getLoc();
    auto id = [&](auto tag) -> Value {
      return decltype(tag)::create(builder, location, builder.getIndexType(), gpu::Dimension::x);
    };
    auto product = [&](Value a, Value b) -> Value { return arith::MulIOp::create(builder, location, a, b); };
    Value first = id(gpu::BlockIdOp()), step = id(gpu::GridDimOp());
    if (!isOfBlocks()) {
      Value width = id(gpu::BlockDimOp());
      step = product(step, width);
      first = arith::AddIOp::create(builder, location, product(first, width), id(gpu::ThreadIdOp()));
    }
    llvm::SmallVector<Value> extents;
    for (Value extent : grid.getUpperBound())
      extents.push_back(inside.lookup(extent));
    Value points = extents[0];
    for (Value extent : llvm::drop_begin(extents))
      points = product(points, extent);
    mlir::OpBuilder::InsertionGuard guard(builder);
    Value rest = first;
    if (!grid->hasAttr(persistentAttribute)) {
      auto loop = scf::ForOp::create(builder, location, first, points, step);
      builder.setInsertionPointToStart(loop.getBody());
      rest = loop.getInductionVar();
    }
    llvm::SmallVector<Value> point(extents.size());
    for (std::size_t axis = extents.size(); axis-- > 1;) {
      point[axis] = arith::RemUIOp::create(builder, location, rest, extents[axis]);
      rest = arith::DivUIOp::create(builder, location, rest, extents[axis]);
    }
    point[0] = rest;
    inside.map(grid.getInductionVars(), point);
    for (mlir::Operation &op : grid.getBody()->without_terminator())
      builder.clone(op, inside);
  }

  void launch(mlir::OpBuilder &builder, gpu::GPUFuncOp kernel) {
    mlir::Location location = grid.getLoc();
    builder.setInsertionPoint(grid);
    auto number = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(builder, location, value); };
    Value points = grid.getUpperBound()[0];
    for (Value extent : grid.getUpperBound().drop_front())
      points = arith::MulIOp::create(builder, location, points, extent);
    Value blocks = points;
    if (!isOfBlocks()) {
      Value rounded = arith::AddIOp::create(builder, location, points, number(threadsOfBlock - 1));
      blocks = arith::DivUIOp::create(builder, location, rounded, number(threadsOfBlock));
    }
    blocks = arith::MinUIOp::create(builder, location, blocks, number(mostBlocks));
    llvm::SmallVector<Value> arguments;
    for (Value leaf : leaves)
      arguments.push_back(isArray(leaf) && leaf.getType() != addressOf(leaf)
                              ? denseView(builder, location, addressOf(leaf), leaf, {})
                              : leaf);
    Value one = number(1), shared;
    if (int64_t bytes = sharedBytes())
      shared = arith::ConstantOp::create(builder, location, builder.getI32IntegerAttr(int32_t(bytes)));
    gpu::LaunchFuncOp::create(builder, location, kernel, {blocks, one, one}, {number(threads()), one, one}, shared,
                              arguments);
  }

  mlir::func::FuncOp host;
  scf::ParallelOp grid;
  llvm::SmallVector<Value> leaves;
  llvm::DenseSet<Value> seen;
  mlir::IRMapping inside;
};

struct Outline : mlir::PassWrapper<Outline, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Outline)
  llvm::StringRef getArgument() const final { return "attnc-outline"; }
  llvm::StringRef getDescription() const final { return "grids become kernels, and their places launches"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::affine::AffineDialect, arith::ArithDialect, gpu::GPUDialect, memref::MemRefDialect>();
  }

  void runOnOperation() final {
    mlir::ModuleOp module = getOperation();
    mlir::OpBuilder builder(&getContext());
    module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), builder.getUnitAttr());
    builder.setInsertionPointToEnd(module.getBody());
    auto kernels = gpu::GPUModuleOp::create(builder, module.getLoc(), kernelsModule);
    for (auto host : llvm::make_early_inc_range(module.getOps<mlir::func::FuncOp>())) {
      llvm::SmallVector<scf::ParallelOp> grids;
      host->walk<mlir::WalkOrder::PreOrder>([&](scf::ParallelOp grid) {
        grids.push_back(grid);
        return mlir::WalkResult::skip();
      });
      for (auto [number, grid] : llvm::enumerate(grids))
        if (failed(Kernel(host, grid).outline(builder, kernels, (host.getName() + "_" + llvm::Twine(number)).str())))
          return signalPassFailure();
    }
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createOutlinePass() { return std::make_unique<Outline>(); }

} // namespace attnc
