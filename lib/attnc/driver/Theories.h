#pragma once
#include "attnc/driver/Session.h"
#include "attnc/prove/Search.h"

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

namespace attnc {

/// Reports each rule that is no pattern or does not hold to what it claims (prove/Soundness.h).
void checkRules(const Module &module, Diagnostics &diagnostics);

struct Replay;
/// Reports the step of a derivation that cannot be made, or that its end is another; whether there was anything.
bool reportProblem(const Derivation &derivation, const Replay &replay, Diagnostics &diagnostics);

/// The folder of rules and mechanisms that comes with attnc: `taxonomy` beside the installed data, or in the source
/// tree.
std::filesystem::path taxonomyFolder();

/// The theory of `--rules FILE[:NAME]`: the named one or the last of the file, or, when the file has none, all its
/// rules; every rule of taxonomy/rules when nothing is named. Null after an error.
TheoryRef selectTheory(Session &session, const std::string &reference);

/// The first source that a doc comment names: what stands behind `@cite`, to the end of the paragraph.
std::string citation(const std::string &doc);

/// Moves for scripts: rule, kind, reversed, match (0: everywhere).
nlohmann::json movesJson(const std::vector<Move> &moves);

/// What a doc comment says before its sources, on one line.
std::string prose(const std::string &doc);

/// FILE or FILE:NAME; a colon within a path that exists is part of the path.
std::pair<std::string, std::string> splitReference(const std::string &reference);

/// A line on `err` that is written over, at most a few times a second and only on a terminal.
class Progress {
public:
  explicit Progress(std::ostream &err);
  ~Progress();
  void say(const std::string &text);

private:
  std::ostream &err;
  bool visible, written = false;
  std::int64_t last = 0;
};

} // namespace attnc
