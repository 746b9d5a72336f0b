#include "attnc/stream/Registers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attnc {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace scf = mlir::scf;
namespace vector = mlir::vector;
using mlir::Value;
using mlir::ValueRange;

Lanes Registers::load(Value at) const { return {&code, vector::LoadOp::create(code, type(), array, ValueRange{at})}; }
void Registers::store(Lanes vector, Value at) const {
  vector::StoreOp::create(code, vector.value, array, ValueRange{at});
}
Lanes Registers::spread(Value at) const {
  return {&code, broadcast(code, memref::LoadOp::create(code, array, ValueRange{at}), lanes)};
}

Registers::Values Registers::zeros(unsigned wide) const { return Values(rows * wide, splat(code, type(), 0)); }

Registers::Values Registers::product(unsigned wide, Left left, Right right, Value count, ValueRange initial) const {
  return loop(code, index(code, 0), count, 1, initial, [&](Value k, ValueRange carried) {
    Value from = add(code, right.at, multiply(code, k, right.step)),
          element = add(code, left.at, multiply(code, k, left.step));
    Values vectors, next;
    for (unsigned v = 0; v < wide; ++v)
      vectors.push_back(load(add(code, from, index(code, v * lanes))).value);
    for (unsigned r = 0; r < rows; ++r) {
      Value row = spread(add(code, element, multiply(code, index(code, r), left.row))).value;
      for (unsigned v = 0; v < wide; ++v)
        next.push_back(vector::FMAOp::create(code, row, vectors[v], carried[r * wide + v]));
    }
    return next;
  });
}

static mlir::VectorType maskType(const Registers &registers) {
  return mlir::VectorType::get({int64_t(registers.lanes)}, registers.code.getI1Type());
}

static Value offset(Code &code, const View &matrix, Value row, Value column) {
  Value at = add(code, matrix.start, multiply(code, row, matrix.rowStride));
  return add(code, at, multiply(code, column, matrix.columnStride));
}

bool isContiguous(const View &matrix) { return mlir::isConstantIntValue(matrix.columnStride, 1); }

Value Registers::element(const View &matrix, Value row, Value column) const {
  return memref::LoadOp::create(code, matrix.array, ValueRange{offset(code, matrix, row, column)});
}

void Registers::setElement(const View &matrix, Value row, Value column, Value number) const {
  memref::StoreOp::create(code, number, matrix.array, ValueRange{offset(code, matrix, row, column)});
}

void Registers::setVector(const View &matrix, Value row, Value column, Lanes vector) const {
  vector::StoreOp::create(code, vector.value, matrix.array, ValueRange{offset(code, matrix, row, column)});
}

void Registers::prefetch(const View &matrix, Value row, Value from, Value width) const {
  constexpr int64_t line = 16; // floats
  if (isContiguous(matrix))
    loop(code, from, add(code, from, width), line, [&](Value column) {
      memref::PrefetchOp::create(code, matrix.array, ValueRange{offset(code, matrix, row, column)}, /*isWrite=*/false,
                                 /*localityHint=*/2, /*isDataCache=*/true);
    });
}

void Registers::forRow(const View &matrix, Value row, Value from, Value width, double filling, Value spare,
                       llvm::function_ref<void(Value, Lanes)> body) const {
  Value end = add(code, from, width), unit = index(code, lanes);
  if (!isContiguous(matrix)) {
    loop(code, from, end, 1, [&](Value column) {
      memref::StoreOp::create(code, element(matrix, row, column), array, ValueRange{add(code, spare, column)});
    });
    Value padded = add(code, from, multiply(code, ceilDiv(code, width, lanes), unit));
    loop(code, end, padded, 1, [&](Value column) {
      memref::StoreOp::create(code, splat(code, code.getF32Type(), filling), array,
                              ValueRange{add(code, spare, column)});
    });
    return loop(code, from, padded, lanes, [&](Value column) { body(column, load(add(code, spare, column))); });
  }
  Value whole = multiply(code, code.createOrFold<arith::DivUIOp>(width, unit), unit);
  Value last = add(code, from, whole);
  loop(code, from, last, lanes, [&](Value column) {
    body(column,
         {&code, vector::LoadOp::create(code, type(), matrix.array, ValueRange{offset(code, matrix, row, column)})});
  });
  if (whole == width)
    return;
  loop(code, last, end, lanes, [&](Value column) { // once, or not at all
    Value mask = vector::CreateMaskOp::create(code, maskType(*this), ValueRange{subtract(code, end, column)});
    body(column,
         {&code, vector::MaskedLoadOp::create(code, type(), matrix.array, ValueRange{offset(code, matrix, row, column)},
                                              mask, splat(code, type(), filling))});
  });
}

void Registers::writeRow(const View &matrix, Value row, Value from, Value width, Value at) const {
  Value end = add(code, from, width), unit = index(code, lanes);
  if (!isContiguous(matrix))
    return loop(code, from, end, 1, [&](Value column) {
      Value element = memref::LoadOp::create(code, array, ValueRange{add(code, at, column)});
      memref::StoreOp::create(code, element, matrix.array, ValueRange{offset(code, matrix, row, column)});
    });
  Value whole = multiply(code, code.createOrFold<arith::DivUIOp>(width, unit), unit);
  Value last = add(code, from, whole);
  loop(code, from, last, lanes, [&](Value column) {
    vector::StoreOp::create(code, load(add(code, at, column)).value, matrix.array,
                            ValueRange{offset(code, matrix, row, column)});
  });
  if (whole == width)
    return;
  loop(code, last, end, lanes, [&](Value column) {
    Value mask = vector::CreateMaskOp::create(code, maskType(*this), ValueRange{subtract(code, end, column)});
    vector::MaskedStoreOp::create(code, matrix.array, ValueRange{offset(code, matrix, row, column)}, mask,
                                  load(add(code, at, column)).value);
  });
}

llvm::SmallVector<Groups::Run, 2> Groups::runs() const {
  Value none = index(code, 0);
  if (auto known = mlir::getConstantIntValue(vectors)) {
    if (*known == 0)
      return {};
    int64_t groups = llvm::divideCeil(*known, most);
    unsigned wide = llvm::divideCeil(*known, groups);
    int64_t wider = *known - groups * (wide - 1);
    llvm::SmallVector<Run, 2> runs{{wide, none, index(code, wider)}};
    if (wider < groups)
      runs.push_back({wide - 1, index(code, wider * wide), index(code, groups - wider)});
    return runs;
  }
  Value all = index(code, most), groups = code.createOrFold<arith::DivUIOp>(vectors, all),
        whole = multiply(code, groups, all);
  return {{most, none, groups}, {1, whole, subtract(code, vectors, whole)}};
}

Value Groups::number() const {
  Value number = index(code, 0);
  for (const Run &run : runs())
    number = add(code, number, run.number);
  return number;
}

void Groups::forEach(Value part, Value parts, llvm::function_ref<void(unsigned, Value)> body) const {
  Value before = index(code, 0);
  for (const Run &run : runs()) {
    // The first group of the run whose number is `part` modulo `parts`.
    Value behind = code.createOrFold<arith::RemUIOp>(before, parts);
    Value from = code.createOrFold<arith::RemUIOp>(subtract(code, add(code, part, parts), behind), parts);
    auto groups = scf::ForOp::create(code, from, run.number, parts);
    {
      mlir::OpBuilder::InsertionGuard guard(code);
      code.setInsertionPoint(groups.getBody()->getTerminator());
      body(run.wide, add(code, run.first, multiply(code, groups.getInductionVar(), index(code, run.wide))));
    }
    before = add(code, before, run.number);
  }
}

llvm::SmallVector<Value> loopWhile(Code &code, ValueRange initial, llvm::function_ref<Value(ValueRange)> condition,
                                   llvm::function_ref<llvm::SmallVector<Value>(ValueRange)> body) {
  auto op = scf::WhileOp::create(code, initial.getTypes(), initial);
  mlir::OpBuilder::InsertionGuard guard(code);
  llvm::SmallVector<mlir::Location> locations(initial.size(), code.getLoc());
  mlir::Block *before = code.createBlock(&op.getBefore(), {}, initial.getTypes(), locations);
  scf::ConditionOp::create(code, condition(before->getArguments()), before->getArguments());
  mlir::Block *after = code.createBlock(&op.getAfter(), {}, initial.getTypes(), locations);
  scf::YieldOp::create(code, body(after->getArguments()));
  return llvm::SmallVector<Value>(op.getResults());
}

static void branchOnWidth(Code &code, unsigned wide, int64_t lanes, llvm::function_ref<bool(int64_t)> occurs,
                          Value left, llvm::function_ref<void(unsigned)> body) {
  if (!occurs(wide))
    return wide > 1 ? branchOnWidth(code, wide - 1, lanes, occurs, left, body) : void();
  unsigned narrower = wide - 1;
  while (narrower > 0 && !occurs(narrower))
    --narrower;
  if (narrower == 0)
    return body(wide);
  branch(
      code, less(code, index(code, narrower * lanes), left), [&] { body(wide); },
      [&] { branchOnWidth(code, narrower, lanes, occurs, left, body); });
}

void branchOnWidth(Code &code, unsigned most, int64_t lanes, std::optional<int64_t> known, Value left,
                   llvm::function_ref<void(unsigned)> body) {
  auto occurs = [&](int64_t count) { // whether some tile has exactly so many vectors
    if (!known)
      return count == int64_t(most) || count == 1;
    int64_t whole = most * lanes, rest = *known % whole;
    return (count == int64_t(most) && *known >= whole) || (rest > 0 && int64_t(llvm::divideCeil(rest, lanes)) == count);
  };
  branchOnWidth(code, most, lanes, occurs, left, body);
}

} // namespace attnc
