#pragma once
#include "attnc/enumerate/Enumerator.h"

#include <chrono>
#include <filesystem>
#include <tl/expected.hpp>

namespace attnc::enumerate {

/// What a sweep counts, of all diagrams or of a part.
struct Tally {
  std::uint64_t diagrams = 0;         // up to equality
  std::vector<std::uint64_t> removed; // by each criterion, of what the ones before it left
  std::vector<Word> survivors;        // in the order of the walk
};

struct Progress {
  std::size_t done, parts;
  std::uint64_t diagrams; // met in this run
  std::chrono::duration<double> elapsed;
};

struct SweepOptions {
  unsigned most = 4;                                // operations of a diagram
  unsigned threads = 0;                             // 0: as many as there are cores
  std::size_t survivorBytes = std::size_t(1) << 30; // at most kept
  /// A file that lists the parts that are done. If it is there, they are not done again.
  std::filesystem::path state;
  std::function<void(const Progress &)> progress; // called now and then from the calling thread
};

/// Counts all diagrams, and keeps those that no criterion removes. The walk is cut into parts by the beginnings of
/// words; parts are done by all threads and put together in order, so the result depends on neither. With a state
/// file, what is done is written there (and reaches the disk) several times a second, each part a line with its own
/// checksum: a process that is killed loses what it did since, and a line that was half written is not read.
///
/// The error says what was done when a bound is reached, or what is wrong with the state file.
tl::expected<Tally, std::string> sweep(const Presentation &presentation,
                                       const std::vector<Presentation::Criterion> &criteria,
                                       const SweepOptions &options);

} // namespace attnc::enumerate
