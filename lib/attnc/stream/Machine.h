#pragma once

namespace attnc {

/// What the tiles of a stream need to know of a processor: features, never names.
struct Machine {
  unsigned vectorBits = 128;
  unsigned registers = 16; // of vectors

  /// Whether a part of a vector is loaded and stored as fast as a whole one.
  bool masks() const { return vectorBits >= 512; }
  unsigned lanes() const { return vectorBits / 32; }
  /// The register tile: so many vectors of queries by so many keys (or features). It fills the registers but those
  /// that hold the queries and the element that is broadcast: 8 × 3 + 3 + 1 of 32, 4 × 3 + 3 + 1 of 16.
  unsigned vectors() const { return 3; }
  unsigned rows() const { return registers >= 32 ? 8 : 4; }
};

} // namespace attnc
