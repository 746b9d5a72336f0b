#include "attnc/driver/RecombineTable.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace attnc {

namespace {

using recombine::Generators;

std::string equationNames(const Generators &generators) {
  std::string names;
  for (const auto &equation : generators.presentation.equations)
    names += (names.empty() ? "" : ", ") + equation.name;
  return names;
}

/// How many survivors there are of each class, in the order in which classes are met.
std::vector<std::pair<std::string, std::size_t>> byClass(const Recombination &found) {
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const Survivor &survivor : found.survivors) {
    auto known = std::ranges::find(counts, survivor.className, &std::pair<std::string, std::size_t>::first);
    if (known == counts.end())
      counts.emplace_back(survivor.className, 1);
    else
      ++known->second;
  }
  return counts;
}

struct CountLine {
  std::string sign;
  std::uint64_t count;
  std::string what;
};
std::vector<CountLine> counts(const Generators &generators, const Recombination &found) {
  std::vector<CountLine> lines{{"", found.diagrams, "up to equality"}};
  for (std::size_t i = 0; i < found.criteria.size(); ++i)
    lines.push_back({"−", found.removed[i], found.criteria[i].name});
  if (!generators.presentation.equations.empty())
    lines.push_back({"−", found.coincide, "equal to another by " + equationNames(generators)});
  lines.push_back({"=", found.survivors.size(), ""});
  for (const auto &[name, count] : byClass(found))
    if (!name.empty())
      lines.push_back({"", count, name});
  return lines;
}

std::string heading(const Generators &generators, const Recombination &found) {
  return fmt::format("{}: closed diagrams of at most {} operations", generators.presentation.name, found.most);
}

std::size_t operationsOf(const Survivor &survivor) {
  return std::ranges::count_if(
      survivor.word, [](char symbol) { return enumerate::kindOf(symbol) == enumerate::SymbolKind::Operation; });
}

std::string diagramOf(const Generators &generators, const Survivor &survivor) {
  std::string all = enumerate::text(generators.presentation, survivor.word);
  for (const auto &[name, word] : survivor.equals)
    all += fmt::format(" = {}", name);
  return all;
}

using Row = std::vector<std::string>;
Row titles() { return {"", "class", "diagram", "operations", "parameters", "flops", "memory"}; }
Row rowOf(const Generators &generators, const Survivor &survivor) {
  return {survivor.name,
          survivor.className,
          diagramOf(generators, survivor),
          std::to_string(operationsOf(survivor)),
          survivor.cost.parameters.str(),
          survivor.cost.flops.str(),
          survivor.cost.memory.str()};
}

std::size_t columns(const std::string &text) { // of the terminal: each character begins with one such byte
  return std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; });
}

} // namespace

std::string text(const Generators &generators, const Recombination &found, bool meaning) {
  std::string out = heading(generators, found) + "\n";
  const auto lines = counts(generators, found);
  std::size_t width = 0;
  for (const CountLine &line : lines)
    width = std::max(width, std::to_string(line.count).size());
  for (const CountLine &line : lines)
    out += fmt::format("{:>3} {:>{}}{}{}\n", line.sign, line.count, width, line.what.empty() ? "" : "  ", line.what);
  if (!meaning || found.survivors.empty())
    return out;
  std::vector<Row> rows{titles()};
  for (const Survivor &survivor : found.survivors)
    rows.push_back(rowOf(generators, survivor));
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const Row &row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns(row[i]));
  for (const Row &row : rows) {
    out += "\n";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += (i ? "  " : "") + row[i] + (i + 1 < row.size() ? std::string(widths[i] - columns(row[i]), ' ') : "");
  }
  return out + "\n";
}

std::string json(const Generators &generators, const Recombination &found, bool meaning) {
  nlohmann::json out = {
      {"generators", generators.presentation.name}, {"most", found.most}, {"diagrams", found.diagrams}};
  out["removed"] = nlohmann::json::array();
  for (std::size_t i = 0; i < found.criteria.size(); ++i)
    out["removed"].push_back({{"criterion", found.criteria[i].name}, {"count", found.removed[i]}});
  out["coincide"] = found.coincide;
  out["classes"] = nlohmann::json::object();
  for (const auto &[name, count] : byClass(found))
    out["classes"][name] = count;
  out["survivors"] = nlohmann::json::array();
  for (const Survivor &survivor : found.survivors) {
    nlohmann::json one = {{"name", survivor.name},
                          {"class", survivor.className},
                          {"diagram", enumerate::text(generators.presentation, survivor.word)},
                          {"operations", operationsOf(survivor)}};
    for (const auto &[name, word] : survivor.equals)
      one["equals"].push_back({{"name", name}, {"diagram", enumerate::text(generators.presentation, word)}});
    if (meaning)
      for (const Measure &measure : measures)
        one["cost"][std::string(measure.name)] = (survivor.cost.*measure.field).str();
    out["survivors"].push_back(std::move(one));
  }
  return out.dump(2) + "\n";
}

std::string markdown(const Generators &generators, const Recombination &found) {
  std::string out = "# " + heading(generators, found) + "\n\n";
  if (!generators.doc.empty())
    out += generators.doc + "\n\n";
  for (const CountLine &line : counts(generators, found))
    out += fmt::format("    {:>1} {:>6}  {}\n", line.sign, line.count, line.what);
  out += "\n| | class | diagram | operations | parameters | flops | memory |\n|---|---|---|---|---|---|---|\n";
  for (const Survivor &survivor : found.survivors) {
    Row row = rowOf(generators, survivor);
    out += fmt::format("| [{0}]({0}.attn) | {1} | [{2}]({0}.svg) | {3} | `{4}` | `{5}` | `{6}` |\n", row[0], row[1],
                       row[2], row[3], row[4], row[5], row[6]);
  }
  return out + "\nPolynomials in the sizes, as `attnc cost` counts them; memory in bytes.\n";
}

} // namespace attnc
