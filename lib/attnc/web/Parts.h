#pragma once
#include "attnc/web/Web.h"

namespace attnc {

/// The nodes named, in that order, with the links among them.
Web kept(const Web &web, const std::vector<Web::Id> &nodes);

/// The nodes that can be reached from one along at most so many links of weight above 0, nearest first and otherwise in
/// order; itself among them.
std::vector<Web::Id> around(const Web &web, Web::Id node, unsigned links);

/// The nodes as one, in the place and of the name of the first: multiplicities add, numbers of metadata become their
/// mean by multiplicity, and other metadata are those of the first that has them. Weights between merged nodes add,
/// also of links that then go from the node to itself; the type is the highest by number. A sum is at most the largest
/// number.
Web merged(const Web &web, const std::vector<Web::Id> &nodes);

/// A chain of links and what it is worth: the product of min(weight, 1).
struct Path {
  std::vector<Web::Id> nodes; // empty when there is none
  double weight = 0;
};
/// The best path; of one node to itself it is that node, worth 1.
Path bestPath(const Web &web, Web::Id source, Web::Id target);

} // namespace attnc
