#include "attnc/diagram/SizeNaming.h"

#include "attnc/diagram/Transform.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace attnc {

/// The names of the interface in order, without those that only occur inside.
static std::vector<std::string> interfaceNames(const Definition &definition) {
  Definition bare;
  const Diagram &diagram = definition.diagram;
  for (const std::vector<WireId> *wires : {&diagram.inputs, &diagram.outputs})
    for (WireId wire : *wires) {
      bare.diagram.inputs.push_back(WireId(bare.diagram.wires.size()));
      bare.diagram.wires.push_back({diagram.type(wire), {}, 0, {}});
    }
  return bare.sizeNames();
}

/// The names of the interface by position; the others keep theirs behind a prime and are listed.
static Definition withInterfaceSizesNamed(const Definition &definition, std::vector<std::string> &inner) {
  Size::Bindings bindings;
  for (const std::string &name : interfaceNames(definition))
    bindings.emplace(name, Size::variable(fmt::format("s{}", bindings.size())));
  for (const std::string &name : definition.sizeNames())
    if (!bindings.contains(name)) {
      bindings.emplace(name, Size::variable(name + "'"));
      inner.push_back(name + "'");
    }
  return substitute(definition, bindings);
}

Definition withSizesNamedAs(const Definition &left, const Definition &right) {
  std::vector<std::string> wanted = interfaceNames(left), names = interfaceNames(right);
  Size::Bindings bindings;
  for (std::size_t i = 0; i < std::min(names.size(), wanted.size()); ++i)
    bindings.emplace(names[i], Size::variable(wanted[i]));
  for (const std::string &name : right.sizeNames()) // what would now be mistaken for another size
    if (!bindings.contains(name) && std::ranges::find(wanted, name) != wanted.end())
      bindings.emplace(name, Size::variable(name + "'"));
  return substitute(right, bindings);
}

CanonicalForm leastNaming(const Definition &definition, const std::function<CanonicalForm(const Definition &)> &form) {
  std::vector<std::string> inner;
  Definition named = withInterfaceSizesNamed(definition, inner);
  if (inner.empty())
    return form(named);
  auto with = [&](const std::vector<std::string> &order, const std::function<std::string(std::size_t)> &rename) {
    Size::Bindings bindings;
    for (std::size_t i = 0; i < order.size(); ++i)
      bindings.emplace(order[i], Size::variable(rename(i)));
    return form(substitute(named, bindings));
  };
  std::map<Hash128, std::vector<std::string>> classes;
  for (const std::string &name : inner) {
    if (inner.size() == 1) {
      classes[{}] = inner;
      break;
    }
    classes[with(inner, [&](std::size_t i) { return inner[i] == name ? "!" : "?"; }).hash].push_back(name);
  }
  std::size_t orders = 1;
  for (auto &[hash, names] : classes) {
    std::sort(names.begin(), names.end());
    for (std::size_t i = 2; i <= names.size() && orders <= 720; ++i)
      orders *= i;
  }
  std::optional<CanonicalForm> least;
  auto nextOrder = [&] { // the classes' orders as the digits of a number
    for (auto &[hash, names] : classes)
      if (std::next_permutation(names.begin(), names.end()))
        return true;
    return false;
  };
  do {
    std::vector<std::string> order;
    for (const auto &[hash, names] : classes)
      order.insert(order.end(), names.begin(), names.end());
    CanonicalForm one = with(order, [](std::size_t i) { return fmt::format("t{}", i); });
    if (!least || one.text < least->text)
      least = std::move(one);
    if (orders > 720) {
      least->complete = false;
      break;
    }
  } while (nextOrder());
  return *least;
}

} // namespace attnc
