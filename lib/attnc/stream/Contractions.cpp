#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Access.h"
#include "attnc/stream/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

// Finds products of matrices: folds by sums of a factor with a row and one with a column. The maps through which alone
// a product goes, such as a bias, an activation or the division by a normaliser, are done with its elements.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace linalg = mlir::linalg;
using dialect::FinishOp;
using dialect::ProductOp;
using mlir::Value;
using Loops = llvm::SmallVector<unsigned, 6>;

/// Extents below which a product is left to nests of loops: blocks of registers would be mostly empty.
constexpr int64_t leastRows = 4, leastColumns = 8, leastDepth = 4, leastWork = 1 << 13;
/// Scalar operations that an element of a product goes through at most.
constexpr size_t mostOperations = 48;

/// The loops of a fold by the part they play in a product.
struct Parts {
  Read left, right;
  Loops batch, folded; // parallel ones, and those folded outside of the depth
  unsigned row, column, depth;

  /// The loop of the product for one of the fold.
  unsigned loopOf(unsigned loop) const {
    Loops order = batch;
    order.append(folded);
    order.append({row, column, depth});
    return llvm::find(order, loop) - order.begin();
  }
};

bool isLeast(int64_t extent, int64_t least) { return mlir::ShapedType::isDynamic(extent) || extent >= least; }

std::optional<Parts> partsOf(linalg::GenericOp fold) {
  auto factors = termOf(fold);
  mlir::AffineMap output = fold.getMatchingIndexingMap(fold.getDpsInitOperand(0));
  if (!factors || factors->size() != 2 || !output.isProjectedPermutation() || output.getNumResults() == 0)
    return std::nullopt;
  Parts parts{(*factors)[0], (*factors)[1], {}, {}, 0, 0, 0};
  unsigned loops = fold.getNumLoops();
  for (const Read &read : *factors) {
    llvm::SmallDenseSet<unsigned> once(read.loops.begin(), read.loops.end());
    if (once.size() != read.loops.size() || !mlir::getElementTypeOrSelf(read.array).isF32() ||
        llvm::any_of(read.loops, [&](unsigned loop) { return loop >= loops; }))
      return std::nullopt;
  }
  parts.column = output.getDimPosition(output.getNumResults() - 1);
  if (parts.left.along(parts.column))
    std::swap(parts.left, parts.right);
  if (parts.left.along(parts.column) || !parts.right.along(parts.column))
    return std::nullopt;

  auto extents = fold.getStaticLoopRanges();
  auto large = [&](unsigned loop) {
    return mlir::ShapedType::isDynamic(extents[loop]) ? std::numeric_limits<int64_t>::max() : extents[loop];
  };
  std::optional<unsigned> row, depth;
  auto kinds = fold.getIteratorTypesArray();
  for (unsigned loop = 0; loop < loops; ++loop) {
    bool left = parts.left.along(loop), right = parts.right.along(loop);
    if (!left && !right)
      return std::nullopt;
    if (kinds[loop] == mlir::utils::IteratorType::parallel) {
      if (left && !right && (!row || large(loop) >= large(*row)))
        row = loop;
    } else {
      if (!left || !right)
        return std::nullopt;
      if (!depth || parts.left.loops.back() == loop)
        depth = loop;
    }
  }
  if (!row || !depth)
    return std::nullopt;
  parts.row = *row;
  parts.depth = *depth;
  int64_t work = 1;
  for (unsigned loop = 0; loop < loops; ++loop) {
    work = llvm::SaturatingMultiply<uint64_t>(work, mlir::ShapedType::isDynamic(extents[loop]) ? 256 : extents[loop]);
    if (loop != parts.row && loop != parts.column && loop != parts.depth)
      (kinds[loop] == mlir::utils::IteratorType::parallel ? parts.batch : parts.folded).push_back(loop);
  }
  if (!isLeast(extents[parts.row], leastRows) || !isLeast(extents[parts.column], leastColumns) ||
      !isLeast(extents[parts.depth], leastDepth) || work < leastWork)
    return std::nullopt;
  return parts;
}

/// A product that grows by the maps that follow it.
class Product {
public:
  Product(mlir::IRRewriter &rewriter, linalg::GenericOp fold, Parts parts)
      : rewriter(rewriter), fold(fold), parts(std::move(parts)) {}

  void replace() {
    mlir::AffineMap output = fold.getMatchingIndexingMap(fold.getDpsInitOperand(0));
    Read result{fold.getResult(0), {}};
    for (unsigned axis = 0; axis < output.getNumResults(); ++axis)
      result.loops.push_back(this->parts.loopOf(output.getDimPosition(axis)));
    reads.push_back(result);
    findMaps();
    cutBack();

    mlir::Operation *last = maps.empty() ? fold.getOperation() : maps.back().getOperation();
    rewriter.setInsertionPoint(last);
    mlir::Location location = fold.getLoc();
    auto block = std::make_unique<mlir::Block>();
    values[fold.getResult(0)] = block->addArgument(rewriter.getF32Type(), location);
    {
      mlir::OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToEnd(block.get());
      for (linalg::GenericOp map : maps)
        clone(map, *block);
      FinishOp::create(rewriter, location, values[last->getResult(0)]);
    }
    const Read &written = *readOf(last->getResult(0));
    llvm::SmallVector<mlir::AffineMap> indices;
    for (Read factor : {parts.left, parts.right}) {
      for (unsigned &loop : factor.loops)
        loop = parts.loopOf(loop);
      indices.push_back(mapOf(factor.loops));
    }
    llvm::SmallVector<Value> arrays;
    for (const Read &other : others) {
      indices.push_back(mapOf(other.loops));
      arrays.push_back(other.array);
    }
    indices.push_back(mapOf(written.loops));
    auto destination = mlir::cast<linalg::GenericOp>(last).getDpsInits()[0];
    if (auto fill = destination.getDefiningOp<linalg::FillOp>())
      destination = fill.getOutputs()[0];
    auto op = ProductOp::create(rewriter, location, last->getResultTypes(),
                                rewriter.getI64IntegerAttr(parts.batch.size() + parts.folded.size()),
                                rewriter.getI64IntegerAttr(parts.folded.size()), parts.left.array, parts.right.array,
                                arrays, destination, rewriter.getAffineMapArrayAttr(indices));
    op.getFinish().push_back(block.release());
    rewriter.replaceOp(last, op.getResults());
    if (!maps.empty())
      maps.pop_back();
    else
      return;
    for (linalg::GenericOp map : llvm::reverse(maps))
      rewriter.eraseOp(map);
    rewriter.eraseOp(fold);
  }

private:
  mlir::AffineMap mapOf(const Loops &loops) {
    llvm::SmallVector<mlir::AffineExpr> axes;
    for (unsigned loop : loops)
      axes.push_back(rewriter.getAffineDimExpr(loop));
    return mlir::AffineMap::get(parts.batch.size() + parts.folded.size() + 3, 0, axes, rewriter.getContext());
  }

  const Read *readOf(Value array) const {
    auto at = llvm::find_if(reads, [&](const Read &read) { return read.array == array; });
    return at == reads.end() ? nullptr : &*at;
  }

  /// All maps that are made from the product's elements, one from one, in order.
  void findMaps() {
    for (mlir::Operation *op = fold->getNextNode(); op; op = op->getNextNode()) {
      auto map = mlir::dyn_cast<linalg::GenericOp>(op);
      if (!map || !llvm::any_of(map->getOperands(), [&](Value operand) { return readOf(operand); }))
        continue;
      if (attnc::mapOf(map->getNumResults() == 1 ? map.getResult(0) : Value()) != map)
        continue;
      if (auto read = elementsOf(map)) {
        maps.push_back(map);
        reads.push_back(*read);
      }
    }
  }

  /// How the result of a map is read along the loops of the product; nothing where it is not made element by element.
  std::optional<Read> elementsOf(linalg::GenericOp map) {
    llvm::SmallVector<std::optional<unsigned>, 6> loopsOf(map.getNumLoops());
    for (mlir::OpOperand &operand : map->getOpOperands()) {
      const Read *read = readOf(operand.get());
      if (!read)
        continue;
      mlir::AffineMap indices = map.getMatchingIndexingMap(&operand);
      if (map.isDpsInit(&operand) || !indices.isPermutation())
        return std::nullopt;
      for (auto [axis, loop] : llvm::enumerate(read->loops)) {
        auto &along = loopsOf[indices.getDimPosition(axis)];
        if (along && *along != loop)
          return std::nullopt;
        along = loop;
      }
    }
    bool scalars = llvm::all_of(map.getBody()->without_terminator(), [](mlir::Operation &op) {
      return mlir::isa<arith::ConstantOp>(op) || (mlir::OpTrait::hasElementwiseMappableTraits(&op) &&
                                                  llvm::none_of(op.getResultTypes(), [](mlir::Type type) {
                                                    return type.isInteger(64) || type.isF64() || type.isIndex();
                                                  }));
    });
    if (!scalars || !llvm::all_of(loopsOf, [](auto loop) { return loop.has_value(); }) ||
        !llvm::all_of(map.getIndexingMapsArray(), [](mlir::AffineMap map) { return map.isProjectedPermutation(); }))
      return std::nullopt;
    Read result{map.getResult(0), {}};
    mlir::AffineMap output = map.getMatchingIndexingMap(map.getDpsInitOperand(0));
    for (unsigned axis = 0; axis < output.getNumResults(); ++axis)
      result.loops.push_back(*loopsOf[output.getDimPosition(axis)]);
    return result;
  }

  /// Leaves the most maps that end in one, so that nothing else is wanted of the product but what the last one gives.
  void cutBack() {
    while (!maps.empty() && !endsIn(maps.back())) {
      maps.pop_back();
      reads.pop_back();
    }
    if (maps.empty())
      return;
    size_t operations = 0;
    for (linalg::GenericOp map : maps)
      operations += map.getBody()->getOperations().size() - 1;
    if (operations > mostOperations)
      maps.clear();
  }

  bool endsIn(linalg::GenericOp last) {
    const Read &read = *readOf(last.getResult(0));
    if (!mlir::getElementTypeOrSelf(read.array).isF32() || read.loops.back() != parts.loopOf(parts.column))
      return false;
    auto inside = [&](mlir::Operation *user) {
      return llvm::any_of(maps, [&](linalg::GenericOp map) { return map == user; });
    };
    return llvm::all_of(reads, [&](const Read &made) {
      return made.array == last.getResult(0) || llvm::all_of(made.array.getUsers(), inside);
    });
  }

  /// A map of one element in the block.
  void clone(linalg::GenericOp map, mlir::Block &block) {
    mlir::IRMapping inside;
    const Read &result = *readOf(map.getResult(0));
    for (auto [i, argument] : llvm::enumerate(map.getBody()->getArguments().drop_back())) {
      Value array = map->getOperand(i);
      if (Value made = values.lookup(array)) {
        inside.map(argument, made);
      } else if (!argument.use_empty()) {
        inside.map(argument, elementOf(source(*operandRead(map, i, result)), block));
      }
    }
    for (mlir::Operation &op : map.getBody()->without_terminator())
      rewriter.clone(op, inside);
    values[map.getResult(0)] = inside.lookupOrDefault(map.getBody()->getTerminator()->getOperand(0));
  }

  Value elementOf(const Read &read, mlir::Block &block) {
    if (linalg::GenericOp map = attnc::mapOf(read.array)) {
      Value given = map.getBody()->getTerminator()->getOperand(0);
      if (mlir::matchPattern(given, mlir::m_Constant()))
        return rewriter.clone(*given.getDefiningOp())->getResult(0);
    }
    for (auto [i, other] : llvm::enumerate(others))
      if (other == read)
        return block.getArgument(1 + i);
    others.push_back(read);
    return block.addArgument(mlir::getElementTypeOrSelf(read.array), fold.getLoc());
  }

  mlir::IRRewriter &rewriter;
  linalg::GenericOp fold;
  Parts parts;
  llvm::SmallVector<linalg::GenericOp> maps;
  std::vector<Read> reads; // of the fold and of each map, along the product's loops
  llvm::DenseMap<Value, Value> values;
  llvm::SmallVector<Read, 4> others;
};

struct Products : mlir::PassWrapper<Products, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Products)
  llvm::StringRef getArgument() const final { return "attnc-products"; }
  llvm::StringRef getDescription() const final { return "products of matrices, with what is done with each element"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final { registry.insert<dialect::AttncDialect>(); }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    llvm::SmallVector<linalg::GenericOp> folds;
    getOperation()->walk([&](linalg::GenericOp op) {
      if (op.getNumReductionLoops() > 0)
        folds.push_back(op);
    });
    for (linalg::GenericOp fold : folds)
      if (auto parts = partsOf(fold))
        Product(rewriter, fold, std::move(*parts)).replace();
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createProductsPass() { return std::make_unique<Products>(); }

} // namespace attnc
