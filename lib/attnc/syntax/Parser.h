#pragma once
#include "attnc/support/Diagnostics.h"
#include "attnc/syntax/Ast.h"

namespace attnc {

/// Parses one file. Every definition that can be read is in the result, also when others are broken: each
/// broken one gives its own diagnostic and reading goes on at the next. Never fails otherwise; nesting
/// deeper than `maxNesting` is refused.
ast::File parse(const SourceManager &sources, FileId file, Diagnostics &diagnostics);

/// The deepest nesting of expressions, terms and boxes that is read.
inline constexpr unsigned maxNesting = 200;

/// The largest file that is read, in bytes.
inline constexpr std::size_t maxSourceBytes = std::size_t(64) << 20;

/// Is this a word the language keeps for itself (grammar/keywords.def)?
bool isKeyword(std::string_view word);

} // namespace attnc
