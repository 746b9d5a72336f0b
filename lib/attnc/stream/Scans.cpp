#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/ChunkCost.h"
#include "attnc/stream/Passes.h"
#include "attnc/stream/Recurrence.h"
#include "attnc/stream/Steps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include "llvm/Support/FormatVariadic.h"

// Chunks scans. A scan is a loop here whose states are arrays. Where each state is affine in itself, S ← a ∘ S + k ⊗ v
// with a, k and v that no state goes into, and is read by contractions with a query alone, all its steps are one
// operation, and what surrounds it, before and after, is done for all steps at once.
namespace attnc {

namespace {

namespace linalg = mlir::linalg;
namespace scf = mlir::scf;
namespace tensor = mlir::tensor;
using dialect::ChunksOp;
using mlir::Value;

class Chunker {
public:
  Chunker(mlir::IRRewriter &rewriter, scf::ForOp loop, const ScanRefusal &refused)
      : rewriter(rewriter), loop(loop), refused(refused) {}

  /// Chunked operations in place of the loop, or a remark why not.
  bool run() {
    findStates();
    mlir::Operation *before = loop->getPrevNode();
    if (chunk())
      return true;
    loop.emitRemark() << "not chunked: " << why;
    while (loop->getPrevNode() != before) // users last, so from the back
      rewriter.eraseOp(loop->getPrevNode());
    return false;
  }

private:
  /// Results of steps are stacked by insertion into an array that nothing else looks at.
  struct Stack {
    unsigned number;
    Value step;
    unsigned axis;
  };

  bool fail(llvm::StringRef reason) {
    why = reason.str();
    return false;
  }

  void findStates() {
    for (auto [i, carried] : llvm::enumerate(loop.getRegionIterArgs())) {
      auto insert = loop.getYieldedValues()[i].getDefiningOp<tensor::InsertSliceOp>();
      std::optional<unsigned> axis;
      if (insert && insert.getDest() == carried && carried.hasOneUse())
        for (auto [position, offset] : llvm::enumerate(insert.getMixedOffsets()))
          if (mlir::dyn_cast<Value>(offset) == loop.getInductionVar())
            axis = position;
      if (axis)
        stacks.push_back({unsigned(i), insert.getSource(), *axis});
      else
        states.push_back(i);
    }
  }

  bool chunk() {
    std::vector<Recurrence> found;
    for (unsigned number : states) {
      auto recurrence = Recurrence::of(loop, number, why);
      if (!recurrence)
        return false;
      found.push_back(std::move(*recurrence));
    }
    Steps steps(rewriter, loop, stacks.empty() ? 0 : stacks[0].axis);
    rewriter.setInsertionPoint(loop);
    results.assign(loop.getNumResults(), nullptr);
    for (const Recurrence &state : found)
      if (state.feature) {
        auto normaliser = llvm::find_if(
            found, [&](const Recurrence &other) { return !results[other.number] && state.isNormalisedBy(other); });
        if (!emit(steps, state, normaliser == found.end() ? nullptr : &*normaliser))
          return false;
      }
    for (const Recurrence &state : found)
      if (!results[state.number])
        return fail("what is added to a state is no product of a key and values");
    for (const Stack &stack : stacks) {
      auto stacked = steps.along(stack.axis, stack.step);
      if (!stacked)
        return fail("a result is made from a state other than by a contraction, or for one step at a time only");
      results[stack.number] = *stacked;
    }
    for (auto [result, type] : llvm::zip(results, loop.getResultTypes()))
      if (result.getType() != type)
        result = tensor::CastOp::create(rewriter, loop.getLoc(), type, result);
    for (const std::string &line : told)
      loop.emitRemark() << line;
    rewriter.replaceOp(loop, results);
    return true;
  }

  struct Operand {
    Value array;
    llvm::SmallVector<unsigned> loops; // of the operation, one for each axis
  };

  mlir::AffineMap mapOf(const Recurrence &state, llvm::ArrayRef<unsigned> loops) {
    llvm::SmallVector<mlir::AffineExpr> axes;
    for (unsigned loop : loops)
      axes.push_back(rewriter.getAffineDimExpr(loop));
    return mlir::AffineMap::get(state.loopCount(), 0, axes, rewriter.getContext());
  }

  /// The product of the factors for all steps; one factor as it is.
  std::optional<Operand> operandOf(Steps &steps, const Recurrence &state, const Factors &factors,
                                   bool negative = false) {
    llvm::SmallVector<Operand> arrays;
    for (const Read &factor : factors) {
      auto stacked = steps.all(factor.array);
      if (!stacked) {
        fail("a gate, key, query or value is not computed for all steps at once");
        return std::nullopt;
      }
      Operand operand{stacked->array, {}};
      for (unsigned axis : factor.loops)
        operand.loops.push_back(state.loopOf(axis));
      if (stacked->steps)
        operand.loops.insert(operand.loops.begin() + *stacked->steps, state.stepLoop());
      arrays.push_back(std::move(operand));
    }
    if (arrays.size() == 1 && !negative)
      return arrays[0];
    Operand product;
    for (const Operand &factor : arrays)
      product.loops.append(factor.loops);
    llvm::sort(product.loops);
    product.loops.erase(llvm::unique(product.loops), product.loops.end());
    product.array = multiplied(arrays, product.loops, negative);
    return product;
  }

  Value multiplied(llvm::ArrayRef<Operand> factors, llvm::ArrayRef<unsigned> loops, bool negative) {
    mlir::Location location = loop.getLoc();
    llvm::SmallVector<mlir::OpFoldResult, 6> extents(loops.size());
    llvm::SmallVector<mlir::AffineMap> maps;
    llvm::SmallVector<Value> inputs;
    for (const Operand &factor : factors) {
      llvm::SmallVector<mlir::AffineExpr> axes;
      for (auto [axis, along] : llvm::enumerate(factor.loops)) {
        unsigned position = llvm::find(loops, along) - loops.begin();
        axes.push_back(rewriter.getAffineDimExpr(position));
        if (!extents[position])
          extents[position] = tensor::getMixedSize(rewriter, location, factor.array, axis);
      }
      maps.push_back(mlir::AffineMap::get(loops.size(), 0, axes, rewriter.getContext()));
      inputs.push_back(factor.array);
    }
    maps.push_back(rewriter.getMultiDimIdentityMap(loops.size()));
    Value empty = tensor::EmptyOp::create(rewriter, location, extents, rewriter.getF32Type());
    llvm::SmallVector<mlir::utils::IteratorType> iterators(loops.size(), mlir::utils::IteratorType::parallel);
    auto product = [&](mlir::OpBuilder &b, mlir::Location l, mlir::ValueRange elements) {
      Value value = mlir::arith::ConstantOp::create(b, l, b.getF32FloatAttr(negative ? -1 : 1));
      for (Value element : elements.drop_back())
        value = mlir::arith::MulFOp::create(b, l, value, element);
      linalg::YieldOp::create(b, l, value);
    };
    return linalg::GenericOp::create(rewriter, location, empty.getType(), inputs, empty, maps, iterators, product)
        .getResult(0);
  }

  /// Where an operation takes a state from, and where it puts what is read and the last state.
  struct Place {
    Value initial;
    llvm::SmallVector<Value, 2> outputs;
    llvm::SmallVector<mlir::AffineMap, 3> maps; // of all three
    unsigned steps = 0;                         // the axis of steps in what is read
  };

  Place placeOf(Steps &steps, const Recurrence &state, const StateRead &read) {
    mlir::Location location = loop.getLoc();
    Place place;
    place.initial = loop.getInitArgs()[state.number];
    place.steps = std::min<unsigned>(stacks.empty() ? 0 : stacks[0].axis, read.axes.size());
    auto sizes = tensor::getMixedSizes(rewriter, location, place.initial);
    llvm::SmallVector<mlir::OpFoldResult, 6> extents;
    llvm::SmallVector<unsigned> loops, all;
    for (unsigned axis : read.axes) {
      extents.push_back(sizes[axis]);
      loops.push_back(state.loopOf(axis));
    }
    extents.insert(extents.begin() + place.steps, steps.count());
    loops.insert(loops.begin() + place.steps, state.stepLoop());
    for (unsigned axis = 0; axis < sizes.size(); ++axis)
      all.push_back(state.loopOf(axis));
    place.outputs = {tensor::EmptyOp::create(rewriter, location, extents, rewriter.getF32Type()),
                     tensor::EmptyOp::create(rewriter, location, sizes, rewriter.getF32Type())};
    place.maps = {mapOf(state, all), mapOf(state, loops), mapOf(state, all)};
    return place;
  }

  /// What the one gate is the exponential of: that is done where it is read, for the gate is an array otherwise.
  static std::optional<Read> logarithmOf(const Factors &gate) {
    linalg::GenericOp map = gate.size() == 1 ? attnc::mapOf(gate[0].array) : nullptr;
    auto exponential = map ? map.getBody()->getTerminator()->getOperand(0).getDefiningOp<mlir::math::ExpOp>() : nullptr;
    auto argument = exponential ? mlir::dyn_cast<mlir::BlockArgument>(exponential.getOperand()) : nullptr;
    if (!argument || argument.getOwner() != map.getBody())
      return std::nullopt;
    return operandRead(map, argument.getArgNumber(), gate[0]);
  }

  /// The operations that do what the loop does with a state, and with its normaliser.
  bool emit(Steps &steps, const Recurrence &state, const Recurrence *normaliser) {
    auto key = operandOf(steps, state, state.key, state.negative);
    auto value = key ? operandOf(steps, state, state.value) : std::nullopt;
    auto logarithm = logarithmOf(state.gate);
    auto gate = value && !state.gate.empty() ? operandOf(steps, state, logarithm ? Factors{*logarithm} : state.gate)
                                             : std::nullopt;
    if (!value || (!gate && !state.gate.empty()))
      return false;
    for (const StateRead &read : state.reads) {
      auto query = operandOf(steps, state, read.query);
      if (!query)
        return false;
      const StateRead *norm = normaliser ? normaliser->readLike(state, read) : nullptr;
      llvm::SmallVector<Place, 2> places{placeOf(steps, state, read)};
      if (norm)
        places.push_back(placeOf(steps, *normaliser, *norm));
      llvm::SmallVector<mlir::AffineMap> maps{mapOf(state, query->loops), mapOf(state, key->loops),
                                              mapOf(state, value->loops)};
      if (gate)
        maps.push_back(mapOf(state, gate->loops));
      llvm::SmallVector<Value> initial, outputs;
      llvm::SmallVector<mlir::Type> types;
      for (const Place &place : places) {
        initial.push_back(place.initial);
        maps.push_back(place.maps[0]);
      }
      for (const Place &place : places)
        for (auto [i, output] : llvm::enumerate(place.outputs)) {
          outputs.push_back(output);
          types.push_back(output.getType());
          maps.push_back(place.maps[i + 1]);
        }
      auto chunks = ChunksOp::create(rewriter, loop.getLoc(), types, rewriter.getI64IntegerAttr(state.batch.size()),
                                     read.before ? rewriter.getUnitAttr() : nullptr,
                                     logarithm ? rewriter.getUnitAttr() : nullptr, query->array, key->array,
                                     value->array, gate ? mlir::ValueRange(gate->array) : mlir::ValueRange(), initial,
                                     outputs, rewriter.getAffineMapArrayAttr(maps));
      if (!worthIt(chunks))
        return fail("one step after the other costs less at these sizes");
      if (std::string reason = refused ? refused(chunks) : std::string(); !reason.empty())
        return fail(reason);
      for (auto [i, place] : llvm::enumerate(places)) {
        linalg::GenericOp done = i ? norm->op : read.op;
        steps.set(done.getResult(0), {chunks.getResult(2 * i), place.steps});
        results[(i ? *normaliser : state).number] = chunks.getResult(2 * i + 1);
      }
    }
    return true;
  }

  /// Whether chunks cost less; if so, what is to be told of them.
  bool worthIt(ChunksOp chunks) {
    llvm::SmallVector<int64_t> extents(chunks.loopCount(), mlir::ShapedType::kDynamic);
    for (auto [i, array] : llvm::enumerate(chunks->getOperands()))
      for (auto [axis, extent] : llvm::enumerate(mlir::cast<mlir::RankedTensorType>(array.getType()).getShape()))
        if (int64_t &known = extents[chunks.mapOf(i).getDimPosition(axis)]; mlir::ShapedType::isDynamic(known))
          known = extent;
    ScanShape shape{extents[chunks.stepLoop()], extents[chunks.depthLoop()], extents[chunks.featureLoop()]};
    unsigned count = stepsInChunk(shape);
    if (count == 0)
      return false;
    auto text = [](int64_t extent) {
      return mlir::ShapedType::isDynamic(extent) ? std::string("any") : std::to_string(extent);
    };
    std::string line = llvm::formatv("chunked: {0} steps{1}, of a state of {2} × {3}{4}",
                                     mlir::ShapedType::isDynamic(shape.steps) ? "any number of" : text(shape.steps),
                                     refused ? "" : llvm::formatv(", {0} at a time", count).str(), text(shape.depth),
                                     text(shape.features), chunks.isNormalised() ? " and its normaliser" : "");
    if (!llvm::any_of(extents, mlir::ShapedType::isDynamic)) {
      double streams = 1;
      for (int64_t extent : llvm::ArrayRef(extents).drop_back(3))
        streams *= extent;
      line += llvm::formatv(", {0} times; {1:f3} MFLOP, {2:f3} step by step", int64_t(streams),
                            streams * operationsInChunks(shape, count) / 1e6, streams * operationsByStep(shape) / 1e6);
    }
    told.push_back(line);
    return true;
  }

  mlir::IRRewriter &rewriter;
  scf::ForOp loop;
  const ScanRefusal &refused;
  std::string why;
  llvm::SmallVector<unsigned> states;
  llvm::SmallVector<Stack> stacks;
  llvm::SmallVector<Value> results; // of the loop
  std::vector<std::string> told;
};

struct Scans : mlir::PassWrapper<Scans, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Scans)
  explicit Scans(ScanRefusal refuse) : refuse(std::move(refuse)) {}
  llvm::StringRef getArgument() const final { return "attnc-scans"; }
  llvm::StringRef getDescription() const final { return "affine scans a chunk of steps at a time"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<dialect::AttncDialect, mlir::arith::ArithDialect, linalg::LinalgDialect, tensor::TensorDialect>();
  }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    chunk(rewriter, getOperation().getBody().front());
  }

private:
  /// Later ones first, as streams are; those inside of one that stays a loop are looked at too.
  void chunk(mlir::IRRewriter &rewriter, mlir::Block &block) {
    for (mlir::Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
      auto loop = mlir::dyn_cast<scf::ForOp>(op);
      if (loop && loop->hasAttr(dialect::scanAttribute) && Chunker(rewriter, loop, refuse).run())
        continue;
      if (!mlir::isa<linalg::LinalgOp>(op))
        for (mlir::Region &region : op.getRegions())
          for (mlir::Block &inside : region)
            chunk(rewriter, inside);
    }
  }

  ScanRefusal refuse;
};

} // namespace

std::unique_ptr<mlir::Pass> createScansPass(ScanRefusal refuse) { return std::make_unique<Scans>(std::move(refuse)); }

} // namespace attnc
