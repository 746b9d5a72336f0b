// What `tools/bench rewrite` runs: prints JSON. Times are least of several rounds, of one thread.
#include "attnc/diagram/Builder.h"
#include "attnc/diagram/Canonical.h"
#include "attnc/elaborate/Elaborate.h"
#include "attnc/rewrite/Apply.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>

using namespace attnc;
using namespace attnc::rewriting;

static double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A chain of n diamonds: t = exp(x), sin(t) + cos(t), four operations each.
static Definition chain(std::size_t n) {
  Definition definition;
  definition.name = "chain";
  Builder builder(definition.learners);
  WireId at = builder.input({Kind::Real, {}}, "x");
  for (std::size_t i = 0; i < n; ++i) {
    WireId top = *builder.add1(Pointwise{PointwiseFn::Exp}, {at});
    WireId left = *builder.add1(Pointwise{PointwiseFn::Sin}, {top});
    WireId right = *builder.add1(Pointwise{PointwiseFn::Cos}, {top});
    at = *builder.add1(Pointwise{PointwiseFn::Sub}, {left, right});
  }
  definition.diagram = std::move(builder).finish({at});
  return definition;
}

/// The slope of a line through the logarithms.
static double exponent(const std::vector<double> &sizes, const std::vector<double> &times) {
  double mx = 0, my = 0, xy = 0, xx = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    mx += std::log(sizes[i]) / sizes.size(), my += std::log(times[i]) / sizes.size();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    xy += (std::log(sizes[i]) - mx) * (std::log(times[i]) - my);
    xx += (std::log(sizes[i]) - mx) * (std::log(sizes[i]) - mx);
  }
  return xy / xx;
}

static int run() {
  SourceManager sources;
  Diagnostics diagnostics(sources);
  Module module = elaborate(
      sources,
      sources.add("bench.attn", "rule diamond : express forall (x: []) { t = exp(x) sin(t) - cos(t) } => tanh(x)"),
      diagnostics, [](const std::filesystem::path &) { return tl::unexpected<std::string>("none"); });
  Tables tables;
  Pattern pattern = *Pattern::make(tables, module.rules.at(0), false);
  nlohmann::json rows = nlohmann::json::array();
  std::vector<double> sizes, matching, replacing, canonical;
  for (std::size_t n : {100, 300, 1000, 3000, 10000}) {
    Definition definition = chain(n);
    double match = 1e9, replace = 1e9, form = 1e9;
    std::size_t count = 0;
    for (int round = 0; round < 7; ++round) {
      Host host = load(tables, definition);
      double begin = now();
      std::vector<Match> matches = allMatches(host, pattern);
      double between = now();
      for (const Match &one : matches)
        if (!apply(host, pattern, one))
          return 1;
      double end = now();
      count = matches.size();
      match = std::min(match, (between - begin) / count);
      replace = std::min(replace, (end - between) / count);
      begin = now();
      canonicalForm(definition);
      form = std::min(form, (now() - begin) / definition.diagram.ops.size());
    }
    if (count != n)
      return 1;
    sizes.push_back(n);
    matching.push_back(match * n);
    replacing.push_back(replace * n);
    canonical.push_back(form * n);
    rows.push_back({{"diamonds", n},
                    {"matches per second", 1 / match},
                    {"microseconds a replacement", replace * 1e6},
                    {"canonical operations per second", 1 / form}});
  }
  std::cout << nlohmann::json{{"rows", rows},
                              {"exponents",
                               {{"matching", exponent(sizes, matching)},
                                {"replacing", exponent(sizes, replacing)},
                                {"canonical form", exponent(sizes, canonical)}}}}
                   .dump(1)
            << "\n";
  return 0;
}

int main() {
  try {
    return run();
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
