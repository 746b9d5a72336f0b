#include "attnc/stream/Lanes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
namespace vector = mlir::vector;
using mlir::Value;

Value splat(Code &code, mlir::Type type, double value) {
  mlir::Type scalar = mlir::getElementTypeOrSelf(type);
  mlir::TypedAttr number = mlir::isa<mlir::FloatType>(scalar) ? mlir::TypedAttr(code.getFloatAttr(scalar, value))
                                                              : code.getIntegerAttr(scalar, int64_t(value));
  if (auto lanes = mlir::dyn_cast<mlir::VectorType>(type))
    number = mlir::DenseElementsAttr::get(lanes, mlir::Attribute(number));
  return arith::ConstantOp::create(code, number);
}

Value broadcast(Code &code, Value value, unsigned lanes) {
  if (lanes == 1 || mlir::isa<mlir::VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(code, mlir::VectorType::get({lanes}, value.getType()), value);
}

Lanes operator+(Lanes a, Lanes b) { return {a.code, arith::AddFOp::create(*a.code, a.value, b.value)}; }
Lanes operator-(Lanes a, Lanes b) { return {a.code, arith::SubFOp::create(*a.code, a.value, b.value)}; }
Lanes operator*(Lanes a, Lanes b) { return {a.code, arith::MulFOp::create(*a.code, a.value, b.value)}; }

Lanes maximum(Lanes a, Lanes b) {
  Value greater = arith::CmpFOp::create(*a.code, arith::CmpFPredicate::OGT, a.value, b.value);
  return {a.code, arith::SelectOp::create(*a.code, greater, a.value, b.value)};
}

Lanes finiteOrZero(Lanes x) {
  mlir::Type type = x.value.getType();
  Value lowest = splat(*x.code, type, -std::numeric_limits<double>::infinity());
  Value is = arith::CmpFOp::create(*x.code, arith::CmpFPredicate::OEQ, x.value, lowest);
  return {x.code, arith::SelectOp::create(*x.code, is, splat(*x.code, type, 0), x.value)};
}

Lanes reciprocalOrZero(Lanes x) {
  mlir::Type type = x.value.getType();
  Value zero = splat(*x.code, type, 0);
  Value is = arith::CmpFOp::create(*x.code, arith::CmpFPredicate::OEQ, x.value, zero);
  Value inverse = arith::DivFOp::create(*x.code, splat(*x.code, type, 1), x.value);
  return {x.code, arith::SelectOp::create(*x.code, is, zero, inverse)};
}

/// The bits of a number taken from a constant are those of its inverse to 5 %; each of three steps of Newton squares
/// the error. Sixteen divisions take four times as long.
Lanes reciprocal(Lanes x) {
  Code &code = *x.code;
  auto type = mlir::cast<mlir::VectorType>(x.value.getType());
  auto bits = mlir::VectorType::get(type.getShape(), code.getI32Type());
  Value guess =
      arith::SubIOp::create(code, splat(code, bits, 0x7EF311C7), arith::BitcastOp::create(code, bits, x.value));
  Lanes inverse{&code, arith::BitcastOp::create(code, type, guess)}, two{&code, splat(code, type, 2)};
  for (int step = 0; step < 3; ++step) {
    Value minus = arith::NegFOp::create(code, x.value);
    inverse = inverse * Lanes{&code, vector::FMAOp::create(code, minus, inverse.value, two.value)};
  }
  return inverse;
}

/// Two vectors become one that holds half as many sums of each, until one holds them all.
Lanes sumsOfLanes(Code &code, llvm::ArrayRef<Value> vectors) {
  llvm::SmallVector<Value> sums(vectors);
  int64_t lanes = sums.size();
  for (int64_t group = lanes; group > 1; group /= 2) {
    llvm::SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < 2 * lanes; ++i)
      (i % group < group / 2 ? low : high).push_back(i);
    llvm::SmallVector<Value> halved;
    for (std::size_t i = 0; i < sums.size(); i += 2) {
      Lanes lower{&code, vector::ShuffleOp::create(code, sums[i], sums[i + 1], low)};
      Lanes upper{&code, vector::ShuffleOp::create(code, sums[i], sums[i + 1], high)};
      halved.push_back((lower + upper).value);
    }
    sums = halved;
  }
  return {&code, sums[0]};
}

/// 2^t with t = x log2(e) = n + f, |f| ≤ 1/2: a polynomial in f, times 2^n whose bits come out of the rounding of
/// t + 1.5·2^23 + 127, in the last bits of which n + 127 stands. The coefficients are a least-maximum fit of 2^f on
/// [−1/2, 1/2] with relative error 7.5e-8. A thread of a GPU has an instruction for 2^t.
Lanes expBelow(Lanes x) {
  Code &code = *x.code;
  constexpr double log2e = 1.4426950408889634, shift = 12582912.0 + 127;
  auto type = mlir::dyn_cast<mlir::VectorType>(x.value.getType());
  auto number = [&](double value) { return splat(code, x.value.getType(), value); };
  if (!type)
    return {&code, mlir::math::Exp2Op::create(code, arith::MulFOp::create(code, x.value, number(log2e)))};
  auto fma = [&](Value a, Value b, Value c) { return vector::FMAOp::create(code, a, b, c).getResult(); };
  Value rounded = fma(x.value, number(log2e), number(shift));
  Value n = arith::SubFOp::create(code, rounded, number(shift));
  Value f = fma(x.value, number(log2e), arith::NegFOp::create(code, n));
  Value p = number(1.327647270e-03);
  for (double coefficient : {9.675541342e-03, 5.550713271e-02, 2.402211972e-01, 6.931469671e-01, 1.000000072})
    p = fma(p, f, number(coefficient));
  auto bits = mlir::VectorType::get(type.getShape(), code.getI32Type());
  Value exponent = arith::ShLIOp::create(code, arith::BitcastOp::create(code, bits, rounded), splat(code, bits, 23));
  Value scaled = arith::MulFOp::create(code, p, arith::BitcastOp::create(code, type, exponent));
  Value vanishes = arith::CmpFOp::create(code, arith::CmpFPredicate::OLT, x.value, number(-87.3));
  return {&code, arith::SelectOp::create(code, vanishes, number(0), scaled)};
}

Value index(Code &code, int64_t value) { return arith::ConstantIndexOp::create(code, value); }
Value add(Code &code, Value a, Value b) { return code.createOrFold<arith::AddIOp>(a, b); }
Value multiply(Code &code, Value a, Value b) { return code.createOrFold<arith::MulIOp>(a, b); }
Value subtract(Code &code, Value a, Value b) { return code.createOrFold<arith::SubIOp>(a, b); }
Value smaller(Code &code, Value a, Value b) { return code.createOrFold<arith::MinSIOp>(a, b); }
Value greater(Code &code, Value a, Value b) { return code.createOrFold<arith::MaxSIOp>(a, b); }
Value ceilDiv(Code &code, Value a, int64_t b) {
  return code.createOrFold<arith::DivUIOp>(add(code, a, index(code, b - 1)), index(code, b));
}
Value less(Code &code, Value a, Value b) { return code.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::slt, a, b); }
Value equal(Code &code, Value a, Value b) { return code.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, a, b); }
bool canBe(Value value, bool what) {
  auto known = mlir::getConstantIntValue(value);
  return !known || (*known != 0) == what;
}
Value choose(Code &code, Value condition, Value then, Value otherwise) {
  return code.createOrFold<arith::SelectOp>(condition, then, otherwise);
}

llvm::SmallVector<Value> loop(Code &code, Value from, Value to, int64_t step, mlir::ValueRange initial, LoopBody body) {
  auto op = scf::ForOp::create(code, from, to, index(code, step), initial);
  {
    mlir::OpBuilder::InsertionGuard guard(code);
    if (initial.empty())
      code.setInsertionPoint(op.getBody()->getTerminator());
    else
      code.setInsertionPointToEnd(op.getBody());
    auto next = body(op.getInductionVar(), op.getRegionIterArgs());
    if (!initial.empty())
      scf::YieldOp::create(code, next);
  }
  return llvm::SmallVector<Value>(op.getResults());
}

void loop(Code &code, Value from, Value to, int64_t step, llvm::function_ref<void(Value)> body) {
  loop(code, from, to, step, {}, [&](Value i, mlir::ValueRange) -> llvm::SmallVector<Value> {
    body(i);
    return {};
  });
}

llvm::SmallVector<Value> branch(Code &code, Value condition, mlir::TypeRange types,
                                llvm::function_ref<llvm::SmallVector<Value>()> then,
                                llvm::function_ref<llvm::SmallVector<Value>()> otherwise) {
  if (types.empty()) {
    branch(code, condition, [&] { then(); }, [&] { otherwise(); });
    return {};
  }
  auto op = scf::IfOp::create(code, types, condition, /*withElseRegion=*/true);
  mlir::OpBuilder::InsertionGuard guard(code);
  code.setInsertionPointToEnd(op.thenBlock());
  scf::YieldOp::create(code, then());
  code.setInsertionPointToEnd(op.elseBlock());
  scf::YieldOp::create(code, otherwise());
  return llvm::SmallVector<Value>(op.getResults());
}

void branch(Code &code, Value condition, llvm::function_ref<void()> then, llvm::function_ref<void()> otherwise) {
  auto op = scf::IfOp::create(code, condition, /*withElseRegion=*/true);
  mlir::OpBuilder::InsertionGuard guard(code);
  code.setInsertionPointToStart(op.thenBlock());
  then();
  code.setInsertionPointToStart(op.elseBlock());
  otherwise();
}

llvm::SmallVector<Value> callShared(Code &code, llvm::StringRef name, mlir::TypeRange results,
                                    mlir::ValueRange arguments, FunctionBody body) {
  auto module = code.getInsertionBlock()->getParentOp()->getParentOfType<mlir::ModuleOp>();
  if (!module.lookupSymbol(name)) {
    mlir::OpBuilder::InsertionGuard guard(code);
    code.setInsertionPointToEnd(module.getBody());
    auto function = mlir::func::FuncOp::create(code, name, code.getFunctionType(arguments.getTypes(), results));
    function.setPrivate();
    code.setInsertionPointToStart(function.addEntryBlock());
    auto given = body(function.getArguments());
    mlir::func::ReturnOp::create(code, given);
  }
  return llvm::SmallVector<Value>(mlir::func::CallOp::create(code, name, results, arguments).getResults());
}

} // namespace attnc
