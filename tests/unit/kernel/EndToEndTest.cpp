#include "../Folder.h"
#include "Definitions.h"
#include "attnc/kernel/Cache.h"
#include "attnc/kernel/Compile.h"
#include "attnc/kernel/Kernel.h"
#include "attnc/support/File.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

using namespace attnc;
using test::Folder;
namespace fs = std::filesystem;

namespace {
Array randomArray(std::vector<std::int64_t> shape, unsigned seed) {
  Array array = *Array::zeros(DType::F64, std::move(shape));
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> values(-2, 2);
  for (double &value : array.mutableAs<double>())
    value = values(engine);
  return array;
}

/// q: [n d], k: [m d], v: [m e] -> [n e], one softmax-weighted sum a query.
Definition attention() {
  Definition definition;
  definition.name = "attention";
  auto &learners = definition.learners;
  Size n = Size::variable("n"), m = Size::variable("m"), d = Size::variable("d"), e = Size::variable("e");
  Type scalar{Kind::Real, {}};
  auto box = [](Cap cap, Size size, std::vector<Mode> modes, Diagram body) {
    return Box{cap, std::move(size), false, std::move(modes), std::make_shared<const Diagram>(std::move(body))};
  };
  auto product = [&](auto type) {
    Builder b(learners);
    WireId x = b.input(type, "x"), y = b.input(type, "y");
    return std::pair{std::move(b), std::pair{x, y}};
  };
  auto [times, t] = product(scalar);
  WireId timed = times.add1(Pointwise{PointwiseFn::Mul}, {t.first, t.second}).value();
  Diagram multiply = std::move(times).finish({timed});
  auto [score, s] = product(Type{Kind::Real, {d}});
  WireId dot = score.add1(box(Cap::Sum, d, {Mode::Map, Mode::Map}, multiply), {s.first, s.second}).value();
  WireId root = score
                    .add1(Pointwise{PointwiseFn::Sqrt},
                          {score.add1(Pointwise{PointwiseFn::ToReal}, {score.add1(SizeValue{d}, {}).value()}).value()})
                    .value();
  WireId scaled = score.add1(Pointwise{PointwiseFn::Div}, {dot, root}).value();
  Diagram scoreBody = std::move(score).finish({scaled});
  Builder weigh(learners);
  WireId w = weigh.input(scalar, "w"), row = weigh.input(Type{Kind::Real, {e}}, "v");
  WireId weighted = weigh.add1(box(Cap::None, e, {Mode::Share, Mode::Map}, multiply), {w, row}).value();
  Diagram weighBody = std::move(weigh).finish({weighted});
  Builder query(learners);
  WireId q = query.input({Kind::Real, {d}}, "q"), k = query.input({Kind::Real, {m, d}}, "k"),
         v = query.input({Kind::Real, {m, e}}, "v");
  WireId logits = query.add1(box(Cap::None, m, {Mode::Share, Mode::Map}, scoreBody), {q, k}).value();
  WireId weights = query.add1(Softmax{}, {logits}).value();
  WireId result = query.add1(box(Cap::Sum, m, {Mode::Map, Mode::Map}, weighBody), {weights, v}).value();
  Diagram queryBody = std::move(query).finish({result});
  Builder top(learners);
  WireId Q = top.input({Kind::Real, {n, d}}, "q"), K = top.input({Kind::Real, {m, d}}, "k"),
         V = top.input({Kind::Real, {m, e}}, "v");
  WireId y = top.add1(box(Cap::None, n, {Mode::Map, Mode::Share, Mode::Share}, queryBody), {Q, K, V}).value();
  definition.diagram = std::move(top).finish({y});
  definition.outputNames = {"y"};
  return definition;
}

std::vector<double> attentionByHand(const Array &q, const Array &k, const Array &v) {
  auto n = q.shape()[0], d = q.shape()[1], m = k.shape()[0], e = v.shape()[1];
  std::vector<double> y(n * e, 0), w(m);
  for (std::int64_t i = 0; i < n; ++i) {
    double most = -INFINITY, total = 0;
    for (std::int64_t j = 0; j < m; ++j) {
      w[j] = 0;
      for (std::int64_t c = 0; c < d; ++c)
        w[j] += q.as<double>()[i * d + c] * k.as<double>()[j * d + c];
      most = std::max(most, w[j] /= std::sqrt(double(d)));
    }
    for (double &weight : w)
      total += weight = std::exp(weight - most);
    for (std::int64_t j = 0; j < m; ++j)
      for (std::int64_t c = 0; c < e; ++c)
        y[i * e + c] += w[j] / total * v.as<double>()[j * e + c];
  }
  return y;
}

void checkAttention(const Kernel &kernel, const Size::Values &sizes, double tolerance) {
  auto at = [&](const char *name) { return sizes.find(name)->second; };
  Array inputs[] = {randomArray({at("n"), at("d")}, 1), randomArray({at("m"), at("d")}, 2),
                    randomArray({at("m"), at("e")}, 3)};
  auto run = kernel.run(sizes, inputs, {});
  REQUIRE(run);
  Array y = *run->outputs[0].converted(DType::F64);
  std::vector<double> expected = attentionByHand(inputs[0], inputs[1], inputs[2]);
  REQUIRE(y.as<double>().size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    REQUIRE(y.as<double>()[i] == Approx(expected[i]).margin(tolerance).epsilon(0));
}
} // namespace

TEST_CASE("attention compiled with dynamic sizes gives what it means") {
  Definition definition = attention();
  auto [real, tolerance] =
      GENERATE(table<DType, double>({{DType::F32, 1e-5}, {DType::F64, 1e-12}, {DType::BF16, 3e-2}}));
  auto kernel = Kernel::compile(definition, {.real = real, .useCache = false});
  REQUIRE(kernel);
  CHECK_FALSE(kernel->times().cached);
  for (std::int64_t n : {1, 5})
    for (std::int64_t m : {1, 17})
      for (std::int64_t d : {1, 7, 32})
        for (std::int64_t e : {0, 1, 9})
          checkAttention(*kernel, {{"n", n}, {"m", m}, {"d", d}, {"e", e}}, tolerance);
  checkAttention(*kernel, {{"n", 0}, {"m", 3}, {"d", 2}, {"e", 2}}, tolerance);
  checkAttention(*kernel, {{"n", 2}, {"m", 0}, {"d", 2}, {"e", 2}}, tolerance);
}

TEST_CASE("sizes are compiled in, all or some") {
  Definition definition = attention();
  checkAttention(
      Kernel::compile(definition, {.sizes = {{"n", 6}, {"m", 33}, {"d", 16}, {"e", 5}}, .useCache = false}).value(),
      {{"n", 6}, {"m", 33}, {"d", 16}, {"e", 5}}, 1e-5);
  Kernel partly = Kernel::compile(definition, {.sizes = {{"m", 8}, {"e", 4}}, .useCache = false}).value();
  checkAttention(partly, {{"n", 3}, {"m", 8}, {"d", 5}, {"e", 4}}, 1e-5);
  checkAttention(partly, {{"n", 1}, {"m", 8}, {"d", 2}, {"e", 4}}, 1e-5);
}

TEST_CASE("the second compilation is found in the cache, and a broken entry is compiled again") {
  Folder directory;
  KernelOptions options{.cacheDirectory = directory.path};
  Definition definition = attention();
  Size::Values sizes{{"n", 2}, {"m", 3}, {"d", 4}, {"e", 5}};
  CHECK_FALSE(Kernel::compile(definition, options)->times().cached);
  Kernel second = Kernel::compile(definition, options).value();
  CHECK(second.times().cached);
  CHECK(second.times().compile() == 0);
  checkAttention(second, sizes, 1e-5);

  options.real = DType::F64;
  CHECK_FALSE(Kernel::compile(definition, options)->times().cached);
  options.real = DType::F32;
  CHECK(Kernel::compile(definition, options)->times().cached);

  for (const auto &entry : fs::directory_iterator(directory.path)) {
    int fd = ::open(entry.path().c_str(), O_RDWR);
    char byte = 0;
    REQUIRE(::pread(fd, &byte, 1, 2000) == 1);
    byte ^= 0x10;
    REQUIRE(::pwrite(fd, &byte, 1, 2000) == 1);
    ::close(fd);
  }
  Kernel again = Kernel::compile(definition, options).value();
  CHECK_FALSE(again.times().cached);
  checkAttention(again, sizes, 1e-5);
  CHECK(Kernel::compile(definition, options)->times().cached);
  options.useCache = false;
  CHECK_FALSE(Kernel::compile(definition, options)->times().cached);
}

TEST_CASE("an entry that is whole but no kernel is compiled again") {
  Folder directory;
  Definition definition = attention();
  KernelVariant variant{DType::F32, {}, "native", 2};
  ObjectCache cache(directory.path, 1 << 20);
  REQUIRE(cache.store(kernelKey(definition, variant).value(), "no shared object"));
  Kernel kernel = Kernel::compile(definition, {.cacheDirectory = directory.path}).value();
  CHECK_FALSE(kernel.times().cached);
  checkAttention(kernel, {{"n", 2}, {"m", 3}, {"d", 4}, {"e", 5}}, 1e-5);
}

TEST_CASE("eight processes compile one kernel at once") {
  Folder directory;
  Definition definition = attention();
  std::vector<pid_t> children;
  for (int child = 0; child < 8; ++child) {
    pid_t pid = ::fork();
    if (pid == 0) {
      auto kernel = Kernel::compile(definition, {.cacheDirectory = directory.path});
      bool right = kernel.has_value();
      if (right) {
        Array inputs[] = {randomArray({3, 4}, 1), randomArray({5, 4}, 2), randomArray({5, 2}, 3)};
        auto run = kernel->run({{"n", 3}, {"m", 5}, {"d", 4}, {"e", 2}}, inputs, {});
        std::vector<double> expected = attentionByHand(inputs[0], inputs[1], inputs[2]);
        right = run.has_value();
        for (std::size_t i = 0; right && i < expected.size(); ++i)
          right = std::abs(run->outputs[0].as<float>()[i] - expected[i]) < 1e-5;
      }
      ::_exit(right ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (pid_t pid : children) {
    int status = -1;
    ::waitpid(pid, &status, 0);
    CHECK(status == 0);
  }
  CHECK(Kernel::compile(definition, {.cacheDirectory = directory.path})->times().cached);
}

TEST_CASE("every artefact of a definition can be made, for this machine and another") {
  Definition definition = attention();
  for (const char *name : {"native", "aarch64", "x86-64-v2"}) {
    KernelVariant variant{DType::F32, {{"d", 8}}, name, 2};
    auto make = [&](Artefact artefact) {
      auto made = makeArtefact(definition, variant, artefact);
      INFO((made ? "" : made.error()));
      REQUIRE(made);
      CHECK(makeArtefact(definition, variant, artefact) == made);
      return *made;
    };
    using Catch::Matchers::Contains;
    CHECK_THAT(make(Artefact::Dialect), Contains("attnc."));
    CHECK_THAT(make(Artefact::Linalg), Contains("linalg.") && !Contains("attnc.softmax"));
    CHECK_THAT(make(Artefact::Llvm), Contains("define") && Contains("@attnc_attention("));
    CHECK_THAT(make(Artefact::Assembly), Contains("attnc_attention:"));
    CHECK(make(Artefact::Object)
              .starts_with("\x7f"
                           "ELF"));
    CHECK(make(Artefact::Shared)
              .starts_with("\x7f"
                           "ELF"));
    CHECK_THAT(make(Artefact::Header), Contains("int32_t attnc_attention("));
  }
}

TEST_CASE("what cannot be compiled or run is refused") {
  Definition definition = test::mulDefinition();
  CHECK(Kernel::compile(definition, {.target = "aarch64", .useCache = false}).error() ==
        "code for aarch64-unknown-linux-gnu cannot run on this machine");
  CHECK_FALSE(Kernel::compile(definition, {.target = "pdp11", .useCache = false}));
  Definition holed;
  holed.name = "holed";
  Type scalar{Kind::Real, {}};
  holed.learners.push_back({LearnerKind::Hole, "core", {scalar}, {scalar}, {}, 64, {}});
  Builder builder(holed.learners);
  WireId x = builder.input(scalar, "x");
  WireId y = builder.add1(Apply{LearnerId(0), {}}, {x}).value();
  holed.diagram = std::move(builder).finish({y});
  CHECK_THAT(Kernel::compile(holed, {.useCache = false}).error(), Catch::Matchers::Contains("core"));
}
