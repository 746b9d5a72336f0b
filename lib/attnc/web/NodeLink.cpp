#include "attnc/web/Web.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace attnc {

namespace {

using Json = nlohmann::json;

/// Text as the parser reads it, which says how far it is.
struct Cursor {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char *;
  using reference = const char &;
  const char *at;
  const char **reached;

  reference operator*() const { return *at; }
  Cursor &operator++() {
    *reached = ++at;
    return *this;
  }
  Cursor operator++(int) {
    Cursor before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Cursor &other) const { return at == other.at; }
};

std::string shown(const Json &value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

/// Walks the document without keeping it: where each object of its lists is, by name of the list, or what is wrong and
/// where. (A parser that asks about each value as it keeps it looks through the whole list each time.)
class Places final : public nlohmann::json_sax<Json> {
public:
  Places(std::string_view text, FileId file) : text(text), file(file), reached(text.data()) {
    const char *begin = text.data(), *end = begin + text.size();
    Json::sax_parse(Cursor{begin, &reached}, Cursor{end, &reached}, this);
  }

  std::map<std::string, std::vector<Span>> lists;
  std::optional<std::pair<Span, std::string>> fault;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t &) override { return true; }
  bool string(string_t &) override { return true; }
  bool binary(binary_t &) override { return true; }
  bool start_object(std::size_t) override {
    if (depth == 2)
      lists[list].push_back(last());
    return deeper();
  }
  bool key(string_t &name) override {
    if (depth == 1)
      list = name;
    return true;
  }
  bool end_object() override {
    if (--depth == 2)
      lists[list].back().end = last().end;
    return true;
  }
  bool start_array(std::size_t) override { return deeper(); }
  bool end_array() override {
    --depth;
    return true;
  }
  bool parse_error(std::size_t, const std::string &, const Json::exception &error) override {
    std::string message = error.what();
    if (std::size_t reason = message.rfind(": "); reason != std::string::npos)
      message.erase(0, reason + 2);
    fault.emplace(last(), message);
    return false;
  }

private:
  /// What is kept may be walked, and written, by recursion.
  static constexpr int mostNesting = 100;

  bool deeper() {
    if (++depth > mostNesting)
      fault.emplace(last(), "it is nested too deeply");
    return !fault;
  }

  /// The character that was read last.
  Span last() const {
    std::uint32_t at = std::max<std::uint32_t>(reached - text.data(), 1) - 1;
    return {file, at, at + 1};
  }

  std::string_view text;
  FileId file;
  const char *reached;
  std::string list;
  int depth = 0;
};

class NodeLinkReader {
public:
  NodeLinkReader(std::string_view text, FileId file, Diagnostics &diagnostics)
      : text(text), file(file), diagnostics(diagnostics), builder(diagnostics) {}

  std::optional<Web> run() {
    std::size_t before = diagnostics.errorCount();
    auto document = parse();
    if (!document)
      return std::nullopt;
    const char *links = document->contains("edges") ? "edges" : "links";
    for (const char *member : {"nodes", links})
      if (!document->is_object() || !document->contains(member) || !(*document)[member].is_array()) {
        diagnostics.report(Diag::BadWebFile, {file, 0, 1}, fmt::format("it has no list '{}'", member))
            .help("node-link JSON is {\"nodes\": [{\"id\": …}, …], \"edges\": [{\"source\": …, \"target\": …}, …]}");
        return std::nullopt;
      }
    directed = !document->contains("directed") || (*document)["directed"] != false;
    each((*document)["nodes"], "nodes", [&](const Json &node, Span span) { addNode(node, span); });
    each((*document)[links], links, [&](const Json &link, Span span) { addLink(link, span); });
    return diagnostics.errorCount() == before ? std::optional(std::move(builder.web)) : std::nullopt;
  }

private:
  /// The document, and of each element of its lists where it is.
  std::optional<Json> parse() {
    Places found(text, file);
    if (found.fault) {
      diagnostics.report(Diag::BadWebFile, found.fault->first, found.fault->second);
      return std::nullopt;
    }
    places = std::move(found.lists);
    return Json::parse(text);
  }

  template <class F> void each(const Json &list, const std::string &name, F &&f) {
    const std::vector<Span> &spans = places[name];
    bool objects = std::ranges::all_of(list, [](const Json &element) { return element.is_object(); });
    if (!objects || spans.size() != list.size()) {
      diagnostics.report(Diag::BadWebFile, {file, 0, 1}, fmt::format("what is in '{}' is not all objects", name));
      return;
    }
    for (std::size_t i = 0; i < list.size(); ++i)
      f(list[i], spans[i]);
  }

  /// A name: a text, or a whole number.
  std::optional<std::string> nameIn(const Json &object, const char *member, Span span) {
    auto found = object.find(member);
    if (found != object.end() &&
        (found->is_number_integer() || (found->is_string() && !found->get<std::string>().empty())))
      return shown(*found);
    diagnostics.report(Diag::BadWebFile, span,
                       fmt::format("this has no '{}' that is a text or a whole number", member));
    return std::nullopt;
  }

  std::optional<double> weightIn(const Json &object, const char *member, Span span) {
    auto found = object.find(member);
    if (found == object.end())
      return 1;
    return builder.weight(found->is_number() ? std::optional(found->get<double>()) : std::nullopt, shown(*found), span);
  }

  void addNode(const Json &object, Span span) {
    auto name = nameIn(object, "id", span);
    auto multiplicity = weightIn(object, "m", span);
    Web::Node *node = name ? builder.node(*name, span) : nullptr;
    if (!node || !multiplicity)
      return;
    node->multiplicity = *multiplicity;
    for (const auto &[key, value] : object.items()) {
      if (key == "id" || key == "m" || value.is_null())
        continue;
      if (value.is_number())
        node->metadata[key] = value.get<double>();
      else
        node->metadata[key] = value.is_boolean() ? (value.get<bool>() ? Web::Metadatum(1.0) : Web::Metadatum(0.0))
                                                 : Web::Metadatum(shown(value));
    }
  }

  void addLink(const Json &object, Span span) {
    auto source = nameIn(object, "source", span), target = nameIn(object, "target", span);
    auto weight = weightIn(object, "weight", span);
    if (!source || !target)
      return;
    auto from = builder.end("source", *source, span), to = builder.end("target", *target, span);
    if (!from || !to || !weight)
      return;
    auto type = object.find("type");
    Web::Link link{*from, *to, *weight, type == object.end() || type->is_null() ? "" : shown(*type), span};
    builder.link(link);
    if (!directed && *from != *to) {
      std::swap(link.source, link.target);
      builder.link(link);
    }
  }

  std::string_view text;
  FileId file;
  Diagnostics &diagnostics;
  WebBuilder builder;
  std::map<std::string, std::vector<Span>> places;
  bool directed = true;
};

/// A number that is whole without a point.
nlohmann::ordered_json plain(double value) {
  return std::abs(value) < 1e15 && std::trunc(value) == value ? nlohmann::ordered_json(std::int64_t(value))
                                                              : nlohmann::ordered_json(value);
}

} // namespace

std::optional<Web> readNodeLink(const SourceManager &sources, FileId file, Diagnostics &diagnostics) {
  return NodeLinkReader(sources.text(file), file, diagnostics).run();
}

std::string nodeLinkText(const Web &web) {
  nlohmann::ordered_json nodes = nlohmann::ordered_json::array(), links = nlohmann::ordered_json::array();
  for (const Web::Node &node : web.nodes) {
    nlohmann::ordered_json one = {{"id", node.name}};
    if (node.multiplicity != 1)
      one["m"] = plain(node.multiplicity);
    for (const auto &[key, value] : node.metadata)
      if (auto *number = std::get_if<double>(&value))
        one[key] = plain(*number);
      else if (auto *text = std::get_if<std::string>(&value))
        one[key] = *text;
    nodes.push_back(std::move(one));
  }
  for (const Web::Link &link : web.links) {
    nlohmann::ordered_json one = {{"source", web.nodes[link.source].name},
                                  {"target", web.nodes[link.target].name},
                                  {"weight", plain(link.weight)}};
    if (!link.type.empty())
      one["type"] = link.type;
    links.push_back(std::move(one));
  }
  nlohmann::ordered_json document = {{"directed", true},
                                     {"multigraph", false},
                                     {"graph", nlohmann::ordered_json::object()},
                                     {"nodes", std::move(nodes)},
                                     {"edges", std::move(links)}};
  return document.dump(1) + "\n";
}

} // namespace attnc
