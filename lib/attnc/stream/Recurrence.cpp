#include "attnc/stream/Recurrence.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace arith = mlir::arith;
namespace linalg = mlir::linalg;
using mlir::Value;

unsigned Recurrence::loopOf(unsigned axis) const {
  if (axis == depth)
    return stepLoop() + 1;
  if (axis == feature)
    return stepLoop() + 2;
  return llvm::find(batch, axis) - batch.begin();
}

namespace {

/// Whether two products are of the same factors, up to their order, along the same loops of the two states.
bool agree(const Recurrence &a, const Factors &left, const Recurrence &b, Factors right) {
  auto along = [](const Recurrence &state, const Read &factor) {
    return llvm::map_to_vector(factor.loops, [&](unsigned axis) { return state.loopOf(axis); });
  };
  for (const Read &factor : left) {
    auto same = llvm::find_if(
        right, [&](const Read &other) { return other.array == factor.array && along(b, other) == along(a, factor); });
    if (same == right.end())
      return false;
    right.erase(same);
  }
  return right.empty();
}

/// Finds the parts of a recurrence.
class Finder {
public:
  Finder(mlir::scf::ForOp loop, unsigned number, std::string &why) : loop(loop), why(why) {
    result.number = number;
    state = loop.getRegionIterArg(number);
    for (mlir::BlockArgument carried : loop.getRegionIterArgs())
      dependent.insert(carried);
    for (mlir::Operation &op : loop.getBody()->without_terminator()) {
      bool depends = false;
      op.walk([&](mlir::Operation *inner) {
        depends |= llvm::any_of(inner->getOperands(), [&](Value operand) { return dependent.contains(operand); });
      });
      if (depends)
        dependent.insert(op.result_begin(), op.result_end());
    }
  }

  std::optional<Recurrence> run() {
    auto type = mlir::cast<mlir::RankedTensorType>(state.getType());
    if (!type.getElementType().isF32() || type.getRank() == 0 || llvm::is_contained(type.getShape(), 0))
      return refuse("a state is no array of f32");
    Read whole{loop.getYieldedValues()[result.number], {}};
    for (unsigned axis = 0; axis < type.getRank(); ++axis)
      whole.loops.push_back(axis);
    next = source(whole);
    auto update = affine(whole);
    if (!update)
      return std::nullopt;
    if (!update->carries || !update->adds)
      return refuse("the next state is not the state, or a gate times it, and something added");
    result.gate = update->gate;
    result.negative = update->negative;
    if (!findReads(type.getRank()) || !findAxes(type.getRank(), update->term))
      return std::nullopt;
    return result;
  }

private:
  /// gate ∘ S + term
  struct Affine {
    bool carries = false, adds = false, negative = false;
    Factors gate, term;
  };

  std::nullopt_t refuse(llvm::StringRef reason) {
    why = reason.str();
    return std::nullopt;
  }

  /// An element of the state or of what is made from it.
  std::optional<Affine> affine(Read read) {
    read = source(std::move(read));
    Affine found;
    if (read.array == state) {
      found.carries = true;
      if (!llvm::is_sorted(read.loops))
        return refuse("the axes of a state change places");
      return found;
    }
    if (!dependent.contains(read.array)) {
      found.adds = true;
      collectFactors(read, found.term);
      return found;
    }
    linalg::GenericOp map = mapOf(read.array);
    mlir::Operation *op = map ? map.getBody()->getTerminator()->getOperand(0).getDefiningOp() : nullptr;
    if (!op || !mlir::isa<arith::AddFOp, arith::SubFOp, arith::MulFOp>(op))
      return refuse(map ? "the next state is not affine in the state"
                        : "a state goes into what is added, or another one into the next state");
    Affine sides[2];
    for (auto [i, side] : llvm::enumerate(op->getOperands())) {
      auto argument = mlir::dyn_cast<mlir::BlockArgument>(side);
      auto operand = argument && argument.getOwner() == map.getBody() ? operandRead(map, argument.getArgNumber(), read)
                                                                      : std::nullopt;
      auto part = operand ? affine(*operand) : refuse("the next state is not affine in the state");
      if (!part)
        return std::nullopt;
      sides[i] = std::move(*part);
    }
    return mlir::isa<arith::MulFOp>(op) ? product(sides[0], sides[1])
                                        : sum(sides[0], sides[1], mlir::isa<arith::SubFOp>(op));
  }

  std::optional<Affine> product(Affine &left, Affine &right) {
    if (left.carries && right.carries)
      return refuse("the next state is not affine in the state");
    Affine &with = left.carries ? left : right, &other = left.carries ? right : left;
    if (with.adds) {
      with.term.append(other.term);
      with.negative ^= other.negative;
    }
    with.gate.append(other.term);
    return other.negative ? refuse("a gate is the negative of something") : std::optional(with);
  }

  std::optional<Affine> sum(Affine &left, Affine &right, bool difference) {
    if ((left.carries && right.carries) || (difference && right.carries))
      return refuse("the state goes into the next one more than once");
    if (left.adds && right.adds)
      return refuse("more than one thing is added to the state");
    Affine all = left.carries ? left : right;
    Affine &other = left.carries ? right : left;
    all.adds |= other.adds;
    all.term.append(other.term);
    all.negative ^= other.negative ^ (difference && right.adds);
    return all;
  }

  bool findReads(unsigned rank) {
    std::optional<unsigned> depth;
    for (linalg::GenericOp op : loop.getBody()->getOps<linalg::GenericOp>()) {
      auto sum = op->getNumResults() == 1 ? sumOf(op.getResult(0)) : std::nullopt;
      if (!sum)
        continue;
      auto isState = [&](const Read &factor) { return factor.array == state || factor.array == next.array; };
      auto factor = llvm::find_if(sum->factors, isState);
      if (factor == sum->factors.end() || factor->loops.size() != rank || !factor->along(sum->loop))
        continue;
      StateRead read{op, {}, factor->array == state, {}};
      llvm::SmallVector<unsigned> axisOf(op.getNumLoops(), rank); // rank: none
      for (unsigned axis = 0; axis < rank; ++axis)
        axisOf[factor->loops[axis]] = read.before ? axis : next.loops[axis];
      bool whole = true;
      for (auto other = sum->factors.begin(); other != sum->factors.end(); ++other) {
        if (other == factor)
          continue;
        whole &= !dependent.contains(other->array);
        read.query.push_back({other->array, {}});
        for (unsigned loopOfRead : other->loops)
          read.query.back().loops.push_back(axisOf[loopOfRead]);
        whole &= !read.query.back().along(rank);
      }
      mlir::AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
      for (unsigned axis = 0; axis < output.getNumResults(); ++axis)
        read.axes.push_back(axisOf[output.getDimPosition(axis)]);
      if (!whole || llvm::is_contained(read.axes, rank) || read.axes.size() + 1 != rank)
        continue;
      if (depth && *depth != axisOf[sum->loop])
        return refuse("a state is read along two of its axes"), false;
      depth = axisOf[sum->loop];
      result.reads.push_back(std::move(read));
    }
    if (!depth)
      return refuse("no contraction with a query reads a state"), false;
    result.depth = *depth;
    return true;
  }

  /// The feature axis is the last one that only what is added runs along.
  bool findAxes(unsigned rank, const Factors &term) {
    auto runs = [](const Factors &factors, unsigned axis) {
      return llvm::any_of(factors, [&](const Read &factor) { return factor.along(axis); });
    };
    for (unsigned axis = rank; axis-- > 0 && !result.feature;) {
      bool shared = axis == result.depth || runs(result.gate, axis);
      for (const StateRead &read : result.reads)
        shared |= runs(read.query, axis);
      for (const Read &factor : term)
        shared |= factor.along(axis) && factor.along(result.depth);
      if (!shared)
        result.feature = axis;
    }
    for (unsigned axis = 0; axis < rank; ++axis)
      if (axis != result.depth && axis != result.feature)
        result.batch.push_back(axis);
    for (const Read &factor : term)
      (result.feature && factor.along(*result.feature) ? result.value : result.key).push_back(factor);
    return true;
  }

  mlir::scf::ForOp loop;
  std::string &why;
  Recurrence result;
  Value state;
  Read next; // of the state after the step, along the axes of the state
  llvm::DenseSet<Value> dependent;
};

} // namespace

std::optional<Recurrence> Recurrence::of(mlir::scf::ForOp loop, unsigned number, std::string &why) {
  return Finder(loop, number, why).run();
}

bool Recurrence::isNormalisedBy(const Recurrence &other) const {
  return !other.feature && batch.size() == other.batch.size() && negative == other.negative &&
         agree(*this, key, other, other.key) && agree(*this, gate, other, other.gate);
}

const StateRead *Recurrence::readLike(const Recurrence &of, const StateRead &read) const {
  for (const StateRead &mine : reads)
    if (mine.before == read.before && agree(of, read.query, *this, mine.query))
      return &mine;
  return nullptr;
}

} // namespace attnc
