#pragma once
#include "attnc/arrays/Array.h"
#include "attnc/driver/Session.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// What each command of `attnc` does, without a command line. Each prints what is wrong and gives the exit code.
namespace attnc {

struct CheckOptions {
  std::vector<std::string> files;
};
/// Parse, resolve, infer shapes. Quiet when right; JSON: {diagnostics, diagrams}.
int check(const CheckOptions &options, Console console);

struct FmtOptions {
  enum class Notation : std::uint8_t { AsWritten, Named, PointFree };
  std::vector<std::string> files;
  bool check = false;    // write nothing; Failure when a file is not in canonical form
  bool toOutput = false; // print instead of rewriting the files
  Notation notation = Notation::AsWritten;
};
int format(const FmtOptions &options, Console console);

struct DrawCommand {
  std::string file, diagram;
  std::string output;            // the extension says the form: svg, pdf, png, dot, tikz (or tex)
  std::vector<std::string> open; // names, "all", or a number of levels
  std::string direction = "down";
};
int draw(const DrawCommand &options, Console console);

/// Where the arrays of a run come from.
struct ArrayArguments {
  // NAME=FILE.npy, NAME=FILE.npz:KEY, NAME=FILE.safetensors:KEY, NAME=random:SEED; of a web, NAME=FILE.csv:KEY or
  // :@NODE
  std::vector<std::string> inputs;
  std::vector<std::string> parameters;          // FILE.npz, FILE.safetensors, random:SEED
  std::vector<std::string> sizes;               // NAME=NUMBER
  std::size_t maxMemory = std::size_t(8) << 30; // bytes
};

struct RunOptions {
  std::string file, diagram;
  ArrayArguments arrays;
  DType real = DType::F32;
  std::string f32 = "exact"; // how a device multiplies f32: exact, tf32
  std::string target = "native";
  unsigned threads = 0;
  bool noCache = false;
  bool dynamic = false; // sizes are arguments of the kernel, not compiled in
  std::string output;   // .npy, .npz or .safetensors; empty: a summary is printed
  std::string picture;  // a result [n m] as a heat map
  std::string labels;   // JSON: the tokens on its axes
  bool check = false;   // run both ways and compare
  bool time = false;
};
/// The float64 reference meaning.
int evaluateCommand(const RunOptions &options, Console console);
/// The compiled kernel.
int runCommand(const RunOptions &options, Console console);

struct CompileOptions {
  std::string file, diagram;
  std::string emit = "so"; // diagram, mlir, linalg, llvm, asm, obj, so, header; gpu, ptx, cubin
  std::string output;      // empty: standard output for text, else NAME.o or NAME.so
  std::string target = "native";
  DType real = DType::F32;
  std::string f32 = "exact"; // how a device multiplies f32: exact, tf32
  std::vector<std::string> sizes;
  bool explain = false; // instead: what is streamed, what is not and why
};
int compile(const CompileOptions &options, Console console);

struct CostOptions {
  std::string file, diagram;
  std::vector<std::string> sizes; // NAME=NUMBER; sizes without one stay names
  std::int64_t elementBytes = 4;
};
/// Operations, traffic, memory and parameters as polynomials in the sizes.
int costCommand(const CostOptions &options, Console console);

struct RecombineOptions {
  std::string file;                  // empty: the shipped ones
  std::string generators;            // the last of the file when empty
  unsigned most = 4;                 // operations of a diagram
  std::vector<std::string> criteria; // by name; all when empty; "none"
  std::string output;                // a folder; empty: nothing is written
  std::string state;                 // what is done is kept here; empty: nowhere
  unsigned threads = 0;
  std::size_t maxMemory = std::size_t(1) << 30; // bytes, of the diagrams that are kept
  bool countOnly = false;
};
/// All closed diagrams of generators up to equality, less the redundant ones; a program, a picture and a row for each.
int recombineCommand(const RecombineOptions &options, Console console);

/// A web of tokens: its nodes are given by name, several parted by commas. Nodes are merged first, then parts kept.
struct WebOptions {
  std::string file;   // .csv, .tsv, .json, .graphml; .npz and .safetensors with their nodes' names in `labels`
  std::string labels; // JSON: a list of strings
  std::vector<std::string> merge; // each several nodes that become one
  std::string keep;
  std::string around;
  unsigned links = 1;            // how far around
  std::vector<std::string> path; // from, to
  std::string output;            // .csv, .tsv, .json, .graphml, .npz, .safetensors; empty: a summary is printed
};
int webCommand(const WebOptions &options, Console console);

struct ProveOptions {
  std::vector<std::string> files;
};
/// Replays the derivations of files step by step, and tries out their rules.
int prove(const ProveOptions &options, Console console);

struct DeriveOptions {
  std::string left, right; // FILE or FILE:DIAGRAM
  std::string rules;       // FILE or FILE:THEORY; the shipped rules if left out
  std::size_t maxSteps = 8, maxDiagrams = 20000;
  std::string output; // standard output if left out
};
/// Searches for a derivation and writes it as a program.
int derive(const DeriveOptions &options, Console console);

struct RewriteOptions {
  std::string file, diagram;
  std::string rules;
  std::string until = "fixpoint"; // or a number of rewrites
  std::string cost;               // flops, bytes, memory, parameters, ops: only what lowers it; empty: left to right
  std::vector<std::string> sizes; // NAME=NUMBER, for the cost
  std::size_t maxDiagrams = 400;  // that are priced
  std::string output;             // standard output if left out
};
/// Rewrites a diagram by rules, and writes it as a program.
int rewrite(const RewriteOptions &options, Console console);

struct TaxonomyOptions {
  std::string file;             // the shipped one if left out
  std::size_t depth = 0;        // 0: as the file says
  std::size_t maxNodes = 20000; // more are an error
  std::string state;            // what is done is kept here; empty: nowhere
  unsigned threads = 0;
  bool everything = false;          // also nodes that no known mechanism grows from
  std::vector<std::string> outputs; // .svg, .pdf, .dot, .json, .html
};
/// Grows a taxonomy and writes it.
int taxonomy(const TaxonomyOptions &options, Console console);

struct EqualOptions {
  std::string left, right; // FILE or FILE:DIAGRAM
};
/// Success when the two diagrams are the same morphism, Failure when they differ.
int equal(const EqualOptions &options, Console console);

} // namespace attnc
