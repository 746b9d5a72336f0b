#pragma once
#include "attnc/arrays/ArrayFile.h"
#include "attnc/web/Web.h"

namespace attnc {

/// A web of n nodes and l links as arrays, each made when it is asked for:
///
///     w          [n n]     weights, from a row's node to a column's; 0 without a link
///     type       int[n n]  numbers of types; −1 without a link, and for a link of no type
///     m          [n]       multiplicities
///     source, target  int[l],  weight  [l],  link_type  int[l]    the links, in their order
///     meta       [n f]     the metadata that every node has as a number, by name
///     node.NAME  [n]       one of them; of ints when all are whole
ArrayFile arraysOf(std::shared_ptr<const Web> web);

/// The arrays that a web can be made of again, but for names: all of these without w and type.
std::optional<NamedArrays> listsOf(std::shared_ptr<const Web> web);

/// Nodes that a number in a file may make.
inline constexpr std::int64_t mostNodes = 1 << 24;

/// A web from arrays: source and target, and if there are, weight, link_type and m; or w, and if there is, type. Nodes
/// are called 0, 1, … or as `names` says. What is wrong with the arrays is said as of a file.
tl::expected<Web, std::string> webOf(const ArrayFile &arrays, const std::vector<std::string> &names,
                                     Diagnostics &diagnostics);

} // namespace attnc
