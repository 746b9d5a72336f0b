#pragma once
#include "attnc/arrays/Array.h"
#include "attnc/diagram/Builder.h"
#include "attnc/eval/Eval.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <type_traits>

/// Short ways to make diagrams and arrays in the tests of the oracle.
namespace attnc::make {

inline constexpr double inf = std::numeric_limits<double>::infinity();
inline const double NaN = std::numeric_limits<double>::quiet_NaN();
using Ints = std::vector<std::int64_t>;
using Reals = std::vector<double>;

inline Type realType(std::vector<Size> axes = {}) { return {Kind::Real, std::move(axes)}; }
inline Type intType(std::vector<Size> axes = {}) { return {Kind::Int, std::move(axes)}; }
inline Type boolType(std::vector<Size> axes = {}) { return {Kind::Bool, std::move(axes)}; }

/// A builder that takes for granted that what is added is well typed.
struct Draft {
  Builder builder;
  explicit Draft(const std::vector<Learner> &learners) : builder(learners) {}

  std::vector<WireId> all(Generator generator, std::vector<WireId> operands) {
    auto results = builder.add(std::move(generator), std::move(operands));
    if (!results)
      FAIL(results.error());
    return *results;
  }
  WireId one(Generator generator, std::vector<WireId> operands) {
    return all(std::move(generator), std::move(operands)).front();
  }
  WireId fn(PointwiseFn function, std::vector<WireId> operands) {
    return one(Pointwise{function}, std::move(operands));
  }
  WireId number(double value) { return one(Const{value}, {}); }
};

/// The diagram on inputs of the given types that `build(draft, inputs)` describes by returning its outputs.
template <class Build>
Diagram diagram(const std::vector<Learner> &learners, const std::vector<Type> &inputs, Build &&build) {
  Draft draft(learners);
  std::vector<WireId> wires;
  for (const Type &type : inputs)
    wires.push_back(draft.builder.input(type, "x" + std::to_string(wires.size())));
  std::vector<WireId> outputs = build(draft, wires);
  return std::move(draft.builder).finish(outputs);
}
template <class Build> Diagram diagram(const std::vector<Type> &inputs, Build &&build) {
  return diagram({}, inputs, std::forward<Build>(build));
}
inline DiagramRef share(Diagram diagram) { return std::make_shared<const Diagram>(std::move(diagram)); }

/// `cap size { body }` without an index.
inline Box box(Cap cap, Size size, std::vector<Mode> modes, Diagram body) {
  return {cap, std::move(size), false, std::move(modes), share(std::move(body))};
}
inline Box indexedBox(Cap cap, Size size, std::vector<Mode> modes, Diagram body) {
  return {cap, std::move(size), true, std::move(modes), share(std::move(body))};
}

inline Definition define(Diagram diagram, std::vector<Learner> learners = {}) {
  Definition definition;
  definition.name = "test";
  definition.diagram = std::move(diagram);
  definition.learners = std::move(learners);
  return definition;
}

template <class T> Array array(DType dtype, Ints shape, const std::vector<T> &values) {
  Array result = *Array::zeros(dtype, std::move(shape));
  REQUIRE(result.elementCount() == std::int64_t(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i)
    result.mutableAs<std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>>()[i] = values[i];
  return result;
}
inline Array reals(Ints shape, const Reals &values) { return array(DType::F64, std::move(shape), values); }
inline Array reals(const Reals &values) { return reals({std::int64_t(values.size())}, values); }
inline Array real(double value) { return reals({}, {value}); }
inline Array integers(Ints shape, const Ints &values) { return array(DType::I64, std::move(shape), values); }
inline Array integers(const Ints &values) { return integers({std::int64_t(values.size())}, values); }
inline Array integer(std::int64_t value) { return integers({}, {value}); }
inline Array truths(Ints shape, const std::vector<bool> &values) {
  return array(DType::Bool, std::move(shape), values);
}
inline Array truth(bool value) { return truths({}, {value}); }

inline std::vector<Array> run(const Definition &definition, const Size::Values &sizes, const std::vector<Array> &inputs,
                              const std::vector<Array> &parameters = {}, const EvalOptions &options = {}) {
  auto outputs = evaluate(definition, sizes, inputs, parameters, options);
  if (!outputs)
    FAIL(outputs.error());
  return *outputs;
}

/// Equal shapes, types and elements: NaN equals NaN, reals up to `tolerance` relative to 1 + their size.
inline bool agree(const Array &a, const Array &b, double tolerance = 0) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape())
    return false;
  for (std::int64_t i = 0; i < a.elementCount(); ++i) {
    if (a.dtype() == DType::F64) {
      const double x = a.as<double>()[i], y = b.as<double>()[i];
      const bool same = x == y || (std::isnan(x) && std::isnan(y)) ||
                        (std::isfinite(x) && std::isfinite(y) && std::fabs(x - y) <= tolerance * (1 + std::fabs(x)));
      if (!same)
        return false;
    } else if (a.dtype() == DType::I64 ? a.as<std::int64_t>()[i] != b.as<std::int64_t>()[i]
                                       : a.as<std::uint8_t>()[i] != b.as<std::uint8_t>()[i]) {
      return false;
    }
  }
  return true;
}

inline std::string text(const Array &array) {
  std::string result = shapeText(array.shape()) + " {";
  for (std::int64_t i = 0; i < array.elementCount(); ++i) {
    if (array.dtype() == DType::F64)
      result += fmt::format(" {}", array.as<double>()[i]);
    else if (array.dtype() == DType::I64)
      result += fmt::format(" {}", array.as<std::int64_t>()[i]);
    else
      result += array.as<std::uint8_t>()[i] ? " true" : " false";
  }
  return result + " }";
}

inline void same(const Array &found, const Array &wanted, double tolerance = 0) {
  INFO("found  " << text(found));
  INFO("wanted " << text(wanted));
  CHECK(agree(found, wanted, tolerance));
}

} // namespace attnc::make
