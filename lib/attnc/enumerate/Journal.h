#pragma once
#include "attnc/enumerate/Sweep.h"

namespace attnc::enumerate {

/// The lines of a sweep's state file (support/StateFile.h), one for each part that is done, in any order:
///
///     attnc enumeration 1 <hash of the sweep>
///     <part> <diagrams> <removed>… : <survivor>… <checksum>        words in hexadecimal
std::string journalHead(const std::string &identity);
std::string journalLine(std::size_t part, const Tally &tally);
/// The part and its tally, when the line is one of a sweep of so many parts and criteria.
std::optional<std::pair<std::size_t, Tally>> readJournalLine(std::string_view line, std::size_t parts,
                                                             std::size_t criteria);

/// Bytes it takes to keep a word.
inline std::size_t survivorSize(const Word &word) { return sizeof(Word) + word.capacity(); }

} // namespace attnc::enumerate
