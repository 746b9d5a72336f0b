#pragma once
#include "attnc/cost/Cost.h"
#include "attnc/enumerate/Word.h"
#include "attnc/recombine/Generators.h"

namespace attnc {

struct Survivor {
  enumerate::Word word;
  std::string name, className;
  std::vector<std::pair<std::string, enumerate::Word>> equals; // those it equals modulo the equations, by name
  std::shared_ptr<const Definition> definition;
  Cost cost;
};

/// What `attnc recombine` finds.
struct Recombination {
  unsigned most = 0; // operations of a diagram
  std::uint64_t diagrams = 0;
  std::vector<enumerate::Presentation::Criterion> criteria;
  std::vector<std::uint64_t> removed; // by criterion
  std::uint64_t coincide = 0;         // modulo the equations
  std::vector<Survivor> survivors;
};

/// The counts and, with `meaning`, the table of the survivors: for a terminal, for scripts, for people who read the
/// folder.
std::string text(const recombine::Generators &generators, const Recombination &found, bool meaning);
std::string json(const recombine::Generators &generators, const Recombination &found, bool meaning);
std::string markdown(const recombine::Generators &generators, const Recombination &found);

} // namespace attnc
