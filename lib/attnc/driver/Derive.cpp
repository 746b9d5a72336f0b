#include "attnc/driver/Commands.h"
#include "attnc/driver/Theories.h"
#include "attnc/prove/Search.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

namespace attnc {

static void derive(const DeriveOptions &options, Session &session, nlohmann::json &result) {
  auto [leftFile, leftName] = splitReference(options.left);
  auto [rightFile, rightName] = splitReference(options.right);
  auto left = session.definition(leftFile, leftName);
  auto right = session.definition(rightFile, rightName);
  TheoryRef theory = left && right ? selectTheory(session, options.rules) : nullptr;
  if (!theory)
    return;
  SearchOptions search{options.maxSteps, options.maxDiagrams, {}};
  Search found;
  {
    Progress progress(session.console.err);
    search.progress = [&](std::size_t diagrams, std::size_t steps) {
      progress.say(fmt::format("{} diagrams, {} steps", diagrams, steps));
    };
    found = derive(*left, *right, *theory, search);
  }
  result["diagrams"] = found.diagrams;
  if (!found.path) {
    session.diagnostics.report(
        Diag::NothingFound, {},
        fmt::format("no derivation of '{}' from '{}' was found: {}", options.right, options.left, found.ended));
    return;
  }
  std::string rules = options.rules.empty() ? "" : splitReference(options.rules).first;
  std::string text;
  std::vector<std::string> imports{leftFile};
  if (rightFile != leftFile)
    imports.push_back(rightFile);
  for (const Move &move : *found.path)
    if (std::string file = rules.empty() ? std::string(session.sources.name(move.rule->span.file)) : rules;
        std::find(imports.begin(), imports.end(), file) == imports.end())
      imports.push_back(file);
  std::filesystem::path folder =
      options.output.empty() || options.output == "-" ? "." : std::filesystem::path(options.output).parent_path();
  for (const std::string &file : imports) {
    std::error_code ignored;
    std::filesystem::path path = std::filesystem::relative(file, folder.empty() ? "." : folder, ignored);
    text += fmt::format("import \"{}\"\n", path.empty() ? file : path.string());
  }
  text += "\n" + derivationText(left->name + "_to_" + right->name, left->name, right->name, *found.path);
  result["steps"] = movesJson(*found.path);
  result["program"] = text;
  if (!session.console.json || !options.output.empty())
    session.put(options.output, text);
}

int derive(const DeriveOptions &options, Console console) {
  Session session(console);
  nlohmann::json result = {{"steps", nullptr}, {"program", nullptr}, {"diagrams", 0}};
  derive(options, session, result);
  if (console.json)
    session.tell(std::move(result), options.output);
  return session.finish();
}

} // namespace attnc
