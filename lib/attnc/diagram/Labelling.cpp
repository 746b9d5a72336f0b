#include "attnc/diagram/Labelling.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <numeric>

namespace attnc {

namespace {

/// Hashes a short row of words.
class Hasher {
public:
  Hasher &add(std::uint64_t word) {
    words.push_back(word);
    return *this;
  }
  Hasher &add(const Hash128 &hash) { return add(hash.high).add(hash.low); }
  Hash128 finish() {
    Hash128 hash = hash128({reinterpret_cast<const char *>(words.data()), words.size() * sizeof(std::uint64_t)});
    words.clear();
    return hash;
  }

private:
  std::vector<std::uint64_t> words;
};

/// The hash of a multiset is the sum of those of its members.
void accumulate(Hash128 &sum, const Hash128 &member) {
  sum.low += member.low;
  sum.high += member.high + (sum.low < member.low);
}

} // namespace

std::string learnerText(const Learner &learner) {
  std::string text = std::string(name(learner.kind));
  if (!learner.domain.empty())
    text += " " + str(learner.domain);
  text += " -> " + str(learner.codomain);
  if (!learner.per.empty())
    text += " per";
  for (const Size &size : learner.per)
    text += " " + Type{Kind::Real, {size}}.str();
  if (learner.kind == LearnerKind::Universal)
    text += " width " + learner.width.str();
  return text;
}

Labelling::Labelling(const TermGraph &graph, std::vector<TermId> outputs, const std::vector<Learner> &learners,
                     std::size_t budget)
    : graph(graph), table(learners), outputs(std::move(outputs)), place(graph.size()), budget(budget) {
  std::vector<bool> needed(graph.size()), seen(learners.size());
  for (TermId output : this->outputs)
    needed[output.index()] = true;
  for (std::size_t i = graph.size(); i-- > 0;)
    if (needed[i])
      for (TermId child : graph.children(TermId(i)))
        needed[child.index()] = true;
  std::map<std::uint32_t, Hash128> codes;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    if (!needed[i])
      continue;
    place[i] = terms.size();
    terms.push_back(TermId(i));
    const TermGraph::Node &node = graph[TermId(i)];
    if (node.kind == TermKind::Learned && !seen[node.first]) {
      seen[node.first] = true;
      used.push_back(LearnerId(node.first));
    }
    bool labelled = node.kind == TermKind::Stack || node.kind == TermKind::Op || node.kind == TermKind::Unordered ||
                    node.kind == TermKind::Reshape || node.kind == TermKind::Scan;
    if (labelled && node.label >= labelCodes.size())
      labelCodes.resize(node.label + 1);
    if (labelled && labelCodes[node.label] == Hash128{})
      labelCodes[node.label] = hash128(graph.labelText(node.label));
  }
  Colours colours(learners.size());
  for (LearnerId learner : used)
    colours[learner.index()] = hash128(learnerText(learners[learner.index()]));
  std::vector<LearnerId> path;
  search(std::move(colours), path);
  Colours numbers(learners.size());
  for (std::size_t i = 0; i < best.learners.size(); ++i)
    numbers[best.learners[i].index()] =
        Hasher().add(i).add(hash128(learnerText(learners[best.learners[i].index()]))).finish();
  best.numbered = termCodes(numbers);
}

Labelling::Colours Labelling::termCodes(const Colours &colours) const {
  Colours codes(terms.size());
  Hasher hasher;
  std::vector<Hash128> operands;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const TermGraph::Node &node = graph[terms[i]];
    hasher.add(static_cast<std::uint64_t>(node.kind));
    switch (node.kind) {
    case TermKind::Learned:
      hasher.add(colours[node.first]).add(node.second);
      break;
    case TermKind::Stack:
    case TermKind::Op:
    case TermKind::Unordered:
    case TermKind::Scan:
      hasher.add(labelCodes[node.label]).add(node.first).add(node.second);
      break;
    case TermKind::Reshape: // what it starts from follows from the operand
      hasher.add(labelCodes[node.label]);
      break;
    default:
      hasher.add(node.first).add(node.second);
    }
    operands.clear();
    for (TermId child : graph.children(terms[i]))
      operands.push_back(codes[place[child.index()]]);
    if (node.kind == TermKind::Unordered)
      std::sort(operands.begin(), operands.end());
    for (const Hash128 &operand : operands)
      hasher.add(operand);
    codes[i] = hasher.finish();
  }
  return codes;
}

bool Labelling::ambiguous(const Colours &codes) const {
  for (TermId term : terms) {
    if (graph[term].kind != TermKind::Unordered)
      continue;
    std::span<const TermId> operands = graph.children(term);
    for (std::size_t i = 0; i < operands.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (operands[i] != operands[j] && codes[place[operands[i].index()]] == codes[place[operands[j].index()]])
          return true;
  }
  return false;
}

bool Labelling::refine(Colours &colours, Colours &codes) {
  std::size_t classes = 0;
  Hasher hasher;
  for (;;) {
    work += terms.size() + 1;
    codes = termCodes(colours);
    if (!ambiguous(codes))
      return true;
    std::vector<Hash128> distinct;
    for (LearnerId learner : used)
      distinct.push_back(colours[learner.index()]);
    std::sort(distinct.begin(), distinct.end());
    std::size_t count = std::unique(distinct.begin(), distinct.end()) - distinct.begin();
    if (count == classes || work > budget)
      return false;
    classes = count;
    // How each term is used, from the outputs down; what learners are applied to, and used for, refines them.
    Colours uses(terms.size()), context(colours.size());
    for (std::size_t i = 0; i < outputs.size(); ++i)
      accumulate(uses[place[outputs[i].index()]], hasher.add(i).finish());
    for (std::size_t i = terms.size(); i-- > 0;) {
      const TermGraph::Node &node = graph[terms[i]];
      Hash128 whole = hasher.add(codes[i]).add(uses[i]).finish();
      if (node.kind == TermKind::Learned)
        accumulate(context[node.first], whole);
      std::span<const TermId> children = graph.children(terms[i]);
      for (std::size_t j = 0; j < children.size(); ++j)
        accumulate(uses[place[children[j].index()]],
                   hasher.add(whole).add(node.kind == TermKind::Unordered ? 0 : j).finish());
    }
    for (LearnerId learner : used) {
      Hash128 &colour = colours[learner.index()];
      colour = hasher.add(colour).add(context[learner.index()]).finish();
    }
  }
}

std::vector<TermId> Labelling::ordered(TermId term, const Colours &codes) const {
  std::span<const TermId> children = graph.children(term);
  std::vector<TermId> order(children.begin(), children.end());
  if (graph[term].kind == TermKind::Unordered)
    std::sort(order.begin(), order.end(),
              [&](TermId a, TermId b) { return codes[place[a.index()]] < codes[place[b.index()]]; });
  return order;
}

Labelling::Leaf Labelling::write(Colours codes) const {
  Leaf leaf;
  leaf.codes = std::move(codes);
  std::vector<std::size_t> learnerNumber(table.size(), ~std::size_t(0)), number(terms.size(), ~std::size_t(0));
  std::string lines;
  std::size_t next = 0;
  auto visit = [&](TermId root) {
    std::vector<TermId> pending{root};
    while (!pending.empty()) {
      TermId id = pending.back();
      if (number[place[id.index()]] != ~std::size_t(0)) {
        pending.pop_back();
        continue;
      }
      std::vector<TermId> children = ordered(id, leaf.codes);
      std::size_t waiting = pending.size();
      for (std::size_t i = children.size(); i-- > 0;)
        if (number[place[children[i].index()]] == ~std::size_t(0))
          pending.push_back(children[i]);
      if (pending.size() > waiting)
        continue;
      pending.pop_back();
      const TermGraph::Node &node = graph[id];
      number[place[id.index()]] = next;
      lines += fmt::format("%{} = ", next++);
      switch (node.kind) {
      case TermKind::Input:
        lines += fmt::format("input {}", node.first);
        break;
      case TermKind::Var:
      case TermKind::State: // none is open at the end
        break;
      case TermKind::Bound:
        lines += fmt::format("#{}", node.first);
        break;
      case TermKind::BoundState:
        lines += fmt::format("#{}.{}", node.first, node.second);
        break;
      case TermKind::At:
        lines += "at";
        break;
      case TermKind::Stack:
        lines += "stack " + graph.labelText(node.label);
        break;
      case TermKind::Op:
      case TermKind::Unordered:
        lines += graph.labelText(node.label);
        if (node.second)
          lines += fmt::format(".{}", node.second);
        break;
      case TermKind::Reshape:
        lines += "reshape " + graph.labelText(node.label);
        break;
      case TermKind::Learned:
        if (learnerNumber[node.first] == ~std::size_t(0)) {
          learnerNumber[node.first] = leaf.learners.size();
          leaf.learners.push_back(LearnerId(node.first));
        }
        lines += fmt::format("L{}", learnerNumber[node.first]);
        if (node.second)
          lines += fmt::format(".{}", node.second);
        break;
      case TermKind::Scan:
        lines += fmt::format("scan {} states {}", graph.labelText(node.label), node.first);
        break;
      case TermKind::ScanStep:
        lines += "step";
        break;
      case TermKind::ScanFinal:
        lines += fmt::format("final {}", node.second);
        break;
      }
      for (TermId child : children)
        lines += fmt::format(" %{}", number[place[child.index()]]);
      lines += '\n';
    }
  };
  for (TermId output : outputs)
    visit(output);
  for (std::size_t i = 0; i < leaf.learners.size(); ++i)
    leaf.text += fmt::format("L{} = {}\n", i, learnerText(table[leaf.learners[i].index()]));
  leaf.text += lines + "outputs";
  for (TermId output : outputs)
    leaf.text += fmt::format(" %{}", number[place[output.index()]]);
  leaf.text += '\n';
  return leaf;
}

std::size_t Labelling::reach(Leaf leaf, const std::vector<LearnerId> &path) {
  if (!found || leaf.text < best.text) {
    found = true;
    best = std::move(leaf);
    bestPath = path;
    return path.size();
  }
  if (leaf.text != best.text)
    return path.size();
  std::vector<LearnerId> image(table.size());
  for (std::size_t i = 0; i < image.size(); ++i)
    image[i] = LearnerId(i);
  for (std::size_t i = 0; i < leaf.learners.size(); ++i)
    image[best.learners[i].index()] = leaf.learners[i];
  automorphisms.push_back(std::move(image));
  // All below the place where this path left the best one is an image of what was seen there.
  return std::mismatch(path.begin(), path.end(), bestPath.begin(), bestPath.end()).first - path.begin();
}

std::size_t Labelling::search(Colours colours, std::vector<LearnerId> &path) {
  Colours codes;
  bool decided = refine(colours, codes);
  std::map<Hash128, std::vector<LearnerId>> classes;
  for (LearnerId learner : used)
    classes[colours[learner.index()]].push_back(learner);
  auto target = std::find_if(classes.begin(), classes.end(), [](const auto &entry) { return entry.second.size() > 1; });
  if (decided || target == classes.end() || work > budget) {
    finished = finished && work <= budget;
    return reach(write(std::move(codes)), path);
  }
  std::vector<LearnerId> tried;
  for (LearnerId learner : target->second) {
    // Orbits under the automorphisms found so far that fix the path.
    std::vector<std::size_t> parent(table.size());
    std::iota(parent.begin(), parent.end(), 0);
    auto root = [&](std::size_t i) {
      while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
      return i;
    };
    for (const std::vector<LearnerId> &image : automorphisms)
      if (std::ranges::all_of(path, [&](LearnerId fixed) { return image[fixed.index()] == fixed; }))
        for (LearnerId moved : used)
          parent[root(moved.index())] = root(image[moved.index()].index());
    if (std::ranges::any_of(tried, [&](LearnerId other) { return root(other.index()) == root(learner.index()); }))
      continue;
    tried.push_back(learner);
    Colours next = colours;
    next[learner.index()] = Hasher().add(next[learner.index()]).add(path.size() + 1).finish();
    path.push_back(learner);
    std::size_t resume = search(std::move(next), path);
    path.pop_back();
    if (work > budget)
      return 0;
    if (resume < path.size())
      return resume;
  }
  return path.size();
}

} // namespace attnc
