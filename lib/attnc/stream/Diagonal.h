#pragma once
#include "attnc/stream/Access.h"

#include "mlir/IR/PatternMatch.h"

namespace attnc {

/// What varies with a query i and a key j by their distance alone has as many values as there are distances, not as
/// there are pairs: an array of n + m − 1.
struct Diagonal {
  Read read;         // the other loops of what is read in order, then `distance` for its last axis
  mlir::Value shift; // m − 1: the value for i and j stands at i − j + shift
};

/// The array, made where the rewriter is; nothing where what is read varies with more than the distance.
std::optional<Diagonal> diagonalOf(mlir::RewriterBase &rewriter, const Read &read, unsigned query, unsigned key,
                                   unsigned distance);

} // namespace attnc
