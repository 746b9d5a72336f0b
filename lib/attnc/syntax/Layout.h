#pragma once
#include <memory>
#include <string>
#include <vector>

/// Text with places where a line may end, laid out to a width (P. Wadler, "A prettier printer", 1998).
///
///     group({text("f("), nest(2, {soft(), a, text(","), line(), b}), soft(), text(")")})
///
///     f(a, b)          when it fits, else         f(
///                                                   a,
///                                                   b
///                                                 )
/// A group is laid out on one line when it and what follows up to the next possible line end fit, and
/// nothing in it must end a line; else its own `line`s and `soft`s all end lines.
namespace attnc::layout {

struct Node;
using Doc = std::shared_ptr<const Node>;
using Docs = std::vector<Doc>;

Doc text(std::string text);
/// A blank, or the end of a line.
Doc line();
/// Nothing, or the end of a line.
Doc soft();
/// The end of a line, always.
Doc hard();
/// The end of a line and an empty line.
Doc blankLine();
/// Text that ends its line and counts as no width; `hard` must follow.
Doc comment(std::string text);
Doc concat(Docs parts);
/// Lines that end inside are followed by `columns` more blanks.
Doc nest(unsigned columns, Docs parts);
Doc group(Docs parts);
/// `parts` with `separator` between.
Doc join(const Docs &parts, const Doc &separator);

/// Must it take more than one line?
bool hasHardLine(const Doc &doc);

/// No line ends in blanks; the text ends without a line end.
std::string render(const Doc &doc, unsigned width);

} // namespace attnc::layout
