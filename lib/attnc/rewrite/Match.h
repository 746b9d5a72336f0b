#pragma once
#include "attnc/rewrite/Pattern.h"
#include "attnc/rewrite/Scope.h"
#include "attnc/rewrite/Sizes.h"

#include <functional>

namespace attnc::rewriting {

/// Where a pattern matches.
struct Match {
  std::vector<Wire> roots;   // of the host, by result of the rule
  std::vector<Image> images; // by input of the rule; of those the left side does not have, the wire is invalid
  std::vector<Env> envs;
  Size::Bindings sizes;
  /// Sizes of the host that the rule needs to be others, which narrows the host (`Pattern::mayNarrow`).
  Size::Bindings equated;
  struct LearnerImage {
    LearnerId learner; // of the host; invalid: the left side does not have it
    std::vector<BinderId> pers;
  };
  std::vector<LearnerImage> learners;
  std::vector<NodeId> applied;                        // the uses of learners in the match
  std::vector<std::pair<BinderId, BinderId>> binders; // of the pattern: of the host
  std::vector<BinderId> context;                      // for dropped axes that are met: of the host
};

/// Every match of a pattern in what the host's outputs need, each once, by rank of the first result. Those that are not
/// convex (a metavariable depends on a result, so that the replacement would feed itself) are none. `yes` may say false
/// to end the search. A learner that the right side lacks must have no other use (or, of a bare learner, each use is
/// rewritten: one match for the learner).
void forEachMatch(const Host &host, const Pattern &pattern, const std::function<bool(Match)> &yes);
std::vector<Match> allMatches(const Host &host, const Pattern &pattern);

/// The nodes of the host that a match is made of: what is between its results and what its metavariables stand for.
std::vector<NodeId> nodesOf(const Host &host, const Pattern &pattern, const Match &match);

/// The match still stands: its roots are there, and it is convex. After another rewrite it may not be.
bool isConvex(const Host &host, const Match &match);

} // namespace attnc::rewriting
