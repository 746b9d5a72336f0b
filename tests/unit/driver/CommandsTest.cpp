// What the commands say when something is wrong: each diagnostic of files, arguments and running.

#include "attnc/driver/Commands.h"
#include "../Folder.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace attnc;
using test::Folder;

namespace {

struct Told {
  std::ostringstream out, err;
  int code = 0;
  Console console() { return {out, err}; }
  bool says(const std::string &text) const { return err.str().find(text) != std::string::npos; }
};

RunOptions runOf(const std::string &file) {
  RunOptions options;
  options.file = file;
  return options;
}

constexpr const char *relu = "diagram f(x: [n]) -> [n] { relu(x) }\n";

} // namespace

TEST_CASE("check is quiet when right and says where it is wrong") {
  Folder folder;
  Told right, wrong, missing;
  CHECK(check({{folder.file("right.attn", relu)}}, right.console()) == Success);
  CHECK(right.out.str().empty());
  CHECK(right.err.str().empty());
  CHECK(check({{folder.file("wrong.attn", "diagram f(x: [n]) -> [n] { y }\n")}}, wrong.console()) == Failure);
  CHECK(wrong.says("wrong.attn:1:28: error: nothing here is called 'y'"));
  CHECK(check({{folder.path / "nowhere.attn"}}, missing.console()) == Failure); // CannotRead
  CHECK(missing.says("cannot read"));
}

TEST_CASE("check describes diagrams as JSON") {
  Folder folder;
  Told told;
  Console console = told.console();
  console.json = true;
  CHECK(check({{folder.file("f.attn", "diagram f(x: [n c]) -> [n d] { linear W : [c] -> [d]  W(x) }\n")}}, console) ==
        Success);
  auto json = nlohmann::json::parse(told.out.str());
  CHECK(json["diagrams"][0]["parameters"][0]["type"] == "[c d]");
  CHECK(json["diagnostics"].empty());
}

TEST_CASE("a file without the diagram asked for: NoDiagram, NoSuchDiagram") {
  Folder folder;
  Told empty, other;
  CHECK(evaluateCommand(runOf(folder.file("empty.attn", "// nothing\n")), empty.console()) == Failure);
  CHECK(empty.says("holds no diagram"));
  RunOptions options = runOf(folder.file("f.attn", relu));
  options.diagram = "ff";
  CHECK(evaluateCommand(options, other.console()) == Failure);
  CHECK(other.says("did you mean 'f'?"));
}

TEST_CASE("arguments that are none: BadArgument") {
  Folder folder;
  Told told;
  RunOptions options = runOf(folder.file("f.attn", relu));
  options.arrays.inputs = {"x", "x=random:one"};
  options.arrays.sizes = {"n=many"};
  CHECK(evaluateCommand(options, told.console()) == Failure);
  CHECK(told.says("'x' is not NAME=FILE.npy"));
  CHECK(told.says("'x=random:one' is not"));
  CHECK(told.says("'n=many' is not NAME=NUMBER"));
}

TEST_CASE("a result is written whole or not at all: CannotWrite") {
  Folder folder;
  Told told, unwritable;
  RunOptions options = runOf(folder.file("f.attn", relu));
  options.arrays.inputs = {"x=random:1"};
  options.arrays.sizes = {"n=5"};
  options.output = folder.path / "y.npy";
  CHECK(evaluateCommand(options, told.console()) == Success);
  CHECK(std::filesystem::file_size(options.output) == 128 + 5 * 8);
  options.output = folder.path / "no" / "y.npy";
  CHECK(evaluateCommand(options, unwritable.console()) == Failure);
  CHECK(unwritable.says("cannot write"));
}

TEST_CASE("too large to run: MemoryLimit, CannotRun") {
  Folder folder;
  Told told;
  RunOptions options = runOf(folder.file("f.attn", "diagram f(x: [n]) -> [n n] { outer(x, x) }\n"));
  options.arrays.inputs = {"x=random:1"};
  options.arrays.sizes = {"n=3000"};
  options.arrays.maxMemory = 1 << 20;
  CHECK(evaluateCommand(options, told.console()) == Failure);
  CHECK(told.says("memory"));
}

TEST_CASE("a diagram with a box that is not given cannot be run") {
  Folder folder;
  Told told;
  RunOptions options = runOf(folder.file("f.attn", "diagram f(x: [n]) with (b: [n] -> [n]) -> [n] { b(x) }\n"));
  options.arrays.inputs = {"x=random:1"};
  options.arrays.sizes = {"n=3"};
  CHECK(evaluateCommand(options, told.console()) == Failure);
  CHECK(told.says("takes a box 'b' that is not given"));
}

TEST_CASE("equal says the same, or where they differ: NotEqual") {
  Folder folder;
  std::string file =
      folder.file("f.attn", "diagram f(x: [n]) -> [n] { exp(x) }\ndiagram g(y: [m]) -> [m] { simd m (y) { exp(y) } }\n"
                            "diagram h(x: [n]) -> [n] { tanh(x) }\n");
  Told same, differ;
  CHECK(equal({file + ":f", file + ":g"}, same.console()) == Success);
  CHECK(equal({file + ":f", file + ":h"}, differ.console()) == Failure);
  CHECK(differ.says("tanh"));
}

TEST_CASE("fmt rewrites, or only checks: NotFormatted") {
  Folder folder;
  std::string file = folder.file("f.attn", "diagram   f(x: [n]) -> [n] {relu(x)} // kept\n");
  Told checked, rewritten, again;
  FmtOptions options{{file}};
  options.check = true;
  CHECK(format(options, checked.console()) == Failure);
  CHECK(checked.says("is not in canonical form"));
  options.check = false;
  CHECK(format(options, rewritten.console()) == Success);
  options.check = true;
  CHECK(format(options, again.console()) == Success);
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  CHECK(text.str().find("// kept") != std::string::npos);
}

TEST_CASE("pictures: UnknownPictureForm, CannotDraw") {
  Folder folder;
  Told unknown, svg, flat;
  DrawCommand options;
  options.file = folder.file("f.attn", relu);
  options.output = folder.path / "f.gif";
  CHECK(draw(options, unknown.console()) == Failure);
  CHECK(unknown.says("names no picture form"));
  options.output = folder.path / "f.svg";
  CHECK(draw(options, svg.console()) == Success);
  CHECK(std::filesystem::file_size(options.output) > 200);
  Told closed;
  options.open = {"rleu"};
  CHECK(draw(options, closed.console()) == Failure); // NothingToOpen
  CHECK(closed.says("'f' has no named box 'rleu' to open"));
  CHECK(closed.says("did you mean 'relu'?"));
  RunOptions map = runOf(options.file);
  map.arrays.inputs = {"x=random:1"};
  map.arrays.sizes = {"n=3"};
  map.picture = folder.path / "map.svg";
  CHECK(evaluateCommand(map, flat.console()) == Failure);
  CHECK(flat.says("a heat map shows a result with two axes"));
}

TEST_CASE("what cannot be meant is refused before anything is computed: GivenTwice, UnknownArrayForm") {
  Folder folder;
  RunOptions options = runOf(folder.file("f.attn", "diagram f(x: [n]) -> (a: [n], b: []) { (x, sum(x)) }\n"));
  Told twice, forms, several;
  options.arrays.inputs = {"x=random:1", "x=random:2"};
  options.arrays.sizes = {"n=3", "n=4"};
  CHECK(evaluateCommand(options, twice.console()) == Failure);
  CHECK(twice.says("'x' is given twice"));
  CHECK(twice.says("'n' is given twice"));
  options.arrays.inputs = {"x=random:1"};
  options.arrays.sizes = {"n=3"};
  options.output = folder.path / "y.txt";
  options.picture = folder.path / "y.gif";
  CHECK(evaluateCommand(options, forms.console()) == Failure);
  CHECK(forms.says("names no form of array file"));
  CHECK(forms.says("names no picture form"));
  options.picture = "";
  options.output = folder.path / "y.npy";
  CHECK(evaluateCommand(options, several.console()) == Failure);
  CHECK(several.says("'f' has 2 results"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("arrays that do not serve: BadArrayFile, NoSuchKey, ArrayMismatch, MissingParameter") {
  Folder folder;
  Told none, key, parameter;
  RunOptions options = runOf(folder.file("f.attn", "diagram f(x: [n]) -> [n] { linear W : [n] -> [n]  W(x) }\n"));
  options.arrays.inputs = {"x=" + folder.file("x.npy", "no array")};
  CHECK(evaluateCommand(options, none.console()) == Failure);
  CHECK(none.says("is not a readable array file"));

  options.arrays.inputs = {"x=random:1"};
  options.arrays.sizes = {"n=3"};
  CHECK(evaluateCommand(options, parameter.console()) == Failure);
  CHECK(parameter.says("the parameter 'W' of type [n n] is not given"));

  RunOptions make = runOf(folder.file("g.attn", "diagram g(x: [n]) -> (a: [n], b: [n]) { (x, x) }\n"));
  make.arrays.inputs = {"x=random:1"};
  make.arrays.sizes = {"n=3"};
  make.output = folder.path / "g.npz";
  Told made;
  REQUIRE(evaluateCommand(make, made.console()) == Success);
  options.arrays.inputs = {"x=" + make.output + ":c"};
  CHECK(evaluateCommand(options, key.console()) == Failure);
  CHECK(key.says("holds no array called 'c'"));
}

TEST_CASE("a size that would be negative: NegativeSize") {
  Folder folder;
  Told told;
  RunOptions options = runOf(folder.file("f.attn", "diagram f(x: [n]) -> [n-4] { slice(x, 2, len = n - 4) }\n"));
  options.arrays.inputs = {"x=random:1"};
  options.arrays.sizes = {"n=3"};
  CHECK(evaluateCommand(options, told.console()) == Failure);
  CHECK(told.says("would be -1"));
}

TEST_CASE("a target that is not known: CompilerError") {
  Folder folder;
  Told told;
  CompileOptions options;
  options.file = folder.file("f.attn", relu);
  options.target = "x87-64";
  CHECK(compile(options, told.console()) == Failure);
  CHECK(told.says("could not be compiled"));
}

TEST_CASE("a compiled result that differs from the reference: CheckFailed") {
  Folder folder;
  Told told;
  RunOptions options =
      runOf(folder.file("f.attn", "diagram f(x: [n]) -> [n] { (x + 1e9) - 1e9 }\n")); // nothing of x is left in f32
  options.arrays.inputs = {"x=random:1"};
  options.arrays.sizes = {"n=3"};
  options.check = true;
  options.noCache = true;
  CHECK(runCommand(options, told.console()) == Failure);
  CHECK((told.says("relative error") || told.says("has no compiler")));
}

TEST_CASE("what one notation cannot say: CannotConvert") {
  Folder folder;
  Told told;
  FmtOptions options{
      {folder.file("f.attn", "diagram inner(x: [m]) -> [m] {\n  linear W : [] -> []\n  simd m (x) { W(x) }\n}\n"
                             "diagram f(x: [n n]) -> [n n] {\n  box b = inner per n\n  simd n (x) { b(x) }\n}\n")}};
  options.notation = FmtOptions::Notation::PointFree;
  options.toOutput = true;
  CHECK(format(options, told.console()) == Failure);
  CHECK(told.says("has no form in the other notation"));
}

TEST_CASE("costs: NoCost of a box that is not given") {
  Folder folder;
  Told told;
  CostOptions options;
  options.file =
      folder.file("f.attn", "diagram f(x: [n d]) with (core: [d] -> [d]) -> [n d] { simd n (x) { core(x) } }\n");
  CHECK(costCommand(options, told.console()) == Failure);
  CHECK(told.says("the cost of 'f' cannot be told: the box 'core' is not given"));
}

TEST_CASE("costs as a table and as JSON") {
  Folder folder;
  Told table, json;
  CostOptions options;
  options.file = folder.file("f.attn", "diagram f(x: [n], y: [m]) -> [n m] { outer(x, y) }\n");
  options.sizes = {"n=3"};
  CHECK(costCommand(options, table.console()) == Success);
  CHECK(table.out.str().find("flops           m*n = 3*m\n") != std::string::npos);
  options.sizes = {"n=3", "m=2"};
  Console console = json.console();
  console.json = true;
  CHECK(costCommand(options, console) == Success);
  auto found = nlohmann::json::parse(json.out.str());
  CHECK(found["flops"]["polynomial"] == "m*n");
  CHECK(found["flops"]["value"] == 6);
  options.sizes = {"k=2"};
  CHECK(costCommand(options, table.console()) == Failure);
  CHECK(table.says("'f' has no size or option called 'k'"));
}
