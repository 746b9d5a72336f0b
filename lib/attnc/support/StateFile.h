#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace attnc {

/// A file that lists what a long search has done, so that it can go on from there: a line that says of which search,
/// then a line for each part that is done, with a checksum at its end:
///
///     <head>
///     <text> <checksum>
///
/// A process that is killed at any moment loses what it did not flush; a line that was half written is not read.
/// Without `open`, nothing is written anywhere.
class StateFile {
public:
  StateFile() = default;
  StateFile(const StateFile &) = delete;
  ~StateFile();

  /// Opens or makes the file for this process alone, and reads the texts it lists; `read` says whether a text is one.
  /// What follows the last good line is cut off. The error says why it cannot be used, another search's file among
  /// the reasons.
  tl::expected<void, std::string> open(const std::filesystem::path &path, const std::string &head,
                                       const std::function<bool(std::string_view)> &read);
  void add(const std::string &text);
  /// What was added is on the disk after.
  tl::expected<void, std::string> flush();

private:
  tl::unexpected<std::string> failed(const std::string &what) const;

  std::filesystem::path path;
  int file = -1;
  std::string unwritten;
};

} // namespace attnc
