#include "attnc/support/Diagnostics.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

namespace attnc {

const std::vector<DiagnosticKind> &diagnosticKinds() {
  static const std::vector<DiagnosticKind> kinds = {
#define ATTNC_DIAGNOSTIC(NAME, SEVERITY, FORMAT) {#NAME, Severity::SEVERITY, FORMAT},
#include "attnc/support/Diagnostics.def"
  };
  return kinds;
}

const DiagnosticKind &describe(Diag kind) { return diagnosticKinds()[static_cast<std::size_t>(kind)]; }

Diagnostics::Report &Diagnostics::Report::note(Span span, std::string message) {
  if (diagnostic)
    diagnostic->notes.push_back({span, std::move(message)});
  return *this;
}

Diagnostics::Report &Diagnostics::Report::help(std::string message) {
  if (diagnostic)
    diagnostic->help = std::move(message);
  return *this;
}

Diagnostics::Report Diagnostics::add(Diag kind, Span span, std::string message) {
  if (!seen.emplace(kind, span, message).second)
    return Report(nullptr);
  if (describe(kind).severity == Severity::Error)
    ++errors;
  list.push_back({kind, span, std::move(message), {}, {}});
  return Report(&list.back());
}

std::vector<const Diagnostic *> Diagnostics::ordered() const {
  std::vector<const Diagnostic *> order;
  for (const Diagnostic &diagnostic : list)
    order.push_back(&diagnostic);
  std::stable_sort(order.begin(), order.end(), [](auto *a, auto *b) { return a->span < b->span; });
  return order;
}

namespace {

struct Style {
  std::string_view bold, error, warning, note, caret, reset;
};
constexpr Style plain{"", "", "", "", "", ""};
constexpr Style coloured{"\033[1m", "\033[1;31m", "\033[1;35m", "\033[1;36m", "\033[1;32m", "\033[0m"};

void renderPlace(std::string &out, const SourceManager &sources, Span span, std::string_view label,
                 std::string_view labelColour, std::string_view message, const Style &style) {
  if (!span.valid()) {
    out += fmt::format("{}{}:{} {}\n", labelColour, label, style.reset, message);
    return;
  }
  Location begin = sources.locate(span.file, span.begin);
  out += fmt::format("{}{}:{}:{}:{} {}{}:{} {}\n", style.bold, sources.name(span.file), begin.line, begin.column,
                     style.reset, labelColour, label, style.reset, message);
  std::string_view line = sources.line(span.file, begin.line);
  constexpr std::size_t widest = 400; // a line of a generated file is not worth a screenful
  if (line.size() > widest)
    return;
  std::size_t lineStart = line.data() - sources.text(span.file).data();
  std::string margin = fmt::format("{:>5} | ", begin.line);
  out += margin;
  out += line;
  out += '\n';
  out += std::string(margin.size() - 2, ' ') + "| ";
  auto characters = [&](std::size_t from, std::size_t to, auto &&each) {
    for (std::size_t i = from; i < to && i < line.size(); ++i)
      if ((static_cast<unsigned char>(line[i]) & 0xC0) != 0x80)
        each(line[i]);
  };
  characters(0, span.begin - lineStart, [&](char c) { out += c == '\t' ? '\t' : ' '; });
  out += style.caret;
  out += '^';
  bool first = true;
  characters(span.begin - lineStart, span.end - lineStart, [&](char) {
    if (!first)
      out += '~';
    first = false;
  });
  out += style.reset;
  out += '\n';
}

} // namespace

std::string Diagnostics::render(bool colour) const {
  const Style &style = colour ? coloured : plain;
  std::string out;
  for (const Diagnostic *diagnostic : ordered()) {
    bool error = describe(diagnostic->kind).severity == Severity::Error;
    renderPlace(out, *sources, diagnostic->span, error ? "error" : "warning", error ? style.error : style.warning,
                diagnostic->message, style);
    for (const Note &note : diagnostic->notes)
      renderPlace(out, *sources, note.span, "note", style.note, note.message, style);
    if (!diagnostic->help.empty())
      out += fmt::format("{}help:{} {}\n", style.note, style.reset, diagnostic->help);
  }
  return out;
}

static nlohmann::json placeJson(const SourceManager &sources, Span span, std::string_view message) {
  nlohmann::json place = {{"message", message}};
  if (span.valid()) {
    Location begin = sources.locate(span.file, span.begin), end = sources.locate(span.file, span.end);
    place.update({{"file", sources.name(span.file)},
                  {"line", begin.line},
                  {"column", begin.column},
                  {"endLine", end.line},
                  {"endColumn", end.column}});
  }
  return place;
}

nlohmann::json Diagnostics::json() const {
  nlohmann::json out = nlohmann::json::array();
  for (const Diagnostic *diagnostic : ordered()) {
    const DiagnosticKind &kind = describe(diagnostic->kind);
    nlohmann::json entry = placeJson(*sources, diagnostic->span, diagnostic->message);
    entry["kind"] = kind.name;
    entry["severity"] = kind.severity == Severity::Error ? "error" : "warning";
    entry["notes"] = nlohmann::json::array();
    for (const Note &note : diagnostic->notes)
      entry["notes"].push_back(placeJson(*sources, note.span, note.message));
    if (!diagnostic->help.empty())
      entry["help"] = diagnostic->help;
    out.push_back(std::move(entry));
  }
  return out;
}

/// Of insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
static std::size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, above, row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t(0));
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string> &candidates) {
  if (name.size() > 64)
    return std::nullopt;
  std::optional<std::string> best;
  std::size_t bestDistance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string &candidate : candidates) {
    if (candidate.size() > name.size() + bestDistance || candidate == name)
      continue;
    std::size_t distance = editDistance(name, candidate);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

} // namespace attnc
