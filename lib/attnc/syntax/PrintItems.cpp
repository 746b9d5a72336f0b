// Where comments and empty lines go.
#include "attnc/syntax/TreePrinter.h"

#include <algorithm>
#include <utility>

namespace attnc {

using namespace layout;

TreePrinter::TreePrinter(const TokenStream *stream) : stream(stream), taken(stream ? stream->comments.size() : 0) {}

/// The comments that begin in [begin, end) and that nothing has taken yet.
std::vector<const Comment *> TreePrinter::take(std::uint32_t begin, std::uint32_t end) {
  std::vector<const Comment *> result;
  if (!stream)
    return result;
  const auto &comments = stream->comments;
  auto first = std::lower_bound(comments.begin(), comments.end(), begin,
                                [](const Comment &c, std::uint32_t at) { return c.begin < at; });
  for (auto comment = first; comment != comments.end() && comment->begin < end; ++comment) {
    std::size_t index = comment - comments.begin();
    if (!taken[index])
      result.push_back(&*comment);
    taken[index] = true;
  }
  return result;
}

bool TreePrinter::blankLineBefore(std::uint32_t offset) const {
  if (!stream)
    return false;
  unsigned lineEnds = 0;
  while (offset > 0 && std::string_view(" \t\r\n").find(stream->text[offset - 1]) != std::string_view::npos)
    lineEnds += stream->text[--offset] == '\n';
  return lineEnds >= 2;
}

Doc TreePrinter::written(const Comment &comment, bool plain) const {
  std::uint32_t begin = comment.begin + plain;
  return layout::comment(std::string(stream->text.substr(begin, comment.end - begin)));
}

TreePrinter::Items TreePrinter::items(Span region, const std::vector<Item> &list) {
  Items result;
  std::uint32_t at = region.begin;
  bool apart = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Item &item = list[i];
    std::vector<const Comment *> before = take(at, item.span.begin);
    std::uint32_t start = item.span.begin;
    if (item.documented) {
      // Its own doc comments are printed from the tree; the first of them is where it begins.
      auto own = [&](const Comment *c) {
        return c->doc && c->ownLine && stream->tokens[c->token].begin == item.span.begin;
      };
      auto first = std::find_if(before.begin(), before.end(), own);
      if (first != before.end())
        start = (*first)->begin;
      before.erase(std::remove_if(before.begin(), before.end(), own), before.end());
    }
    if (i == 0 && !before.empty() && !before[0]->ownLine) {
      result.opening = written(*before[0]);
      before.erase(before.begin());
    }
    Doc doc = item.print();
    // What nothing inside has taken goes before the item, with the item's empty line before it.
    std::vector<const Comment *> inside = take(item.span.begin, item.span.end);
    bool blank = blankLineBefore(start);
    std::size_t firstPiece = result.pieces.size();
    for (const Comment *comment : before)
      result.pieces.push_back({written(*comment), blankLineBefore(comment->begin)});
    for (const Comment *comment : inside)
      result.pieces.push_back({written(*comment, item.documentable && comment->doc), std::exchange(blank, false)});
    result.commented |= !before.empty() || !inside.empty() || result.opening;

    std::uint32_t limit = i + 1 < list.size() ? list[i + 1].span.begin : region.end;
    std::uint32_t lineEnd = stream ? std::min(stream->text.find('\n', item.span.end), stream->text.size()) : 0;
    at = item.span.end;
    for (const Comment *comment : take(at, std::min(limit, lineEnd))) {
      doc = concat({doc, text(" "), written(*comment)});
      result.commented = true;
    }
    result.pieces.push_back({doc, blank});
    if (i > 0 && (item.apart || apart))
      result.pieces[firstPiece].blankBefore = true;
    apart = item.apart;
  }
  for (const Comment *comment : take(at, region.end)) {
    if (list.empty() && !comment->ownLine && result.pieces.empty() && !result.opening)
      result.opening = written(*comment);
    else
      result.pieces.push_back({written(*comment), blankLineBefore(comment->begin)});
    result.commented = true;
  }
  if (!result.pieces.empty())
    result.pieces[0].blankBefore = false;
  return result;
}

Doc TreePrinter::Items::lines(bool flowing) const {
  Docs docs;
  for (const Piece &piece : pieces) {
    if (!docs.empty())
      docs.push_back(flowing ? line() : piece.blankBefore ? blankLine() : hard());
    docs.push_back(piece.doc);
  }
  return concat(std::move(docs));
}

Doc TreePrinter::braces(Span region, const std::vector<Item> &list, bool mayBeFlat) {
  return braces(items(region, list), mayBeFlat);
}

Doc TreePrinter::braces(const Items &inside, bool mayBeFlat) {
  if (inside.pieces.empty() && !inside.opening)
    return text("{ }");
  if (mayBeFlat && !inside.commented)
    return group({text("{"), nest(2, {line(), inside.lines(true)}), line(), text("}")});
  Doc opening = inside.opening ? concat({text("{ "), inside.opening}) : text("{");
  if (inside.pieces.empty())
    return concat({opening, hard(), text("}")});
  return concat({opening, nest(2, {hard(), inside.lines()}), hard(), text("}")});
}

Doc TreePrinter::file(const ast::File &file) {
  std::vector<Item> list;
  for (const auto &item : file.items) {
    if (const auto *import = std::get_if<ast::Import>(&item))
      list.push_back({import->span, [import] { return text("import \"" + import->path + "\""); }});
    else if (const auto *declaration = std::get_if<ast::DiagramDecl>(&item))
      list.push_back(
          {declaration->span,
           // One that was made, not read, has no places for comments: they all go before it.
           [this, declaration] {
             return declaration->name.span.valid() ? diagram(*declaration) : TreePrinter(nullptr).diagram(*declaration);
           },
           true, !declaration->doc.empty(), !std::holds_alternative<ast::SpecialiseForm>(declaration->form)});
    else if (const auto *one = std::get_if<ast::RuleDecl>(&item))
      list.push_back({one->span, [this, one] { return rule(*one); }, true, !one->doc.empty(), true});
    else if (const auto *one = std::get_if<ast::DerivationDecl>(&item))
      list.push_back({one->span, [this, one] { return derivation(*one); }, true, !one->doc.empty(), true});
    else if (const auto *one = std::get_if<ast::TheoryDecl>(&item))
      list.push_back({one->span, [this, one] { return theory(*one); }, true, !one->doc.empty(), true});
    else if (const auto *one = std::get_if<ast::TaxonomyDecl>(&item))
      list.push_back({one->span, [this, one] { return taxonomy(*one); }, true, !one->doc.empty(), true});
    else if (const auto *one = std::get_if<ast::GeneratorsDecl>(&item))
      list.push_back({one->span, [this, one] { return generators(*one); }, true, !one->doc.empty(), true});
  }
  std::uint32_t end = stream ? stream->text.size() : 0;
  Items inside = items({file.id, 0, end}, list);
  if (inside.opening)
    return concat({inside.opening, hard(), inside.lines()});
  return inside.lines();
}

} // namespace attnc
