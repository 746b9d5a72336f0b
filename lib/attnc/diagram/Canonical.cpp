#include "attnc/diagram/Canonical.h"

#include "attnc/diagram/Labelling.h"
#include "attnc/diagram/SizeNaming.h"
#include "attnc/diagram/Verbatim.h"

namespace attnc {

static CanonicalForm formOf(const Definition &definition, std::size_t budget) {
  CanonicalForm form;
  std::string interface = "inputs";
  for (std::size_t i = 0; i < definition.diagram.inputs.size(); ++i)
    interface += (i ? " @ " : " ") + definition.diagram.type(definition.diagram.inputs[i]).str();
  interface += '\n';
  TermGraph graph(budget);
  std::vector<TermId> outputs = normalise(definition, graph);
  if (!graph.exhausted()) {
    Labelling labelling(graph, std::move(outputs), definition.learners, budget);
    form.complete = labelling.complete();
    form.text = interface + labelling.text();
  } else {
    form.complete = false;
  }
  if (!form.complete)
    form.text = verbatim(definition);
  form.hash = hash128(form.text);
  return form;
}

CanonicalForm canonicalForm(const Definition &definition, const CanonicalOptions &options) {
  if (!options.renameSizes)
    return formOf(definition, options.budget);
  return leastNaming(definition, [&](const Definition &named) { return formOf(named, options.budget); });
}

std::string canonicalText(const Definition &definition) { return canonicalForm(definition).text; }

} // namespace attnc
