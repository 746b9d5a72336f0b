#include "attnc/driver/Commands.h"
#include "attnc/driver/Theories.h"
#include "attnc/prove/Replay.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <ostream>

namespace attnc {

static std::vector<std::string> texts(const std::vector<Constraint> &conditions) {
  std::vector<std::string> result;
  for (const Constraint &one : conditions)
    result.push_back(one.str());
  return result;
}

static nlohmann::json describeJson(const Derivation &derivation, const Replay &replay) {
  nlohmann::json steps = nlohmann::json::array();
  for (const Rewrite &rewrite : replay.rewrites)
    steps.push_back({{"rule", rewrite.step->rule->name},
                     {"kind", claim(*rewrite.step->rule, rewrite.step->reversed)},
                     {"reversed", rewrite.step->reversed},
                     {"at", rewrite.place},
                     {"matches", rewrite.matches},
                     {"assumes", texts(rewrite.assumed)},
                     {"cite", citation(rewrite.step->rule->doc)},
                     {"signature", rewrite.after.signature()}});
  return {{"name", derivation.name},   {"doc", derivation.doc}, {"from", derivation.from->name},
          {"to", derivation.to->name}, {"steps", steps},        {"holds", replay.reached},
          {"problem", replay.problem}};
}

int prove(const ProveOptions &options, Console console) {
  Session session(console);
  nlohmann::json all = nlohmann::json::array();
  std::size_t count = 0;
  for (const std::string &file : options.files) {
    auto module = session.load(file);
    if (!module || session.diagnostics.hasErrors())
      continue;
    checkRules(*module, session.diagnostics);
    for (const auto &derivation : module->derivations) {
      ++count;
      Replay replay = attnc::replay(*derivation);
      if (console.json)
        all.push_back(describeJson(*derivation, replay));
      else
        console.out << fmt::format("{}: {} => {}\n{}", derivation->name, derivation->from->name, derivation->to->name,
                                   derivation->doc.empty() ? "" : "      " + prose(derivation->doc) + "\n");
      for (std::size_t i = 0; !console.json && i < replay.rewrites.size(); ++i) {
        const Rewrite &rewrite = replay.rewrites[i];
        const Rule &rule = *rewrite.step->rule;
        std::string where = rewrite.place.empty() ? "" : " at " + rewrite.place;
        if (rewrite.step->everywhere)
          where = fmt::format(" at {} places", rewrite.chosen);
        std::string cite = citation(rule.doc);
        console.out << fmt::format(
            "  {:2}  {:11} {}{}{}{}{}\n", i + 1, claim(rule, rewrite.step->reversed), rule.name,
            rewrite.step->reversed ? " reversed" : "", where,
            rewrite.assumed.empty() ? "" : fmt::format(", assuming {}", fmt::join(texts(rewrite.assumed), ", ")),
            cite.empty() ? "" : " [" + cite + "]");
      }
      if (!reportProblem(*derivation, replay, session.diagnostics) && !console.json)
        console.out << "      holds\n";
    }
    if (module->rules.size() + module->derivations.size() == 0)
      session.diagnostics.report(Diag::NothingFound, {}, fmt::format("'{}' holds no rule and no derivation", file));
    else if (!console.json && module->derivations.empty() && !session.diagnostics.hasErrors())
      console.out << fmt::format("{}: {} rules hold on trial\n", file, module->rules.size());
  }
  if (console.json)
    console.out << nlohmann::json{{"diagnostics", session.diagnostics.json()}, {"derivations", all}}.dump(
                       2, ' ', false, nlohmann::json::error_handler_t::replace)
                << "\n";
  return session.finish();
}

} // namespace attnc
