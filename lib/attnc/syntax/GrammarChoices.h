#pragma once
#include "attnc/syntax/GrammarParts.h"

/// What begins here: the choices of the grammar, each made by the next token or two.
namespace attnc::grammar {

using T = TokenKind;

inline bool isCap(TokenKind kind) { return keywordRole(kind) == KeywordRole::Cap; }
inline bool onSameLine(const Token &token) { return !token.newlineBefore; }

/// The word before the parenthesis of a call. A fold is called when no blank parts the two: `sum(x)`.
inline bool startsCall(Iterator at, const State &) {
  if (at[0].kind == T::End || at[1].kind != T::LeftParen || at[1].newlineBefore)
    return false;
  return at->kind == T::Name || keywordRole(at->kind) == KeywordRole::Function ||
         (isCap(at->kind) && !at[1].blankBefore);
}
inline bool startsBox(Iterator at, const State &) { return at->kind == T::Simd || isCap(at->kind); }
inline bool startsKeyword(Iterator at, const State &) { return at->kind == T::Name && at[1].kind == T::Assign; }
inline bool startsBinding(Iterator at, const State &state) {
  if (at->kind == T::LeftParen)
    return at->partner && state.stream.tokens[at->partner + 1].kind == T::Assign;
  return at->kind == T::Name && (at[1].kind == T::Assign || at[1].kind == T::Colon);
}
inline bool startsInstance(Iterator at, const State &) { return at->kind == T::Box && at[1].kind == T::Name; }

/// A fold is a box when a size follows on its line, with a blank if that begins with a parenthesis.
inline bool startsBoxTerm(Iterator at, const State &) {
  if (!isCap(at->kind))
    return at->kind == T::Simd;
  return onSameLine(at[1]) &&
         (at[1].kind == T::Name || at[1].kind == T::Number || (at[1].kind == T::LeftParen && at[1].blankBefore));
}
inline bool isAtomName(const Token &token) {
  auto role = keywordRole(token.kind);
  return token.kind == T::Name || role == KeywordRole::Function || role == KeywordRole::Cap ||
         role == KeywordRole::Operator;
}
inline bool startsAtomArguments(Iterator at, const State &) { return at->kind == T::LeftParen && onSameLine(*at); }
inline bool startsAtomType(Iterator at, const State &) {
  bool kinded = at->kind == T::Real || at->kind == T::Int || at->kind == T::Bool;
  return onSameLine(*at) && (at->kind == T::LeftBracket || (kinded && at[1].kind == T::LeftBracket));
}
inline bool isMode(Iterator at, const State &state) {
  return at->kind == T::Name && (state.stream.spelling(*at) == "map" || state.stream.spelling(*at) == "share");
}

} // namespace attnc::grammar
