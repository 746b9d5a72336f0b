#include "attnc/lower/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attnc {

namespace arith = mlir::arith;
namespace math = mlir::math;
using mlir::Value;

namespace {

// A product and a sum may become one fused multiply-add; what a fold adds up may be added in another order.
constexpr auto contractible = arith::FastMathFlags::contract;
constexpr auto foldable = arith::FastMathFlags::contract | arith::FastMathFlags::reassoc;

using B = mlir::ImplicitLocOpBuilder;

Value number(B &b, mlir::Type type, double value) {
  if (mlir::isa<mlir::FloatType>(type))
    return arith::ConstantOp::create(b, b.getFloatAttr(type, value));
  return arith::ConstantOp::create(b, b.getIntegerAttr(type, int64_t(value)));
}

template <class RealOp, class IntOp> Value arithmetic(B &b, Value x, Value y) {
  if (mlir::isa<mlir::FloatType>(x.getType()))
    return RealOp::create(b, x, y, contractible);
  return IntOp::create(b, x, y);
}

Value compare(B &b, arith::CmpFPredicate real, arith::CmpIPredicate integer, Value x, Value y) {
  if (mlir::isa<mlir::FloatType>(x.getType()))
    return arith::CmpFOp::create(b, real, x, y);
  return arith::CmpIOp::create(b, integer, x, y);
}

Value same(B &b, Value x, int64_t value) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, number(b, x.getType(), value));
}
Value pick(B &b, Value condition, Value a, Value c) { return arith::SelectOp::create(b, condition, a, c); }

/// Floor division or its remainder. Divisors 0 and -1 never reach the machine's division, which traps on
/// x / 0 and on the least int / -1.
Value floorDivision(B &b, Value x, Value y, bool quotient) {
  Value zero = number(b, x.getType(), 0), one = number(b, x.getType(), 1);
  Value byZero = same(b, y, 0), byMinusOne = same(b, y, -1);
  Value safe = pick(b, arith::OrIOp::create(b, byZero, byMinusOne), one, y);
  Value q = arith::DivSIOp::create(b, x, safe), r = arith::RemSIOp::create(b, x, safe);
  Value signsDiffer = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, arith::XOrIOp::create(b, r, safe), zero);
  Value inexact = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, r, zero);
  Value down = arith::AndIOp::create(b, signsDiffer, inexact);
  if (!quotient) {
    Value mod = pick(b, down, arith::AddIOp::create(b, r, safe), r);
    return pick(b, arith::OrIOp::create(b, byZero, byMinusOne), zero, mod);
  }
  Value div = pick(b, down, arith::SubIOp::create(b, q, one), q);
  return pick(b, byZero, zero, pick(b, byMinusOne, arith::SubIOp::create(b, zero, x), div));
}

/// Floor to i64; 0 for NaN and outside [-2^63, 2^63), whose bounds every real type holds exactly.
Value toInt(B &b, Value x) {
  Value floor = math::FloorOp::create(b, x);
  Value low = arith::CmpFOp::create(b, arith::CmpFPredicate::OGE, floor, number(b, x.getType(), -0x1p63));
  Value high = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, floor, number(b, x.getType(), 0x1p63));
  Value safe = pick(b, arith::AndIOp::create(b, low, high), floor, number(b, x.getType(), 0));
  return arith::FPToSIOp::create(b, b.getI64Type(), safe);
}

Value bits(B &b, uint64_t value) { return arith::ConstantOp::create(b, b.getI64IntegerAttr(int64_t(value))); }

/// `uniform` of theory/Pointwise.cpp, step by step.
Value uniformOf(B &b, Value seed, Value counter, mlir::Type real) {
  auto shifted = [&](Value z, unsigned by) {
    return arith::XOrIOp::create(b, z, arith::ShRUIOp::create(b, z, bits(b, by)));
  };
  auto finalise = [&](Value z) -> Value {
    z = arith::MulIOp::create(b, shifted(z, 30), bits(b, 0xBF58476D1CE4E5B9ull));
    z = arith::MulIOp::create(b, shifted(z, 27), bits(b, 0x94D049BB133111EBull));
    return shifted(z, 31);
  };
  Value golden = bits(b, 0x9E3779B97F4A7C15ull);
  Value z = finalise(arith::AddIOp::create(b, arith::MulIOp::create(b, seed, golden), counter));
  z = finalise(arith::AddIOp::create(b, z, golden));
  Value top = arith::SIToFPOp::create(b, real, arith::ShRUIOp::create(b, z, bits(b, 41)));
  return arith::MulFOp::create(b, arith::AddFOp::create(b, top, number(b, real, 0.5)), number(b, real, 0x1p-23));
}

} // namespace

Value emitPointwise(mlir::OpBuilder &builder, mlir::Location location, PointwiseFn fn, mlir::ValueRange operands,
                    mlir::Type result) {
  B b(location, builder);
  using FP = arith::CmpFPredicate;
  using IP = arith::CmpIPredicate;
  Value x = operands[0], y = operands.size() > 1 ? operands[1] : Value();
  bool real = mlir::isa<mlir::FloatType>(x.getType());
  switch (fn) {
  case PointwiseFn::Add:
    return arithmetic<arith::AddFOp, arith::AddIOp>(b, x, y);
  case PointwiseFn::Sub:
    return arithmetic<arith::SubFOp, arith::SubIOp>(b, x, y);
  case PointwiseFn::Mul:
    return arithmetic<arith::MulFOp, arith::MulIOp>(b, x, y);
  case PointwiseFn::Div:
    return arith::DivFOp::create(b, x, y);
  case PointwiseFn::FloorDiv:
    return floorDivision(b, x, y, true);
  case PointwiseFn::Mod:
    return floorDivision(b, x, y, false);
  case PointwiseFn::Pow:
    return math::PowFOp::create(b, x, y);
  case PointwiseFn::Min:
    return real ? arith::MinimumFOp::create(b, x, y).getResult() : arith::MinSIOp::create(b, x, y).getResult();
  case PointwiseFn::Max:
    return real ? arith::MaximumFOp::create(b, x, y).getResult() : arith::MaxSIOp::create(b, x, y).getResult();
  case PointwiseFn::Neg:
    return real ? arith::NegFOp::create(b, x).getResult()
                : arith::SubIOp::create(b, number(b, x.getType(), 0), x).getResult();
  case PointwiseFn::Abs:
    if (real)
      return math::AbsFOp::create(b, x);
    return pick(b, arith::CmpIOp::create(b, IP::slt, x, number(b, x.getType(), 0)),
                arith::SubIOp::create(b, number(b, x.getType(), 0), x), x);
  case PointwiseFn::Exp:
    return math::ExpOp::create(b, x);
  case PointwiseFn::Log:
    return math::LogOp::create(b, x);
  case PointwiseFn::Sqrt:
    return math::SqrtOp::create(b, x);
  case PointwiseFn::Sin:
    return math::SinOp::create(b, x);
  case PointwiseFn::Cos:
    return math::CosOp::create(b, x);
  case PointwiseFn::Tanh:
    return math::TanhOp::create(b, x);
  case PointwiseFn::Erf:
    return math::ErfOp::create(b, x);
  case PointwiseFn::Floor:
    return math::FloorOp::create(b, x);
  case PointwiseFn::Less:
    return compare(b, FP::OLT, IP::slt, x, y);
  case PointwiseFn::LessEqual:
    return compare(b, FP::OLE, IP::sle, x, y);
  case PointwiseFn::Equal:
    return compare(b, FP::OEQ, IP::eq, x, y);
  case PointwiseFn::NotEqual:
    return compare(b, FP::UNE, IP::ne, x, y);
  case PointwiseFn::And:
    return arith::AndIOp::create(b, x, y);
  case PointwiseFn::Or:
    return arith::OrIOp::create(b, x, y);
  case PointwiseFn::Not:
    return arith::XOrIOp::create(b, x, arith::ConstantOp::create(b, b.getBoolAttr(true)));
  case PointwiseFn::Where:
    return pick(b, x, y, operands[2]);
  case PointwiseFn::ToInt:
    return toInt(b, x);
  case PointwiseFn::BoolToInt:
    return arith::ExtUIOp::create(b, b.getI64Type(), x);
  case PointwiseFn::ToReal:
    return arith::SIToFPOp::create(b, result, x);
  case PointwiseFn::Uniform:
    return uniformOf(b, x, y, result);
  }
  return nullptr;
}

Cap capNamed(llvm::StringRef text) {
  for (Cap cap : {Cap::Sum, Cap::Prod, Cap::Max, Cap::Min, Cap::Any, Cap::All})
    if (llvm::StringRef(name(cap)) == text)
      return cap;
  return Cap::None;
}

mlir::TypedAttr unitOf(Cap cap, mlir::Type type) {
  mlir::Builder b(type.getContext());
  if (auto real = mlir::dyn_cast<mlir::FloatType>(type)) {
    double infinity = std::numeric_limits<double>::infinity();
    return b.getFloatAttr(real, cap == Cap::Max ? -infinity : cap == Cap::Min ? infinity : cap == Cap::Prod ? 1 : 0);
  }
  if (type.isInteger(1))
    return b.getBoolAttr(cap == Cap::All);
  int64_t value = cap == Cap::Max    ? std::numeric_limits<int64_t>::min()
                  : cap == Cap::Min  ? std::numeric_limits<int64_t>::max()
                  : cap == Cap::Prod ? 1
                                     : 0;
  return b.getIntegerAttr(type, value);
}

Value emitFold(mlir::OpBuilder &builder, mlir::Location location, Cap cap, Value accumulator, Value element) {
  B b(location, builder);
  bool real = mlir::isa<mlir::FloatType>(element.getType());
  switch (cap) {
  case Cap::None:
    return element;
  case Cap::Sum:
    return real ? arith::AddFOp::create(b, accumulator, element, foldable).getResult()
                : arith::AddIOp::create(b, accumulator, element).getResult();
  case Cap::Prod:
    return real ? arith::MulFOp::create(b, accumulator, element, foldable).getResult()
                : arith::MulIOp::create(b, accumulator, element).getResult();
  case Cap::Max:
    return emitPointwise(builder, location, PointwiseFn::Max, {accumulator, element}, element.getType());
  case Cap::Min:
    return emitPointwise(builder, location, PointwiseFn::Min, {accumulator, element}, element.getType());
  case Cap::Any:
    return arith::OrIOp::create(b, accumulator, element);
  case Cap::All:
    return arith::AndIOp::create(b, accumulator, element);
  }
  return nullptr;
}

Value emitMultiplyAdd(mlir::OpBuilder &builder, mlir::Location location, Value accumulator, Value x, Value y) {
  B b(location, builder);
  return arith::AddFOp::create(b, accumulator, arith::MulFOp::create(b, x, y, contractible), foldable);
}

} // namespace attnc
