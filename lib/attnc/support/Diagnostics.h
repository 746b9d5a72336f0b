#pragma once
#include "attnc/support/Source.h"

#include <deque>
#include <fmt/format.h>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace attnc {

/// Every diagnostic is a registered kind (Diagnostics.def); a test fails for a kind without one.
enum class Diag {
#define ATTNC_DIAGNOSTIC(NAME, SEVERITY, FORMAT) NAME,
#include "attnc/support/Diagnostics.def"
};

enum class Severity { Error, Warning };

struct DiagnosticKind {
  std::string_view name;
  Severity severity;
  std::string_view format;
};

/// Name, severity and message format of a kind.
const DiagnosticKind &describe(Diag kind);
/// All kinds, in the order of Diagnostics.def.
const std::vector<DiagnosticKind> &diagnosticKinds();

/// A second place that explains the first, e.g. where a size was first bound.
struct Note {
  Span span;
  std::string message;
};

struct Diagnostic {
  Diag kind;
  Span span;
  std::string message;
  std::vector<Note> notes;
  /// What the user can do; empty when the message already says it.
  std::string help;
};

/// Collects the diagnostics of one run. The same message at the same place is kept once.
class Diagnostics {
public:
  explicit Diagnostics(const SourceManager &sources) : sources(&sources) {}

  /// Handle for adding notes and help to the diagnostic that was just reported.
  class Report {
  public:
    Report &note(Span span, std::string message);
    Report &help(std::string message);

  private:
    friend class Diagnostics;
    explicit Report(Diagnostic *diagnostic) : diagnostic(diagnostic) {}
    Diagnostic *diagnostic; // null when the report was a duplicate
  };

  template <class... Args> Report report(Diag kind, Span span, Args &&...args) {
    return add(kind, span, fmt::format(fmt::runtime(describe(kind).format), args...));
  }

  bool hasErrors() const { return errors > 0; }
  std::size_t errorCount() const { return errors; }
  const std::deque<Diagnostic> &all() const { return list; }

  /// The compiler habit: `file:line:column: error: …`, the line, a caret, notes, help. In order of
  /// source. `colour` writes ANSI colours.
  std::string render(bool colour = false) const;
  /// An array of {kind, severity, message, file, line, column, endLine, endColumn, notes, help}.
  nlohmann::json json() const;

private:
  Report add(Diag kind, Span span, std::string message);
  std::vector<const Diagnostic *> ordered() const;

  const SourceManager *sources;
  std::set<std::tuple<Diag, Span, std::string>> seen;
  std::deque<Diagnostic> list; // a report keeps its address
  std::size_t errors = 0;
};

/// The candidate nearest to `name` in edit distance, if it is near enough to be a likely slip.
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string> &candidates);

} // namespace attnc
