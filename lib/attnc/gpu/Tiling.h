#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/gpu/Matrix.h"

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace attnc {

/// How a block of threads goes over a stream: each warp has 16 queries, and all of them meet a tile of keys at a time.
struct Tiling {
  bool contracted = false, valued = false;
  int64_t depth = 0, features = 1;
  Precision scores = Precision::F32, values = Precision::F32; // of the two products
  int64_t warps = 4, keys = 64, buffers = 2;                  // tiles of keys in shared memory at once

  int64_t queries() const { return 16 * warps; }
  int64_t threads() const { return 32 * warps; }
  /// Elements of a row in shared memory. What is beyond its length is 0, but for 16 bytes that no one reads, which put
  /// rows that are read together on different banks.
  int64_t depthRoom() const { return usedDepth() + (scores == Precision::F32 ? 4 : 8); }
  int64_t featureRoom() const { return usedFeatures() + (values == Precision::BF16 ? 8 : 4); }
  int64_t weightRoom() const { return keys + 4; }
  /// Columns of results that a warp holds, by eights.
  int64_t featureTiles() const { return usedFeatures() / 8; }
  /// Elements of a row that are multiplied.
  int64_t usedDepth() const { return roundedUp(depth, scores == Precision::F32 ? 4 : 16); }
  int64_t usedFeatures() const { return roundedUp(features, values == Precision::F32 ? 8 : 16); }

  /// Where the arrays lie in shared memory, in bytes.
  int64_t keysAt() const { return contracted ? queries() * depthRoom() * size(scores) : 0; }
  int64_t valuesAt() const { return keysAt() + (contracted ? buffers * keys * depthRoom() * size(scores) : 0); }
  int64_t weightsAt() const { return valuesAt() + (valued ? buffers * keys * featureRoom() * size(values) : 0); }
  int64_t bytes() const {
    return weightsAt() + (valued && values == Precision::F32 ? queries() * weightRoom() * 4 : 0);
  }

  static int64_t roundedUp(int64_t value, int64_t to) { return (value + to - 1) / to * to; }
  static int64_t size(Precision precision) { return precision == Precision::BF16 ? 2 : 4; }
};

/// The tiling of a stream on tensors or arrays, or why it has none, in lower case.
tl::expected<Tiling, std::string> tilingOf(dialect::StreamOp stream);

} // namespace attnc
