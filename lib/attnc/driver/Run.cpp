#include "attnc/arrays/ArrayFile.h"
#include "attnc/driver/Arguments.h"
#include "attnc/driver/Commands.h"
#include "attnc/driver/Compare.h"
#include "attnc/driver/Features.h"
#include "attnc/driver/HeatmapFile.h"
#include "attnc/driver/MemoryLimit.h"
#include "attnc/driver/Summary.h"
#include "attnc/eval/Eval.h"
#include "attnc/support/File.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>

#if ATTNC_HAS_COMPILER
#include "attnc/kernel/Kernel.h"
#endif

namespace attnc {

namespace {

std::string resultName(const Definition &definition, std::size_t index) {
  if (index < definition.outputNames.size() && !definition.outputNames[index].empty())
    return definition.outputNames[index];
  return definition.diagram.outputs.size() == 1 ? definition.name : fmt::format("{}", index);
}

/// The oracle on the very arrays that were bound, widened.
std::optional<std::vector<Array>> reference(const Definition &definition, const Bound &bound, const RunOptions &options,
                                            Session &session) {
  auto widened = [](const std::vector<Array> &arrays) {
    std::vector<Array> wide;
    for (const Array &array : arrays)
      wide.push_back(array.dtype() == DType::F32 || array.dtype() == DType::BF16
                         ? array.converted(DType::F64).value_or(Array())
                         : array);
    return wide;
  };
  auto outputs =
      evaluate(definition, bound.sizes, widened(bound.inputs), widened(bound.parameters), {options.arrays.maxMemory});
  if (!outputs) {
    session.diagnostics.report(Diag::CannotRun, definition.span, definition.name, outputs.error());
    return std::nullopt;
  }
  return *outputs;
}

/// The form of `--out`.
std::string arrayForm(const RunOptions &options, const Definition &definition) {
  return formOf(options.output, definition.diagram.outputs.size() == 1 ? "npy" : "npz");
}

bool writeOutputs(const Definition &definition, const std::vector<Array> &outputs, const RunOptions &options,
                  Session &session) {
  NamedArrays named;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    named.emplace_back(resultName(definition, i), outputs[i]);
  std::string form = arrayForm(options, definition);
  if (form != "safetensors") // NumPy's files know no bfloat16; every one of them is a float32
    for (auto &[name, array] : named)
      if (array.dtype() == DType::BF16)
        if (auto wide = array.converted(DType::F32))
          array = std::move(*wide);
  if (options.output.empty()) {
    if (options.picture.empty() && !session.console.json)
      for (const auto &[name, array] : named)
        session.console.out << summary(name, array);
  } else {
    session.console.out.flush();
    auto written = form == "npz"           ? writeNpz(options.output, named)
                   : form == "safetensors" ? writeSafetensors(options.output, named)
                                           : writeNpy(options.output, named[0].second);
    if (!written) {
      session.diagnostics.report(Diag::CannotWrite, {}, options.output, written.error());
      return false;
    }
  }
  if (!options.picture.empty())
    return writeHeatmap(options.picture, named[0].second, options.labels, definition.name, session);
  return true;
}

/// What cannot be written is not computed.
void checkForms(const RunOptions &options, const Definition &definition, Session &session) {
  auto known = [](const std::string &path, const std::string &form, std::initializer_list<std::string_view> forms) {
    return path.empty() || std::find(forms.begin(), forms.end(), form) != forms.end();
  };
  const std::string form = arrayForm(options, definition);
  if (!known(options.output, form, {"npy", "npz", "safetensors"}))
    session.diagnostics.report(Diag::UnknownArrayForm, {}, options.output).help("npy, npz or safetensors");
  if (!known(options.picture, formOf(options.picture, "svg"), {"svg", "pdf", "png"}))
    session.diagnostics.report(Diag::UnknownPictureForm, {}, options.picture).help("svg, pdf or png");
  std::size_t results = definition.diagram.outputs.size();
  if (results != 1 && form == "npy")
    session.diagnostics
        .report(Diag::CannotWrite, {}, options.output, fmt::format("'{}' has {} results", definition.name, results))
        .help("write them to an .npz or .safetensors");
}

/// What both commands begin with; nothing after an error.
std::optional<std::pair<std::shared_ptr<const Definition>, Bound>> prepare(const RunOptions &options, DType real,
                                                                           Session &session) {
  auto definition = session.definition(options.file, options.diagram);
  if (!definition)
    return std::nullopt;
  checkForms(options, *definition, session);
  auto given = gatherArrays(options.arrays, *definition, session);
  if (!given)
    return std::nullopt;
  given->real = real;
  auto bound = bindArrays(*definition, *given, session.diagnostics);
  if (!bound || session.diagnostics.hasErrors())
    return std::nullopt;
  return std::make_pair(definition, std::move(*bound));
}

} // namespace

int evaluateCommand(const RunOptions &options, Console console) {
  Session session(console);
  auto ready = prepare(options, DType::F64, session);
  if (!ready)
    return session.finish();
  auto start = std::chrono::steady_clock::now();
  auto outputs = reference(*ready->first, ready->second, options, session);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (outputs && writeOutputs(*ready->first, *outputs, options, session) && options.time)
    console.err << fmt::format("reference: {:.3f} ms\n", seconds * 1e3);
  return session.finish();
}

#if ATTNC_HAS_COMPILER

/// The most a compiled result may differ from the reference, by what it was computed in.
static double tolerance(const RunOptions &options) {
  if (options.real == DType::F32)
    return options.f32 == "tf32" ? 2e-3 : 1e-5;
  return options.real == DType::F64 ? 1e-12 : 1e-2;
}

int runCommand(const RunOptions &options, Console console) {
  Session session(console);
  auto ready = prepare(options, options.real, session);
  if (!ready)
    return session.finish();
  const auto &[definition, bound] = *ready;
  KernelOptions kernelOptions;
  kernelOptions.real = options.real;
  if (!options.dynamic)
    kernelOptions.sizes = bound.sizes;
  kernelOptions.target = options.target;
  kernelOptions.tf32 = options.f32 == "tf32";
  kernelOptions.threads = options.threads;
  kernelOptions.useCache = !options.noCache;
  auto kernel = Kernel::compile(*definition, kernelOptions);
  if (!kernel) {
    session.diagnostics.report(Diag::CompilerError, definition->span, definition->name, kernel.error());
    return session.finish();
  }
  auto run = [&] {
    MemoryLimit limit(options.arrays.maxMemory);
    return kernel->run(bound.sizes, bound.inputs, bound.parameters);
  }();
  if (!run) {
    session.diagnostics.report(Diag::CannotRun, definition->span, definition->name, run.error());
    return session.finish();
  }
  nlohmann::json report = {{"diagram", definition->name}, {"dtype", name(options.real)}};
  if (options.time) {
    // The median of repeated runs, for about a second.
    std::vector<double> seconds = {run->seconds};
    auto begin = std::chrono::steady_clock::now();
    while (seconds.size() < 101 && std::chrono::steady_clock::now() - begin < std::chrono::seconds(1))
      if (auto again = kernel->run(bound.sizes, bound.inputs, bound.parameters))
        seconds.push_back(again->seconds);
      else
        break;
    std::sort(seconds.begin(), seconds.end());
    const KernelTimes &times = kernel->times();
    report["time"] = {{"compile", times.compile()}, {"load", times.load},
                      {"cached", times.cached},     {"median", seconds[seconds.size() / 2]},
                      {"least", seconds.front()},   {"runs", seconds.size()}};
    if (!console.json)
      console.err << fmt::format(
          "compile {:.1f} ms{}, load {:.1f} ms; run: median {:.4f} ms, least {:.4f} ms of {} runs\n",
          times.compile() * 1e3, times.cached ? " (cached)" : "", times.load * 1e3, seconds[seconds.size() / 2] * 1e3,
          seconds.front() * 1e3, seconds.size());
  }
  if (options.check) {
    auto expected = reference(*definition, bound, options, session);
    if (!expected)
      return session.finish();
    for (std::size_t i = 0; i < expected->size(); ++i) {
      double error = relativeError(run->outputs[i], (*expected)[i]);
      report["check"].push_back(
          {{"result", resultName(*definition, i)}, {"error", error}, {"limit", tolerance(options)}});
      if (!(error <= tolerance(options)))
        session.diagnostics.report(Diag::CheckFailed, definition->span, resultName(*definition, i),
                                   fmt::format("{:.3g}", error), tolerance(options));
      else if (!console.json)
        console.err << fmt::format("{}: relative error {:.2g} (limit {:.0e})\n", resultName(*definition, i), error,
                                   tolerance(options));
    }
  }
  bool written = !session.diagnostics.hasErrors() && writeOutputs(*definition, run->outputs, options, session);
  if (console.json && written)
    session.beside({options.output, options.picture}) << report.dump(2) << "\n";
  return session.finish();
}

#else

int runCommand(const RunOptions &options, Console console) {
  Session session(console);
  if (auto definition = session.definition(options.file, options.diagram))
    session.diagnostics.report(Diag::CannotRun, definition->span, definition->name,
                               "this build of attnc has no compiler; 'eval' works without");
  return session.finish();
}

#endif

} // namespace attnc
