#pragma once
#include "attnc/gpu/Warp.h"
#include "attnc/stream/Algebra.h"
#include "attnc/stream/Region.h"
#include "attnc/stream/StreamLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

/// Rows of queries that a thread has a part of, and of each eight columns its part.
inline constexpr int64_t rowsOfThread = 2, columnsOfThread = 2;

/// The arrays that a stream writes, at an index of its batch.
struct StreamOutputs {
  View results;
  std::optional<View> measures;

  StreamOutputs(Code &code, dialect::StreamOp stream, StreamLoops &loops, llvm::ArrayRef<mlir::Value> batch);
  static void store(Code &code, mlir::Value value, const View &output, mlir::Value query, mlir::Value column);
};

/// The fold of a stream over tiles of keys, in the registers of a thread. Of a tile of scores, as of results, it has
/// two rows, `row` and `row + 8`, and of each eight columns those of its pair (`Thread`): (row, column), (row,
/// column + 1), then the same eight rows on. A row belongs to four threads. The state: a reference for each row, a
/// measure for each row, the results, or where there are no values the sum of weights of each row.
template <class Algebra> class RowFold {
public:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<Value>;

  /// `features`: of the values; nothing where there are none. `tiles`: results by eights of columns. `first`: the query
  /// of the thread's first row.
  RowFold(Code &code, dialect::StreamOp stream, std::optional<int64_t> features, int64_t tiles, const Thread &thread,
          llvm::ArrayRef<Value> batch, Value first, Value queries)
      : code(code), features(features), tiles(tiles), thread(thread), first(first), queries(queries),
        isMeasured(Algebra::hasMeasure || stream.isMeasured()) {
    for (int64_t h = 0; h < rowsOfThread; ++h)
      regions.emplace_back(code, stream, 1, 1, batch, row(h), queries);
  }

  int64_t references() const { return Algebra::hasReference ? rowsOfThread : 0; }
  int64_t measures() const { return isMeasured ? rowsOfThread : 0; }
  int64_t firstResult() const { return references() + measures(); }
  int64_t results() const { return features ? tiles * 4 : rowsOfThread; }
  int64_t resultRow(int64_t i) const { return features ? i / columnsOfThread % rowsOfThread : i; }
  Value row(int64_t h) { return add(code, first, index(code, 8 * h)); }

  /// The state before all keys. `part` is the number of the part of the keys, of which the first absorbs a sink.
  Values unit(Value part) {
    Values state, measured;
    for (Region &region : regions) {
      Value least = lowest(), measure = zero();
      if (auto sink = region.sink(0)) {
        // One of the four threads of a row has it in its sum.
        auto isFirst = [&](Value number) { return equal(code, number, index(code, 0)); };
        Value own = mlir::arith::AndIOp::create(code, isFirst(part), isFirst(thread.pair));
        least = choose(code, isFirst(part), sink->value, least);
        measure = choose(code, own, algebra::measureOf<Algebra>(*sink).value, measure);
      }
      if (Algebra::hasReference)
        state.push_back(least);
      measured.push_back(measure);
    }
    if (isMeasured)
      state.append(measured);
    state.append(results(), zero());
    return state;
  }

  /// A tile's products of queries and keys, or its null values where there are none, become weights; references and
  /// measures are those after the tile, which has keys from `from`, before `to`. Gives what the results of each row are
  /// to be multiplied by, if anything.
  Values weigh(llvm::MutableArrayRef<Value> scores, Value from, Value to, llvm::MutableArrayRef<Value> state) {
    Values given(scores.begin(), scores.end()), clamped, there, before(state.begin(), state.end()), scales;
    for (int64_t column = 0; column < int64_t(scores.size()) / 2; ++column) {
      Value key = add(code, from, this->column(column));
      there.push_back(less(code, key, to));
      clamped.push_back(smaller(code, key, subtract(code, to, index(code, 1))));
    }
    auto eachScore = [&](llvm::function_ref<void(Value & score, Value product, int64_t row, int64_t column)> body) {
      for (int64_t i = 0; i < int64_t(scores.size()); ++i)
        body(scores[i], given[i], i / columnsOfThread % rowsOfThread, i / 4 * columnsOfThread + i % columnsOfThread);
    };
    eachScore([&](Value &score, Value product, int64_t h, int64_t column) {
      score = regions[h].score(0, clamped[column], product).value;
      if (!Algebra::hasReference)
        return;
      score = choose(code, there[column], score, lowest());
      state[h] = maximum(number(score), number(state[h])).value;
    });
    if (Algebra::hasReference)
      for (int64_t h = 0; h < rowsOfThread; ++h) {
        state[h] = overRow(state[h], [](Lanes a, Lanes b) { return maximum(a, b); });
        Lanes scale = Algebra::weight(number(before[h]), number(state[h]));
        if (isMeasured)
          state[references() + h] = (number(state[references() + h]) * scale).value;
        scales.push_back(scale.value);
      }
    eachScore([&](Value &score, Value product, int64_t h, int64_t column) {
      Lanes weight = Algebra::weight(number(score), number(Algebra::hasReference ? state[h] : score));
      auto factor = regions[h].factor(0, clamped[column]);
      auto kept = [&](Value value) { return choose(code, there[column], value, zero()); };
      if (!Algebra::hasReference)
        weight.value = kept(weight.value);
      if (isMeasured) {
        Value &sum = state[references() + h];
        auto other = regions[h].measure(0, clamped[column], product);
        sum = (number(sum) + (other ? number(kept(other->value)) : Algebra::measure(weight))).value;
      }
      score = factor ? kept((weight * *factor).value) : weight.value;
    });
    return scales;
  }

  /// Results times what `weigh` gave.
  void rescale(llvm::ArrayRef<Value> scales, llvm::MutableArrayRef<Value> results) {
    for (auto [i, result] : llvm::enumerate(results))
      if (!scales.empty())
        result = (number(result) * number(scales[resultRow(int64_t(i))])).value;
  }

  /// Where there are no values: adds the weights of each row.
  void sumWeights(llvm::ArrayRef<Value> weights, llvm::MutableArrayRef<Value> sums) {
    for (auto [i, weight] : llvm::enumerate(weights)) {
      Value &sum = sums[int64_t(i) / columnsOfThread % rowsOfThread];
      sum = (number(sum) + number(weight)).value;
    }
  }

  /// After all keys: what the four threads of a row have becomes the same in each.
  void gather(llvm::MutableArrayRef<Value> state) {
    auto sum = [](Lanes a, Lanes b) { return a + b; };
    for (int64_t i = references(); i < firstResult(); ++i)
      state[i] = overRow(state[i], sum);
    if (!features)
      for (Value &result : state.drop_front(firstResult()))
        result = overRow(result, sum);
  }

  /// Runs `body` for each row that is a query.
  void eachRow(llvm::function_ref<void(int64_t h)> body) {
    for (int64_t h = 0; h < rowsOfThread; ++h)
      branch(code, less(code, row(h), queries), [&] { body(h); }, [] {});
  }

  /// Runs `body` for the results of a row, with the column of each, where there is one. Without values there is one
  /// column, which all four threads of a row have.
  void eachResult(int64_t h, llvm::ArrayRef<Value> state, llvm::function_ref<void(Value result, Value column)> body) {
    for (auto [number, result] : llvm::enumerate(state.drop_front(firstResult()))) {
      auto i = int64_t(number);
      if (resultRow(i) != h)
        continue;
      if (!features) {
        body(result, index(code, 0));
        continue;
      }
      Value column = this->column(i / 4 * columnsOfThread + i % columnsOfThread);
      if (i / 4 * 8 + 8 <= *features)
        body(result, column);
      else if (i / 4 * 8 + i % columnsOfThread < *features) // that of the first thread
        branch(code, less(code, column, index(code, *features)), [&] { body(result, column); }, [] {});
    }
  }

  /// Writes the finished results of what was gathered.
  void write(llvm::ArrayRef<Value> state, const StreamOutputs &outputs) {
    eachRow([&](int64_t h) {
      eachResult(h, state, [&](Value result, Value column) {
        Value finished =
            Algebra::finish(number(result), number(Algebra::hasMeasure ? state[references() + h] : result)).value;
        StreamOutputs::store(code, finished, outputs.results, row(h), column);
      });
      if (outputs.measures)
        StreamOutputs::store(code, state[references() + h], *outputs.measures, row(h), index(code, 0));
    });
  }

private:
  Lanes number(Value value) { return {&code, value}; }
  Value zero() { return splat(code, code.getF32Type(), 0); }
  Value lowest() { return splat(code, code.getF32Type(), -std::numeric_limits<double>::infinity()); }
  /// The i-th of the thread's columns.
  Value column(int64_t i) {
    Value first = multiply(code, thread.pair, index(code, columnsOfThread));
    return add(code, first, index(code, i / columnsOfThread * 8 + i % columnsOfThread));
  }

  /// Folds what the four threads of a row have.
  template <class Fold> Value overRow(Value value, Fold fold) {
    for (int64_t mask : {1, 2})
      value = fold(number(value), number(exchanged(code, value, mask))).value;
    return value;
  }

  Code &code;
  std::optional<int64_t> features;
  int64_t tiles;
  Thread thread;
  Value first, queries;
  bool isMeasured;
  llvm::SmallVector<Region, rowsOfThread> regions;
};

} // namespace attnc
