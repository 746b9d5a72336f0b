#include "attnc/stream/BestLists.h"

#include "attnc/stream/Algebra.h"
#include "attnc/stream/Registers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

#include "llvm/Support/FormatVariadic.h"

namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace vector = mlir::vector;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

/// The bits of a key below those of its score.
constexpr int64_t keyBits = 32, keyMask = 0xffffffff;

/// Entries, one or a vector, as numbers of the algebra.
struct Entries {
  Code *code;
  Value value;
};
Entries maximum(Entries a, Entries b) { return {a.code, arith::MaxSIOp::create(*a.code, a.value, b.value)}; }
Entries minimum(Entries a, Entries b) { return {a.code, arith::MinSIOp::create(*a.code, a.value, b.value)}; }

/// body(size) for size = from, 2 from, … up to `to`.
void doubling(Code &code, Value from, Value to, llvm::function_ref<void(Value)> body) {
  loopWhile(
      code, from, [&](ValueRange size) { return less(code, size[0], add(code, to, index(code, 1))); },
      [&](ValueRange size) -> Values {
        body(size[0]);
        return {add(code, size[0], size[0])};
      });
}

/// body(size) for size = from, from / 2, … down to `to`.
void halving(Code &code, Value from, Value to, llvm::function_ref<void(Value)> body) {
  loopWhile(
      code, from, [&](ValueRange size) { return less(code, subtract(code, to, index(code, 1)), size[0]); },
      [&](ValueRange size) -> Values {
        body(size[0]);
        return {code.createOrFold<arith::DivUIOp>(size[0], index(code, 2))};
      });
}

} // namespace

BestLists::BestLists(Code &code, const Machine &machine, Value count)
    : code(code), lanes(std::max<int64_t>(2, machine.lanes() / 2)), count(greater(code, count, index(code, 1))) {
  Value least = index(code, 4 * lanes);
  if (auto known = mlir::getConstantIntValue(this->count)) {
    room = greater(code, least, index(code, int64_t(llvm::PowerOf2Ceil(*known))));
  } else {
    // The next power of two: 2 to the number of bits of count - 1.
    Value number = arith::IndexCastOp::create(code, code.getI64Type(), subtract(code, this->count, index(code, 1)));
    Value zeros = mlir::math::CountLeadingZerosOp::create(code, number);
    Value one = arith::ConstantOp::create(code, code.getI64IntegerAttr(1));
    Value bits = arith::SubIOp::create(code, arith::ConstantOp::create(code, code.getI64IntegerAttr(64)), zeros);
    Value power = arith::ShLIOp::create(code, one, bits);
    room = greater(code, least, arith::IndexCastOp::create(code, code.getIndexType(), power));
  }
  entries = add(code, add(code, room, room), index(code, lanes));
}

mlir::VectorType BestLists::type() const { return mlir::VectorType::get({lanes}, code.getI64Type()); }
Value BestLists::load(Value array, Value at) const {
  return vector::LoadOp::create(code, type(), array, ValueRange{at});
}
void BestLists::store(Value vector, Value array, Value at) const {
  vector::StoreOp::create(code, vector, array, ValueRange{at});
}
Value BestLists::reversed(Value vector) const {
  llvm::SmallVector<int64_t> places;
  for (int64_t lane = lanes; lane-- > 0;)
    places.push_back(lane);
  return vector::ShuffleOp::create(code, vector, vector, places);
}

static Value none(Code &code, mlir::Type type) {
  mlir::TypedAttr number = code.getI64IntegerAttr(std::numeric_limits<int64_t>::min());
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
    number = mlir::DenseElementsAttr::get(vector, mlir::Attribute(number));
  return arith::ConstantOp::create(code, number);
}
static Value whole(Code &code, mlir::Type type, int64_t value) {
  mlir::TypedAttr number = code.getIntegerAttr(mlir::getElementTypeOrSelf(type), value);
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
    number = mlir::DenseElementsAttr::get(vector, mlir::Attribute(number));
  return arith::ConstantOp::create(code, number);
}

/// The greater ones of two vectors go to `high`, the others to `low`; mirrored, the last lane there meets the first
/// here.
void BestLists::exchange(Value array, Value high, Value low, bool mirrored) const {
  Value other = load(array, low);
  auto [first, second] =
      algebra::TopK::exchange(Entries{&code, load(array, high)}, Entries{&code, mirrored ? reversed(other) : other});
  store(first.value, array, high);
  store(mirrored ? reversed(second.value) : second.value, array, low);
}

/// One step of the network within a vector: lane i meets lane i ^ `with`.
static Value stepWithin(Code &code, Value entries, int64_t lanes, int64_t with) {
  llvm::SmallVector<int64_t> places;
  llvm::SmallVector<bool> first;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    places.push_back(lane ^ with);
    first.push_back(lane < (lane ^ with));
  }
  Value other = vector::ShuffleOp::create(code, entries, entries, places);
  auto [high, low] = algebra::TopK::exchange(Entries{&code, entries}, Entries{&code, other});
  auto mask = mlir::VectorType::get({lanes}, code.getI1Type());
  Value isFirst = arith::ConstantOp::create(code, mlir::DenseElementsAttr::get(mask, llvm::ArrayRef<bool>(first)));
  return arith::SelectOp::create(code, isFirst, high.value, low.value);
}

/// Runs of `span` lanes, each rising and falling once, fall.
Value BestLists::cleanedWithin(Value vector, int64_t span) const {
  for (int64_t with = span / 2; with > 0; with /= 2)
    vector = stepWithin(code, vector, lanes, with);
  return vector;
}

/// Runs of `span` lanes fall.
Value BestLists::sortedWithin(Value vector, int64_t span) const {
  for (int64_t run = 2; run <= span; run *= 2)
    vector = cleanedWithin(stepWithin(code, vector, lanes, run - 1), run / 2);
  return vector;
}

/// The runs of 2 `span` entries, each rising and falling once, fall.
void BestLists::clean(Value array, Value at, Value room, Value span) const {
  halving(code, span, index(code, lanes), [&](Value span) {
    Value run = add(code, span, span), runs = code.createOrFold<arith::DivUIOp>(room, run);
    loop(code, index(code, 0), runs, 1, [&](Value number) {
      Value begin = add(code, at, multiply(code, number, run));
      loop(code, index(code, 0), span, lanes, [&](Value i) {
        Value high = add(code, begin, i);
        exchange(array, high, add(code, high, span), false);
      });
    });
  });
  loop(code, index(code, 0), room, lanes, [&](Value i) {
    Value place = add(code, at, i);
    store(cleanedWithin(load(array, place), lanes), array, place);
  });
}

void BestLists::sort(Value array, Value at, Value room) const {
  loop(code, index(code, 0), room, lanes, [&](Value i) {
    Value place = add(code, at, i);
    store(sortedWithin(load(array, place), lanes), array, place);
  });
  doubling(code, index(code, 2 * lanes), room, [&](Value run) {
    Value half = code.createOrFold<arith::DivUIOp>(run, index(code, 2));
    Value runs = code.createOrFold<arith::DivUIOp>(room, run);
    loop(code, index(code, 0), runs, 1, [&](Value number) {
      Value begin = add(code, at, multiply(code, number, run));
      Value last = subtract(code, add(code, begin, run), index(code, lanes));
      loop(code, index(code, 0), half, lanes,
           [&](Value i) { exchange(array, add(code, begin, i), subtract(code, last, i), true); });
    });
    clean(array, at, room, code.createOrFold<arith::DivUIOp>(half, index(code, 2)));
  });
}

void BestLists::clear(Value list) const {
  loop(code, index(code, 0), room, lanes, [&](Value i) { store(none(code, type()), lists, add(code, list, i)); });
}

void BestLists::merge(Value list, Value other) const {
  callShared(code, llvm::formatv("best_merge_{0}", lanes).str(), {}, {lists, list, other, room},
             [&](ValueRange given) -> Values {
               Value array = given[0], at = given[1], other = given[2], room = given[3];
               Value last = subtract(code, add(code, other, room), index(code, lanes));
               loop(code, index(code, 0), room, lanes, [&](Value i) {
                 Value place = add(code, at, i), mirror = reversed(load(array, subtract(code, last, i)));
                 Entries greater = maximum(Entries{&code, load(array, place)}, Entries{&code, mirror});
                 store(greater.value, array, place);
               });
               clean(array, at, room, code.createOrFold<arith::DivUIOp>(room, index(code, 2)));
               return {};
             });
}

void BestLists::settle(Value list, Value waiting) const {
  callShared(code, llvm::formatv("best_settle_{0}", lanes).str(), {}, {lists, list, room, waiting},
             [&](ValueRange given) -> Values {
               Value array = given[0], at = add(code, given[1], given[2]), room = given[2];
               loop(code, given[3], room, lanes, [&](Value i) { store(none(code, type()), array, add(code, at, i)); });
               sort(array, at, room);
               return {};
             });
  merge(list, add(code, list, room));
}

/// The score above the key, so that of equal scores the lower key is greater: NaN, then greater, then lower.
Value BestLists::entriesOf(Value scores, Value first) const {
  auto bitsType = mlir::VectorType::get({lanes}, code.getI32Type());
  Value zero = splat(code, scores.getType(), 0);
  Value isZero = arith::CmpFOp::create(code, arith::CmpFPredicate::OEQ, scores, zero); // of either sign
  Value isNumber = arith::CmpFOp::create(code, arith::CmpFPredicate::ORD, scores, scores);
  Value bits = arith::BitcastOp::create(code, bitsType, arith::SelectOp::create(code, isZero, zero, scores));
  Value sign = arith::ShRSIOp::create(code, bits, whole(code, bitsType, 31));
  Value most = whole(code, bitsType, 0x7fffffff);
  bits = arith::XOrIOp::create(code, bits, arith::AndIOp::create(code, sign, most));
  bits = arith::SelectOp::create(code, isNumber, bits, most);
  Value high = arith::ShLIOp::create(code, arith::ExtSIOp::create(code, type(), bits), whole(code, type(), keyBits));
  llvm::SmallVector<int64_t> steps;
  for (int64_t lane = 0; lane < lanes; ++lane)
    steps.push_back(keyMask - lane);
  Value reversed =
      arith::SubIOp::create(code, arith::ConstantOp::create(code, code.getI64VectorAttr(steps)),
                            broadcast(code, arith::IndexCastOp::create(code, code.getI64Type(), first), lanes));
  return arith::OrIOp::create(code, high, reversed);
}

Value BestLists::absorb(Value list, Value scores, Value at, Value number, Value first, Value waiting) const {
  auto index64 = code.getIndexType();
  return callShared(
      code, llvm::formatv("best_absorb_{0}", lanes).str(), {index64},
      {lists, list, room, count, scores, at, number, first, waiting}, [&](ValueRange given) -> Values {
        BestLists own = *this;
        own.lists = given[0];
        own.room = given[2];
        own.count = given[3];
        Value list = given[1], waits = add(code, list, own.room);
        Value last = add(code, list, subtract(code, own.count, index(code, 1)));
        auto threshold = [&] {
          return broadcast(code, memref::LoadOp::create(code, own.lists, ValueRange{last}).getResult(), lanes);
        };
        auto floats = mlir::VectorType::get({lanes}, code.getF32Type());
        auto masks = mlir::VectorType::get({lanes}, code.getI1Type());
        return Values{loop(
            code, index(code, 0), given[6], lanes, {given[8], threshold()}, [&](Value i, ValueRange carried) -> Values {
              Value row = vector::LoadOp::create(code, floats, given[4], ValueRange{add(code, given[5], i)});
              Value entries = entriesOf(row, add(code, given[7], i));
              Value inside = vector::CreateMaskOp::create(code, masks, subtract(code, given[6], i));
              Value enters = arith::CmpIOp::create(code, arith::CmpIPredicate::sgt, entries, carried[1]);
              enters = arith::AndIOp::create(code, enters, inside);
              Value some = vector::ReductionOp::create(code, vector::CombiningKind::OR, enters);
              return branch(
                  code, some, carried.getTypes(),
                  [&]() -> Values {
                    Value place = add(code, waits, carried[0]);
                    vector::CompressStoreOp::create(code, own.lists, ValueRange{place}, entries, enters);
                    Value ones = arith::ExtUIOp::create(code, type(), enters);
                    Value more = vector::ReductionOp::create(code, vector::CombiningKind::ADD, ones);
                    Value now = add(code, carried[0], arith::IndexCastOp::create(code, code.getIndexType(), more));
                    Value full = less(code, own.room, add(code, now, index(code, lanes)));
                    return branch(
                        code, full, carried.getTypes(),
                        [&]() -> Values {
                          own.settle(list, now);
                          return {index(code, 0), threshold()};
                        },
                        [&]() -> Values { return {now, carried[1]}; });
                  },
                  [&]() -> Values { return {carried[0], carried[1]}; });
            })[0]};
      })[0];
}

std::pair<Value, Value> BestLists::entry(Value list, Value rank) const {
  Value entry = memref::LoadOp::create(code, lists, ValueRange{add(code, list, rank)});
  mlir::Type wide = code.getI64Type(), narrow = code.getI32Type();
  Value isNone = arith::CmpIOp::create(code, arith::CmpIPredicate::eq, entry, none(code, wide));
  Value bits = arith::TruncIOp::create(code, narrow, arith::ShRSIOp::create(code, entry, whole(code, wide, keyBits)));
  Value sign = arith::ShRSIOp::create(code, bits, whole(code, narrow, 31));
  bits = arith::XOrIOp::create(code, bits, arith::AndIOp::create(code, sign, whole(code, narrow, 0x7fffffff)));
  Value score = arith::BitcastOp::create(code, code.getF32Type(), bits);
  Value key = arith::SubIOp::create(code, whole(code, wide, keyMask),
                                    arith::AndIOp::create(code, entry, whole(code, wide, keyMask)));
  Value lowest = splat(code, code.getF32Type(), -std::numeric_limits<double>::infinity());
  return {arith::SelectOp::create(code, isNone, lowest, score),
          arith::SelectOp::create(code, isNone, whole(code, wide, -1), key)};
}

} // namespace attnc
