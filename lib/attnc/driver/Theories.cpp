#include "attnc/driver/Theories.h"

#include "attnc/driver/Features.h"
#include "attnc/prove/Replay.h"
#include "attnc/prove/Soundness.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

namespace attnc {

void checkRules(const Module &module, Diagnostics &diagnostics) {
  rewriting::Tables tables;
  for (const RuleRef &rule : module.rules) {
    bool pattern = false;
    std::string reason;
    for (bool reversed : {false, true}) {
      if (reversed && !rule->bothWays)
        break;
      auto made = rewriting::Pattern::make(tables, rule, reversed);
      pattern |= made.has_value();
      if (!made && reason.empty())
        reason = made.error();
    }
    if (!pattern)
      diagnostics.report(Diag::RulePattern, rule->span, "left", rule->name, reason);
    if (auto wrong = falseClaim(*rule))
      diagnostics.report(Diag::RuleClaim, rule->span, rule->name, name(rule->kind), *wrong);
  }
}

bool reportProblem(const Derivation &derivation, const Replay &replay, Diagnostics &diagnostics) {
  if (replay.problem.empty())
    return false;
  std::size_t at = replay.rewrites.size();
  if (at < derivation.steps.size())
    diagnostics.report(Diag::StepFails, derivation.steps[at].span, at + 1, derivation.steps[at].rule->name,
                       replay.problem);
  else
    diagnostics.report(Diag::DerivationEnds, derivation.span, derivation.name, derivation.to->name, replay.problem);
  return true;
}

std::filesystem::path taxonomyFolder() {
  std::error_code ignored;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  std::filesystem::path installed = program.parent_path().parent_path() / "share" / "attnc" / "taxonomy";
  if (std::filesystem::is_directory(installed, ignored))
    return installed;
  return std::filesystem::path(ATTNC_TAXONOMY);
}

std::string citation(const std::string &doc) {
  constexpr std::string_view mark = "@cite";
  std::size_t at = doc.find(mark);
  if (at == std::string::npos)
    return "";
  // To the end of its paragraph: it may be wrapped.
  std::string text = doc.substr(std::min(at + mark.size() + 1, doc.size()));
  text.resize(std::min(text.find("\n\n"), text.size()));
  text.resize(std::min(text.find(mark), text.size()));
  std::ranges::replace(text, '\n', ' ');
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

nlohmann::json movesJson(const std::vector<Move> &moves) {
  nlohmann::json steps = nlohmann::json::array();
  for (const Move &move : moves)
    steps.push_back({{"rule", move.rule->name},
                     {"kind", claim(*move.rule, move.reversed)},
                     {"reversed", move.reversed},
                     {"match", move.match}});
  return steps;
}

std::string prose(const std::string &doc) {
  std::istringstream words(doc.substr(0, doc.find("@cite")));
  std::string text;
  for (std::string word; words >> word;)
    text += (text.empty() ? "" : " ") + word;
  return text;
}

std::pair<std::string, std::string> splitReference(const std::string &reference) {
  std::size_t colon = reference.rfind(':');
  std::error_code ignored;
  if (colon == std::string::npos || std::filesystem::exists(reference, ignored))
    return {reference, ""};
  return {reference.substr(0, colon), reference.substr(colon + 1)};
}

TheoryRef selectTheory(Session &session, const std::string &reference) {
  auto all = std::make_shared<Theory>();
  std::vector<std::filesystem::path> files;
  auto [file, name] = splitReference(reference);
  if (reference.empty()) {
    std::error_code ignored;
    for (const auto &entry : std::filesystem::directory_iterator(taxonomyFolder() / "rules", ignored))
      if (entry.path().extension() == ".attn")
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
  } else {
    files.emplace_back(file);
  }
  for (const auto &path : files) {
    auto module = session.load(path.string());
    if (!module)
      return nullptr;
    if (!reference.empty()) {
      for (const TheoryRef &theory : module->theories)
        if (theory->name == name)
          return theory;
      if (!name.empty()) {
        session.diagnostics.report(Diag::UnknownRule, {}, "theory", name);
        return nullptr;
      }
      if (!module->theories.empty())
        return module->theories.back();
    }
    for (const RuleRef &rule : module->rules) {
      all->rules.push_back({rule, false});
      if (rule->bothWays)
        all->rules.push_back({rule, true});
    }
  }
  if (all->rules.empty() && !session.diagnostics.hasErrors())
    session.diagnostics.report(Diag::NothingFound, {}, fmt::format("'{}' holds no rule and no theory", reference));
  return session.diagnostics.hasErrors() ? nullptr : all;
}

static std::int64_t now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

Progress::Progress(std::ostream &err) : err(err), visible(&err == &std::cerr && isatty(2)), last(now()) {}

void Progress::say(const std::string &text) {
  if (!visible || now() - last < 250)
    return;
  last = now();
  written = true;
  err << "\r\033[K" << text << std::flush;
}

Progress::~Progress() {
  if (written)
    err << "\r\033[K" << std::flush;
}

} // namespace attnc
