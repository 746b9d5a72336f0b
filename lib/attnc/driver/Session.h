#pragma once
#include "attnc/elaborate/Elaborate.h"
#include "attnc/support/Diagnostics.h"
#include "attnc/web/Web.h"

#include <iosfwd>
#include <map>
#include <nlohmann/json_fwd.hpp>

namespace attnc {

/// Where a command writes, and how.
struct Console {
  std::ostream &out, &err;
  bool colour = false; // of diagnostics on `err`
  bool json = false;
};

/// Exit codes: 0 done, 1 the input is at fault (or the check did not hold). Usage errors (2) are the parser's of the
/// command line.
enum ExitCode { Success = 0, Failure = 1 };

/// One run of a command: its sources, what is wrong with them, and where it is told.
class Session {
public:
  explicit Session(Console console) : diagnostics(sources), console(console) {}

  /// Reads and elaborates a file ("-" is standard input), once if it is named again; what is wrong is reported.
  std::optional<Module> load(const std::string &file);
  /// Elaborates a source that was read; what is wrong is reported.
  Module load(FileId file);
  /// Reads a file as a source; the error is reported.
  std::optional<FileId> read(const std::string &file);
  /// The diagram a command is about: the named one, or the last of the file. Reports when there is none.
  std::shared_ptr<const Definition> select(const Module &module, const std::string &file, const std::string &name);
  /// Loads and selects; null after an error.
  std::shared_ptr<const Definition> definition(const std::string &file, const std::string &name);

  /// Reads a web of tokens; what is wrong is reported.
  std::optional<Web> web(const std::string &file);
  /// The nodes of these names, parted by commas where no node has the whole as its name; reports those that are not
  /// there.
  std::optional<std::vector<Web::Id>> nodes(const Web &web, const std::string &names);

  /// Writes the outputs of a command whole or not at all.
  bool write(const std::string &path, std::string_view bytes);

  /// Writes text to a file, or prints it where none or "-" is named.
  void put(const std::string &path, std::string_view text);

  /// Where a command tells of what it did: `console.out`, or `console.err` where one of its outputs is standard output.
  std::ostream &beside(std::initializer_list<std::string> outputs) const { return beside(std::vector(outputs)); }
  std::ostream &beside(const std::vector<std::string> &outputs) const;

  /// Tells a script what a command came to, with the diagnostics, which are then told: one object, beside the output.
  void tell(nlohmann::json object, const std::string &output);

  /// Prints the diagnostics, and gives the exit code: Failure after an error.
  int finish();

  SourceManager sources;
  Diagnostics diagnostics;
  Console console;
  bool told = false; // the output holds the diagnostics already

private:
  std::map<std::string, std::optional<Module>> loaded; // null: it cannot be read
};

} // namespace attnc
