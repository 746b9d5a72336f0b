#include "attnc/stream/Blocks.h"

#include "attnc/stream/Squares.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

#include "llvm/Support/FormatVariadic.h"

namespace attnc {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace vector = mlir::vector;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

namespace {

/// Vectors of an array whose elements are computed with as f32, whole or in part.
struct Access {
  Code &code;
  Value array;
  int64_t length;

  mlir::Type element() const { return mlir::getElementTypeOrSelf(array); }
  mlir::VectorType stored() const { return mlir::VectorType::get({length}, element()); }
  mlir::VectorType computed() const { return mlir::VectorType::get({length}, code.getF32Type()); }

  Value maskOf(Value count) const {
    return vector::CreateMaskOp::create(code, mlir::VectorType::get({length}, code.getI1Type()), count);
  }
  Value load(Value at, Value count) const {
    Value value = count ? vector::MaskedLoadOp::create(code, stored(), array, ValueRange{at}, maskOf(count),
                                                       splat(code, stored(), 0))
                              .getResult()
                        : vector::LoadOp::create(code, stored(), array, ValueRange{at}).getResult();
    return element().isF32() ? value : arith::ExtFOp::create(code, computed(), value).getResult();
  }
  void store(Value value, Value at, Value count) const {
    if (!element().isF32())
      value = arith::TruncFOp::create(code, stored(), value);
    if (count)
      vector::MaskedStoreOp::create(code, array, ValueRange{at}, maskOf(count), value);
    else
      vector::StoreOp::create(code, value, array, ValueRange{at});
  }
  Value loadOne(Value at) const {
    Value value = memref::LoadOp::create(code, array, ValueRange{at});
    return element().isF32() ? value : arith::ExtFOp::create(code, code.getF32Type(), value).getResult();
  }
  void storeOne(Value value, Value at) const {
    if (!element().isF32())
      value = arith::TruncFOp::create(code, element(), value);
    memref::StoreOp::create(code, value, array, ValueRange{at});
  }
};

/// The arguments of a function that turns blocks between a matrix and a panel.
struct Turn {
  Value array, start, rowStride, columnStride, rows, columns, panel, offset, pitch, count;

  explicit Turn(ValueRange given)
      : array(given[0]), start(given[1]), rowStride(given[2]), columnStride(given[3]), rows(given[4]),
        columns(given[5]), panel(given[6]), offset(given[7]), pitch(given[8]), count(given[9]) {}

  Value element(Code &code, Value row, Value column) const {
    return add(code, start, add(code, multiply(code, row, rowStride), multiply(code, column, columnStride)));
  }
  Value place(Code &code, Value column, Value row) const {
    return add(code, offset, add(code, multiply(code, column, pitch), row));
  }
};

Value isOne(Code &code, Value value) {
  return arith::CmpIOp::create(code, arith::CmpIPredicate::eq, value, index(code, 1));
}

/// Squares of a block of rows from `first` on, `left` of which there are: whole ones, then one that is not; or all of
/// them as if they were not, where that costs nothing.
template <class Square>
void eachSquare(Code &code, const Turn &turn, int64_t block, bool masks, Value first, Value left, Square square) {
  Value none = index(code, 0), side = index(code, block);
  if (masks)
    return loop(code, none, turn.columns, block,
                [&](Value column) { square(column, first, left, subtract(code, turn.columns, column)); });
  Value isWhole = less(code, index(code, block - 1), left);
  Value whole = multiply(code, code.createOrFold<arith::DivUIOp>(turn.columns, side), side);
  whole = arith::SelectOp::create(code, isWhole, whole, none);
  loop(code, none, whole, block, [&](Value column) { square(column, first, Value(), Value()); });
  loop(code, whole, turn.columns, block,
       [&](Value column) { square(column, first, left, subtract(code, turn.columns, column)); });
}

/// No row past the last is addressed, even where nothing is read.
Value rowOf(Code &code, const Turn &turn, Value first, int64_t r, bool whole) {
  Value row = add(code, first, index(code, r));
  return whole ? row : smaller(code, row, subtract(code, turn.rows, index(code, 1)));
}

Value partOf(Code &code, int64_t r, Value left, Value columns) {
  return arith::SelectOp::create(code, less(code, index(code, r), left), columns, index(code, 0));
}

void gatherBody(Code &code, const Turn &turn, int64_t block, bool masks) {
  Access array{code, turn.array, block}, panel{code, turn.panel, block};
  Value none = index(code, 0), one = index(code, 1), side = index(code, block);
  loop(code, none, turn.count, 1, [&](Value number) {
    Value first = multiply(code, number, side), left = subtract(code, turn.rows, first);
    auto squares = [&] {
      eachSquare(code, turn, block, masks, first, left, [&](Value column, Value first, Value left, Value columns) {
        Values rows;
        for (int64_t r = 0; r < block; ++r)
          rows.push_back(array.load(turn.element(code, rowOf(code, turn, first, r, !left), column),
                                    left ? partOf(code, r, left, columns) : Value()));
        for (auto [i, values] : llvm::enumerate(turned(code, rows)))
          panel.store(values, turn.place(code, add(code, column, index(code, i)), first), nullptr);
      });
    };
    auto singly = [&] {
      loop(code, none, turn.columns, 1, [&](Value column) {
        loop(code, none, side, 1, [&](Value r) {
          Value row = add(code, first, r);
          auto there = mlir::scf::IfOp::create(
              code, less(code, row, turn.rows),
              [&](mlir::OpBuilder &builder, mlir::Location at) {
                Code inside(at, builder);
                Access access{inside, turn.array, block};
                mlir::scf::YieldOp::create(inside, access.loadOne(turn.element(inside, row, column)));
              },
              [&](mlir::OpBuilder &builder, mlir::Location at) {
                Code inside(at, builder);
                mlir::scf::YieldOp::create(inside, splat(inside, inside.getF32Type(), 0));
              });
          panel.storeOne(there.getResult(0), turn.place(code, column, row));
        });
      });
    };
    auto along = [&] { // rows follow one another in memory
      loop(code, none, turn.columns, 1, [&](Value column) {
        panel.store(array.load(turn.element(code, smaller(code, first, subtract(code, turn.rows, one)), column), left),
                    turn.place(code, column, first), nullptr);
      });
    };
    branch(code, isOne(code, turn.columnStride), squares,
           [&] { branch(code, isOne(code, turn.rowStride), along, singly); });
  });
}

void scatterBody(Code &code, const Turn &turn, int64_t block, bool masks) {
  Access array{code, turn.array, block}, panel{code, turn.panel, block};
  Value none = index(code, 0), side = index(code, block);
  loop(code, none, turn.count, 1, [&](Value number) {
    Value first = multiply(code, number, side), left = subtract(code, turn.rows, first);
    auto squares = [&] {
      eachSquare(code, turn, block, masks, first, left, [&](Value column, Value first, Value left, Value columns) {
        Values square;
        for (int64_t i = 0; i < block; ++i)
          square.push_back(panel.load(turn.place(code, add(code, column, index(code, i)), first), nullptr));
        for (auto [r, values] : llvm::enumerate(turned(code, square)))
          array.store(values, turn.element(code, rowOf(code, turn, first, r, !left), column),
                      left ? partOf(code, r, left, columns) : Value());
      });
    };
    auto singly = [&] {
      loop(code, none, turn.columns, 1, [&](Value column) {
        loop(code, none, smaller(code, left, side), 1, [&](Value r) {
          Value row = add(code, first, r);
          array.storeOne(panel.loadOne(turn.place(code, column, row)), turn.element(code, row, column));
        });
      });
    };
    branch(code, isOne(code, turn.columnStride), squares, singly);
  });
}

void stripsBody(Code &code, const Turn &turn, int64_t block) {
  Access array{code, turn.array, block}, panel{code, turn.panel, block};
  Value none = index(code, 0), side = index(code, block);
  loop(code, none, ceilDiv(code, turn.columns, block), 1, [&](Value strip) {
    Value first = multiply(code, strip, side), left = subtract(code, turn.columns, first);
    Value to = add(code, turn.offset, multiply(code, strip, turn.pitch));
    loop(code, none, turn.rows, 1, [&](Value row) {
      Value at = add(code, to, multiply(code, row, side));
      auto along = [&] { panel.store(array.load(turn.element(code, row, first), left), at, nullptr); };
      auto singly = [&] {
        panel.store(splat(code, panel.computed(), 0), at, nullptr);
        loop(code, none, smaller(code, left, side), 1, [&](Value c) {
          panel.storeOne(array.loadOne(turn.element(code, row, add(code, first, c))), add(code, at, c));
        });
      };
      branch(code, isOne(code, turn.columnStride), along, singly);
    });
  });
}

} // namespace

void Blocks::call(Code &code, llvm::StringRef name, ValueRange arguments, Body body) {
  callShared(code, name, {}, arguments, [&](ValueRange given) -> Values {
    body(code, given);
    return {};
  });
}

static std::string named(llvm::StringRef what, const View &matrix, int64_t block) {
  std::string type;
  llvm::raw_string_ostream(type) << mlir::getElementTypeOrSelf(matrix.array);
  return llvm::formatv("{0}_{1}_{2}", what, block, type).str();
}

static Values turnArguments(Code &code, const View &matrix, Value rows, Value columns, const Panel &panel,
                            int64_t count) {
  return {matrix.array, matrix.start, matrix.rowStride, matrix.columnStride, rows,
          columns,      panel.array,  panel.offset,     panel.pitch,         index(code, count)};
}

void Blocks::gather(Code &code, const View &matrix, Value rows, Value columns, const Panel &panel, int64_t block,
                    int64_t count) {
  call(code, named("gather", matrix, block), turnArguments(code, matrix, rows, columns, panel, count),
       [&](Code &code, ValueRange given) { gatherBody(code, Turn(given), block, machine.masks()); });
}

void Blocks::scatter(Code &code, const View &matrix, Value rows, Value columns, const Panel &panel, int64_t count) {
  int64_t block = machine.lanes();
  call(code, named("scatter", matrix, block), turnArguments(code, matrix, rows, columns, panel, count),
       [&](Code &code, ValueRange given) { scatterBody(code, Turn(given), block, machine.masks()); });
}

void Blocks::strips(Code &code, const View &matrix, Value rows, Value columns, const Panel &panel, int64_t block) {
  call(code, named("strips", matrix, block), turnArguments(code, matrix, rows, columns, panel, 1),
       [&](Code &code, ValueRange given) { stripsBody(code, Turn(given), block); });
}

static Value multiplyAdd(Code &code, const Machine &machine, Value a, Value b, Value sum) {
  if (machine.pairs != Machine::Pairs::Dot)
    return vector::FMAOp::create(code, a, b, sum);
  auto type = mlir::VectorType::get({2 * int64_t(machine.lanes())}, code.getBF16Type());
  auto pairs = [&](Value words) { return vector::BitCastOp::create(code, type, words).getResult(); };
  return mlir::LLVM::CallIntrinsicOp::create(code, sum.getType(),
                                             code.getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512"),
                                             ValueRange{sum, pairs(a), pairs(b)})
      .getResult(0);
}

void Blocks::accumulate(Code &code, Value scratch, const Product &product, unsigned wide) {
  Value adds = arith::ConstantIntOp::create(code, product.scaleAt != nullptr, 1);
  Values arguments = {
      scratch,       product.leftAt, product.leftStep, product.rightAt,
      product.count, product.outAt,  product.blocks,   product.scaleAt ? product.scaleAt : index(code, 0),
      adds};
  int64_t lanes = machine.lanes(), rows = machine.rows();
  const char *what = machine.pairs == Machine::Pairs::Dot ? "accumulate_pairs" : "accumulate";
  call(code, llvm::formatv("{0}_{1}x{2}", what, rows, wide).str(), arguments, [&](Code &code, ValueRange given) {
    Value array = given[0], none = index(code, 0), width = index(code, wide * lanes);
    auto type = mlir::VectorType::get({lanes}, code.getF32Type());
    auto vectorAt = [&](Code &code, Value at, int64_t v) {
      return vector::LoadOp::create(code, type, array, ValueRange{add(code, at, index(code, v * lanes))}).getResult();
    };
    loop(code, none, given[6], 1, [&](Value block) {
      Value from = add(code, given[1], multiply(code, block, given[2]));
      Value to = add(code, given[5], multiply(code, block, index(code, rows * wide * lanes)));
      auto initial = mlir::scf::IfOp::create(
          code, given[8],
          [&](mlir::OpBuilder &builder, mlir::Location at) {
            Code inside(at, builder);
            Values scales, sums;
            for (unsigned v = 0; v < wide; ++v)
              scales.push_back(vectorAt(inside, given[7], v));
            for (unsigned j = 0; j < rows * wide; ++j)
              sums.push_back(arith::MulFOp::create(inside, vectorAt(inside, to, j), scales[j % wide]));
            mlir::scf::YieldOp::create(inside, sums);
          },
          [&](mlir::OpBuilder &builder, mlir::Location at) {
            Code inside(at, builder);
            mlir::scf::YieldOp::create(inside, Values(rows * wide, splat(inside, type, 0)));
          });
      Values sums = loop(code, none, given[4], 1, initial.getResults(), [&](Value k, ValueRange carried) {
        Value right = add(code, given[3], multiply(code, k, width)),
              element = add(code, from, multiply(code, k, index(code, rows)));
        Values vectors, next;
        for (unsigned v = 0; v < wide; ++v)
          vectors.push_back(vectorAt(code, right, v));
        for (int64_t row = 0; row < rows; ++row) {
          Value at = add(code, element, index(code, row));
          Value factor = broadcast(code, memref::LoadOp::create(code, array, ValueRange{at}), lanes);
          for (unsigned v = 0; v < wide; ++v)
            next.push_back(multiplyAdd(code, machine, factor, vectors[v], carried[row * wide + v]));
        }
        return next;
      });
      for (auto [j, sum] : llvm::enumerate(sums))
        vector::StoreOp::create(code, sum, array, ValueRange{add(code, to, index(code, j * lanes))});
    });
  });
}

void Blocks::multiplyRows(Code &code, const Rows &product, unsigned wide) {
  int64_t lanes = machine.lanes(), rows = machine.rows();
  bool whole = product.whole;
  Values arguments = {product.left.array,
                      product.left.start,
                      product.left.rowStride,
                      product.left.columnStride,
                      product.panel,
                      product.at,
                      product.count,
                      product.out.array,
                      product.out.start,
                      product.out.rowStride,
                      product.rows,
                      product.columns,
                      product.adds};
  std::string name = llvm::formatv("{0}_{1}x{2}", whole ? "multiply" : "multiply_part", rows, wide).str();
  call(code, name, arguments, [&](Code &code, ValueRange given) {
    Value none = index(code, 0), width = index(code, wide * lanes), limit = subtract(code, given[10], index(code, 1));
    Access left{code, given[0], 1}, right{code, given[4], lanes};
    auto columnOf = [&](Code &code, Value row, unsigned v) { return add(code, row, index(code, v * lanes)); };
    auto partOf = [&](Code &code, unsigned v) {
      return whole ? Value() : subtract(code, given[11], index(code, v * lanes));
    };
    loop(code, none, given[10], rows, [&](Value first) {
      Values lefts, outs; // past the last row the last one is computed again
      for (int64_t r = 0; r < rows; ++r) {
        Value row = smaller(code, add(code, first, index(code, r)), limit);
        lefts.push_back(add(code, given[1], multiply(code, row, given[2])));
        outs.push_back(add(code, given[8], multiply(code, row, given[9])));
      }
      auto initial = mlir::scf::IfOp::create(
          code, given[12],
          [&](mlir::OpBuilder &builder, mlir::Location at) {
            Code inside(at, builder);
            Access there{inside, given[7], lanes};
            Values sums;
            for (int64_t r = 0; r < rows; ++r)
              for (unsigned v = 0; v < wide; ++v)
                sums.push_back(there.load(columnOf(inside, outs[r], v), partOf(inside, v)));
            mlir::scf::YieldOp::create(inside, sums);
          },
          [&](mlir::OpBuilder &builder, mlir::Location at) {
            Code inside(at, builder);
            mlir::scf::YieldOp::create(inside, Values(rows * wide, splat(inside, right.computed(), 0)));
          });
      Values sums = loop(code, none, given[6], 1, initial.getResults(), [&](Value k, ValueRange carried) {
        Value at = add(code, given[5], multiply(code, k, width)), along = multiply(code, k, given[3]);
        Values vectors, next;
        for (unsigned v = 0; v < wide; ++v)
          vectors.push_back(right.load(columnOf(code, at, v), nullptr));
        for (int64_t r = 0; r < rows; ++r) {
          Value factor = broadcast(code, left.loadOne(add(code, lefts[r], along)), lanes);
          for (unsigned v = 0; v < wide; ++v)
            next.push_back(vector::FMAOp::create(code, factor, vectors[v], carried[r * wide + v]));
        }
        return next;
      });
      Access out{code, given[7], lanes};
      for (int64_t r = 0; r < rows; ++r)
        for (unsigned v = 0; v < wide; ++v)
          out.store(sums[r * wide + v], columnOf(code, outs[r], v), partOf(code, v));
    });
  });
}

} // namespace attnc
