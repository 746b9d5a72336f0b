#include "Twin.h"

#include "attnc/diagram/Parameters.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace attnc::twin {

namespace {

using Shape = std::vector<std::int64_t>;
using Int = std::int64_t;
constexpr double inf = std::numeric_limits<double>::infinity();
constexpr Int leastInt = std::numeric_limits<Int>::min(), greatestInt = std::numeric_limits<Int>::max();

Int count(const Shape &shape) {
  Int result = 1;
  for (Int extent : shape)
    result *= extent;
  return result;
}

Scalar zero(Kind kind) { return kind == Kind::Real ? Scalar(0.0) : kind == Kind::Int ? Scalar(Int(0)) : Scalar(false); }

Tensor filled(Kind kind, Shape shape, Scalar value) {
  const Int cells = count(shape);
  return {kind, std::move(shape), std::vector<Scalar>(cells, value)};
}

Tensor slice(const Tensor &tensor, Int i) {
  Tensor result{tensor.kind, Shape(tensor.shape.begin() + 1, tensor.shape.end()), {}};
  const Int size = count(result.shape);
  result.cells.assign(tensor.cells.begin() + i * size, tensor.cells.begin() + (i + 1) * size);
  return result;
}

double r(const Scalar &s) { return std::get<double>(s); }
Int i(const Scalar &s) { return std::get<Int>(s); }
bool b(const Scalar &s) { return std::get<bool>(s); }
using Wide = __int128;

Scalar arithmetic(PointwiseFn fn, const Scalar &x, const Scalar &y) {
  if (x.index() == 0) {
    const double a = r(x), c = r(y);
    const bool undefined = std::isnan(a) || std::isnan(c);
    switch (fn) {
    case PointwiseFn::Add:
      return a + c;
    case PointwiseFn::Sub:
      return a - c;
    case PointwiseFn::Mul:
      return a * c;
    case PointwiseFn::Min:
      return undefined ? NAN : std::fmin(a, c);
    default:
      return undefined ? NAN : std::fmax(a, c);
    }
  }
  const Wide a = i(x), c = i(y);
  switch (fn) {
  case PointwiseFn::Add:
    return Int(a + c); // narrowing is modulo 2^64
  case PointwiseFn::Sub:
    return Int(a - c);
  case PointwiseFn::Mul:
    return Int(a * c);
  case PointwiseFn::Min:
    return Int(std::min(a, c));
  default:
    return Int(std::max(a, c));
  }
}

Int floorDivision(Int x, Int y) {
  if (y == 0)
    return 0;
  Wide a = x, c = y, q = a / c;
  while (c > 0 ? q * c > a : q * c < a)
    --q;
  return Int(q);
}

Scalar function(PointwiseFn fn, const std::vector<Scalar> &x) {
  switch (fn) {
  case PointwiseFn::Add:
  case PointwiseFn::Sub:
  case PointwiseFn::Mul:
  case PointwiseFn::Min:
  case PointwiseFn::Max:
    return arithmetic(fn, x[0], x[1]);
  case PointwiseFn::Div:
    return r(x[0]) / r(x[1]);
  case PointwiseFn::FloorDiv:
    return floorDivision(i(x[0]), i(x[1]));
  case PointwiseFn::Mod:
    return i(x[1]) == 0 ? Int(0) : Int(Wide(i(x[0])) - Wide(floorDivision(i(x[0]), i(x[1]))) * i(x[1]));
  case PointwiseFn::Pow:
    return std::pow(r(x[0]), r(x[1]));
  case PointwiseFn::Neg:
    return x[0].index() == 0 ? Scalar(-r(x[0])) : Scalar(Int(-Wide(i(x[0]))));
  case PointwiseFn::Abs:
    return x[0].index() == 0 ? Scalar(std::fabs(r(x[0]))) : Scalar(Int(i(x[0]) < 0 ? -Wide(i(x[0])) : Wide(i(x[0]))));
  case PointwiseFn::Exp:
    return std::exp(r(x[0]));
  case PointwiseFn::Log:
    return std::log(r(x[0]));
  case PointwiseFn::Sqrt:
    return std::sqrt(r(x[0]));
  case PointwiseFn::Sin:
    return std::sin(r(x[0]));
  case PointwiseFn::Cos:
    return std::cos(r(x[0]));
  case PointwiseFn::Tanh:
    return std::tanh(r(x[0]));
  case PointwiseFn::Erf:
    return std::erf(r(x[0]));
  case PointwiseFn::Floor:
    return std::floor(r(x[0]));
  case PointwiseFn::Less:
    return x[0].index() == 0 ? r(x[0]) < r(x[1]) : i(x[0]) < i(x[1]);
  case PointwiseFn::LessEqual:
    return x[0].index() == 0 ? r(x[0]) <= r(x[1]) : i(x[0]) <= i(x[1]);
  case PointwiseFn::Equal:
    return x[0] == x[1];
  case PointwiseFn::NotEqual:
    return x[0] != x[1];
  case PointwiseFn::And:
    return b(x[0]) && b(x[1]);
  case PointwiseFn::Or:
    return b(x[0]) || b(x[1]);
  case PointwiseFn::Not:
    return !b(x[0]);
  case PointwiseFn::Where:
    return b(x[0]) ? x[1] : x[2];
  case PointwiseFn::ToReal:
    return double(i(x[0]));
  case PointwiseFn::ToInt: {
    const double whole = std::floor(r(x[0]));
    return std::isnan(whole) || whole < -0x1p63 || whole >= 0x1p63 ? Int(0) : Int(whole);
  }
  case PointwiseFn::BoolToInt:
    return Int(b(x[0]));
  case PointwiseFn::Uniform:
    return uniform(i(x[0]), i(x[1]));
  }
  return {};
}

Scalar unit(Cap cap, Kind kind) {
  const bool isReal = kind == Kind::Real;
  switch (cap) {
  case Cap::Prod:
    return isReal ? Scalar(1.0) : Scalar(Int(1));
  case Cap::Max:
    return isReal ? Scalar(-inf) : Scalar(leastInt);
  case Cap::Min:
    return isReal ? Scalar(inf) : Scalar(greatestInt);
  case Cap::All:
    return true;
  default:
    return zero(kind);
  }
}

Scalar folded(Cap cap, const Scalar &x, const Scalar &y) {
  switch (cap) {
  case Cap::Prod:
    return arithmetic(PointwiseFn::Mul, x, y);
  case Cap::Max:
    return arithmetic(PointwiseFn::Max, x, y);
  case Cap::Min:
    return arithmetic(PointwiseFn::Min, x, y);
  case Cap::Any:
    return b(x) || b(y);
  case Cap::All:
    return b(x) && b(y);
  default:
    return arithmetic(PointwiseFn::Add, x, y);
  }
}

std::vector<Tensor> topK(const Tensor &x, Int size) {
  Tensor values{x.kind, {size}, {}}, indices{Kind::Int, {size}, {}};
  std::vector<bool> taken(x.cells.size());
  auto better = [&](Int a, Int c) {
    if (x.kind == Kind::Int)
      return i(x.cells[a]) > i(x.cells[c]);
    if (std::isnan(r(x.cells[c])))
      return false;
    return std::isnan(r(x.cells[a])) || r(x.cells[a]) > r(x.cells[c]);
  };
  for (Int k = 0; k < size; ++k) {
    Int best = -1;
    for (Int j = 0; j < Int(x.cells.size()); ++j)
      if (!taken[j] && (best < 0 || better(j, best)))
        best = j;
    indices.cells.push_back(best);
    values.cells.push_back(best >= 0 ? x.cells[best] : x.kind == Kind::Real ? Scalar(-inf) : Scalar(leastInt));
    if (best >= 0)
      taken[best] = true;
  }
  return {values, indices};
}

Tensor softmax(const Tensor &x, const Tensor *sink) {
  std::vector<Scalar> logits = x.cells;
  if (sink)
    logits.push_back(sink->cells[0]);
  Scalar top = -inf;
  for (const Scalar &logit : logits)
    top = arithmetic(PointwiseFn::Max, top, logit);
  double total = 0;
  for (const Scalar &logit : logits)
    total += std::exp(r(logit) - r(top));
  Tensor result = x;
  for (Scalar &cell : result.cells)
    cell = r(top) == -inf ? 0.0 : std::exp(r(cell) - r(top)) / total;
  return result;
}

} // namespace

Tensor tensorOf(const Array &array) {
  Tensor result{array.dtype() == DType::F64   ? Kind::Real
                : array.dtype() == DType::I64 ? Kind::Int
                                              : Kind::Bool,
                array.shape(),
                {}};
  for (Int k = 0; k < array.elementCount(); ++k)
    result.cells.push_back(result.kind == Kind::Real  ? Scalar(array.as<double>()[k])
                           : result.kind == Kind::Int ? Scalar(array.as<Int>()[k])
                                                      : Scalar(array.as<std::uint8_t>()[k] != 0));
  return result;
}

Array arrayOf(const Tensor &tensor) {
  constexpr DType dtypes[] = {DType::F64, DType::I64, DType::Bool};
  Array result = *Array::zeros(dtypes[int(tensor.kind)], tensor.shape);
  for (std::size_t k = 0; k < tensor.cells.size(); ++k) {
    if (tensor.kind == Kind::Real)
      result.mutableAs<double>()[k] = r(tensor.cells[k]);
    else if (tensor.kind == Kind::Int)
      result.mutableAs<Int>()[k] = i(tensor.cells[k]);
    else
      result.mutableAs<std::uint8_t>()[k] = b(tensor.cells[k]);
  }
  return result;
}

Twin::Twin(const Definition &definition, const Size::Values &sizes, const std::vector<Array> &parameters)
    : definition(definition), sizes(sizes), fillings(definition.learners.size()) {
  const std::vector<Parameter> all = parametersOf(definition);
  for (std::size_t p = 0; p < all.size(); ++p)
    fillings[all[p].learner.index()].push_back(tensorOf(parameters[p]));
}

std::vector<Int> Twin::values(const std::vector<Size> &axes) const {
  Shape result;
  for (const Size &axis : axes)
    result.push_back(value(axis));
  return result;
}

std::vector<Tensor> Twin::run(const Diagram &diagram, const std::vector<Tensor> &inputs) {
  std::vector<Tensor> wires(diagram.wires.size()), outputs;
  for (std::size_t k = 0; k < inputs.size(); ++k)
    wires[diagram.inputs[k].index()] = inputs[k];
  for (const Op &operation : diagram.ops) {
    std::vector<Tensor> in;
    for (WireId wire : operation.operands)
      in.push_back(wires[wire.index()]);
    std::vector<Tensor> out = op(operation, in);
    for (std::size_t k = 0; k < out.size(); ++k)
      wires[operation.results[k].index()] = out[k];
  }
  for (WireId wire : diagram.outputs)
    outputs.push_back(wires[wire.index()]);
  return outputs;
}

std::vector<Tensor> Twin::op(const Op &op, const std::vector<Tensor> &in) {
  const Generator &g = op.generator;
  if (auto *constant = std::get_if<Const>(&g))
    return {Tensor{Kind(constant->value.index()), {}, {constant->value}}};
  if (auto *size = std::get_if<SizeValue>(&g))
    return {Tensor{Kind::Int, {}, {value(size->size)}}};
  if (auto *pointwise = std::get_if<Pointwise>(&g)) {
    std::vector<Scalar> x;
    for (const Tensor &operand : in)
      x.push_back(operand.cells[0]);
    const Scalar y = function(pointwise->fn, x);
    return {Tensor{Kind(y.index()), {}, {y}}};
  }
  if (std::holds_alternative<Gather>(g)) {
    const Int at = i(in[1].cells[0]);
    if (at >= 0 && at < in[0].shape[0])
      return {slice(in[0], at)};
    return {filled(in[0].kind, Shape(in[0].shape.begin() + 1, in[0].shape.end()), zero(in[0].kind))};
  }
  if (auto *scatter = std::get_if<Scatter>(&g)) {
    Shape shape = in[1].shape;
    shape[0] = value(scatter->size);
    Tensor out = filled(in[1].kind, shape, zero(in[1].kind));
    const Int size = count(shape) / std::max<Int>(shape[0], 1);
    for (Int k = 0; k < in[1].shape[0]; ++k)
      if (const Int at = i(in[0].cells[k]); at >= 0 && at < shape[0])
        for (Int c = 0; c < size; ++c)
          out.cells[at * size + c] = arithmetic(PointwiseFn::Add, out.cells[at * size + c], in[1].cells[k * size + c]);
    return {out};
  }
  if (auto *topk = std::get_if<TopK>(&g))
    return topK(in[0], value(topk->count));
  if (auto *normaliser = std::get_if<Softmax>(&g))
    return {softmax(in[0], normaliser->sink ? &in[1] : nullptr)};
  if (std::holds_alternative<Transpose>(g)) {
    Tensor out = in[0];
    std::swap(out.shape[0], out.shape[1]);
    const Int rows = in[0].shape[0], columns = in[0].shape[1],
              size = count(Shape(out.shape.begin() + 2, out.shape.end()));
    for (Int x = 0; x < rows; ++x)
      for (Int y = 0; y < columns; ++y)
        for (Int c = 0; c < size; ++c)
          out.cells[(y * rows + x) * size + c] = in[0].cells[(x * columns + y) * size + c];
    return {out};
  }
  if (auto *reshape = std::get_if<Reshape>(&g))
    return {Tensor{in[0].kind, values(reshape->axes), in[0].cells}};
  if (auto *tube = std::get_if<Box>(&g))
    return box(*tube, in);
  if (auto *stepper = std::get_if<Scan>(&g))
    return scan(*stepper, in);
  if (auto *call = std::get_if<Call>(&g))
    return run(*call->body, in);
  return {apply(std::get<Apply>(g), in)};
}

std::vector<Tensor> Twin::box(const Box &box, const std::vector<Tensor> &in) {
  const Int size = value(box.size);
  std::vector<Tensor> out;
  for (const Type &type : box.body->outputTypes()) {
    Shape shape = values(type.axes);
    if (box.cap != Cap::None) {
      out.push_back(filled(type.kind, shape, unit(box.cap, type.kind)));
      continue;
    }
    shape.insert(shape.begin(), size);
    out.push_back({type.kind, shape, {}});
  }
  for (Int step = 0; step < size; ++step) {
    std::vector<Tensor> inside;
    if (box.indexed)
      inside.push_back({Kind::Int, {}, {step}});
    for (std::size_t k = 0; k < in.size(); ++k)
      inside.push_back(box.modes[k] == Mode::Map ? slice(in[k], step) : in[k]);
    indices.push_back(step);
    const std::vector<Tensor> results = run(*box.body, inside);
    indices.pop_back();
    for (std::size_t k = 0; k < results.size(); ++k)
      for (std::size_t c = 0; c < results[k].cells.size(); ++c) {
        if (box.cap == Cap::None)
          out[k].cells.push_back(results[k].cells[c]);
        else
          out[k].cells[c] = folded(box.cap, out[k].cells[c], results[k].cells[c]);
      }
  }
  return out;
}

std::vector<Tensor> Twin::scan(const Scan &scan, const std::vector<Tensor> &in) {
  const Int size = value(scan.size);
  std::vector<Tensor> states(in.begin(), in.begin() + scan.states), out;
  for (std::size_t k = scan.states; k < scan.body->outputs.size(); ++k) {
    const Type &type = scan.body->type(scan.body->outputs[k]);
    Shape shape = values(type.axes);
    shape.insert(shape.begin(), size);
    out.push_back({type.kind, shape, {}});
  }
  for (Int step = 0; step < size; ++step) {
    std::vector<Tensor> inside;
    if (scan.indexed)
      inside.push_back({Kind::Int, {}, {step}});
    inside.insert(inside.end(), states.begin(), states.end());
    for (std::size_t k = scan.states; k < in.size(); ++k)
      inside.push_back(scan.modes[k - scan.states] == Mode::Map ? slice(in[k], step) : in[k]);
    indices.push_back(step);
    const std::vector<Tensor> results = run(*scan.body, inside);
    indices.pop_back();
    for (std::size_t k = 0; k < results.size(); ++k) {
      if (k < scan.states)
        states[k] = results[k];
      else
        out[k - scan.states].cells.insert(out[k - scan.states].cells.end(), results[k].cells.begin(),
                                          results[k].cells.end());
    }
  }
  out.insert(out.end(), states.begin(), states.end());
  return out;
}

Tensor Twin::apply(const Apply &apply, const std::vector<Tensor> &in) {
  const Learner &learner = definition.learner(apply.learner);
  std::vector<Tensor> filling;
  for (Tensor parameter : fillings[apply.learner.index()]) {
    for (unsigned per : apply.per)
      parameter = slice(parameter, indices[indices.size() - 1 - per]);
    filling.push_back(parameter);
  }
  if (learner.kind == LearnerKind::Param)
    return filling[0];
  const bool hidden = learner.kind == LearnerKind::Universal;
  const Shape target = hidden ? Shape{value(learner.width)} : values(learner.codomain[0].axes);
  auto add = [](Tensor &to, const Tensor &x, const Tensor &weight) {
    for (std::size_t k = 0; k < x.cells.size(); ++k)
      for (std::size_t c = 0; c < to.cells.size(); ++c)
        to.cells[c] = r(to.cells[c]) + r(x.cells[k]) * r(weight.cells[k * to.cells.size() + c]);
  };
  auto bias = [](Tensor &to, const Tensor &by) {
    for (std::size_t c = 0; c < to.cells.size(); ++c)
      to.cells[c] = r(to.cells[c]) + r(by.cells[c]);
  };
  Tensor y = filled(Kind::Real, target, 0.0);
  for (std::size_t k = 0; k < in.size(); ++k)
    add(y, in[k], filling[k]);
  if (learner.kind == LearnerKind::Linear)
    return y;
  bias(y, filling[in.size()]);
  if (!hidden)
    return y;
  for (Scalar &cell : y.cells)
    cell = std::tanh(r(cell));
  Tensor out = filled(Kind::Real, values(learner.codomain[0].axes), 0.0);
  add(out, y, filling[in.size() + 1]);
  bias(out, filling[in.size() + 2]);
  return out;
}

} // namespace attnc::twin
