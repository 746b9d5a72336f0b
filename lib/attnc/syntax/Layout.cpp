#include "attnc/syntax/Layout.h"

namespace attnc::layout {

struct Node {
  enum class Kind { Text, Line, Soft, Hard, Comment, Concat, Nest, Group };
  Kind kind;
  std::string text;     // Text, Comment
  unsigned columns = 0; // Text: its width; Nest: how far; Hard: empty lines after it
  Docs parts;           // Concat, Nest, Group
  bool hard = false;    // a Hard is inside
};

static Doc make(Node node) {
  node.hard = node.kind == Node::Kind::Hard;
  for (const Doc &part : node.parts)
    node.hard |= part->hard;
  return std::make_shared<const Node>(std::move(node));
}

static unsigned columnsOf(const std::string &text) {
  unsigned columns = 0;
  for (char c : text)
    columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return columns;
}

Doc text(std::string text) {
  unsigned columns = columnsOf(text);
  return make({Node::Kind::Text, std::move(text), columns, {}});
}
Doc line() { return make({Node::Kind::Line, {}, 0, {}}); }
Doc soft() { return make({Node::Kind::Soft, {}, 0, {}}); }
Doc hard() { return make({Node::Kind::Hard, {}, 0, {}}); }
Doc blankLine() { return make({Node::Kind::Hard, {}, 1, {}}); }
Doc comment(std::string text) { return make({Node::Kind::Comment, std::move(text), 0, {}}); }
Doc concat(Docs parts) { return make({Node::Kind::Concat, {}, 0, std::move(parts)}); }
Doc nest(unsigned columns, Docs parts) { return make({Node::Kind::Nest, {}, columns, std::move(parts)}); }
Doc group(Docs parts) { return make({Node::Kind::Group, {}, 0, std::move(parts)}); }

Doc join(const Docs &parts, const Doc &separator) {
  Docs all;
  for (const Doc &part : parts) {
    if (!all.empty())
      all.push_back(separator);
    all.push_back(part);
  }
  return concat(std::move(all));
}

bool hasHardLine(const Doc &doc) { return doc->hard; }

namespace {

struct Command {
  const Node *node;
  unsigned indent;
  bool flat;
};

/// Do `group` on one line and what follows it up to the next possible line end fit in `room` columns? Looks
/// at no more nodes than about as many as there are columns.
bool fits(const Node *group, const std::vector<Command> &rest, int room) {
  std::vector<Command> stack{{group, 0, true}};
  std::size_t next = rest.size();
  while (room >= 0) {
    if (stack.empty()) {
      if (next == 0)
        return true;
      stack.push_back(rest[--next]);
    }
    Command command = stack.back();
    stack.pop_back();
    switch (command.node->kind) {
    case Node::Kind::Text:
      room -= command.node->columns;
      break;
    case Node::Kind::Line:
      if (!command.flat)
        return true;
      --room;
      break;
    case Node::Kind::Soft:
      if (!command.flat)
        return true;
      break;
    case Node::Kind::Hard:
    case Node::Kind::Comment:
      return true;
    case Node::Kind::Concat:
    case Node::Kind::Nest:
    case Node::Kind::Group:
      for (auto part = command.node->parts.rbegin(); part != command.node->parts.rend(); ++part)
        stack.push_back({part->get(), 0, command.flat});
      break;
    }
  }
  return false;
}

} // namespace

std::string render(const Doc &doc, unsigned width) {
  std::string out;
  unsigned column = 0, indent = 0;
  bool atLineStart = true;
  auto write = [&](const std::string &text, unsigned columns) {
    if (text.empty())
      return;
    if (atLineStart) {
      out.append(indent, ' ');
      column = indent;
      atLineStart = false;
    }
    out += text;
    column += columns;
  };
  auto endLine = [&](unsigned next) {
    while (!out.empty() && out.back() == ' ')
      out.pop_back();
    out += '\n';
    indent = column = next;
    atLineStart = true;
  };
  std::vector<Command> stack{{doc.get(), 0, false}};
  while (!stack.empty()) {
    Command command = stack.back();
    stack.pop_back();
    const Node &node = *command.node;
    switch (node.kind) {
    case Node::Kind::Text:
    case Node::Kind::Comment:
      write(node.text, node.columns);
      break;
    case Node::Kind::Line:
    case Node::Kind::Soft:
      if (!command.flat)
        endLine(command.indent);
      else if (node.kind == Node::Kind::Line)
        write(" ", 1);
      break;
    case Node::Kind::Hard:
      endLine(command.indent);
      for (unsigned i = 0; i < node.columns; ++i)
        endLine(command.indent);
      break;
    case Node::Kind::Group:
    case Node::Kind::Concat:
    case Node::Kind::Nest: {
      bool flat = command.flat;
      if (node.kind == Node::Kind::Group && !flat)
        flat = !node.hard && fits(&node, stack, int(width) - int(atLineStart ? command.indent : column));
      unsigned inside = command.indent + (node.kind == Node::Kind::Nest ? node.columns : 0);
      for (auto part = node.parts.rbegin(); part != node.parts.rend(); ++part)
        stack.push_back({part->get(), inside, flat});
      break;
    }
    }
  }
  return out;
}

} // namespace attnc::layout
