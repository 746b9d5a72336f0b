#include "attnc/gpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

#include <cmath>
#include <limits>
#include <numbers>

// A GPU has instructions for square roots and rounding, and none for the other functions on doubles. They are computed
// here, in doubles, by reduction of the argument and a series; errors are a few units in the last place. Functions on
// floats that attnc-expand-math leaves (sine, cosine, powers) are computed in doubles and rounded.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace math = mlir::math;
using mlir::Value;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Formulas on doubles, as operations.
struct Formula {
  mlir::OpBuilder &builder;
  mlir::Location location;

  template <class Op, class... Operands> Value make(Operands... operands) const {
    return Op::create(builder, location, operands...);
  }
  Value number(double value) const { return make<arith::ConstantOp>(builder.getF64FloatAttr(value)); }
  Value whole(int64_t value) const { return make<arith::ConstantOp>(builder.getI64IntegerAttr(value)); }
  Value add(Value a, Value b) const { return make<arith::AddFOp>(a, b); }
  Value sub(Value a, Value b) const { return make<arith::SubFOp>(a, b); }
  Value mul(Value a, Value b) const { return make<arith::MulFOp>(a, b); }
  Value div(Value a, Value b) const { return make<arith::DivFOp>(a, b); }
  Value fma(Value a, Value b, Value c) const { return make<math::FmaOp>(a, b, c); }
  Value negated(Value a) const { return make<arith::NegFOp>(a); }
  Value magnitude(Value a) const { return make<math::AbsFOp>(a); }
  Value nearest(Value a) const { return make<math::RoundEvenOp>(a); }
  Value pick(Value condition, Value a, Value b) const { return make<arith::SelectOp>(condition, a, b); }
  Value less(Value a, Value b) const { return make<arith::CmpFOp>(arith::CmpFPredicate::OLT, a, b); }
  Value equal(Value a, Value b) const { return make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, a, b); }
  Value isNaN(Value a) const { return make<arith::CmpFOp>(arith::CmpFPredicate::UNO, a, a); }
  Value both(Value a, Value b) const { return make<arith::AndIOp>(a, b); }
  Value bits(Value a) const { return make<arith::BitcastOp>(builder.getI64Type(), a); }
  Value real(Value a) const { return make<arith::BitcastOp>(builder.getF64Type(), a); }

  /// Σ coefficients[i] x^i.
  Value polynomial(Value x, llvm::ArrayRef<double> coefficients) const {
    Value sum = number(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back()))
      sum = fma(sum, x, number(coefficient));
    return sum;
  }

  /// A whole number of a double; 0 where it does not fit.
  Value toWhole(Value a) const {
    Value fits = less(magnitude(a), number(0x1p62));
    return make<arith::FPToSIOp>(builder.getI64Type(), pick(fits, a, number(0)));
  }

  /// 2^n for -1023 < n < 1024.
  Value powerOfTwo(Value n) const { return real(make<arith::ShLIOp>(make<arith::AddIOp>(n, whole(1023)), whole(52))); }

  /// x = n ln 2 + r with |r| ≤ ln 2 / 2: n as a double, and r.
  std::pair<Value, Value> reduced(Value x) const {
    Value n = nearest(mul(x, number(std::numbers::log2e)));
    Value r = fma(n, number(-0x1.62e42p-1), x); // the upper bits of ln 2: the product is exact
    return {n, fma(n, number(-0x1.fdf473de6af28p-22), r)};
  }

  /// (e^r - 1) / r by its series, for |r| ≤ ln 2 / 2: the first term left out is below 10^-18.
  Value exponentialSeries(Value r) const {
    llvm::SmallVector<double> terms{1};
    for (unsigned i = 2; i <= 14; ++i)
      terms.push_back(terms.back() / i);
    return polynomial(r, terms);
  }

  Value exponential(Value x) const {
    // Beyond, the result is 0 or infinite anyway; a NaN passes.
    Value bounded = pick(less(x, number(-800)), number(-800), pick(less(number(800), x), number(800), x));
    auto [n, r] = reduced(bounded);
    Value power = fma(r, exponentialSeries(r), number(1));
    Value whole2 = toWhole(n), half = make<arith::ShRSIOp>(whole2, whole(1));
    return mul(mul(power, powerOfTwo(half)), powerOfTwo(make<arith::SubIOp>(whole2, half)));
  }

  /// e^x - 1 for 0 ≤ x ≤ 44, exact to the last bits near 0.
  Value exponentialLessOne(Value x) const {
    auto [n, r] = reduced(x);
    Value scale = powerOfTwo(toWhole(n));
    return fma(scale, mul(r, exponentialSeries(r)), sub(scale, number(1)));
  }

  /// x = 2^e m with m between √½ and √2; then log m = 2 artanh((m - 1) / (m + 1)), by its series.
  Value logarithm(Value x) const {
    Value small = less(x, number(0x1p-1022));
    Value scaled = pick(small, mul(x, number(0x1p54)), x);
    // Adding 2^52 steps of √½ above 1/2 makes the exponent change where the mantissa passes √½.
    constexpr int64_t below = 0x3ff0000000000000 - 0x3fe6a09e667f3bcd;
    Value shifted = make<arith::AddIOp>(bits(scaled), whole(below));
    Value exponent = make<arith::SubIOp>(make<arith::ShRSIOp>(shifted, whole(52)), whole(1023));
    Value m = real(make<arith::SubIOp>(bits(scaled), make<arith::ShLIOp>(exponent, whole(52))));
    exponent = make<arith::SubIOp>(exponent, make<arith::SelectOp>(small, whole(54), whole(0)));
    Value e = make<arith::SIToFPOp>(builder.getF64Type(), exponent);
    Value s = div(sub(m, number(1)), add(m, number(1))), z = mul(s, s);
    llvm::SmallVector<double> terms;
    for (unsigned i = 1; i <= 11; ++i)
      terms.push_back(2.0 / (2 * i + 1));
    Value tail = mul(mul(s, z), polynomial(z, terms));
    Value log = fma(e, number(-0x1.fdf473de6af28p-22), number(0));
    log = sub(tail, log);
    log = fma(e, number(0x1.62e42p-1), fma(number(2), s, log));
    log = pick(equal(x, number(infinity)), x, log);
    log = pick(equal(x, number(0)), number(-infinity), log);
    Value outside = make<arith::CmpFOp>(arith::CmpFPredicate::ULT, x, number(0)); // or NaN
    return pick(outside, number(std::nan("")), log);
  }

  Value hyperbolicTangent(Value x) const {
    Value a = magnitude(x);
    Value bounded = pick(less(number(22), a), number(22), a); // from where it is 1
    Value e = exponentialLessOne(add(bounded, bounded));
    return make<math::CopySignOp>(div(e, add(e, number(2))), x);
  }

  /// The error function: by its series up to 1; then 1 - e^(-x²) P(u) with u = (x - 2.5) / (x + 2.5), where P is the
  /// Chebyshev fit of degree 15 to e^(x²) erfc(x) on [1, 6]; from 6 on, 1.
  Value errorFunction(Value x) const {
    Value a = magnitude(x), z = mul(a, a);
    llvm::SmallVector<double> series;
    double factorial = 1;
    for (unsigned k = 0; k <= 18; ++k) {
      factorial *= k ? -double(k) : 1;
      series.push_back(2 * std::numbers::inv_sqrtpi / (factorial * (2 * k + 1)));
    }
    Value near = mul(a, polynomial(z, series));
    constexpr double fit[] = {
        0.21080636406114356,    -0.3717367339489732,     0.251713193217456,       -0.12503305237885554,
        0.0399225390747838,     -0.0039937011641469865,  -0.002642365927759658,   0.0008759154019168855,
        0.00022837955896605415, -0.00012887649615317198, -3.4172229273553035e-05, 1.8609712314617464e-05,
        7.48480117852628e-06,   -2.2842173094341345e-06, -1.5625258507743158e-06, 8.134380709229634e-08};
    Value bounded = pick(less(number(6), a), number(6), a);
    Value u = div(sub(bounded, number(2.5)), add(bounded, number(2.5)));
    Value far = sub(number(1), mul(exponential(negated(mul(bounded, bounded))), polynomial(u, fit)));
    return make<math::CopySignOp>(pick(less(a, number(1)), near, far), x);
  }

  /// x = q π/2 + r with |r| ≤ π/4. π/2 is three doubles, of whose products the first cancels exactly, so that r is
  /// right up to |x| = 2^50. The sine of x for `turns` = 0, the cosine for 1.
  Value sine(Value x, int64_t turns) const {
    Value q = nearest(mul(x, number(2 / std::numbers::pi)));
    Value r = fma(q, number(-0x1.921fb54442d18p+0), x);
    r = fma(q, number(-0x1.1a62633145c07p-54), r);
    r = fma(q, number(0x1.f1976b8p-110), r);
    Value z = mul(r, r);
    llvm::SmallVector<double> odd{1}, even{1};
    for (unsigned i = 1; i <= 9; ++i) {
      odd.push_back(-odd.back() / (2.0 * i * (2 * i + 1)));
      even.push_back(-even.back() / (2.0 * i * (2 * i - 1)));
    }
    Value quarter = make<arith::AddIOp>(toWhole(q), whole(turns));
    auto bit = [&](int64_t mask) {
      return make<arith::CmpIOp>(arith::CmpIPredicate::ne, make<arith::AndIOp>(quarter, whole(mask)), whole(0));
    };
    Value result = pick(bit(1), polynomial(z, even), mul(r, polynomial(z, odd)));
    return pick(bit(2), negated(result), result);
  }

  /// |x|^y = e^(y log |x|), with the signs and edges of C's `pow`.
  Value power(Value x, Value y) const {
    Value one = number(1), a = magnitude(x);
    Value result = exponential(mul(y, logarithm(a)));
    result = pick(equal(a, one), one, result);
    Value integral = equal(make<math::FloorOp>(y), y);
    Value halved = mul(y, number(0.5));
    Value even = equal(make<math::FloorOp>(halved), halved);
    Value negative = make<arith::CmpIOp>(arith::CmpIPredicate::slt, bits(x), whole(0));
    Value odd = both(integral, make<arith::XOrIOp>(even, make<arith::ConstantOp>(builder.getBoolAttr(true))));
    result = pick(both(negative, odd), negated(result), result);
    Value root = both(both(less(x, number(0)), less(number(-infinity), x)),
                      make<arith::XOrIOp>(integral, make<arith::ConstantOp>(builder.getBoolAttr(true))));
    result = pick(root, number(std::nan("")), result);
    Value unordered = make<arith::OrIOp>(isNaN(x), isNaN(y));
    result = pick(unordered, number(std::nan("")), result);
    Value always = make<arith::OrIOp>(equal(y, number(0)), equal(x, one));
    return pick(always, one, result);
  }
};

/// An operation on doubles, or on floats by way of doubles.
template <class Op, bool floats> struct Expand : mlir::OpRewritePattern<Op> {
  using Compute = Value (*)(const Formula &, mlir::ValueRange);
  Expand(mlir::MLIRContext *context, Compute compute) : mlir::OpRewritePattern<Op>(context), compute(compute) {}

  mlir::LogicalResult matchAndRewrite(Op op, mlir::PatternRewriter &rewriter) const final {
    mlir::Type type = op.getType();
    if (!type.isF64() && !(floats && type.isF32()))
      return mlir::failure();
    llvm::SmallVector<Value> operands(op->getOperands());
    if (type.isF32())
      for (Value &operand : operands)
        operand = arith::ExtFOp::create(rewriter, op.getLoc(), rewriter.getF64Type(), operand);
    Value result = compute({rewriter, op.getLoc()}, operands);
    if (type.isF32())
      result = arith::TruncFOp::create(rewriter, op.getLoc(), type, result);
    rewriter.replaceOp(op, result);
    return mlir::success();
  }

  Compute compute;
};

struct Functions : mlir::PassWrapper<Functions, mlir::OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Functions)
  llvm::StringRef getArgument() const final { return "attnc-functions"; }
  llvm::StringRef getDescription() const final { return "functions on doubles as arithmetic"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<arith::ArithDialect, math::MathDialect>();
  }

  void runOnOperation() final {
    mlir::MLIRContext *context = &getContext();
    mlir::RewritePatternSet patterns(context);
    using V = mlir::ValueRange;
    patterns.add<Expand<math::ExpOp, false>>(context, [](const Formula &f, V x) { return f.exponential(x[0]); });
    patterns.add<Expand<math::LogOp, false>>(context, [](const Formula &f, V x) { return f.logarithm(x[0]); });
    patterns.add<Expand<math::TanhOp, false>>(context, [](const Formula &f, V x) { return f.hyperbolicTangent(x[0]); });
    patterns.add<Expand<math::ErfOp, false>>(context, [](const Formula &f, V x) { return f.errorFunction(x[0]); });
    patterns.add<Expand<math::SinOp, true>>(context, [](const Formula &f, V x) { return f.sine(x[0], 0); });
    patterns.add<Expand<math::CosOp, true>>(context, [](const Formula &f, V x) { return f.sine(x[0], 1); });
    patterns.add<Expand<math::PowFOp, true>>(context, [](const Formula &f, V x) { return f.power(x[0], x[1]); });
    mlir::walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createFunctionsPass() { return std::make_unique<Functions>(); }

} // namespace attnc
