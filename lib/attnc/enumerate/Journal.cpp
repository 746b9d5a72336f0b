#include "attnc/enumerate/Journal.h"

#include <fmt/format.h>
#include <sstream>

namespace attnc::enumerate {

static std::string hex(const Word &word) {
  std::string text;
  for (unsigned char symbol : word)
    text += fmt::format("{:02x}", symbol);
  return text;
}

std::string journalHead(const std::string &identity) { return "attnc enumeration 1 " + identity; }

std::string journalLine(std::size_t part, const Tally &tally) {
  std::string line = fmt::format("{} {}", part, tally.diagrams);
  for (std::uint64_t removed : tally.removed)
    line += fmt::format(" {}", removed);
  line += " :";
  for (const Word &word : tally.survivors)
    line += " " + hex(word);
  return line;
}

std::optional<std::pair<std::size_t, Tally>> readJournalLine(std::string_view line, std::size_t parts,
                                                             std::size_t criteria) {
  std::istringstream in{std::string(line)};
  std::size_t part;
  Tally tally;
  tally.removed.resize(criteria);
  in >> part >> tally.diagrams;
  for (std::uint64_t &removed : tally.removed)
    in >> removed;
  std::string word;
  if (!(in >> word) || word != ":" || part >= parts)
    return std::nullopt;
  while (in >> word) {
    Word symbols;
    for (std::size_t i = 0; i + 1 < word.size(); i += 2)
      symbols += static_cast<char>(std::stoi(word.substr(i, 2), nullptr, 16));
    tally.survivors.push_back(std::move(symbols));
  }
  return std::pair(part, std::move(tally));
}

} // namespace attnc::enumerate
