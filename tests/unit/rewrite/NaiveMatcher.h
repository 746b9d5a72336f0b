#pragma once
#include "attnc/rewrite/Match.h"

#include <set>
#include <string>

/// A deliberately naive matcher: every operation of the pattern is tried on every operation of the host, in both
/// orders where operands commute, and what is put together so is checked afterwards. For small hosts.
namespace attnc::rewriting {

/// Matches as text: the results by node, what each metavariable and learner stands for, the sizes. Of a bare learner,
/// whose every use is rewritten, the learner alone.
std::set<std::string> naiveMatches(const Host &host, const Pattern &pattern);

/// The same of what the engine found.
std::set<std::string> asText(const Host &host, const Pattern &pattern, const std::vector<Match> &matches);

} // namespace attnc::rewriting
