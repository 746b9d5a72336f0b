#include "attnc/driver/Commands.h"
#include "attnc/driver/Theories.h"
#include "attnc/prove/Search.h"

#include <algorithm>
#include <ostream>

namespace attnc {

int derive(const DeriveOptions &options, Console console) {
  Session session(console);
  auto [leftFile, leftName] = splitReference(options.left);
  auto [rightFile, rightName] = splitReference(options.right);
  auto left = session.definition(leftFile, leftName);
  auto right = session.definition(rightFile, rightName);
  TheoryRef theory = left && right ? selectTheory(session, options.rules) : nullptr;
  if (!theory)
    return session.finish();
  SearchOptions search{options.maxSteps, options.maxDiagrams, {}};
  Search found;
  {
    Progress progress(console.err);
    search.progress = [&](std::size_t diagrams, std::size_t steps) {
      progress.say(fmt::format("{} diagrams, {} steps", diagrams, steps));
    };
    found = derive(*left, *right, *theory, search);
  }
  if (!found.path) {
    session.diagnostics.report(
        Diag::NothingFound, {},
        fmt::format("no derivation of '{}' from '{}' was found: {}", options.right, options.left, found.ended));
    return session.finish();
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
  session.put(options.output, text);
  return session.finish();
}

} // namespace attnc
