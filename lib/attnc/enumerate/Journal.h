#pragma once
#include "attnc/enumerate/Sweep.h"

namespace attnc::enumerate {

/// The state file of a sweep: a line that says of which sweep, then one for each part that is done, in any order:
///
///     attnc enumeration 1 <hash of the sweep>
///     <part> <diagrams> <removed>… : <survivor>… <checksum>        words in hexadecimal
///
/// Without `open`, nothing is written anywhere.
class Journal {
public:
  Journal() = default;
  Journal(const Journal &) = delete;
  ~Journal();

  /// Opens or makes the file for this process alone, and puts the parts it lists into `done`. What follows the last
  /// good line is cut off: it was being written when a process ended.
  tl::expected<void, std::string> open(const std::filesystem::path &path, const std::string &identity,
                                       std::size_t parts, std::size_t criteria,
                                       std::vector<std::optional<Tally>> &done);
  void add(std::size_t part, const Tally &tally);
  /// What was added is on the disk after.
  tl::expected<void, std::string> flush();

private:
  std::filesystem::path path;
  int file = -1;
  std::string unwritten;
};

/// Bytes it takes to keep a word.
inline std::size_t survivorSize(const Word &word) { return sizeof(Word) + word.capacity(); }

} // namespace attnc::enumerate
