#include "attnc/enumerate/Sweep.h"

#include "attnc/enumerate/Journal.h"
#include "attnc/support/Hash.h"
#include "attnc/support/StateFile.h"

#include <atomic>
#include <condition_variable>
#include <fmt/format.h>
#include <mutex>
#include <thread>

namespace attnc::enumerate {

namespace {

/// Enough for an even load and for a part to be short; few enough to be listed.
constexpr std::size_t wantedParts = 4096;

std::vector<Word> partsOf(const Presentation &presentation, unsigned most) {
  Enumerator enumerator(presentation, most);
  std::vector<Word> parts = enumerator.prefixes(1);
  for (std::size_t length = 2; parts.size() < wantedParts; ++length) {
    std::vector<Word> longer = enumerator.prefixes(length);
    if (longer == parts)
      break; // all words are that short
    parts = std::move(longer);
  }
  return parts;
}

/// What the state file belongs to: the parts, and what decides over the words that begin with them.
std::string identity(const Presentation &presentation, const std::vector<Presentation::Criterion> &criteria,
                     unsigned most, const std::vector<Word> &parts) {
  std::string text = fmt::format("{} {};", most, presentation.output);
  for (const auto &sort : presentation.sorts)
    text += fmt::format("s{};", sort.copied);
  for (const auto &input : presentation.inputs)
    text += fmt::format("i{} {};", input.sort, input.copied);
  for (const auto &operation : presentation.operations)
    text += fmt::format("o{} {};", fmt::join(operation.domain, ","), operation.codomain);
  for (const auto &criterion : criteria)
    text += fmt::format("c{} {};", static_cast<int>(criterion.kind), fmt::join(criterion.of, ","));
  for (const Word &part : parts)
    text += fmt::format("{}:{}", part.size(), part);
  return hash128(text).hex();
}

Tally partOf(Enumerator &enumerator, const Word &prefix, const std::vector<Presentation::Criterion> &criteria,
             const std::atomic<std::size_t> &roomLeft, const std::atomic<bool> &stop) {
  Tally tally;
  tally.removed.assign(criteria.size(), 0);
  std::size_t bytes = 0;
  enumerator.walk(prefix, [&] {
    ++tally.diagrams;
    for (std::size_t i = 0; i < criteria.size(); ++i)
      if (enumerator.meets(criteria[i])) {
        ++tally.removed[i];
        return true;
      }
    tally.survivors.push_back(enumerator.word());
    bytes += survivorSize(enumerator.word());
    return bytes <= roomLeft && ((tally.diagrams & 0xfff) || !stop);
  });
  return tally;
}

} // namespace

tl::expected<Tally, std::string> sweep(const Presentation &presentation,
                                       const std::vector<Presentation::Criterion> &criteria,
                                       const SweepOptions &options) {
  const std::vector<Word> parts = partsOf(presentation, options.most);
  std::vector<std::optional<Tally>> done(parts.size());
  StateFile journal;
  if (!options.state.empty()) {
    auto opened = journal.open(options.state, journalHead(identity(presentation, criteria, options.most, parts)),
                               [&](std::string_view line) {
                                 auto part = readJournalLine(line, parts.size(), criteria.size());
                                 if (part)
                                   done[part->first] = std::move(part->second);
                                 return part.has_value();
                               });
    if (!opened)
      return tl::unexpected(opened.error());
  }

  std::size_t kept = 0, finished = 0;
  for (const auto &part : done)
    if (part) {
      ++finished;
      for (const Word &word : part->survivors)
        kept += survivorSize(word);
    }
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (!done[i])
      open.push_back(i);

  std::mutex mutex;
  std::condition_variable news;
  std::vector<std::pair<std::size_t, Tally>> results; // since the last look
  std::atomic<std::size_t> next = 0, roomLeft = options.survivorBytes - std::min(options.survivorBytes, kept);
  std::atomic<bool> stop = kept > options.survivorBytes;
  std::size_t working = options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  working = std::min(working, std::max<std::size_t>(open.size(), 1));
  auto work = [&] {
    Enumerator enumerator(presentation, options.most);
    for (std::size_t i; !stop && (i = next++) < open.size();) {
      Tally tally = partOf(enumerator, parts[open[i]], criteria, roomLeft, stop);
      if (stop)
        break; // it may be cut short
      std::lock_guard lock(mutex);
      results.emplace_back(open[i], std::move(tally));
      news.notify_one();
    }
    std::lock_guard lock(mutex);
    --working;
    news.notify_one();
  };
  std::vector<std::thread> threads;
  for (std::size_t i = working; i > 0; --i)
    threads.emplace_back(work);

  std::string error;
  std::uint64_t met = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (bool last = false; !last;) {
    std::vector<std::pair<std::size_t, Tally>> batch;
    {
      std::unique_lock lock(mutex);
      news.wait_for(lock, std::chrono::milliseconds(100), [&] { return working == 0; });
      batch.swap(results);
      last = working == 0;
    }
    for (auto &[part, tally] : batch) {
      for (const Word &word : tally.survivors)
        kept += survivorSize(word);
      if (kept > options.survivorBytes) {
        stop = true;
        continue;
      }
      ++finished;
      met += tally.diagrams;
      journal.add(journalLine(part, tally));
      done[part] = std::move(tally);
    }
    roomLeft = options.survivorBytes - std::min(options.survivorBytes, kept);
    if (auto written = journal.flush(); !written && error.empty()) {
      error = written.error();
      stop = true;
    }
    if (options.progress)
      options.progress({finished, parts.size(), met, std::chrono::steady_clock::now() - begin});
  }
  for (std::thread &thread : threads)
    thread.join();
  if (!error.empty())
    return tl::unexpected(error);

  Tally whole;
  whole.removed.assign(criteria.size(), 0);
  for (auto &part : done) {
    if (!part)
      continue;
    whole.diagrams += part->diagrams;
    for (std::size_t i = 0; i < criteria.size(); ++i)
      whole.removed[i] += part->removed[i];
    std::move(part->survivors.begin(), part->survivors.end(), std::back_inserter(whole.survivors));
    part->survivors = {};
  }
  if (stop)
    return tl::unexpected(fmt::format("the diagrams that are kept exceed {} bytes after {} diagrams, {} of {} parts of "
                                      "the walk done",
                                      options.survivorBytes, whole.diagrams, finished, parts.size()));
  return whole;
}

} // namespace attnc::enumerate
