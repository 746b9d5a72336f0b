#include "attnc/driver/Commands.h"
#include "attnc/driver/GeneratorsFile.h"
#include "attnc/driver/Meter.h"
#include "attnc/driver/RecombineTable.h"

#include "attnc/enumerate/Modulo.h"
#include "attnc/enumerate/Sweep.h"
#include "attnc/recombine/Shipped.h"
#include "attnc/recombine/Text.h"
#include "attnc/render/Render.h"
#include "attnc/render/Writers.h"
#include "attnc/syntax/Parser.h"
#include "attnc/syntax/Printer.h"

#include <algorithm>
#include <ostream>

namespace attnc {

namespace {

using enumerate::Presentation;
using enumerate::Word;

/// What the shipped generators are called, and the copy of them that their survivors import.
const std::string shippedFile = "generators.attn";

/// The criteria by name, in the order given; all for none, and none for `none`.
std::optional<std::vector<Presentation::Criterion>> chosen(const Presentation &presentation,
                                                           const std::vector<std::string> &names, Session &session) {
  if (names.empty())
    return presentation.criteria;
  std::vector<Presentation::Criterion> criteria;
  if (names == std::vector<std::string>{"none"})
    return criteria;
  std::vector<std::string> known;
  for (const auto &criterion : presentation.criteria)
    known.push_back(criterion.name);
  bool ok = true;
  for (const std::string &name : names) {
    auto found = std::ranges::find(presentation.criteria, name, &Presentation::Criterion::name);
    if (found != presentation.criteria.end()) {
      criteria.push_back(*found);
      continue;
    }
    session.diagnostics.report(Diag::BadArgument, {}, name,
                               known.empty() ? "a criterion: there are none"
                                             : fmt::format("a criterion: {}, or none", fmt::join(known, ", ")));
    ok = false;
  }
  return ok ? std::optional(criteria) : std::nullopt;
}

std::string docOf(const recombine::Generators &generators, const Survivor &survivor) {
  const Presentation &presentation = generators.presentation;
  return fmt::format("{}{}. Recombined from the generators '{}'.", enumerate::text(presentation, survivor.word),
                     survivor.className.empty() ? "" : ": " + survivor.className, presentation.name);
}

/// The text of a survivor's file, in canonical form; `imported` is the generators' file as seen from there.
std::string programOf(const recombine::Generators &generators, const Survivor &survivor, const std::string &imported) {
  const std::string text =
      fmt::format("import \"{}\"\n\n{}", imported,
                  recombine::diagramText(generators, enumerate::decode(generators.presentation, survivor.word),
                                         recombine::inputsOf(generators.presentation), survivor.name,
                                         docOf(generators, survivor), true));
  SourceManager sources;
  Diagnostics diagnostics(sources);
  const FileId file = sources.add(survivor.name, text);
  return print(sources, parse(sources, file, diagnostics));
}

/// Elaborates the survivors and puts their costs in.
bool giveMeaning(const recombine::Generators &generators, const recombine::Home &home, Recombination &found,
                 Session &session) {
  std::string text;
  for (const Survivor &survivor : found.survivors)
    text += recombine::diagramText(generators, enumerate::decode(generators.presentation, survivor.word),
                                   recombine::inputsOf(generators.presentation), survivor.name, "", true);
  auto module = home.elaborate(text);
  for (std::size_t i = 0; i < found.survivors.size(); ++i) {
    Survivor &survivor = found.survivors[i];
    tl::expected<Cost, std::string> cost = tl::unexpected<std::string>(module ? "" : module.error());
    if (module) {
      survivor.definition = module->definitions[i];
      cost = costOf(*survivor.definition);
    }
    if (!cost) {
      session.diagnostics.report(Diag::NoCost, generators.span, survivor.name, cost.error());
      return false;
    }
    survivor.cost = *cost;
  }
  return true;
}

bool writeAll(const recombine::Generators &generators, const Recombination &found, const RecombineOptions &options,
              Session &session) {
  const std::filesystem::path folder = options.output;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::string imported = shippedFile;
  if (options.file.empty()) {
    if (!session.write(folder / shippedFile, recombine::shippedGenerators()))
      return false;
  } else {
    const auto from = std::filesystem::weakly_canonical(folder, error);
    imported = std::filesystem::weakly_canonical(options.file).lexically_relative(from).generic_string();
  }
  for (const Survivor &survivor : found.survivors) {
    if (!session.write(folder / (survivor.name + ".attn"), programOf(generators, survivor, imported)))
      return false;
    auto picture = render::layout(*survivor.definition);
    if (!picture) {
      session.diagnostics.report(Diag::CannotDraw, generators.span, survivor.name, picture.error());
      return false;
    }
    if (!session.write(folder / (survivor.name + ".svg"), render::toSvg(*picture)))
      return false;
  }
  return session.write(folder / "README.md", markdown(generators, found));
}

} // namespace

int recombineCommand(const RecombineOptions &options, Console console) {
  Session session(console);
  const auto id = options.file.empty() ? session.sources.add(shippedFile, std::string(recombine::shippedGenerators()))
                                       : session.read(options.file);
  if (!id)
    return session.finish();
  session.load(*id);
  const GeneratorsFile file(session, *id);
  const recombine::Generators *generators =
      file.select(session, options.file.empty() ? shippedFile : options.file, options.generators);
  if (!generators)
    return session.finish();
  if (options.file == "-" && !options.output.empty())
    session.diagnostics.report(Diag::BadArgument, {}, "-", "a file that what is written could import");
  const Presentation &presentation = generators->presentation;
  auto criteria = chosen(presentation, options.criteria, session);
  if (!criteria || session.diagnostics.hasErrors())
    return session.finish();

  Recombination found;
  found.most = options.most;
  found.criteria = *criteria;
  enumerate::SweepOptions sweeping;
  sweeping.most = options.most;
  sweeping.threads = options.threads;
  sweeping.survivorBytes = options.maxMemory;
  sweeping.state = options.state;
  tl::expected<enumerate::Tally, std::string> tally;
  {
    Meter meter(console);
    sweeping.progress = [&](const enumerate::Progress &progress) {
      meter.show(progress.diagrams, progress.done, progress.parts, progress.elapsed.count(), "parts done");
    };
    tally = enumerate::sweep(presentation, *criteria, sweeping);
  }
  auto stopped = [&](const std::string &why) {
    session.diagnostics.report(Diag::EnumerationStopped, generators->span, presentation.name, why);
    return session.finish();
  };
  if (!tally)
    return stopped(tally.error());
  found.diagrams = tally->diagrams;
  found.removed = tally->removed;
  std::vector<Word> &words = tally->survivors;
  std::ranges::sort(words, [&](const Word &a, const Word &b) { return listedBefore(presentation, a, b); });
  auto first = enumerate::classes(presentation, words, options.most);
  if (!first)
    return stopped(first.error());
  // A number is a diagram's place among all that are left; of those that are equal the first stays.
  std::map<std::size_t, std::size_t> places;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string name = fmt::format("M{}", i);
    if ((*first)[i] == i) {
      places[i] = found.survivors.size();
      found.survivors.push_back({words[i], name, enumerate::classOf(presentation, words[i]), {}, {}, {}});
    } else {
      found.survivors[places[(*first)[i]]].equals.push_back({name, words[i]});
      ++found.coincide;
    }
  }

  const bool meaning = !options.countOnly || !options.output.empty();
  if (meaning && !giveMeaning(*generators, file.home, found, session))
    return session.finish();
  if (!options.output.empty() && !writeAll(*generators, found, options, session))
    return session.finish();
  console.out << (console.json ? json(*generators, found, meaning) : text(*generators, found, meaning));
  return session.finish();
}

} // namespace attnc
