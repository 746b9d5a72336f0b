#pragma once
#include <cstdint>

namespace attnc {

/// What the tiles of a stream need to know of a processor: features, never names.
struct Machine {
  unsigned vectorBits = 128;
  unsigned registers = 16; // of vectors
  /// What multiplies pairs of bf16 and adds to f32, for streams whose arrays are kept in bf16: nothing, a dot product
  /// of vectors, or tile registers.
  enum class Pairs : std::uint8_t { None, Dot, Tiles };
  Pairs pairs = Pairs::None;
  bool emulatesTiles = false; // by loops

  /// Whether a part of a vector is loaded and stored as fast as a whole one.
  bool masks() const { return vectorBits >= 512; }
  unsigned lanes() const { return vectorBits / 32; }
  /// The register tile: so many vectors of queries by so many keys (or features). It fills the registers but those
  /// that hold the queries and the element that is broadcast: 8 × 3 + 3 + 1 of 32, 4 × 3 + 3 + 1 of 16. Of eight tile
  /// registers of 16 × 16 it takes 2 × 2, and 2 + 2 for the operands.
  unsigned vectors() const { return pairs == Pairs::Tiles ? 2 : 3; }
  unsigned rows() const { return pairs == Pairs::Tiles ? 32 : registers >= 32 ? 8 : 4; }
  /// How many elements of an operand lie in a word of 32 bits, along the axis that is summed.
  unsigned fold() const { return pairs == Pairs::None ? 1 : 2; }
};

} // namespace attnc
