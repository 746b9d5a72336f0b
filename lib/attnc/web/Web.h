#pragma once
#include "attnc/support/Diagnostics.h"

#include <map>
#include <variant>

namespace attnc {

/// A web of tokens: nodes with names and metadata, and weighted links of named types from node to node. It is what a
/// file of a graph holds and what rhizomatic attention takes.
///
/// Names of nodes differ. A weight is finite and not negative, and at most one link goes from one node to another.
struct Web {
  using Id = std::uint32_t; // a node, by its place

  /// What is known of a node under one name: nothing, a number or a text.
  using Metadatum = std::variant<std::monostate, double, std::string>;
  struct Node {
    std::string name;
    double multiplicity = 1; // how many tokens were merged into it
    std::map<std::string, Metadatum> metadata = {};
    Span span = {};
  };
  struct Link {
    Id source, target;
    double weight = 1;
    std::string type = {}; // empty: of no type
    Span span = {};
  };
  std::vector<Node> nodes;
  std::vector<Link> links;

  /// The node of that name; reports with the nearest name when there is none.
  std::optional<Id> find(const std::string &name, Diagnostics &diagnostics) const;
  /// The numbers of types: those they are written as when all are, else their places in alphabetical order.
  std::map<std::string, std::int64_t> typeNumbers() const;
};

/// Makes a web, and reports what it must not have.
class WebBuilder {
public:
  explicit WebBuilder(Diagnostics &diagnostics) : diagnostics(diagnostics) {}

  /// A new node; null, reported, if there is one of that name. It stays where it is until the next is made.
  Web::Node *node(const std::string &name, Span span);
  /// The node of that name, which is made when there is none.
  Web::Id nodeFor(const std::string &name, Span span);
  /// The node of that name, one end of a link; reported when there is none. `end` is "source" or "target".
  std::optional<Web::Id> end(std::string_view end, const std::string &name, Span span);
  void link(Web::Link link);
  /// The number if it may be a weight or a multiplicity; reported when not.
  std::optional<double> weight(std::optional<double> number, std::string_view text, Span span);

  Web web;

private:
  Diagnostics &diagnostics;
  std::map<std::string, Web::Id, std::less<>> ids;
  std::map<std::pair<Web::Id, Web::Id>, Span> known;
  std::size_t suggestions = 0;
};

/// Reads a web in the form that the extension of the file's name says; reports what is wrong, and gives nothing then.
///
/// `.csv`, `.tsv`: an edge list (RFC 4180). The first line names the columns: source, target, and if there are, weight
/// (1 where left out) and type; others are not looked at. The nodes are those that are linked, in order of first sight.
/// `.json`: node-link JSON as networkx writes it: nodes with `id` and metadata (`m` is the multiplicity), `edges` or
/// `links` with source, target, weight and type. A web that is not `directed` has each link both ways.
/// `.graphml`: GraphML (Brandes et al. 2002), one graph without hyperedges and without graphs in nodes. The names are
/// the ids; data called `m` (of nodes), `weight` and `type` (of edges) are those of JSON, other data of nodes are
/// metadata, by the types of their keys. Ports, and what other tools keep in elements of their own, are not looked at.
/// A document type is refused, so that nothing grows by entities and no other file is read.
std::optional<Web> readWeb(const SourceManager &sources, FileId file, Diagnostics &diagnostics);
std::optional<Web> readEdgeList(const SourceManager &sources, FileId file, char separator, Diagnostics &diagnostics);
std::optional<Web> readNodeLink(const SourceManager &sources, FileId file, Diagnostics &diagnostics);
std::optional<Web> readGraphML(const SourceManager &sources, FileId file, Diagnostics &diagnostics);
/// Whether the extension is one that `readWeb` reads.
bool isWebFile(const std::string &path);

/// The same forms; the same web gives the same bytes. An edge list is refused for a web with nodes that it cannot show,
/// GraphML for one with characters that XML does not have.
std::optional<std::string> edgeListText(const Web &web, char separator, const std::string &path,
                                        Diagnostics &diagnostics);
std::string nodeLinkText(const Web &web);
std::optional<std::string> graphMLText(const Web &web, const std::string &path, Diagnostics &diagnostics);

} // namespace attnc
