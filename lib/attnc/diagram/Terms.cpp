#include "attnc/diagram/Terms.h"

#include <algorithm>

namespace attnc {

static std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15ull;
  return hash ^ (hash >> 29);
}

std::size_t TermGraph::StepHash::operator()(const Step &step) const {
  return mix(mix(step.term.index(), std::uint64_t(step.depth) << 32 | step.level), step.opening);
}

std::uint32_t TermGraph::label(const std::string &text) {
  auto [entry, fresh] = labelIds.emplace(text, labels.size());
  if (fresh)
    labels.push_back(&entry->first);
  return entry->second;
}

bool TermGraph::underBinder(TermId id, std::size_t child) const {
  const Node &node = nodes[id.index()];
  switch (node.kind) {
  case TermKind::Stack:
    return true;
  case TermKind::Scan:
    return child >= node.first;
  case TermKind::ScanStep:
    return child == 1;
  default:
    return false;
  }
}

TermId TermGraph::make(TermKind kind, std::uint32_t label, std::uint32_t first, std::uint32_t second,
                       std::vector<TermId> children) {
  if (kind == TermKind::Unordered)
    std::sort(children.begin(), children.end());
  std::uint64_t hash = mix(mix(mix(static_cast<std::uint64_t>(kind), label), first), second);
  for (TermId child : children)
    hash = mix(hash, child.index());
  for (auto entry = index.find(hash); entry != index.end(); entry = index.find(hash)) {
    const Node &node = nodes[entry->second.index()];
    if (node.kind == kind && node.label == label && node.first == first && node.second == second &&
        std::ranges::equal(this->children(entry->second), children))
      return entry->second;
    hash = mix(hash, 1);
  }
  ++steps;
  TermId id(nodes.size());
  nodes.push_back({kind, label, first, second, std::uint32_t(pool.size()), std::uint32_t(children.size()), 0, 0});
  pool.insert(pool.end(), children.begin(), children.end());
  spans.push_back(current);
  index.emplace(hash, id);
  Node &node = nodes.back();
  if (kind == TermKind::Bound || kind == TermKind::BoundState)
    node.loose = first + 1;
  if (kind == TermKind::Var || kind == TermKind::State)
    node.free = std::uint64_t(1) << std::min(first, 63u);
  for (std::size_t i = 0; i < children.size(); ++i) {
    const Node &child = nodes[children[i].index()];
    std::uint32_t loose = underBinder(id, i) && child.loose ? child.loose - 1 : child.loose;
    node.loose = std::max(node.loose, loose);
    node.free |= child.free;
  }
  return id;
}

TermId TermGraph::at(TermId array, unsigned level) {
  if (nodes[array.index()].kind == TermKind::Stack)
    return rewrite(children(array)[0], true, level);
  return make(TermKind::At, 0, 0, 0, {array, variable(level)});
}

TermId TermGraph::stack(const std::string &size, unsigned level, TermId body) {
  if (nodes[body.index()].kind == TermKind::At) {
    TermId array = children(body)[0];
    if (children(body)[1] == variable(level) && !mentions(array, level))
      return array;
  }
  return make(TermKind::Stack, label(size), 0, 0, {close(body, level)});
}

bool TermGraph::affected(TermId id, bool opening, unsigned level, unsigned depth) const {
  const Node &node = nodes[id.index()];
  return opening ? node.loose > depth : (node.free >> std::min(level, 63u) & 1) != 0;
}

TermId TermGraph::rewrite(TermId root, bool opening, unsigned level) {
  auto find = [&](TermId id, unsigned depth) -> TermId {
    if (!affected(id, opening, level, depth))
      return id;
    auto known = done.find({id, depth, level, opening});
    return known == done.end() ? TermId() : known->second;
  };
  if (TermId known = find(root, 0); known.valid())
    return known;
  // A term may be as deep as the diagram is long: no recursion.
  std::vector<std::pair<TermId, unsigned>> pending{{root, 0}};
  std::vector<TermId> replaced;
  while (!pending.empty()) {
    auto [id, depth] = pending.back();
    if (exhausted())
      return root;
    if (find(id, depth).valid()) { // asked for twice
      pending.pop_back();
      continue;
    }
    Node node = nodes[id.index()];
    TermId result;
    bool leaf = node.count == 0;
    bool here = opening ? (node.kind == TermKind::Bound || node.kind == TermKind::BoundState) && node.first == depth
                        : (node.kind == TermKind::Var || node.kind == TermKind::State) && node.first == level;
    if (leaf && here) {
      bool state = node.kind == TermKind::State || node.kind == TermKind::BoundState;
      TermKind kind =
          opening ? (state ? TermKind::State : TermKind::Var) : (state ? TermKind::BoundState : TermKind::Bound);
      result = make(kind, 0, opening ? level : depth, node.second, {});
    } else if (leaf) {
      result = id;
    } else {
      replaced.clear();
      std::size_t waiting = pending.size();
      for (std::size_t i = 0; i < node.count; ++i) {
        TermId child = pool[node.begin + i];
        unsigned below = depth + underBinder(id, i);
        TermId known = find(child, below);
        if (!known.valid())
          pending.emplace_back(child, below);
        replaced.push_back(known);
      }
      if (pending.size() > waiting)
        continue;
      Span written = current;
      current = spans[id.index()]; // a renamed term stands where the original does
      result = make(node.kind, node.label, node.first, node.second, replaced);
      current = written;
    }
    ++steps;
    done.emplace(Step{id, depth, level, opening}, result);
    pending.pop_back();
  }
  return done.at({root, 0, level, opening});
}

} // namespace attnc
