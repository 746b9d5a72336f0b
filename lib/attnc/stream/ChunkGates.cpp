#include "attnc/stream/Chunk.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attnc {

namespace arith = mlir::arith;
namespace vector = mlir::vector;
using mlir::Value;
using mlir::ValueRange;

Value inReach(Code &code, Value x) {
  Value size = mlir::math::AbsFOp::create(code, x);
  Value above = arith::CmpFOp::create(code, arith::CmpFPredicate::OGE, size, splat(code, x.getType(), 1 / reach));
  Value below = arith::CmpFOp::create(code, arith::CmpFPredicate::OLE, size, splat(code, x.getType(), reach));
  return arith::AndIOp::create(code, above, below);
}

/// The first gate goes into the state; the products of those after it, C, are kept. Gives the number of steps for which
/// they stay in reach.
Value Chunk::decay(Value from, Value left) { return diagonal ? decayAlongDepth(from, left) : decayEqually(from, left); }

Value Chunk::decayEqually(Value from, Value left) {
  Value none = index(code, 0), one = index(code, 1), unit = splat(code, code.getF32Type(), 1);
  View gates = of(gate);
  auto gateAt = [&](Value step) {
    Value given = blocks.element(gates, step, none);
    return op.getLogarithms() ? mlir::math::ExpOp::create(code, given).getResult() : given;
  };
  Lanes begin{&code, broadcast(code, gateAt(from), lanes)};
  scaleState([&](Value) { return begin; }, [&](Value) { return begin; });
  setScalar(unit, place(decays, none));
  setScalar(unit, place(inverses, none));
  Value yes = splat(code, code.getI1Type(), 1);
  return loopWhile(
      code, {one, yes, unit},
      [&](ValueRange now) -> Value { return arith::AndIOp::create(code, now[1], less(code, now[0], left)); },
      [&](ValueRange now) {
        Value next = arith::MulFOp::create(code, now[2], gateAt(add(code, from, now[0])));
        setScalar(next, place(decays, none, now[0]));
        setScalar(arith::DivFOp::create(code, unit, next), place(inverses, none, now[0]));
        Value fits = inReach(code, next);
        Value after = arith::SelectOp::create(code, fits, add(code, now[0], one), now[0]);
        return Values{after, fits, next};
      })[0];
}

Value Chunk::decayAlongDepth(Value from, Value left) {
  Value none = index(code, 0), one = index(code, 1);
  View gates = of(gate);
  Lanes unit{&code, splat(code, blocks.type(), 1)};
  auto gateOf = [&](Lanes given) {
    return op.getLogarithms() ? Lanes{&code, mlir::math::ExpOp::create(code, given.value)} : given;
  };
  double filling = op.getLogarithms() ? 0 : 1; // of a last vector: gates of 1
  blocks.forRow(gates, from, none, depth, filling, place(first, none), [&](Value column, Lanes g) {
    blocks.store(gateOf(g), place(first, none, column));
    blocks.store(unit, place(decays, none, column));
  });
  scaleState([&](Value d) { return blocks.spread(place(first, none, d)); },
             [&](Value column) { return blocks.load(place(first, none, column)); });
  Value yes = splat(code, code.getI1Type(), 1);
  auto flags = mlir::VectorType::get({int64_t(lanes)}, code.getI1Type());
  Value allYes = splat(code, flags, 1);
  return loopWhile(
      code, {one, yes},
      [&](ValueRange now) -> Value { return arith::AndIOp::create(code, now[1], less(code, now[0], left)); },
      [&](ValueRange now) {
        Value here = place(decays, now[0]), last = place(decays, subtract(code, now[0], one));
        blocks.forRow(gates, add(code, from, now[0]), none, depth, filling, here, [&](Value column, Lanes g) {
          blocks.store(gateOf(g) * blocks.load(add(code, last, column)), add(code, here, column));
        });
        Values fit = loop(code, none, depth, lanes, {allYes}, [&](Value column, ValueRange fit) {
          Value more = inReach(code, blocks.load(add(code, here, column)).value);
          return Values{arith::AndIOp::create(code, fit[0], more).getResult()};
        });
        Value fits = vector::ReductionOp::create(code, vector::CombiningKind::AND, fit[0]);
        Value after = arith::SelectOp::create(code, fits, add(code, now[0], one), now[0]);
        return Values{after, fits};
      })[0];
}

/// S and z times a factor for each d: of a row of S, of a vector of z.
void Chunk::scaleState(llvm::function_ref<Lanes(Value)> ofRow, llvm::function_ref<Lanes(Value)> ofVector) {
  Value none = index(code, 0);
  forFeatures([&](unsigned wide, Value column, Value) {
    loop(code, none, depth, 1, [&](Value d) {
      Lanes factor = ofRow(d);
      for (unsigned v = 0; v < wide; ++v) {
        Value at = place(states, d, add(code, column, index(code, v * lanes)));
        blocks.store(blocks.load(at) * factor, at);
      }
    });
  });
  if (op.isNormalised())
    loop(code, none, depth, lanes, [&](Value column) {
      Value at = place(norms, none, column);
      blocks.store(blocks.load(at) * ofVector(column), at);
    });
}

/// Where C of a step lies that scales what it reads: of the state before it, where reads are `before`.
Value Chunk::decayOf(Value step) {
  if (op.getBefore())
    step = arith::MaxSIOp::create(code, subtract(code, step, index(code, 1)), index(code, 0));
  return diagonal ? place(decays, step) : place(decays, index(code, 0), step);
}

/// Keys over C, values, and queries (times C where that varies along the depth) with the steps in lanes.
void Chunk::pack(Value from, Value steps) {
  Value none = index(code, 0);
  View k = of(key), v = of(value), q = of(query);
  loop(code, none, steps, 1, [&](Value j) {
    Value step = add(code, from, j), row = place(keys, j);
    Lanes inverse{&code, nullptr};
    if (op.isGated() && !diagonal)
      inverse = blocks.spread(place(inverses, none, j));
    blocks.forRow(k, step, none, depth, 0, row, [&](Value column, Lanes x) {
      if (diagonal)
        inverse = reciprocal(blocks.load(place(decays, j, column)));
      blocks.store(op.isGated() ? x * inverse : x, add(code, row, column));
    });
  });
  loop(code, none, steps, 1, [&](Value j) {
    forFeatures([&](unsigned, Value first, Value width) {
      blocks.forRow(v, add(code, from, j), first, width, 0, place(values, j),
                    [&](Value column, Lanes x) { blocks.store(x, place(values, j, column)); });
    });
  });
  Value firstRow = from;
  if (diagonal) {
    loop(code, none, steps, 1, [&](Value i) {
      Value row = place(scaledQueries, i), decay = decayOf(i);
      blocks.forRow(q, add(code, from, i), none, depth, 0, row, [&](Value column, Lanes x) {
        blocks.store(x * blocks.load(add(code, decay, column)), add(code, row, column));
      });
    });
    q = {scratch, place(scaledQueries, none), scaledQueries.pitch, index(code, 1)};
    firstRow = none;
  }
  q.start = add(code, q.start, multiply(code, firstRow, q.rowStride));
  turning.gather(code, q, steps, depth, {scratch, place(queries, none), queries.pitch}, lanes, size / lanes);
}

} // namespace attnc
