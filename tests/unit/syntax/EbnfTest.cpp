// grammar/attnc.ebnf, the tables and the parser are one language: the words and signs of the first are those of
// the second, and what the first can write the third reads.
#include "Syntax.h"

#include <cctype>
#include <map>
#include <memory>
#include <random>
#include <set>

namespace {

/// A right side of the grammar.
struct Node {
  enum class Kind { Terminal, Nonterminal, Special, Sequence, Choice, Option, Repeat } kind;
  std::string text;
  std::vector<Node> parts;
};

class EbnfReader {
public:
  explicit EbnfReader(const std::string &text) { split(text); }

  std::map<std::string, Node> run() {
    std::map<std::string, Node> rules;
    while (at < tokens.size()) {
      std::string name = tokens[at++];
      expect("=");
      REQUIRE(rules.emplace(name, choice()).second);
      expect(";");
    }
    return rules;
  }

private:
  void split(const std::string &text) {
    for (std::size_t i = 0; i < text.size();) {
      auto until = [&](const std::string &close, std::size_t from) {
        std::size_t end = text.find(close, from);
        REQUIRE(end != text.npos);
        return end + close.size();
      };
      if (std::isspace(static_cast<unsigned char>(text[i]))) {
        ++i;
        continue;
      }
      std::size_t end = i + 1;
      if (text.compare(i, 2, "(*") == 0) {
        i = until("*)", i);
        continue;
      }
      if (text[i] == '"' || text[i] == '\'' || text[i] == '?')
        end = until(std::string(1, text[i]), i + 1);
      else if (std::isalpha(static_cast<unsigned char>(text[i])))
        while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '-'))
          ++end;
      else if (text.compare(i, 3, "…") == 0)
        end = i + 3;
      tokens.push_back(text.substr(i, end - i));
      i = end;
    }
  }
  void expect(const std::string &token) {
    REQUIRE(at < tokens.size());
    REQUIRE(tokens[at++] == token);
  }
  Node choice() {
    Node node{Node::Kind::Choice, {}, {sequence()}};
    while (tokens[at] == "|") {
      ++at;
      node.parts.push_back(sequence());
    }
    return node;
  }
  Node sequence() {
    Node node{Node::Kind::Sequence, {}, {}};
    while (std::string("|;)]}").find(tokens[at]) == std::string::npos) {
      const std::string token = tokens[at++];
      if (token == "(" || token == "[" || token == "{") {
        Node inner = choice();
        expect(token == "(" ? ")" : token == "[" ? "]" : "}");
        auto kind = token == "(" ? Node::Kind::Sequence : token == "[" ? Node::Kind::Option : Node::Kind::Repeat;
        node.parts.push_back({kind, {}, {inner}});
      } else if (token[0] == '"' || token[0] == '\'') {
        node.parts.push_back({Node::Kind::Terminal, token.substr(1, token.size() - 2), {}});
      } else {
        node.parts.push_back({token[0] == '?' ? Node::Kind::Special : Node::Kind::Nonterminal, token, {}});
      }
    }
    return node;
  }

  std::vector<std::string> tokens;
  std::size_t at = 0;
};

std::string grammarText(const char *file) { return fileText(std::string(ATTNC_SOURCE_DIR) + "/grammar/" + file); }

/// The part above the tokens, which names bytes rather than words.
std::map<std::string, Node> grammarRules() {
  std::string text = grammarText("attnc.ebnf");
  return EbnfReader(text.substr(0, text.find("(* Tokens *)"))).run();
}

void collect(const Node &node, Node::Kind kind, std::set<std::string> &into) {
  if (node.kind == kind)
    into.insert(node.text);
  for (const Node &part : node.parts)
    collect(part, kind, into);
}

/// Writes random sentences. Blanks are random where they mean nothing.
class Writer {
public:
  Writer(const std::map<std::string, Node> &rules, unsigned seed) : rules(rules), random(seed) {}

  std::string sentence() {
    out.clear();
    budget = 60 + pick(400);
    write(Node{Node::Kind::Nonterminal, "file", {}}, 0, "");
    return out;
  }

private:
  unsigned pick(unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random); }

  void token(const std::string &text) {
    if (space == Space::Free)
      out += std::vector<std::string>{" ", "  ", "\n", " // comment\n"}[pick(4)];
    else if (space == Space::Line)
      out += " ";
    else if (space == Space::NewLine)
      out += "\n";
    space = Space::Free;
    out += text;
    budget -= budget > 0;
  }

  void write(const Node &node, unsigned depth, const std::string &inside) {
    switch (node.kind) {
    case Node::Kind::Terminal:
      token(node.text == "@" && pick(4) == 0 ? "⊗" : node.text == "->" && pick(4) == 0 ? "→" : node.text);
      break;
    case Node::Kind::Special:
      space = node.text == "? no blank ?" ? Space::None : Space::Line;
      break;
    case Node::Kind::Nonterminal:
      nonterminal(node.text, depth, inside);
      break;
    case Node::Kind::Sequence:
      for (const Node &part : node.parts)
        write(part, depth, inside);
      break;
    case Node::Kind::Choice: {
      // Out of budget or too deep, the shortest way out.
      const Node *choice = &node.parts[pick(node.parts.size())];
      if (budget == 0 || depth > 120)
        for (const Node &part : node.parts)
          if (height(part) < height(*choice))
            choice = &part;
      write(*choice, depth, inside);
      break;
    }
    case Node::Kind::Option:
      if (budget > 0 && depth < 120 && pick(3) == 0)
        write(node.parts[0], depth, inside);
      break;
    case Node::Kind::Repeat:
      while (budget > 0 && depth < 120 && pick(inside == "file" ? 8 : 3) != 0)
        write(node.parts[0], depth, inside);
      break;
    }
  }

  void nonterminal(const std::string &name, unsigned depth, const std::string &inside) {
    static const std::vector<std::string> names = {"x", "W", "n", "q'", "map", "long_name", "_"};
    if (name == "name")
      return token(names[pick(names.size())]);
    if (name == "natural")
      return token(pick(2) ? "2" : "17");
    if (name == "number")
      return token(pick(2) ? "3" : "0.5e-3");
    if (name == "string")
      return token("\"file.attn\"");
    // What could go on with the statement or definition before begins a line, and not with an operator.
    if (inside == "block" || name == "item")
      space = Space::NewLine;
    if ((inside == "block" && name == "expression") || name == "side") {
      std::size_t begin = out.size();
      write(rules.at(name), depth + 1, name);
      std::size_t first = out.find_first_not_of(" \n", begin);
      if (first != out.npos && out[first] == '-')
        out.insert(first, "("), out += ")";
      return;
    }
    write(rules.at(name), depth + 1, name);
  }

  /// How deep the shortest sentence is.
  unsigned height(const Node &node) {
    if (node.kind == Node::Kind::Nonterminal) {
      if (!rules.count(node.text))
        return 0;
      auto [known, isNew] = heights.emplace(node.text, 1000);
      if (isNew) {
        // To a fixed point: recursive ways count as endless until a way out is found.
        for (int round = 0; round < 30; ++round)
          heights[node.text] = std::min(1000u, 1 + height(rules.at(node.text)));
      }
      return heights[node.text];
    }
    unsigned result = node.kind == Node::Kind::Choice ? 1000 : 0;
    if (node.kind == Node::Kind::Option || node.kind == Node::Kind::Repeat)
      return 0;
    for (const Node &part : node.parts)
      result = node.kind == Node::Kind::Choice ? std::min(result, height(part)) : std::max(result, height(part));
    return result;
  }

  enum class Space { Free, Line, NewLine, None };
  const std::map<std::string, Node> &rules;
  std::mt19937 random;
  std::map<std::string, unsigned> heights;
  std::string out;
  Space space = Space::None;
  unsigned budget = 0;
};

} // namespace

TEST_CASE("the EBNF has the words and signs of the tables, and no others") {
  std::set<std::string> inGrammar, inTables;
  for (const auto &[name, rule] : grammarRules())
    collect(rule, Node::Kind::Terminal, inGrammar);
#define ATTNC_KEYWORD(TOKEN, SPELLING, ROLE) inTables.insert(SPELLING);
#include "grammar/keywords.def"
#define ATTNC_SIGN(TOKEN, SPELLING, OTHER) inTables.insert(SPELLING);
#include "grammar/operators.def"
  inTables.insert({"map", "share", "reversed", "at", "everywhere", "depth", "sort", "copy", "class", "without",
                   "through", "sharing", "using"}); // words in their places alone
  CHECK(inGrammar == inTables);
}

TEST_CASE("the EBNF defines what it uses and uses what it defines") {
  std::set<std::string> used{"file"}, defined{"name", "natural", "number", "string"};
  for (const auto &[name, rule] : grammarRules()) {
    defined.insert(name);
    collect(rule, Node::Kind::Nonterminal, used);
  }
  CHECK(used == defined);
}

TEST_CASE("the parser reads what the EBNF writes") {
  auto rules = grammarRules();
  for (unsigned seed = 0; seed < 3000; ++seed) {
    std::string text = Writer(rules, seed).sentence();
    Read read(text);
    INFO(seed << "\n" << text << "\n" << read.diagnostics.render());
    REQUIRE(read.errors().empty());
    std::string printed = read.printed();
    Read again(printed);
    INFO(printed << "\n" << again.diagnostics.render());
    REQUIRE(again.errors().empty());
    REQUIRE(again.dumped() == read.dumped());
    REQUIRE(again.printed() == printed);
  }
}

TEST_CASE("the editor grammar knows every word and sign") {
  std::string editor = grammarText("attn.tmLanguage.json");
#define ATTNC_KEYWORD(TOKEN, SPELLING, ROLE)                                                                           \
  CHECK((editor.find("|" SPELLING "|") != editor.npos || editor.find("(" SPELLING "|") != editor.npos ||               \
         editor.find("|" SPELLING ")") != editor.npos));
#include "grammar/keywords.def"
  // The words that are names elsewhere.
  for (const char *word :
       {"sort", "copy", "class", "without", "through", "sharing", "using", "reversed", "everywhere", "depth"})
    CHECK((editor.find("(" + std::string(word) + "|") != editor.npos ||
           editor.find("|" + std::string(word) + "|") != editor.npos ||
           editor.find("|" + std::string(word) + ")") != editor.npos ||
           editor.find("(" + std::string(word) + ")") != editor.npos));
}
