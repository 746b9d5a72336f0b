#include "attnc/enumerate/Enumerator.h"

#include <algorithm>

namespace attnc::enumerate {

Enumerator::Enumerator(const Presentation &presentation, unsigned most)
    : presentation(presentation), most(std::min(most, largestDiagram)), makers(presentation.sorts.size()),
      needed(presentation.sorts.size(), 0), present(presentation.sorts.size(), 0),
      inputUses(presentation.inputs.size(), 0) {
  for (unsigned i = 0; i < presentation.operations.size(); ++i)
    makers[presentation.operations[i].codomain].push_back(i);
}

bool Enumerator::walk(const Word &start, const std::function<bool()> &see) {
  prefix = &start;
  visit = see;
  pending.assign(1, {false, presentation.output, 0});
  operands.assign(1, anInput);
  needed[presentation.output] = 1;
  const bool whole = step();
  needed[presentation.output] = 0;
  return whole;
}

std::vector<Word> Enumerator::prefixes(std::size_t length) {
  std::vector<Word> all;
  limit = length;
  walk({}, [&] {
    all.push_back(symbols);
    return true;
  });
  limit = 0;
  return all;
}

/// Can what is needed still be had? A sort of which nothing is there, and no input, costs an operation.
bool Enumerator::possible() const {
  unsigned least = nodes.size();
  for (unsigned sort = 0; sort < needed.size(); ++sort) {
    if (needed[sort] == 0)
      continue;
    unsigned free = 0; // slots that inputs or what is there can fill
    for (unsigned i = 0; i < presentation.inputs.size(); ++i)
      if (presentation.inputs[i].sort == sort)
        free = presentation.inputs[i].copied ? needed[sort] : free + (inputUses[i] == 0);
    if (presentation.sorts[sort].copied)
      free = std::max(free, present[sort] > 0 ? needed[sort] : needed[sort] - 1);
    least += needed[sort] - std::min(needed[sort], free);
  }
  return least <= most;
}

bool Enumerator::step() {
  if (pending.empty() || (limit && symbols.size() == limit))
    return visit();
  const Pending top = pending.back();
  pending.pop_back();
  bool goesOn = true;
  if (top.closes) {
    complete.push_back(top.index);
    goesOn = step();
    complete.pop_back();
  } else if (symbols.size() < prefix->size()) {
    const char symbol = (*prefix)[symbols.size()];
    goesOn = kindOf(symbol) == SymbolKind::Operation ? open(indexOf(symbol), top) : take(symbol, top);
  } else {
    for (unsigned operation : makers[top.index])
      goesOn = goesOn && open(operation, top);
    if (presentation.sorts[top.index].copied)
      for (std::size_t i = 0; goesOn && i < complete.size(); ++i)
        if (nodes[complete[i]].sort == top.index)
          goesOn = take(againSymbol(complete[i]), top);
    for (unsigned input = 0; goesOn && input < presentation.inputs.size(); ++input)
      if (!symbols.empty() && presentation.inputs[input].sort == top.index &&
          (presentation.inputs[input].copied || inputUses[input] == 0))
        goesOn = take(inputSymbol(input), top);
  }
  pending.push_back(top);
  return goesOn;
}

/// Fills the slot with something that is there.
bool Enumerator::take(char symbol, const Pending &slot) {
  const bool input = kindOf(symbol) == SymbolKind::Input;
  const unsigned index = indexOf(symbol);
  unsigned &uses = input ? inputUses[index] : nodes[index].uses;
  ++uses;
  --needed[slot.index];
  symbols += symbol;
  operands[slot.place] = input ? anInput : static_cast<int>(index);
  const bool goesOn = !possible() || step();
  symbols.pop_back();
  ++needed[slot.index];
  --(input ? inputUses[index] : nodes[index].uses);
  return goesOn;
}

/// Fills the slot with a new operation.
bool Enumerator::open(unsigned operation, const Pending &slot) {
  if (nodes.size() == most)
    return true;
  const std::vector<unsigned> &domain = presentation.operations[operation].domain;
  const unsigned node = nodes.size(), first = operands.size();
  operands[slot.place] = static_cast<int>(node);
  operands.resize(first + domain.size(), anInput);
  nodes.push_back({operation, slot.index, first, 1});
  --needed[slot.index];
  ++present[slot.index];
  symbols += operationSymbol(operation);
  pending.push_back({true, node, 0});
  for (unsigned i = domain.size(); i-- > 0;) {
    pending.push_back({false, domain[i], first + i});
    ++needed[domain[i]];
  }
  const bool goesOn = !possible() || step();
  pending.resize(pending.size() - domain.size() - 1);
  for (unsigned sort : domain)
    --needed[sort];
  symbols.pop_back();
  --present[slot.index];
  ++needed[slot.index];
  nodes.pop_back();
  operands.resize(first);
  return goesOn;
}

bool Enumerator::meets(const Presentation::Criterion &criterion) const {
  auto isOf = [&](unsigned one) { return std::ranges::find(criterion.of, one) != criterion.of.end(); };
  for (unsigned i = 0; i < nodes.size(); ++i)
    switch (criterion.kind) {
    case Presentation::Criterion::Kind::Through:
      if (i > 0 && isOf(nodes[i].sort) && factorsThrough(i))
        return true;
      break;
    case Presentation::Criterion::Kind::Shared:
      if (nodes[i].uses > 1 && isOf(nodes[i].sort))
        return true;
      break;
    case Presentation::Criterion::Kind::Uses:
      if (isOf(nodes[i].operation))
        return true;
      break;
    }
  return false;
}

/// Does everything that `node` does not need see, of what it does need and of the inputs, `node` alone?
bool Enumerator::factorsThrough(unsigned node) const {
  static_assert(largestDiagram <= 64);
  auto end = [&](unsigned i) { return i + 1 < nodes.size() ? nodes[i + 1].first : operands.size(); };
  std::uint64_t below = std::uint64_t(1) << node; // it and what it needs
  std::uint64_t front = below;
  while (front) {
    const unsigned i = __builtin_ctzll(front);
    front &= front - 1;
    for (unsigned place = nodes[i].first; place < end(i); ++place)
      if (const int operand = operands[place]; operand != anInput && !(below >> operand & 1)) {
        below |= std::uint64_t(1) << operand;
        front |= std::uint64_t(1) << operand;
      }
  }
  for (unsigned i = 0; i < nodes.size(); ++i) {
    if (below >> i & 1)
      continue;
    for (unsigned place = nodes[i].first; place < end(i); ++place)
      if (operands[place] == anInput || (operands[place] != static_cast<int>(node) && (below >> operands[place] & 1)))
        return false;
  }
  return true;
}

} // namespace attnc::enumerate
