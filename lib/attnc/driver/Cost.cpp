#include "attnc/driver/Arguments.h"
#include "attnc/driver/Commands.h"

#include "attnc/cost/Cost.h"

#include <nlohmann/json.hpp>
#include <ostream>

namespace attnc {

int costCommand(const CostOptions &options, Console console) {
  Session session(console);
  auto definition = session.definition(options.file, options.diagram);
  auto sizes = parseSizes(options.sizes, session);
  if (!definition || !sizes)
    return session.finish();
  checkSizeNames(*sizes, *definition, session);
  auto cost = costOf(*definition, options.elementBytes);
  if (!cost)
    session.diagnostics.report(Diag::NoCost, definition->span, definition->name, cost.error());
  if (session.diagnostics.hasErrors())
    return session.finish();
  const Cost bound = atSizes(*cost, *sizes);
  if (console.json) {
    nlohmann::json out = {{"name", definition->name}, {"sizes", nlohmann::json::object()}};
    for (const auto &[name, value] : *sizes)
      out["sizes"][name] = value;
    for (const Measure &measure : measures) {
      nlohmann::json &entry = out[std::string(measure.name)];
      entry["polynomial"] = (*cost.*measure.field).str();
      if (auto value = (bound.*measure.field).constant())
        entry["value"] = *value;
    }
    console.out << out.dump(2) << "\n";
    return session.finish();
  }
  console.out << definition->signature() << "\n";
  for (const Measure &measure : measures) {
    std::string line = fmt::format("{:<16}{}", measure.name, (*cost.*measure.field).str());
    if (!sizes->empty() && !(*cost.*measure.field).isConstant())
      line += " = " + (bound.*measure.field).str();
    console.out << line << "\n";
  }
  return session.finish();
}

} // namespace attnc
