#include "attnc/web/Web.h"

#include "attnc/arrays/Bytes.h"

#include <algorithm>
#include <boost/spirit/home/x3.hpp>
#include <charconv>

namespace attnc {

namespace {

namespace x3 = boost::spirit::x3;
using Text = boost::iterator_range<const char *>;
using Row = std::vector<Text>;

/// RFC 4180, with any separator: fields may be in quotes, where two quotes stand for one. Fields are given as written.
auto table(char separator) {
  auto quoted = '"' >> *("\"\"" | (x3::char_ - '"')) >> '"';
  auto plain = *(x3::char_ - (x3::char_(separator) | '"' | x3::eol));
  auto field = x3::rule<struct FieldTag, Text>("field") = x3::raw[quoted | plain];
  auto row = x3::rule<struct RowTag, Row>("row") = field % separator;
  return row % x3::eol;
}

std::string unquoted(Text field) {
  std::string text(field.begin(), field.end());
  if (!text.starts_with('"'))
    return text;
  std::string inside;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    inside += text[i];
    i += text[i] == '"';
  }
  return inside;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::optional<double> number(const std::string &text) {
  double value;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

class EdgeListReader {
public:
  EdgeListReader(std::string_view text, FileId file, Diagnostics &diagnostics)
      : text(text), file(file), diagnostics(diagnostics), builder(diagnostics) {}

  std::optional<Web> run(char separator) {
    std::size_t before = diagnostics.errorCount();
    const char *at = text.data() + (text.starts_with("\xEF\xBB\xBF") ? 3 : 0), *end = text.data() + text.size();
    std::vector<Row> rows;
    if (!x3::parse(at, end, table(separator), rows) || at != end) {
      diagnostics.report(Diag::BadWebFile, span({at, std::min(at + 1, end)}), "a quote stands inside a field")
          .help("a field with a quote stands in quotes, and the quote twice");
      return std::nullopt;
    }
    if (!header(rows.front()))
      return std::nullopt;
    for (std::size_t i = 1; i < rows.size(); ++i)
      if (rows[i].size() > 1 || !rows[i].front().empty())
        link(rows[i], rows.front().size());
    return diagnostics.errorCount() == before ? std::optional(std::move(builder.web)) : std::nullopt;
  }

private:
  Span span(Text part) const {
    return {file, std::uint32_t(part.begin() - text.data()), std::uint32_t(part.end() - text.data())};
  }
  static Text whole(const Row &row) { return {row.front().begin(), row.back().end()}; }

  bool header(const Row &row) {
    for (std::size_t i = 0; i < row.size(); ++i)
      columns.emplace(lower(unquoted(row[i])), i);
    for (const char *needed : {"source", "target"})
      if (!columns.contains(needed)) {
        diagnostics.report(Diag::BadWebFile, span(whole(row)), fmt::format("it has no column '{}'", needed))
            .help("the first line names the columns: source, target, and if there are, weight and type");
        return false;
      }
    return true;
  }

  /// The field of a row under the name; empty when the column or the field is not there.
  Text field(const Row &row, const std::string &column) const {
    auto found = columns.find(column);
    return found == columns.end() ? Text(whole(row).end(), whole(row).end()) : row[found->second];
  }

  void link(const Row &row, std::size_t width) {
    if (row.size() != width) {
      diagnostics.report(Diag::BadWebFile, span(whole(row)),
                         fmt::format("{} fields where the first line names {}", row.size(), width));
      return;
    }
    for (const char *column : {"source", "target", "type"})
      if (Text text = field(row, column); !isUtf8({text.begin(), text.end()})) {
        diagnostics.report(Diag::BadWebFile, span(text), fmt::format("the {} of this link is no UTF-8", column));
        return;
      }
    Web::Link link{0, 0, 1, unquoted(field(row, "type")), span(whole(row))};
    for (auto [column, end] : {std::pair("source", &link.source), std::pair("target", &link.target)}) {
      Text name = field(row, column);
      if (unquoted(name).empty()) {
        diagnostics.report(Diag::BadWebFile, span(whole(row)), fmt::format("the {} of this link has no name", column));
        return;
      }
      *end = builder.nodeFor(unquoted(name), span(name));
    }
    if (std::string weight = unquoted(field(row, "weight")); !weight.empty()) {
      auto value = builder.weight(number(weight), weight, span(field(row, "weight")));
      if (!value)
        return;
      link.weight = *value;
    }
    builder.link(std::move(link));
  }

  std::string_view text;
  FileId file;
  Diagnostics &diagnostics;
  WebBuilder builder;
  std::map<std::string, std::size_t> columns;
};

std::string quoted(const std::string &text, char separator) {
  if (text.find_first_of(std::string("\"\r\n") + separator) == std::string::npos)
    return text;
  std::string result = "\"";
  for (char c : text)
    result += c == '"' ? "\"\"" : std::string(1, c);
  return result + '"';
}

} // namespace

std::optional<Web> readEdgeList(const SourceManager &sources, FileId file, char separator, Diagnostics &diagnostics) {
  return EdgeListReader(sources.text(file), file, diagnostics).run(separator);
}

std::optional<std::string> edgeListText(const Web &web, char separator, const std::string &path,
                                        Diagnostics &diagnostics) {
  std::vector<bool> linked(web.nodes.size());
  bool typed = false;
  for (const Web::Link &link : web.links) {
    linked[link.source] = linked[link.target] = true;
    typed |= !link.type.empty();
  }
  for (Web::Id id = 0; id < web.nodes.size(); ++id) {
    const Web::Node &node = web.nodes[id];
    std::string_view lost = !linked[id]              ? "which has no link"
                            : node.multiplicity != 1 ? "for how many tokens it stands"
                            : node.metadata.empty()  ? ""
                                                     : "with its metadata";
    if (lost.empty())
      continue;
    diagnostics.report(Diag::WebTooRich, {}, path, fmt::format("the node '{}', {}", node.name, lost))
        .help("write node-link JSON: a file that ends in .json");
    return std::nullopt;
  }
  std::string text =
      fmt::format("source{0}target{0}weight{1}\n", separator, typed ? std::string(1, separator) + "type" : "");
  for (const Web::Link &link : web.links) {
    text += fmt::format("{1}{0}{2}{0}{3}", separator, quoted(web.nodes[link.source].name, separator),
                        quoted(web.nodes[link.target].name, separator), link.weight);
    text += typed ? separator + quoted(link.type, separator) + '\n' : "\n";
  }
  return text;
}

} // namespace attnc
