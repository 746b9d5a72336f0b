#include "NaiveMatcher.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace attnc::rewriting {

namespace {

/// What binders are called, where they are not called by their own names.
using Names = std::map<BinderId, std::string>;

/// A wire of the host, seen through the slices of stacks on the way to it.
struct Occurrence {
  Wire wire;
  Names names; // of all the binders it depends on
  auto operator<=>(const Occurrence &) const = default;
};

class Occurrences {
public:
  explicit Occurrences(const Host &host) : host(host) {}

  Occurrence at(Wire wire, const Names &names) const {
    wire = host.find(wire);
    const Node &node = host.node(wire);
    if (node.kind == NodeKind::At) {
      Occurrence array = at(node.operands[0], names);
      if (const Node &stack = host.node(array.wire); stack.kind == NodeKind::Stack) {
        Names inside = array.names;
        inside[stack.binder] = name(host.node(host.operand(node, 1)).binder, names);
        return at(stack.operands[0], inside);
      }
    }
    Occurrence result{wire, {}};
    for (BinderId binder : host.free(wire))
      result.names[binder] = name(binder, names);
    return result;
  }

  std::vector<Occurrence> operands(const Occurrence &of) const {
    const Node &node = host.node(of.wire);
    Names inside = of.names;
    if (node.kind == NodeKind::Stack || node.kind == NodeKind::Scan)
      inside[node.binder] = bound(of);
    std::vector<Occurrence> result;
    for (std::size_t i = 0; i < node.operands.size(); ++i)
      result.push_back(at(node.operands[i], node.kind == NodeKind::Scan && i < node.slot ? of.names : inside));
    return result;
  }

  /// What the binder of a box is called: another name in each place where the box is seen differently.
  std::string bound(const Occurrence &box) const {
    std::string own = name(host.node(box.wire).binder, {}), around;
    for (const auto &[binder, called] : box.names)
      if (called != name(binder, {}))
        around += fmt::format("{}={},", binder.index(), called);
    return around.empty() ? own : fmt::format("{}({})", own, around);
  }

  static std::string name(BinderId binder, const Names &names) {
    auto known = names.find(binder);
    return known == names.end() ? fmt::format("b{}", binder.index()) : known->second;
  }

  /// Everything that is below; `indices` have the names #0, #1 ….
  std::string text(const Occurrence &of, const std::vector<std::string> &indices, unsigned depth = 0) const {
    auto called = [&](const std::string &name) {
      auto place = std::ranges::find(indices, name);
      return place == indices.end() ? name : fmt::format("#{}", place - indices.begin());
    };
    const Node &node = host.node(of.wire);
    std::string result = fmt::format("{}.{}.{}.{}", int(node.kind), node.label.valid() ? node.label.index() : 0,
                                     node.slot, of.wire.port);
    if (node.kind == NodeKind::Index || node.kind == NodeKind::State)
      return result + called(name(node.binder, of.names));
    if (node.kind == NodeKind::Stack)
      result += host.binder(node.binder).size.str();
    std::vector<std::string> parts;
    for (Occurrence operand : operands(of)) {
      for (auto &[binder, known] : operand.names)
        if ((node.kind == NodeKind::Stack || node.kind == NodeKind::Scan) && binder == node.binder)
          known = fmt::format("^{}", depth);
      parts.push_back(text(operand, indices, depth + 1));
    }
    if (node.kind == NodeKind::Op && host.tables->label(node.label).commutative)
      std::ranges::sort(parts);
    return fmt::format("{}({})", result, fmt::join(parts, ","));
  }

  /// The wire itself, by node.
  std::string key(const Occurrence &of, const std::vector<std::string> &indices) const {
    std::string result = fmt::format("n{}.{}", of.wire.node.index(), of.wire.port);
    for (const auto &[binder, called] : of.names) {
      auto place = std::ranges::find(indices, called);
      if (place != indices.end())
        result += fmt::format(" {}=#{}", binder.index(), place - indices.begin());
      else if (called != name(binder, {}))
        result += fmt::format(" {}={}", binder.index(), called);
    }
    return result;
  }

private:
  const Host &host;
};

class Naive {
public:
  Naive(const Host &host, const Pattern &pattern) : host(host), pattern(pattern), left(pattern.left), seen(host) {
    for (Wire output : host.outputs)
      reach(host.find(output));
    for (NodeId node : nodes)
      for (std::uint32_t port = 0; port < host.node(node).types.size(); ++port)
        close(seen.at(Wire{node, port}, {}));
    for (std::size_t i = 0; i < pattern.leftRoots.size(); ++i)
      addPositions(pattern.leftRoots[i], none, i);
  }

  std::set<std::string> run() {
    std::size_t orders = 0;
    for (Position &one : positions)
      if (one.commutes)
        one.order = orders++;
    for (swapped = 0; swapped < std::size_t(1) << orders; ++swapped)
      assign(0);
    return std::move(found);
  }

private:
  static constexpr std::size_t none = ~std::size_t(0);

  /// A place of the pattern read as trees: what is copied is read twice.
  struct Position {
    Wire wire;
    std::size_t parent, operand; // none: a root, of result `operand`
    bool commutes = false;
    std::size_t order = 0; // of the commuting ones
    std::optional<Pattern::Spine> spine;
  };

  void reach(Wire wire) {
    if (!nodes.insert(wire.node).second)
      return;
    for (std::size_t i = 0; i < host.node(wire).operands.size(); ++i)
      reach(host.operand(host.node(wire), i));
  }

  void close(const Occurrence &one) {
    if (everything.insert(one).second)
      for (const Occurrence &operand : seen.operands(one))
        close(operand);
  }

  void addPositions(Wire wire, std::size_t parent, std::size_t operand) {
    const Node &node = left.node(wire);
    Position position{wire, parent, operand, false, 0, pattern.spine(left, true, wire)};
    if (position.spine) {
      leaves.push_back(position);
      return;
    }
    position.commutes = node.kind == NodeKind::Op && host.tables->label(node.label).commutative;
    positions.push_back(position);
    std::size_t here = positions.size() - 1;
    for (std::size_t i = 0; i < node.operands.size(); ++i)
      addPositions(node.operands[i], here, i);
  }

  std::size_t hostOperand(const Position &parent, std::size_t operand) const {
    return parent.commutes && (swapped >> parent.order & 1) ? 1 - operand : operand;
  }

  void assign(std::size_t which) {
    if (which == positions.size())
      return check();
    const Position &position = positions[which];
    for (const Occurrence &one : everything) {
      if (one.wire.port != position.wire.port || !alike(left.node(position.wire), host.node(one.wire)))
        continue;
      if (position.parent == none) {
        if (one != seen.at(one.wire, {}) || !nodes.contains(one.wire.node))
          continue; // the place itself, not as another sees it
      } else if (seen.operands(images[position.parent])[hostOperand(positions[position.parent], position.operand)] !=
                 one) {
        continue;
      }
      images.push_back(one);
      assign(which + 1);
      images.pop_back();
    }
  }

  bool alike(const Node &wanted, const Node &given) const {
    if (wanted.pers || (given.kind == NodeKind::Apply && given.pers))
      throw std::runtime_error("this matcher knows no 'per'");
    return wanted.kind == given.kind && wanted.operands.size() == given.operands.size() &&
           (wanted.kind != NodeKind::Op || wanted.label == given.label) &&
           (wanted.kind == NodeKind::Apply || wanted.slot == given.slot);
  }

  /// The occurrence of the box that binds an index of the pattern, around a position.
  const Occurrence &boxAround(std::size_t position, BinderId binder) const {
    for (; position != none; position = positions[position].parent)
      if (const Node &node = left.node(positions[position].wire);
          (node.kind == NodeKind::Stack || node.kind == NodeKind::Scan) && node.binder == binder)
        return images[position];
    throw std::runtime_error("an index outside its box");
  }

  bool fits(const Size &wanted, const Size &given) {
    if (!wanted.asVariable())
      throw std::runtime_error("this matcher knows sizes by name alone");
    return sizes.emplace(*wanted.asVariable(), given).first->second == given;
  }

  bool fits(const Type &wanted, std::size_t from, const Type &given) {
    if (wanted.kind != given.kind || wanted.rank() != given.rank() + from)
      return false;
    for (std::size_t i = 0; i < given.rank(); ++i)
      if (!fits(wanted.axes[from + i], given.axes[i]))
        return false;
    return true;
  }

  bool learnerFits(std::size_t wanted, std::size_t given) {
    const Learner &rule = left.learners[wanted], &learner = host.learners[given];
    // A box of the rule stands for any learner, but what fills it fills boxes alone.
    if (rule.kind != learner.kind && (rule.kind != LearnerKind::Hole || !pattern.rightLearners[wanted]))
      return false;
    if (rule.domain.size() != learner.domain.size() || rule.codomain.size() != learner.codomain.size())
      return false;
    for (std::size_t i = 0; i < rule.domain.size(); ++i)
      if (!fits(rule.domain[i], 0, learner.domain[i]))
        return false;
    for (std::size_t i = 0; i < rule.codomain.size(); ++i)
      if (!fits(rule.codomain[i], 0, learner.codomain[i]))
        return false;
    auto [known, fresh] = learners.emplace(wanted, given);
    if (!fresh)
      return known->second == given;
    for (const auto &[other, image] : learners)
      if (other != wanted && image == given)
        return false;
    return true;
  }

  void check() {
    sizes.clear();
    learners.clear();
    std::map<std::uint32_t, std::pair<Occurrence, std::vector<std::string>>> inputs;
    std::vector<std::string> boundNames;
    std::set<NodeId> applied;
    for (std::size_t i = 0; i < positions.size(); ++i) {
      const Node &wanted = left.node(positions[i].wire), &given = host.node(images[i].wire);
      if (wanted.kind == NodeKind::Stack || wanted.kind == NodeKind::Scan) {
        if (!fits(left.binder(wanted.binder).size, host.binder(given.binder).size))
          return;
        boundNames.push_back(seen.bound(images[i]));
      }
      if (wanted.kind == NodeKind::Index &&
          seen.name(given.binder, images[i].names) != seen.bound(boxAround(i, wanted.binder)))
        return;
      if (wanted.kind == NodeKind::Apply) {
        if (!learnerFits(wanted.slot, given.slot))
          return;
        applied.insert(images[i].wire.node);
      }
    }
    for (const Position &leaf : leaves) {
      const Position &parent = positions[leaf.parent];
      Occurrence image = seen.operands(images[leaf.parent])[hostOperand(parent, leaf.operand)];
      std::vector<std::string> indices;
      for (BinderId index : leaf.spine->indices)
        indices.push_back(seen.bound(boxAround(leaf.parent, index)));
      for (const auto &[binder, name] : image.names)
        if (std::ranges::find(boundNames, name) != boundNames.end() &&
            std::ranges::find(indices, name) == indices.end())
          return; // it depends on an index that it must not
      if (!fits(left.type(Wire{left.inputs[leaf.spine->input]}), leaf.spine->axes, host.type(image.wire)))
        return;
      auto [known, fresh] = inputs.emplace(leaf.spine->input, std::pair(image, indices));
      if (!fresh && seen.text(known->second.first, known->second.second) != seen.text(image, indices))
        return;
    }
    std::vector<Wire> roots;
    for (std::size_t i = 0; i < positions.size(); ++i)
      if (positions[i].parent == none)
        roots.push_back(images[i].wire);
    if (std::set<Wire>(roots.begin(), roots.end()).size() < roots.size())
      return; // two results of the rule are two of the host
    // Convex: what the match is made of does not need what it makes.
    if (roots.size() > 1)
      for (const auto &[input, image] : inputs)
        for (Wire root : roots)
          if (needs(image.first.wire, root.node))
            return;
    // A learner that goes is used here alone.
    for (const auto &[rule, learner] : learners)
      if (!pattern.rightLearners[rule] && !pattern.wholeLearner)
        for (NodeId node : nodes)
          if (host.node(node).kind == NodeKind::Apply && host.node(node).slot == learner && !applied.contains(node))
            return;
    std::string text;
    if (!pattern.wholeLearner) {
      for (Wire root : roots)
        text += fmt::format("n{}.{} ", root.node.index(), root.port);
      for (const auto &[input, image] : inputs)
        text += fmt::format("{}:{} ", input, seen.key(image.first, image.second));
    }
    for (const auto &[rule, learner] : learners)
      text += fmt::format("L{}={} ", rule, learner);
    for (const auto &[name, size] : sizes)
      text += fmt::format("{}={} ", name, size.str());
    found.insert(text);
  }

  bool needs(Wire wire, NodeId root) const {
    if (wire.node == root)
      return true;
    for (std::size_t i = 0; i < host.node(wire).operands.size(); ++i)
      if (needs(host.operand(host.node(wire), i), root))
        return true;
    return false;
  }

  const Host &host;
  const Pattern &pattern;
  const Host &left;
  Occurrences seen;
  std::set<NodeId> nodes;
  std::set<Occurrence> everything;
  std::vector<Position> positions, leaves;
  std::size_t swapped = 0;
  std::vector<Occurrence> images; // by position
  std::map<std::string, Size> sizes;
  std::map<std::size_t, std::size_t> learners;
  std::set<std::string> found;
};

} // namespace

std::set<std::string> naiveMatches(const Host &host, const Pattern &pattern) { return Naive(host, pattern).run(); }

std::set<std::string> asText(const Host &host, const Pattern &pattern, const std::vector<Match> &matches) {
  Occurrences seen(host);
  std::set<std::string> result;
  for (const Match &match : matches) {
    std::string text;
    for (Wire root : match.roots)
      if (!pattern.wholeLearner)
        text += fmt::format("n{}.{} ", root.node.index(), root.port);
    for (std::size_t i = 0; i < match.images.size() && !pattern.wholeLearner; ++i) {
      const Image &image = match.images[i];
      if (!image.wire.valid())
        continue;
      std::vector<std::string> indices;
      for (std::size_t k = 0; k < image.indices.size(); ++k)
        indices.push_back(fmt::format("index {}", k));
      Names names;
      for (BinderId binder : host.free(image.wire)) {
        BinderId now = lookUp(match.envs, image.env, binder);
        auto index = std::ranges::find(image.indices, now);
        names[binder] = index != image.indices.end() ? indices[index - image.indices.begin()] : seen.name(now, {});
      }
      text += fmt::format("{}:{} ", i, seen.key(seen.at(image.wire, names), indices));
    }
    for (std::size_t i = 0; i < match.learners.size(); ++i)
      if (match.learners[i].learner.valid())
        text += fmt::format("L{}={} ", i, match.learners[i].learner.index());
    for (const auto &[name, size] : match.sizes)
      text += fmt::format("{}={} ", name, size.str());
    result.insert(text);
  }
  return result;
}

} // namespace attnc::rewriting
