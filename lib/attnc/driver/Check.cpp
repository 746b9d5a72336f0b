#include "attnc/driver/Commands.h"
#include "attnc/driver/Theories.h"

#include "attnc/diagram/Parameters.h"
#include "attnc/driver/GeneratorsFile.h"

#include <nlohmann/json.hpp>
#include <ostream>

namespace attnc {

static nlohmann::json describeJson(const std::string &file, const Definition &definition) {
  nlohmann::json inputs = nlohmann::json::array(), outputs = nlohmann::json::array(),
                 parameters = nlohmann::json::array();
  for (WireId input : definition.diagram.inputs)
    inputs.push_back({{"name", definition.diagram.wire(input).name}, {"type", definition.diagram.type(input).str()}});
  for (std::size_t i = 0; i < definition.diagram.outputs.size(); ++i)
    outputs.push_back({{"name", i < definition.outputNames.size() ? definition.outputNames[i] : ""},
                       {"type", definition.diagram.type(definition.diagram.outputs[i]).str()}});
  for (const Parameter &parameter : parametersOf(definition))
    parameters.push_back({{"name", parameter.name}, {"type", parameter.type.str()}});
  return {{"file", file},
          {"name", definition.name},
          {"signature", definition.signature()},
          {"sizes", definition.sizeNames()},
          {"inputs", inputs},
          {"outputs", outputs},
          {"parameters", parameters},
          {"operations", definition.diagram.opCount()}};
}

int check(const CheckOptions &options, Console console) {
  Session session(console);
  nlohmann::json diagrams = nlohmann::json::array();
  for (const std::string &file : options.files)
    if (auto id = session.read(file)) {
      Module module = session.load(*id);
      checkRules(module, session.diagnostics);
      GeneratorsFile generators(session, *id);
      for (const auto &definition : module.definitions)
        if (console.json)
          diagrams.push_back(describeJson(file, *definition));
    }
  session.told = console.json;
  if (console.json)
    console.out << nlohmann::json{{"diagnostics", session.diagnostics.json()}, {"diagrams", diagrams}}.dump(
                       2, ' ', false, nlohmann::json::error_handler_t::replace)
                << "\n";
  return session.finish();
}

} // namespace attnc
