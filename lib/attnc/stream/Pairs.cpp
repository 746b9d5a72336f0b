#include "attnc/stream/Pairs.h"

#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Squares.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "llvm/Support/FormatVariadic.h"

namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace vector = mlir::vector;
using dialect::AmxLoadOp;
using dialect::AmxMultiplyOp;
using dialect::AmxStoreOp;
using dialect::AmxZeroOp;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

constexpr int64_t tileRows = 16, tileWords = 16 * 16;

mlir::VectorType words(Code &code, int64_t length) { return mlir::VectorType::get({length}, code.getF32Type()); }
mlir::VectorType halves(Code &code, int64_t length) { return mlir::VectorType::get({length}, code.getBF16Type()); }

/// first[0] second[0] first[1] second[1] …, as words.
Value interleaved(Code &code, Value first, Value second, int64_t length) {
  llvm::SmallVector<int64_t> order;
  for (int64_t i = 0; i < length; ++i)
    order.append({i, length + i});
  Value pairs = vector::ShuffleOp::create(code, first, second, order);
  return vector::BitCastOp::create(code, words(code, length), pairs);
}

} // namespace

/// Where words go: by vectors of pairs of one row, or of rows of one pair. A square has so many rows and pairs.
struct Pairs::Layout {
  int64_t side;
  bool byRows;
  std::string name;
  /// The place of word (row r of block b of `side` rows, pair j).
  llvm::function_ref<Value(Code &, Value at, Value step, Value b, Value r, Value j)> place;
  /// Whether pairs are made up to a multiple of the side.
  bool filled;
};

namespace {

/// A matrix whose pairs are packed.
struct Source {
  Code &code;
  Value array, start, rowStride, columnStride, rows, columns;

  Value load(Value row, Value column, Value count, int64_t length) const {
    Value one = index(code, 1); // nothing past the last is addressed, even where nothing is read
    row = smaller(code, row, subtract(code, rows, one));
    column = smaller(code, column, subtract(code, columns, one));
    Value at = add(code, start, add(code, multiply(code, row, rowStride), multiply(code, column, columnStride)));
    Value mask = vector::CreateMaskOp::create(code, mlir::VectorType::get({length}, code.getI1Type()), count);
    auto type = halves(code, length);
    return vector::MaskedLoadOp::create(code, type, array, ValueRange{at}, mask, splat(code, type, 0));
  }
  /// `length` pairs of a row.
  Value alongRow(Value row, Value pair, int64_t length) const {
    Value column = multiply(code, pair, index(code, 2)), none = index(code, 0);
    Value count = choose(code, less(code, row, rows), subtract(code, columns, column), none);
    return vector::BitCastOp::create(code, words(code, length), load(row, column, count, 2 * length));
  }
  /// A pair of `length` rows.
  Value alongColumns(Value row, Value pair, int64_t length) const {
    Value column = multiply(code, pair, index(code, 2)), none = index(code, 0);
    auto one = [&](Value column) {
      Value count = choose(code, less(code, column, columns), subtract(code, rows, row), none);
      return load(row, column, count, length);
    };
    return interleaved(code, one(column), one(add(code, column, index(code, 1))), length);
  }
  /// A pair of a row.
  Value one(Value row, Value pair) const {
    Value column = multiply(code, pair, index(code, 2));
    Value first = load(row, column, inside(row, column), 1);
    column = add(code, column, index(code, 1));
    return vector::ExtractOp::create(code, interleaved(code, first, load(row, column, inside(row, column), 1), 1),
                                     int64_t(0));
  }

private:
  Value inside(Value row, Value column) const {
    Value is = code.createOrFold<arith::AndIOp>(less(code, row, rows), less(code, column, columns));
    return choose(code, is, index(code, 1), index(code, 0));
  }
};

} // namespace

void Pairs::pack(Code &code, const View &matrix, Value rows, Value columns, Value scratch, Value at, Value step,
                 Value count, const Layout &layout) {
  Values arguments = {matrix.array, matrix.start, matrix.rowStride, matrix.columnStride, rows, columns, scratch, at,
                      step,         count};
  blocks.call(code, layout.name, arguments, [&](Code &code, ValueRange given) {
    Source source{code, given[0], given[1], given[2], given[3], given[4], given[5]};
    Value none = index(code, 0), one = index(code, 1), side = index(code, layout.side);
    auto put = [&](Value word, Value block, Value r, Value pair) {
      Value to = layout.place(code, given[7], given[8], block, r, pair);
      if (mlir::isa<mlir::VectorType>(word.getType()))
        vector::StoreOp::create(code, word, given[6], ValueRange{to});
      else
        memref::StoreOp::create(code, word, given[6], ValueRange{to});
    };
    Value end = ceilDiv(code, source.columns, 2);
    if (layout.filled)
      end = multiply(code, ceilDiv(code, end, layout.side), side);
    loop(code, none, given[9], 1, [&](Value block) {
      Value first = multiply(code, block, side);
      auto number = [&](Value from, int64_t i) { return add(code, from, index(code, i)); };
      /// Stores a square whose vectors are rows, or pairs of all rows.
      auto putSquare = [&](Values square, bool byRows, Value pair) {
        if (byRows != layout.byRows)
          square = turned(code, square);
        for (auto [i, word] : llvm::enumerate(square)) {
          if (layout.byRows)
            put(word, block, index(code, i), pair);
          else if (layout.filled)
            put(word, block, none, number(pair, i));
          else // what comes behind is another's
            branch(code, less(code, number(pair, i), end), [&] { put(word, block, none, number(pair, i)); }, [] {});
        }
      };
      auto alongRows = [&] {
        loop(code, none, end, layout.side, [&](Value pair) {
          Values square;
          for (int64_t r = 0; r < layout.side; ++r)
            square.push_back(source.alongRow(number(first, r), pair, layout.side));
          putSquare(square, true, pair);
        });
      };
      auto alongColumns = [&] {
        loop(code, none, end, layout.byRows ? layout.side : 1, [&](Value pair) {
          if (!layout.byRows)
            return put(source.alongColumns(first, pair, layout.side), block, none, pair);
          Values square;
          for (int64_t j = 0; j < layout.side; ++j)
            square.push_back(source.alongColumns(first, number(pair, j), layout.side));
          putSquare(square, false, pair);
        });
      };
      auto singly = [&] {
        loop(code, none, side, 1, [&](Value r) {
          loop(code, none, end, 1, [&](Value pair) { put(source.one(add(code, first, r), pair), block, r, pair); });
        });
      };
      auto isOne = [&](Value stride) { return equal(code, stride, one); };
      branch(code, isOne(source.columnStride), alongRows,
             [&] { branch(code, isOne(source.rowStride), alongColumns, singly); });
    });
  });
}

void Pairs::packLeft(Code &code, const View &matrix, Value rows, Value columns, Value scratch, Value at, Value step,
                     Value count) {
  if (machine.pairs == Machine::Pairs::Dot) {
    int64_t side = machine.rows();
    return pack(code, matrix, rows, columns, scratch, at, step, count,
                {side, false, "pairs_left",
                 [&](Code &code, Value at, Value step, Value b, Value r, Value j) {
                   return add(code, add(code, at, multiply(code, b, step)),
                              add(code, multiply(code, j, index(code, side)), r));
                 },
                 /*filled=*/false});
  }
  auto place = [](Code &code, Value at, Value step, Value b, Value r, Value j) {
    Value two = index(code, 2), side = index(code, tileRows);
    Value tile = add(code, multiply(code, code.createOrFold<arith::DivUIOp>(j, side), two),
                     code.createOrFold<arith::RemUIOp>(b, two));
    Value block = multiply(code, code.createOrFold<arith::DivUIOp>(b, two), step);
    Value in = add(code, multiply(code, r, side), code.createOrFold<arith::RemUIOp>(j, side));
    return add(code, add(code, at, block), add(code, multiply(code, tile, index(code, tileWords)), in));
  };
  pack(code, matrix, rows, columns, scratch, at, step, multiply(code, count, index(code, 2)),
       {tileRows, true, "tiles_left", place, /*filled=*/true});
}

void Pairs::packRight(Code &code, const View &matrix, Value rows, Value columns, Value scratch, Value at,
                      unsigned wide) {
  int64_t lanes = machine.lanes();
  auto place = [&](Code &code, Value at, Value step, Value b, Value r, Value j) {
    return add(code, add(code, at, multiply(code, b, index(code, lanes))), add(code, multiply(code, j, step), r));
  };
  pack(code, matrix, rows, columns, scratch, at, index(code, wide * lanes), index(code, wide),
       {lanes, false, "pairs_right", place, /*filled=*/true});
}

void Pairs::round(Code &code, Value scratch, Value at, Value count, unsigned wide) {
  int64_t lanes = machine.lanes();
  bool tiles = machine.pairs == Machine::Pairs::Tiles;
  blocks.call(
      code, llvm::formatv("pairs_of_weights_{0}", wide).str(), {scratch, at, count}, [&](Code &code, ValueRange given) {
        Value none = index(code, 0), one = index(code, 1), two = index(code, 2), width = index(code, wide * lanes);
        auto type = words(code, lanes);
        auto place = [&](Value row, unsigned v) {
          return add(code, add(code, given[1], multiply(code, row, width)), index(code, v * lanes));
        };
        auto half = [&](Value row, unsigned v) {
          Value numbers = vector::LoadOp::create(code, type, given[0], ValueRange{place(row, v)});
          return mlir::LLVM::CallIntrinsicOp::create(code, halves(code, lanes), code.getStringAttr(roundIntrinsic),
                                                     ValueRange{numbers})
              .getResult(0);
        };
        Value whole = code.createOrFold<arith::DivUIOp>(given[2], two);
        auto put = [&](Value first, Value second, Value pair, unsigned v) {
          vector::StoreOp::create(code, interleaved(code, first, second, lanes), given[0], ValueRange{place(pair, v)});
        };
        Value zero = splat(code, halves(code, lanes), 0);
        loop(code, none, whole, 1, [&](Value pair) {
          Value row = multiply(code, pair, two);
          for (unsigned v = 0; v < wide; ++v)
            put(half(row, v), half(add(code, row, one), v), pair, v);
        });
        Value end = ceilDiv(code, given[2], 2);
        loop(code, whole, end, 1, [&](Value pair) { // one, or none
          for (unsigned v = 0; v < wide; ++v)
            put(half(multiply(code, pair, two), v), zero, pair, v);
        });
        if (!tiles)
          return;
        Value filled = multiply(code, ceilDiv(code, end, tileRows), index(code, tileRows));
        loop(code, end, filled, 1, [&](Value pair) {
          for (unsigned v = 0; v < wide; ++v)
            put(zero, zero, pair, v);
        });
      });
}

void Pairs::scale(Code &code, Value scratch, Value at, Value rows, Value scaleAt, unsigned wide) {
  int64_t lanes = machine.lanes();
  blocks.call(
      code, llvm::formatv("scale_{0}", wide).str(), {scratch, at, rows, scaleAt}, [&](Code &code, ValueRange given) {
        auto load = [&](Value at, unsigned v) {
          Value from = add(code, at, index(code, v * lanes));
          return vector::LoadOp::create(code, words(code, lanes), given[0], ValueRange{from}).getResult();
        };
        Values scales;
        for (unsigned v = 0; v < wide; ++v)
          scales.push_back(load(given[3], v));
        loop(code, index(code, 0), given[2], 1, [&](Value row) {
          Value from = add(code, given[1], multiply(code, row, index(code, wide * lanes)));
          for (unsigned v = 0; v < wide; ++v) {
            Value product = arith::MulFOp::create(code, load(from, v), scales[v]);
            vector::StoreOp::create(code, product, given[0], ValueRange{add(code, from, index(code, v * lanes))});
          }
        });
      });
}

void Pairs::accumulate(Code &code, Value scratch, Blocks::Product product, unsigned wide) {
  if (machine.pairs == Machine::Pairs::Dot) {
    product.count = ceilDiv(code, product.count, 2);
    return blocks.accumulate(code, scratch, product, wide);
  }
  // Tiles 0 to 3 are the sums, 4 and 5 of the left matrix, 6 and 7 of the right one.
  Value adds = arith::ConstantIntOp::create(code, product.scaleAt != nullptr, 1);
  Value steps = ceilDiv(code, product.count, 2 * tileRows);
  Values arguments = {scratch, product.leftAt, product.leftStep, product.rightAt,
                      steps,   product.outAt,  product.blocks,   adds};
  blocks.call(code, llvm::formatv("accumulate_tiles_2x{0}", wide).str(), arguments, [&](Code &code, ValueRange given) {
    Value array = given[0], none = index(code, 0), width = index(code, wide * tileRows);
    auto sum = [&](unsigned r, unsigned v) { return 2 * r + v; };
    auto eachSum = [&](llvm::function_ref<void(unsigned r, unsigned v)> body) {
      for (unsigned r = 0; r < 2; ++r)
        for (unsigned v = 0; v < wide; ++v)
          body(r, v);
    };
    loop(code, none, given[6], 1, [&](Value block) {
      Value from = add(code, given[1], multiply(code, block, given[2]));
      Value to = add(code, given[5], multiply(code, block, index(code, 2 * tileRows * wide * tileRows)));
      auto place = [&](unsigned r, unsigned v) {
        return add(code, to, index(code, r * tileRows * wide * tileRows + v * tileRows));
      };
      branch(
          code, given[7],
          [&] {
            eachSum([&](unsigned r, unsigned v) { AmxLoadOp::create(code, sum(r, v), array, place(r, v), width); });
          },
          [&] { eachSum([&](unsigned r, unsigned v) { AmxZeroOp::create(code, sum(r, v)); }); });
      loop(code, none, given[4], 1, [&](Value step) {
        Value left = add(code, from, multiply(code, step, index(code, 2 * tileWords)));
        Value right = add(code, given[3], multiply(code, step, index(code, tileRows * wide * tileRows)));
        for (unsigned r = 0; r < 2; ++r)
          AmxLoadOp::create(code, 4 + r, array, add(code, left, index(code, r * tileWords)), index(code, tileRows));
        for (unsigned v = 0; v < wide; ++v)
          AmxLoadOp::create(code, 6 + v, array, add(code, right, index(code, v * tileRows)), width);
        eachSum([&](unsigned r, unsigned v) { AmxMultiplyOp::create(code, sum(r, v), 4 + r, 6 + v); });
      });
      eachSum([&](unsigned r, unsigned v) { AmxStoreOp::create(code, sum(r, v), array, place(r, v), width); });
    });
  });
}

void Pairs::begin(Code &code) {
  if (machine.pairs == Machine::Pairs::Tiles)
    dialect::AmxConfigureOp::create(code);
}

void Pairs::end(Code &code) {
  if (machine.pairs == Machine::Pairs::Tiles)
    dialect::AmxReleaseOp::create(code);
}

} // namespace attnc
