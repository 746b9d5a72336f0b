#include "attnc/web/Web.h"

#include "attnc/arrays/Bytes.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <expat.h>
#include <memory>

namespace attnc {

namespace {

constexpr std::string_view graphMLNamespace = "http://graphml.graphdrawing.org/xmlns";
constexpr char afterNamespace = '\n'; // stands between a namespace and a name, and in neither

/// What a `key` declares: that elements carry a datum of this name and kind.
struct Key {
  enum Kind { Boolean, Number, Text };
  std::string domain;              // "node", "edge", "all", or what is not looked at
  std::optional<std::string> name; // null: what another tool keeps for itself
  Kind kind = Text;
  std::optional<std::string> preset = {}; // of elements that say nothing
  Span span = {};

  bool isFor(std::string_view element) const { return domain == element || domain == "all"; }
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  std::size_t first = text.find_first_not_of(blank);
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(blank) + 1 - first);
}

/// A number as XML Schema writes it: with blanks around, and perhaps a plus.
std::optional<double> number(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-')
    text.remove_prefix(1);
  double value;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// What a datum says, if it says it as its kind does; a number is finite.
std::optional<Web::Metadatum> datum(Key::Kind kind, const std::string &text) {
  if (kind == Key::Text)
    return Web::Metadatum(text);
  if (kind == Key::Boolean) {
    std::string_view said = trimmed(text);
    bool yes = said == "true" || said == "True" || said == "1"; // networkx writes True
    bool no = said == "false" || said == "False" || said == "0";
    return yes || no ? std::optional(Web::Metadatum(yes ? 1.0 : 0.0)) : std::nullopt;
  }
  auto value = number(text);
  return value && std::isfinite(*value) ? std::optional(Web::Metadatum(*value)) : std::nullopt;
}

class GraphMLReader {
public:
  GraphMLReader(std::string_view text, FileId file, Diagnostics &diagnostics)
      : text(text), file(file), diagnostics(diagnostics), builder(diagnostics),
        parser(XML_ParserCreateNS(nullptr, afterNamespace), XML_ParserFree) {}

  std::optional<Web> run() {
    std::size_t before = diagnostics.errorCount();
    XML_SetUserData(parser.get(), this);
    XML_SetElementHandler(
        parser.get(),
        [](void *self, const XML_Char *name, const XML_Char **attributes) {
          static_cast<GraphMLReader *>(self)->begin(name, attributes);
        },
        [](void *self, const XML_Char *) { static_cast<GraphMLReader *>(self)->end(); });
    XML_SetCharacterDataHandler(parser.get(), [](void *self, const XML_Char *characters, int count) {
      auto *reader = static_cast<GraphMLReader *>(self);
      if (reader->path.back() == Element::Data || reader->path.back() == Element::Default)
        reader->characters.append(characters, count);
    });
    // Without a document type there are no entities to grow, and no other file to fetch.
    XML_SetStartDoctypeDeclHandler(
        parser.get(), [](void *self, const XML_Char *, const XML_Char *, const XML_Char *, int) {
          auto *reader = static_cast<GraphMLReader *>(self);
          reader->fault("it has a document type, which is not read").help("leave the line with <!DOCTYPE out");
          reader->stop();
        });
    parse();
    if (diagnostics.errorCount() == before && !hasGraph)
      diagnostics.report(Diag::BadWebFile, {file, 0, 1}, "it has no graph");
    join();
    return diagnostics.errorCount() == before ? std::optional(std::move(builder.web)) : std::nullopt;
  }

private:
  enum class Element : char { Root, Key, Default, Graph, Node, Edge, Data, Other };

  struct Edge {
    std::string source, target;
    Web::Link link;
    bool directed;
  };

  void parse() {
    constexpr std::size_t most = 1 << 20;
    for (std::size_t at = 0; !stopped; at += most) {
      std::string_view part = text.substr(at, most);
      bool last = at + part.size() == text.size();
      if (XML_Parse(parser.get(), part.data(), int(part.size()), last) == XML_STATUS_ERROR && !stopped) {
        std::uint32_t place = std::min<std::size_t>(XML_GetCurrentByteIndex(parser.get()), text.size());
        diagnostics.report(Diag::BadWebFile, {file, place, place + 1}, XML_ErrorString(XML_GetErrorCode(parser.get())));
        return;
      }
      if (last)
        return;
    }
  }

  void stop() {
    stopped = true;
    XML_StopParser(parser.get(), XML_FALSE);
  }

  /// Of the tag that is read.
  Span span() const {
    std::uint32_t at = XML_GetCurrentByteIndex(parser.get());
    return {file, at, at + std::uint32_t(XML_GetCurrentByteCount(parser.get()))};
  }
  Diagnostics::Report fault(const std::string &message) {
    return diagnostics.report(Diag::BadWebFile, span(), message);
  }

  static const char *attribute(const XML_Char **attributes, std::string_view name) {
    for (; *attributes; attributes += 2)
      if (name == attributes[0])
        return attributes[1];
    return nullptr;
  }
  /// One that must be there, and says something; reported when not.
  std::optional<std::string> needed(const XML_Char **attributes, const char *name) {
    const char *value = attribute(attributes, name);
    if (value && *value)
      return value;
    fault(fmt::format("this has no '{}'", name));
    return std::nullopt;
  }

  /// The name of an element of GraphML, which may stand in its namespace; of another, empty.
  static std::string_view own(std::string_view name) {
    std::size_t at = name.find(afterNamespace);
    if (at == name.npos)
      return name;
    return name.substr(0, at) == graphMLNamespace ? name.substr(at + 1) : "";
  }

  void begin(const XML_Char *fullName, const XML_Char **attributes) {
    std::string_view name = own(fullName);
    Element element = Element::Other;
    if (path.empty()) {
      if (name == "graphml")
        element = Element::Root;
      else {
        fault("its outermost element is not 'graphml'");
        stop();
      }
    } else if (path.back() == Element::Root) {
      if (name == "key" && beginKey(attributes))
        element = Element::Key;
      else if (name == "graph" && beginGraph(attributes))
        element = Element::Graph;
    } else if (path.back() == Element::Key) {
      if (name == "default")
        element = Element::Default;
    } else if (path.back() == Element::Graph) {
      if (name == "node" && beginNode(attributes))
        element = Element::Node;
      else if (name == "edge" && beginEdge(attributes))
        element = Element::Edge;
      else if (name == "hyperedge")
        fault("a link has two ends, and this is a hyperedge");
    } else if (path.back() == Element::Node || path.back() == Element::Edge) {
      if (name == "data" && beginData(attributes))
        element = Element::Data;
      else if (name == "graph")
        fault("a node of a web has no graph inside");
    }
    if (element == Element::Data || element == Element::Default)
      characters.clear();
    path.push_back(element);
  }

  void end() {
    Element element = path.back();
    path.pop_back();
    if (element == Element::Default)
      key->second.preset = std::move(characters);
    else if (element == Element::Key)
      endKey();
    else if (element == Element::Data)
      said.emplace(key, std::pair(std::move(characters), dataSpan));
    else if (element == Element::Node)
      endNode();
    else if (element == Element::Edge)
      endEdge();
  }

  bool beginKey(const XML_Char **attributes) {
    auto id = needed(attributes, "id");
    if (!id)
      return false;
    const char *domain = attribute(attributes, "for"), *name = attribute(attributes, "attr.name");
    const char *kind = attribute(attributes, "attr.type");
    Key made{domain ? domain : "all", name ? std::optional<std::string>(name) : std::nullopt, Key::Text};
    made.span = span();
    std::string_view type = kind ? kind : "string";
    if (type == "boolean")
      made.kind = Key::Boolean;
    else if (type == "int" || type == "long" || type == "float" || type == "double")
      made.kind = Key::Number;
    else if (type != "string" && name) {
      fault(fmt::format("'{}' is no type of a key", type)).help("boolean, int, long, float, double or string");
      return false;
    }
    if (made.name == "id" && made.isFor("node")) {
      fault("what is called 'id' of nodes is what names them")
          .help("give it another name; in igraph: g.vs['word'] = g.vs['id']; del g.vs['id']");
      return false;
    }
    auto [place, isNew] = keys.emplace(*id, std::move(made));
    if (!isNew)
      fault(fmt::format("there are two keys '{}'", *id)).note(place->second.span, "the first is here");
    key = place;
    return isNew;
  }

  void endKey() {
    Key &made = key->second;
    bool isNumber = (made.isFor("edge") && made.name == "weight") || (made.isFor("node") && made.name == "m");
    if (!made.preset || !made.name || isNumber || datum(made.kind, *made.preset))
      return;
    diagnostics.report(Diag::BadWebFile, made.span, fmt::format("the default '{}' is not of this type", *made.preset));
    made.preset.reset();
  }

  bool beginGraph(const XML_Char **attributes) {
    if (hasGraph) {
      fault("it has more than one graph");
      return false;
    }
    hasGraph = true;
    if (auto value = needed(attributes, "edgedefault"))
      directed = isDirected(*value, "edgedefault", "directed", "undirected");
    return true;
  }

  bool isDirected(std::string_view value, const char *attribute, std::string_view yes, std::string_view no) {
    if (value != yes && value != no)
      fault(fmt::format("its '{}' is '{}'", attribute, value)).help(fmt::format("it may be '{}' or '{}'", yes, no));
    return value == yes;
  }

  bool beginNode(const XML_Char **attributes) {
    said.clear();
    place = span();
    auto id = needed(attributes, "id");
    return id && builder.node(*id, place);
  }

  bool beginEdge(const XML_Char **attributes) {
    said.clear();
    place = span();
    auto source = needed(attributes, "source"), target = needed(attributes, "target");
    bool both = directed;
    if (const char *own = attribute(attributes, "directed"))
      both = isDirected(own, "directed", "true", "false");
    if (source && target)
      edges.push_back({*source, *target, {0, 0, 1, "", place}, both});
    return source && target;
  }

  bool beginData(const XML_Char **attributes) {
    dataSpan = span();
    auto id = needed(attributes, "key");
    if (!id)
      return false;
    const char *element = path.back() == Element::Node ? "node" : "edge";
    key = keys.find(*id);
    if (key == keys.end())
      fault(fmt::format("'{}' is no key that stands before the graph", *id));
    else if (!key->second.isFor(element))
      fault(fmt::format("the key '{}' is for '{}', and this is of a {}", *id, key->second.domain, element));
    else if (said.contains(key))
      fault(fmt::format("this {} has '{}' twice", element, *id));
    else
      return true;
    return false;
  }

  /// Calls `take` with each named datum of the element, its own or the default, and with where that stands.
  template <class F> void each(const char *element, F &&take) {
    for (auto at = keys.begin(); at != keys.end(); ++at) {
      const Key &known = at->second;
      if (!known.name || !known.isFor(element))
        continue;
      if (auto own = said.find(at); own != said.end())
        take(known, own->second.first, own->second.second);
      else if (known.preset)
        take(known, *known.preset, place);
    }
  }

  void endNode() {
    Web::Node &node = builder.web.nodes.back();
    each("node", [&](const Key &known, const std::string &text, Span at) {
      if (known.name == "m") {
        if (auto multiplicity = builder.weight(number(text), text, at))
          node.multiplicity = *multiplicity;
      } else if (auto value = datum(known.kind, text))
        node.metadata[*known.name] = std::move(*value);
      else
        diagnostics.report(Diag::BadWebFile, at, fmt::format("'{}' is not of the type of '{}'", text, *known.name));
    });
  }

  void endEdge() {
    Web::Link &link = edges.back().link;
    each("edge", [&](const Key &known, const std::string &text, Span at) {
      if (known.name == "weight") {
        if (auto weight = builder.weight(number(text), text, at))
          link.weight = *weight;
      } else if (known.name == "type")
        link.type = text;
    });
  }

  /// Links, when all nodes are there: edges may stand before them.
  void join() {
    for (Edge &edge : edges) {
      auto from = builder.end("source", edge.source, edge.link.span);
      auto to = builder.end("target", edge.target, edge.link.span);
      if (!from || !to)
        continue;
      edge.link.source = *from;
      edge.link.target = *to;
      builder.link(edge.link);
      if (!edge.directed && *from != *to) {
        std::swap(edge.link.source, edge.link.target);
        builder.link(std::move(edge.link));
      }
    }
  }

  using Keys = std::map<std::string, Key>;
  struct ById {
    bool operator()(Keys::const_iterator a, Keys::const_iterator b) const { return a->first < b->first; }
  };

  std::string_view text;
  FileId file;
  Diagnostics &diagnostics;
  WebBuilder builder;
  std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser;
  std::vector<Element> path; // from the outermost element to the one that is read
  Keys keys;
  Keys::iterator key = keys.end(); // the one that is declared, or whose datum is read
  std::string characters;
  std::map<Keys::const_iterator, std::pair<std::string, Span>, ById> said; // by the node or edge that is read
  Span place, dataSpan;
  std::vector<Edge> edges;
  bool hasGraph = false, directed = true, stopped = false;
};

/// Text of XML 1.0, or null for what it has no way to write.
std::optional<std::string> escaped(std::string_view text) {
  if (!isUtf8(text))
    return std::nullopt;
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char c = text[i];
    if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\t' || c == '\n' || c == '\r')
      result += fmt::format("&#{};", unsigned(c));
    else if (c < 0x20 || text.substr(i).starts_with("\xEF\xBF\xBE") || text.substr(i).starts_with("\xEF\xBF\xBF"))
      return std::nullopt;
    else
      result += char(c);
  }
  return result;
}

} // namespace

std::optional<Web> readGraphML(const SourceManager &sources, FileId file, Diagnostics &diagnostics) {
  return GraphMLReader(sources.text(file), file, diagnostics).run();
}

std::optional<std::string> graphMLText(const Web &web, const std::string &path, Diagnostics &diagnostics) {
  bool whole = true;
  auto xml = [&](const std::string &text) {
    auto result = escaped(text);
    if (!result && whole)
      diagnostics.report(Diag::WebTooRich, {}, path, fmt::format("'{}': XML has no such character", shown(text)))
          .help("write node-link JSON: a file that ends in .json");
    whole &= result.has_value();
    return result.value_or("");
  };
  // One key for each name of metadata and kind, for one name may be a number here and a text there.
  std::map<std::pair<std::string, bool>, std::size_t> columns;
  bool many = false, typed = false;
  for (const Web::Node &node : web.nodes) {
    many |= node.multiplicity != 1;
    for (const auto &[name, value] : node.metadata)
      if (!std::holds_alternative<std::monostate>(value))
        columns.emplace(std::pair(name, std::holds_alternative<std::string>(value)), 0);
  }
  for (const Web::Link &link : web.links)
    typed |= !link.type.empty();
  std::string text =
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"{}\">\n", graphMLNamespace);
  auto key = [&](const std::string &id, const char *element, const std::string &name, const char *type) {
    text += fmt::format("  <key id=\"{}\" for=\"{}\" attr.name=\"{}\" attr.type=\"{}\"/>\n", id, element, name, type);
  };
  if (many)
    key("m", "node", "m", "double");
  std::size_t next = 0;
  for (auto &[column, id] : columns)
    key(fmt::format("n{}", id = next++), "node", xml(column.first), column.second ? "string" : "double");
  key("weight", "edge", "weight", "double");
  if (typed)
    key("type", "edge", "type", "string");
  text += "  <graph edgedefault=\"directed\">\n";
  for (const Web::Node &node : web.nodes) {
    text += fmt::format("    <node id=\"{}\">", xml(node.name));
    if (node.multiplicity != 1)
      text += fmt::format("<data key=\"m\">{}</data>", node.multiplicity);
    for (const auto &[name, value] : node.metadata)
      if (auto *number = std::get_if<double>(&value))
        text += fmt::format("<data key=\"n{}\">{}</data>", columns.at({name, false}), *number);
      else if (auto *said = std::get_if<std::string>(&value))
        text += fmt::format("<data key=\"n{}\">{}</data>", columns.at({name, true}), xml(*said));
    text += "</node>\n";
  }
  for (const Web::Link &link : web.links) {
    text += fmt::format("    <edge source=\"{}\" target=\"{}\"><data key=\"weight\">{}</data>",
                        xml(web.nodes[link.source].name), xml(web.nodes[link.target].name), link.weight);
    if (!link.type.empty())
      text += fmt::format("<data key=\"type\">{}</data>", xml(link.type));
    text += "</edge>\n";
  }
  text += "  </graph>\n</graphml>\n";
  return whole ? std::optional(std::move(text)) : std::nullopt;
}

} // namespace attnc
