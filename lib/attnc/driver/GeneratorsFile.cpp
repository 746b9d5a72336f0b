#include "attnc/driver/GeneratorsFile.h"

#include "attnc/bind/Bind.h"
#include "attnc/driver/Compare.h"
#include "attnc/eval/Eval.h"
#include "attnc/recombine/Text.h"
#include "attnc/support/File.h"
#include "attnc/syntax/Parser.h"

namespace attnc {

namespace {

/// The result of a diagram on random arrays at small sizes that differ; the error is the first message.
tl::expected<std::vector<Array>, std::string> atRandom(const Definition &definition, std::int64_t seed) {
  Given given;
  std::int64_t size = 2 + seed;
  std::vector<std::string> names = definition.sizeNames();
  std::sort(names.begin(), names.end());
  for (const std::string &name : names)
    given.sizes[name] = size++;
  for (std::size_t i = 0; i < definition.diagram.inputs.size(); ++i)
    given.randomInputs[inputName(definition, i)] = seed;
  given.parameterSeed = seed;
  SourceManager none;
  Diagnostics diagnostics(none);
  auto bound = bindArrays(definition, given, diagnostics);
  if (!bound)
    return tl::unexpected(diagnostics.all().front().message);
  return evaluate(definition, bound->sizes, bound->inputs, bound->parameters);
}

/// Why the sides of an equation are not seen to be equal; nothing when they are.
std::optional<std::string> differ(const recombine::Generators &generators, std::size_t index,
                                  const recombine::Home &home) {
  const auto &equation = generators.presentation.equations[index];
  std::vector<recombine::Variable> variables;
  for (unsigned sort : generators.variables[index])
    variables.push_back({fmt::format("x{}", variables.size()), sort});
  std::string text;
  for (auto [name, side] : {std::pair("left", &equation.left), std::pair("right", &equation.right)})
    text += recombine::diagramText(generators, recombine::graphOf(*side), variables, name, "", false);
  auto module = home.elaborate(text);
  if (!module)
    return module.error();
  constexpr double tolerance = 1e-10; // of float64 sums in another order
  for (std::int64_t seed = 0; seed < 3; ++seed) {
    auto left = atRandom(*module->find("left"), seed), right = atRandom(*module->find("right"), seed);
    if (!left || !right)
      return left ? right.error() : left.error();
    for (std::size_t i = 0; i < left->size(); ++i)
      if (double error = relativeError((*left)[i], (*right)[i]); !(error <= tolerance))
        return fmt::format("on random arrays its sides differ by {:.2g}", error);
  }
  return std::nullopt;
}

} // namespace

GeneratorsFile::GeneratorsFile(Session &session, FileId file)
    : home(session.sources, file, [](const std::filesystem::path &path) { return readFile(path); }) {
  const ast::File tree = parse(session.sources, file, session.diagnostics);
  std::map<std::string, Span> names;
  for (const auto &item : tree.items) {
    const auto *declaration = std::get_if<ast::GeneratorsDecl>(&item);
    if (!declaration)
      continue;
    if (auto [first, fresh] = names.emplace(declaration->name.text, declaration->name.span); !fresh)
      session.diagnostics.report(Diag::DuplicateDefinition, declaration->name.span, declaration->name.text)
          .note(first->second, "the first definition is here");
    auto generators = recombine::readGenerators(*declaration, home, session.diagnostics);
    if (!generators)
      continue;
    for (std::size_t i = 0; i < generators->presentation.equations.size(); ++i)
      if (auto why = differ(*generators, i, home))
        session.diagnostics.report(Diag::FalseEquation, generators->equationSpans[i],
                                   generators->presentation.equations[i].name, *why);
    all.push_back(std::move(*generators));
  }
}

const recombine::Generators *GeneratorsFile::select(Session &session, const std::string &file,
                                                    const std::string &name) const {
  if (session.diagnostics.hasErrors())
    return nullptr;
  if (name.empty() && !all.empty())
    return &all.back();
  std::vector<std::string> names;
  for (const recombine::Generators &one : all) {
    if (one.presentation.name == name)
      return &one;
    names.push_back(one.presentation.name);
  }
  auto report =
      session.diagnostics.report(Diag::NoGenerators, {}, file, name.empty() ? "" : fmt::format(" '{}'", name));
  if (auto near = nearest(name, names))
    report.help(fmt::format("did you mean '{}'?", *near));
  else if (!names.empty())
    report.help(fmt::format("it has {}", fmt::join(names, ", ")));
  return nullptr;
}

} // namespace attnc
