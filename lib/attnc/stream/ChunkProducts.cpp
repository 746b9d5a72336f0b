#include "attnc/stream/Chunk.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attnc {

namespace arith = mlir::arith;
namespace vector = mlir::vector;
using mlir::Value;
using mlir::ValueRange;

/// The chunk that begins with a step; gives its number of steps.
Value Chunk::run(Value from) {
  Value left = smaller(code, subtract(code, count, from), index(code, size));
  if (op.getBefore())
    readFirst(from);
  Value steps = op.isGated() ? decay(from, left) : left;
  pack(from, steps);
  weigh(from, steps);
  read(from, steps);
  if (op.isNormalised())
    normalise(steps);
  advance(steps);
  if (op.getBefore())
    forFeatures([&](unsigned, Value column, Value width) {
      blocks.writeRow(of(output), from, column, width, place(firstOutput, index(code, 0)));
    });
  if (op.isNormalised())
    once([&] {
      View to = of(normOutput);
      loop(code, index(code, op.getBefore() ? 1 : 0), steps, 1, [&](Value i) {
        blocks.setElement(to, add(code, from, i), index(code, 0), scalar(place(normReads, index(code, 0), i)));
      });
    });
  return steps;
}

/// What the first step reads before it changes the state.
void Chunk::readFirst(Value from) {
  Value none = index(code, 0), zero = splat(code, blocks.type(), 0);
  View q = of(query);
  auto element = [&](Value d) { return blocks.element(q, from, d); };
  forFeatures([&](unsigned wide, Value first, Value) {
    Values sums = loop(code, none, depth, 1, Values(wide, zero), [&](Value d, ValueRange sums) {
      Value x = broadcast(code, element(d), lanes);
      Values next;
      for (unsigned v = 0; v < wide; ++v) {
        Value s = blocks.load(place(states, d, add(code, first, index(code, v * lanes)))).value;
        next.push_back(vector::FMAOp::create(code, x, s, sums[v]));
      }
      return next;
    });
    for (unsigned v = 0; v < wide; ++v)
      blocks.store({&code, sums[v]}, place(firstOutput, none, add(code, first, index(code, v * lanes))));
  });
  if (op.isNormalised())
    once([&] {
      Values sum = loop(code, none, depth, 1, {splat(code, code.getF32Type(), 0)}, [&](Value d, ValueRange sum) {
        Value product = arith::MulFOp::create(code, element(d), scalar(place(norms, none, d)));
        return Values{arith::AddFOp::create(code, sum[0], product).getResult()};
      });
      blocks.setElement(of(normOutput), from, none, sum[0]);
    });
}

/// Memory that the next chunk will read is asked for while this one is multiplied: as many rows as a block has.
void Chunk::ask(Value after, Value step, llvm::function_ref<void(Value)> rowsOf) {
  Value last = subtract(code, count, index(code, 1));
  loop(code, index(code, 0), index(code, rows), 1,
       [&](Value r) { rowsOf(smaller(code, add(code, after, add(code, step, r)), last)); });
}

/// P [j][i], for the keys up to the last query of a group
void Chunk::weigh(Value from, Value steps) {
  Value none = index(code, 0), one = index(code, 1), next = add(code, from, steps);
  View k = of(key);
  Groups{code, index(code, size / lanes), vectors}.forEach(none, one, [&](unsigned wide, Value group) {
    Value i = multiply(code, group, index(code, lanes));
    Value end = smaller(code, steps, add(code, i, index(code, wide * lanes)));
    end = choose(code, less(code, i, steps), end, none);
    loop(code, none, end, rows, [&](Value j) {
      ask(next, j, [&](Value row) { blocks.prefetch(k, row, none, depth); });
      Values products = blocks.product(wide, {place(keys, j), one, keys.pitch},
                                       {place(queries, none, i), queries.pitch}, depth, blocks.zeros(wide));
      for (auto [at, product] : llvm::enumerate(products)) {
        Value row = add(code, j, index(code, at / wide)), column = add(code, i, index(code, at % wide * lanes));
        blocks.store({&code, product}, place(weights, row, column));
      }
    });
  });
}

/// y of the chunk
void Chunk::read(Value from, Value steps) {
  Value none = index(code, 0), one = index(code, 1), next = add(code, from, steps);
  View q = of(query), v = of(value), gates;
  if (diagonal)
    gates = of(gate);
  forFeatures([&](unsigned wide, Value column, Value width) {
    loop(code, none, steps, rows, [&](Value i) {
      ask(next, i, [&](Value row) {
        blocks.prefetch(v, row, column, width);
        blocks.prefetch(q, row, none, depth);
        if (diagonal)
          blocks.prefetch(gates, row, none, depth);
      });
      Values sums = blocks.product(wide, {place(queries, none, i), queries.pitch, one},
                                   {place(states, none, column), states.pitch}, depth, blocks.zeros(wide));
      sums = blocks.product(wide, {place(weights, none, i), weights.pitch, one},
                            {place(values, none, column), values.pitch}, i, sums);
      triangle(wide, i, column, sums);
      if (op.isGated() && !diagonal)
        for (unsigned r = 0; r < rows; ++r) {
          Lanes factor = blocks.spread(decayOf(add(code, i, index(code, r))));
          for (unsigned v = 0; v < wide; ++v)
            sums[r * wide + v] = (Lanes{&code, sums[r * wide + v]} * factor).value;
        }
      write(wide, add(code, from, i), subtract(code, steps, i), column, width, sums);
    });
  });
}

/// Rows of y, of which `rest` are left: as they are where all are whole, else by way of scratch.
void Chunk::write(unsigned wide, Value step, Value rest, Value column, Value width, ValueRange sums) {
  View y = of(output);
  auto columnOf = [&](unsigned at) { return add(code, column, index(code, at % wide * lanes)); };
  auto partly = [&] {
    for (auto [at, sum] : llvm::enumerate(sums))
      blocks.store({&code, sum}, place(outputs, index(code, at / wide), columnOf(at)));
    loop(code, index(code, 0), smaller(code, rest, index(code, rows)), 1,
         [&](Value r) { blocks.writeRow(y, add(code, step, r), column, width, place(outputs, r)); });
  };
  if (!isContiguous(y))
    return partly();
  Value missing = less(code, rest, index(code, rows)), narrow = less(code, width, index(code, wide * lanes));
  branch(code, code.createOrFold<arith::OrIOp>(missing, narrow), partly, [&] {
    for (auto [at, sum] : llvm::enumerate(sums))
      blocks.setVector(y, add(code, step, index(code, at / wide)), columnOf(at), {&code, sum});
  });
}

/// The keys of the block of queries itself. What comes after a query is not even multiplied by 0, which would let NaN
/// through.
void Chunk::triangle(unsigned wide, Value i, Value column, Values &sums) {
  for (unsigned j = 0; j < rows; ++j) {
    Value key = add(code, i, index(code, j));
    Values row;
    for (unsigned v = 0; v < wide; ++v)
      row.push_back(blocks.load(place(values, key, add(code, column, index(code, v * lanes)))).value);
    for (unsigned r = j + op.getBefore(); r < rows; ++r) {
      Value weight = blocks.spread(place(weights, key, add(code, i, index(code, r)))).value;
      for (unsigned v = 0; v < wide; ++v)
        sums[r * wide + v] = vector::FMAOp::create(code, weight, row[v], sums[r * wide + v]);
    }
  }
}

/// The reads of z, and z after the chunk.
void Chunk::normalise(Value steps) {
  Value none = index(code, 0), one = index(code, 1), zero = splat(code, blocks.type(), 0);
  llvm::SmallVector<int32_t> numbers(lanes);
  std::iota(numbers.begin(), numbers.end(), 0);
  auto integers = mlir::VectorType::get({int64_t(lanes)}, code.getI32Type());
  Value lane = arith::ConstantOp::create(code, mlir::DenseIntElementsAttr::get(integers, llvm::ArrayRef(numbers)));
  loop(code, none, steps, lanes, [&](Value i) {
    Values sum = loop(code, none, i, 1, {zero}, [&](Value j, ValueRange sum) {
      return Values{(Lanes{&code, sum[0]} + blocks.load(place(weights, j, i))).value};
    });
    Value last = smaller(code, add(code, i, index(code, lanes)), steps);
    sum = loop(code, i, last, 1, sum, [&](Value j, ValueRange sum) {
      Value after = subtract(code, add(code, j, index(code, op.getBefore())), i); // lanes from here on see the key
      Value bound = broadcast(code, arith::IndexCastOp::create(code, code.getI32Type(), after), lanes);
      Value sees = arith::CmpIOp::create(code, arith::CmpIPredicate::sge, lane, bound);
      Lanes all = Lanes{&code, sum[0]} + blocks.load(place(weights, j, i));
      return Values{arith::SelectOp::create(code, sees, all.value, sum[0]).getResult()};
    });
    sum = loop(code, none, depth, 1, sum, [&](Value d, ValueRange sum) {
      Value z = blocks.spread(place(norms, none, d)).value, q = blocks.load(place(queries, d, i)).value;
      return Values{vector::FMAOp::create(code, z, q, sum[0]).getResult()};
    });
    blocks.store({&code, sum[0]}, place(normReads, none, i));
  });
  if (op.isGated() && !diagonal)
    loop(code, none, steps, 1, [&](Value i) {
      Value at = place(normReads, none, i);
      setScalar(arith::MulFOp::create(code, scalar(at), scalar(decayOf(i))), at);
    });
  Value last = subtract(code, steps, one);
  loop(code, none, depth, lanes, [&](Value column) {
    Value at = place(norms, none, column);
    Values sum = loop(code, none, steps, 1, {zero}, [&](Value j, ValueRange sum) {
      return Values{(Lanes{&code, sum[0]} + blocks.load(place(keys, j, column))).value};
    });
    Lanes z = blocks.load(at) + Lanes{&code, sum[0]};
    if (diagonal)
      z = z * blocks.load(place(decays, last, column));
    else if (op.isGated())
      z = z * blocks.spread(place(decays, none, last));
    blocks.store(z, at);
  });
}

/// S after the chunk
void Chunk::advance(Value steps) {
  Value none = index(code, 0), one = index(code, 1), last = subtract(code, steps, one);
  forFeatures([&](unsigned wide, Value column, Value) {
    loop(code, none, depth, rows, [&](Value d) {
      Values sums = blocks.product(wide, {place(keys, none, d), keys.pitch, one},
                                   {place(values, none, column), values.pitch}, steps, blocks.zeros(wide));
      for (unsigned r = 0; r < rows; ++r) {
        Value row = add(code, d, index(code, r));
        Lanes factor{&code, nullptr};
        if (op.isGated())
          factor = blocks.spread(diagonal ? place(decays, last, row) : place(decays, none, last));
        for (unsigned v = 0; v < wide; ++v) {
          Value at = place(states, row, add(code, column, index(code, v * lanes)));
          Lanes sum = blocks.load(at) + Lanes{&code, sums[r * wide + v]};
          blocks.store(factor.value ? sum * factor : sum, at);
        }
      }
    });
  });
}

} // namespace attnc
