// The command line of attnc: options to the driver's structs, and nothing else.

#include "Completion.h"
#include "attnc/driver/Commands.h"
#include "attnc/support/Diagnostics.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <new>
#include <unistd.h>

namespace {

using namespace attnc;

Console console(bool json) {
  bool colour =
      isatty(2) && !std::getenv("NO_COLOR") && std::getenv("TERM") && std::string_view(std::getenv("TERM")) != "dumb";
  return {std::cout, std::cerr, colour, json};
}

const Choices choices = {
    {"--dtype", {"f32", "f64", "bf16"}},
    {"--f32", {"exact", "tf32"}},
    {"--direction", {"down", "right"}},
    {"--emit", {"diagram", "mlir", "linalg", "llvm", "asm", "obj", "so", "header", "gpu", "ptx", "cubin"}},
    {"--cost", {"flops", "bytes", "memory", "parameters", "ops"}},
    {"SHELL", {"bash", "zsh", "fish"}}};

DType realType(const std::string &text) {
  return text == "f64" ? DType::F64 : text == "bf16" ? DType::BF16 : DType::F32;
}

void addRun(CLI::App &command, RunOptions &options) {
  command.add_option("FILE", options.file, "an .attn program, - for standard input")->required();
  command.add_option("DIAGRAM", options.diagram, "its last diagram if left out");
  command
      .add_option("--in", options.arrays.inputs,
                  "NAME=FILE.npy, NAME=FILE.npz:KEY, NAME=FILE.safetensors:KEY, NAME=FILE.csv:KEY, NAME=random:SEED")
      ->allow_extra_args(true);
  command.add_option("--params", options.arrays.parameters, "FILE.npz, FILE.safetensors, random:SEED")
      ->allow_extra_args(true);
  command.add_option("--size", options.arrays.sizes, "NAME=NUMBER, for sizes that follow from no array")
      ->allow_extra_args(true);
  command.add_option("--out", options.output, "write the results: .npy for one, .npz or .safetensors for several");
  auto *picture =
      command.add_option("--picture", options.picture, "draw a result with two axes as a heat map: .svg, .png, .pdf");
  command.add_option("--labels", options.labels, "JSON list of strings for the axes of the picture")->needs(picture);
  command.add_option("--max-memory", options.arrays.maxMemory, "refuse to take more, e.g. 4GB")
      ->transform(CLI::AsSizeValue(false));
  command.add_flag("--time", options.time, "say how long it took");
}

/// What the help shows as the value of each option.
void describeValues(CLI::App &app) {
  static const std::map<std::string, std::string> values = {
      {"--in", "NAME=ARRAY"}, {"--params", "FILE"},  {"--size", "NAME=N"},     {"--output", "FILE"},
      {"--out", "FILE"},      {"--picture", "FILE"}, {"--labels", "FILE"},     {"--open", "BOX"},
      {"--dtype", "TYPE"},    {"--f32", "HOW"},      {"--emit", "FORM"},       {"--target", "CPU"},
      {"--threads", "COUNT"}, {"--element", "SIZE"}, {"--max-memory", "SIZE"}, {"--direction", "WAY"}};
  for (CLI::App *command : app.get_subcommands({}))
    for (CLI::Option *option : command->get_options()) {
      auto value = values.find(option->get_name());
      if (option->get_positional())
        option->type_name("");
      else if (value != values.end())
        option->type_name(value->second);
    }
}

int run(int argc, char **argv) {
  CLI::App app("attnc: attention mechanisms as string diagrams; checked, drawn, proved equal, compiled", "attnc");
  app.set_version_flag("--version", "attnc " ATTNC_VERSION, "print the version");
  app.set_help_flag("-h,--help", "print this");
  app.require_subcommand(1);
  app.fallthrough(false);
  std::function<int()> action;
  bool json = false;

  CheckOptions checkOptions;
  auto *checkCommand = app.add_subcommand("check", "parse, resolve names, infer shapes; quiet when right");
  checkCommand->add_option("FILE", checkOptions.files, ".attn programs, - for standard input")->required();
  checkCommand->add_flag("--json", json, "diagnostics and diagrams as JSON");
  checkCommand->footer("Example:\n  attnc check sdpa.attn");
  checkCommand->callback([&] { action = [&] { return check(checkOptions, console(json)); }; });

  FmtOptions fmtOptions;
  auto *fmtCommand = app.add_subcommand("fmt", "rewrite files in canonical form");
  fmtCommand->add_option("FILE", fmtOptions.files, ".attn programs, - for standard input to standard output")
      ->required();
  fmtCommand->add_flag("--check", fmtOptions.check, "write nothing; exit 1 if a file is not in canonical form");
  fmtCommand->add_flag("--stdout", fmtOptions.toOutput, "print instead of rewriting");
  auto *named = fmtCommand->add_flag_callback(
      "--named", [&] { fmtOptions.notation = FmtOptions::Notation::Named; }, "with named wires");
  fmtCommand
      ->add_flag_callback(
          "--pointfree", [&] { fmtOptions.notation = FmtOptions::Notation::PointFree; }, "by composition")
      ->excludes(named);
  fmtCommand->footer("Example:\n  attnc fmt --pointfree --stdout sdpa.attn");
  fmtCommand->callback([&] { action = [&] { return format(fmtOptions, console(false)); }; });

  DrawCommand drawOptions;
  auto *drawCommand = app.add_subcommand("draw", "draw a diagram, or a derivation as a row of diagrams");
  drawCommand->add_option("FILE", drawOptions.file, "an .attn program, - for standard input")->required();
  drawCommand->add_option("DIAGRAM", drawOptions.diagram,
                          "the diagram or derivation; its last diagram if left out, or its last derivation if it "
                          "has none");
  drawCommand->add_option("-o,--output", drawOptions.output, "FILE.svg, .pdf, .png, .dot or .tikz; - prints SVG")
      ->required();
  drawCommand->add_option("--open", drawOptions.open, "show what is in a named box: NAME, all, or a number of levels")
      ->allow_extra_args(true);
  drawCommand->add_option("--direction", drawOptions.direction, "down or right")
      ->check(CLI::IsMember(choices.at("--direction")));
  drawCommand->footer("Example:\n  attnc draw sdpa.attn -o sdpa.svg --open dot");
  drawCommand->callback([&] { action = [&] { return draw(drawOptions, console(false)); }; });

  RunOptions evalOptions, runOptions;
  std::string runType = "f32";
  auto *evalCommand = app.add_subcommand("eval", "run the float64 reference meaning");
  addRun(*evalCommand, evalOptions);
  evalCommand->footer("Example:\n  attnc eval sdpa.attn --in q=q.npy k=k.npy v=v.npy --out y.npy");
  evalCommand->callback([&] { action = [&] { return evaluateCommand(evalOptions, console(false)); }; });

  auto *runCommand = app.add_subcommand("run", "compile and run");
  addRun(*runCommand, runOptions);
  runCommand->add_option("--dtype", runType, "of reals: f32, f64 or bf16")->check(CLI::IsMember(choices.at("--dtype")));
  runCommand->add_option("--f32", runOptions.f32, "how a device multiplies f32: exact or tf32")
      ->check(CLI::IsMember(choices.at("--f32")));
  runCommand->add_option("--target", runOptions.target, "native, x86-64-v3, x86-64-v4 …; cuda, cuda-emulated");
  runCommand->add_option("--threads", runOptions.threads, "0: as many as there are cores");
  runCommand->add_flag("--check", runOptions.check, "run the reference too and report the relative error");
  runCommand->add_flag("--no-cache", runOptions.noCache, "compile again");
  runCommand->add_flag("--dynamic", runOptions.dynamic, "compile once for all sizes");
  runCommand->add_flag("--json", json, "the report of --check and --time as JSON");
  runCommand->footer(
      "Examples:\n  attnc run sdpa.attn --in q=q.npy k=k.npy v=v.npy --out y.npy\n"
      "  attnc run sdpa.attn --in q=random:1 k=random:2 v=random:3 --size n=100 m=80 d=64 e=64 --check --time");
  runCommand->callback([&] {
    action = [&] {
      runOptions.real = realType(runType);
      return attnc::runCommand(runOptions, console(json));
    };
  });

  CompileOptions compileOptions;
  std::string compileType = "f32";
  auto *compileCommand = app.add_subcommand("compile", "compile to a file");
  compileCommand->add_option("FILE", compileOptions.file, "an .attn program, - for standard input")->required();
  compileCommand->add_option("DIAGRAM", compileOptions.diagram, "its last diagram if left out");
  compileCommand
      ->add_option("--emit", compileOptions.emit,
                   "diagram, mlir, linalg, llvm, asm, obj, so or header; for a GPU also gpu, ptx, cubin")
      ->check(CLI::IsMember(choices.at("--emit")))
      ->capture_default_str();
  compileCommand->add_flag("--explain", compileOptions.explain, "say instead what is streamed, what is not and why");
  compileCommand->add_option("-o,--output", compileOptions.output, "standard output for text, else NAME.o or NAME.so");
  compileCommand
      ->add_option("--target", compileOptions.target,
                   "native, x86-64-v3, x86-64-v4, aarch64 …, with +feature; cuda, cuda:sm_90a, cuda-emulated[:sm_90a]")
      ->capture_default_str();
  compileCommand->add_option("--dtype", compileType, "of reals: f32, f64 or bf16")
      ->check(CLI::IsMember(choices.at("--dtype")));
  compileCommand->add_option("--f32", compileOptions.f32, "how a device multiplies f32: exact or tf32")
      ->check(CLI::IsMember(choices.at("--f32")))
      ->capture_default_str();
  compileCommand->add_option("--size", compileOptions.sizes, "NAME=NUMBER compiled in; the others are arguments")
      ->allow_extra_args(true);
  compileCommand->footer(
      "Examples:\n  attnc compile sdpa.attn --emit=so -o sdpa.so\n  attnc compile sdpa.attn --emit=header -o sdpa.h");
  compileCommand->callback([&] {
    action = [&] {
      compileOptions.real = realType(compileType);
      return compile(compileOptions, console(false));
    };
  });

  CostOptions costOptions;
  auto *costCommand = app.add_subcommand("cost", "operations, traffic, memory, parameters as polynomials in the sizes");
  costCommand->add_option("FILE", costOptions.file, "an .attn program, - for standard input")->required();
  costCommand->add_option("DIAGRAM", costOptions.diagram, "its last diagram if left out");
  costCommand->add_option("--size", costOptions.sizes, "NAME=NUMBER, for numbers in their place")
      ->allow_extra_args(true);
  costCommand->add_option("--element", costOptions.elementBytes, "bytes a number takes")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  costCommand->add_flag("--json", json, "the table as JSON");
  costCommand->footer("Example:\n  attnc cost sdpa.attn --size n=1024 m=1024 d=64 e=64");
  costCommand->callback([&] { action = [&] { return attnc::costCommand(costOptions, console(json)); }; });

  RecombineOptions recombineOptions;
  auto *recombineCommand = app.add_subcommand("recombine", "all mechanisms that generators make, each once");
  recombineCommand->add_option("FILE", recombineOptions.file,
                               "an .attn program with generators; the shipped ones if left out");
  recombineCommand->add_option("GENERATORS", recombineOptions.generators, "its last generators if left out");
  recombineCommand->add_option("--max", recombineOptions.most, "operations of a diagram")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  recombineCommand
      ->add_option("--criteria", recombineOptions.criteria, "NAME,NAME in this order, or none; all if left out")
      ->delimiter(',');
  recombineCommand->add_option("-o,--output", recombineOptions.output, "a folder for programs, pictures and the table");
  recombineCommand->add_option("--state", recombineOptions.state,
                               "a file that keeps what is done, to go on from there");
  recombineCommand->add_option("--threads", recombineOptions.threads, "0: as many as there are cores");
  recombineCommand->add_option("--max-memory", recombineOptions.maxMemory, "of the diagrams that are kept, e.g. 4GB")
      ->transform(CLI::AsSizeValue(false));
  recombineCommand->add_flag("--count", recombineOptions.countOnly, "the counts, without the table");
  recombineCommand->add_flag("--json", json, "counts and table as JSON");
  recombineCommand->footer("Examples:\n  attnc recombine taxonomy/generators.attn\n"
                           "  attnc recombine taxonomy/generators.attn --max 10 --count --state ten.state");
  recombineCommand->callback(
      [&] { action = [&] { return attnc::recombineCommand(recombineOptions, console(json)); }; });

  WebOptions webOptions;
  auto *webCommand = app.add_subcommand("web", "a web of tokens: convert it, take a part, merge nodes, find a path");
  webCommand
      ->add_option("FILE", webOptions.file,
                   ".csv, .tsv: an edge list; .json: node-link JSON; .graphml; .npz: its arrays")
      ->required();
  webCommand->add_option("-o,--output", webOptions.output, "FILE.csv, .tsv, .json, .graphml, .npz or .safetensors");
  webCommand->add_option("--merge", webOptions.merge, "NODE,NODE,…: make them one; may be repeated");
  webCommand->add_option("--keep", webOptions.keep, "NODE,NODE,…: these, with the links among them");
  auto *around = webCommand->add_option("--around", webOptions.around, "NODE: what can be reached from it");
  webCommand->add_option("--links", webOptions.links, "along at most so many links")
      ->needs(around)
      ->capture_default_str();
  webCommand->add_option("--path", webOptions.path, "FROM TO: print the best path")->expected(2);
  webCommand->add_option("--labels", webOptions.labels, "JSON list of names for the nodes of arrays");
  webCommand->add_flag("--json", json, "what is in it, or the path, as JSON");
  webCommand->footer("Examples:\n  attnc web web.csv --path cat mat\n"
                     "  attnc web web.json --merge cat,kitten --around cat --links 2 -o part.json");
  webCommand->callback([&] { action = [&] { return attnc::webCommand(webOptions, console(json)); }; });

  ProveOptions proveOptions;
  auto *proveCommand = app.add_subcommand("prove", "replay derivations step by step, and try out rules");
  proveCommand->add_option("FILE", proveOptions.files, ".attn programs with derivations or rules")->required();
  proveCommand->add_flag("--json", json, "the steps as JSON");
  proveCommand->footer("Example:\n  attnc prove taxonomy/derivations/vaswani.attn");
  proveCommand->callback([&] { action = [&] { return prove(proveOptions, console(json)); }; });

  DeriveOptions deriveOptions;
  auto *deriveCommand = app.add_subcommand("derive", "search for a derivation of one diagram from another");
  deriveCommand->add_option("A", deriveOptions.left, "FILE or FILE:DIAGRAM")->required();
  deriveCommand->add_option("B", deriveOptions.right, "FILE or FILE:DIAGRAM")->required();
  deriveCommand->add_option("--rules", deriveOptions.rules, "FILE or FILE:THEORY; the rules that come with attnc else");
  deriveCommand->add_option("--max-steps", deriveOptions.maxSteps, "give up after so many")->capture_default_str();
  deriveCommand->add_option("--max-diagrams", deriveOptions.maxDiagrams, "give up after so many")
      ->capture_default_str();
  deriveCommand->add_option("-o,--output", deriveOptions.output, "FILE.attn; standard output if left out");
  deriveCommand->add_flag("--json", json, "the steps and the program as JSON");
  deriveCommand->footer("Example:\n  attnc derive linear.attn:quadratic linear.attn:linear --rules rules.attn");
  deriveCommand->callback([&] { action = [&] { return derive(deriveOptions, console(json)); }; });

  RewriteOptions rewriteOptions;
  auto *rewriteCommand = app.add_subcommand("rewrite", "rewrite a diagram by rules, or to a lower cost");
  rewriteCommand->add_option("FILE", rewriteOptions.file, "an .attn program, - for standard input")->required();
  rewriteCommand->add_option("DIAGRAM", rewriteOptions.diagram, "its last diagram if left out");
  rewriteCommand->add_option("--rules", rewriteOptions.rules,
                             "FILE or FILE:THEORY; the rules that come with attnc else");
  rewriteCommand->add_option("--until", rewriteOptions.until, "fixpoint, or a number of rewrites")
      ->capture_default_str();
  rewriteCommand->add_option("--cost", rewriteOptions.cost, "take what lowers it, by equations alone")
      ->check(CLI::IsMember(choices.at("--cost")));
  rewriteCommand->add_option("--max-diagrams", rewriteOptions.maxDiagrams, "that are priced, with --cost")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  rewriteCommand->add_option("--size", rewriteOptions.sizes, "NAME=NUMBER, for the cost")->allow_extra_args(true);
  rewriteCommand->add_option("-o,--output", rewriteOptions.output, "FILE.attn; standard output if left out");
  rewriteCommand->add_flag("--json", json, "the steps, the program and the cost as JSON");
  rewriteCommand->footer(
      "Example:\n  attnc rewrite linear.attn --rules rules.attn --cost flops --size n=4096 m=4096 d=64 e=64");
  rewriteCommand->callback([&] { action = [&] { return rewrite(rewriteOptions, console(json)); }; });

  TaxonomyOptions taxonomyOptions;
  auto *taxonomyCommand = app.add_subcommand("taxonomy", "grow the mechanisms a theory makes of a root, and name them");
  taxonomyCommand->add_option("FILE", taxonomyOptions.file, "an .attn program with a taxonomy; the shipped one else");
  taxonomyCommand->add_option("--depth", taxonomyOptions.depth, "steps from the root; as the file says if left out");
  taxonomyCommand->add_option("--max-nodes", taxonomyOptions.maxNodes, "the most diagrams; more are an error")
      ->capture_default_str();
  taxonomyCommand->add_option("--state", taxonomyOptions.state, "a file that keeps what is done, to go on from there");
  taxonomyCommand->add_option("--threads", taxonomyOptions.threads, "0: as many as there are cores");
  taxonomyCommand->add_flag("--all", taxonomyOptions.everything, "also what leads to no known mechanism");
  taxonomyCommand->add_option("-o,--output", taxonomyOptions.outputs, "FILE.svg, .pdf, .dot, .json or .html")
      ->allow_extra_args(true);
  taxonomyCommand->footer("Example:\n  attnc taxonomy -o taxonomy.html taxonomy.svg");
  taxonomyCommand->callback([&] { action = [&] { return taxonomy(taxonomyOptions, console(false)); }; });

  EqualOptions equalOptions;
  auto *equalCommand = app.add_subcommand("equal", "are two diagrams the same morphism up to the structural laws?");
  equalCommand->add_option("A", equalOptions.left, "FILE or FILE:DIAGRAM")->required();
  equalCommand->add_option("B", equalOptions.right, "FILE or FILE:DIAGRAM")->required();
  equalCommand->add_flag("--json", json, "the answer as JSON");
  equalCommand->footer(
      "Example:\n  attnc equal attention.attn:sdpa other.attn:sdpa\nExit code 0 if they are equal, 1 if not.");
  equalCommand->callback([&] { action = [&] { return equal(equalOptions, console(json)); }; });

  std::string shell;
  auto *completion = app.add_subcommand("completion", "print a completion script");
  completion->add_option("SHELL", shell, "bash, zsh or fish")->required()->check(CLI::IsMember(choices.at("SHELL")));
  completion->footer("Example:\n  source <(attnc completion bash)");
  completion->callback([&] {
    action = [&] {
      std::cout << completionScript(shell);
      return 0;
    };
  });
  std::vector<std::string> typed;
  auto *words = app.add_subcommand("complete-words", "what a shell may make of the last of the words")->group("");
  words->add_option("WORD", typed);
  words->callback([&] {
    action = [&] {
      for (const std::string &word : completions(app, choices, typed))
        std::cout << word << "\n";
      return 0;
    };
  });
  app.footer("Examples:\n  attnc check sdpa.attn\n  attnc draw sdpa.attn -o sdpa.svg\n"
             "  attnc run sdpa.attn --in q=q.npy k=k.npy v=v.npy --out y.npy\n\n"
             "Exit codes: 0 done, 1 something is wrong with the input, 2 the command line is wrong.");

  describeValues(app);
  if (std::string command = argc > 1 ? argv[1] : "-"; !command.starts_with('-')) {
    std::vector<std::string> names;
    for (const CLI::App *known : app.get_subcommands({}))
      names.push_back(known->get_name());
    if (std::find(names.begin(), names.end(), command) == names.end()) {
      auto near = nearest(command, names);
      std::cerr << "There is no command '" << command << "'" << (near ? "; did you mean '" + *near + "'?" : "")
                << "\nRun with --help for more information.\n";
      return 2;
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  int code = action();
  std::cout.flush();
  if (!std::cout && code == 0) {
    std::cerr << "error: cannot write 'standard output': the device does not take it\n";
    return 1;
  }
  return code;
}

} // namespace

int main(int argc, char **argv) {
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc &) {
    std::fputs("attnc: error: there is not enough memory\n", stderr);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "attnc: error: %s\n", error.what());
  }
  return 1;
}
