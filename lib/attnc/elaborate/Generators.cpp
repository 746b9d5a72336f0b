#include "attnc/elaborate/Elaborator.h"

namespace attnc::elaboration {

std::optional<Values> Elaborator::generator(Generator generator, const Values &operands, Frame &frame, Span span,
                                            std::vector<WireId> wires) {
  for (const Value &value : operands)
    wires.push_back(frame.import(value));
  std::string what = describe(generator);
  auto results = frame.builder.add(std::move(generator), std::move(wires), span);
  if (!results) {
    diagnostics.report(Diag::GeneratorMismatch, span, what, results.error());
    return std::nullopt;
  }
  Values values;
  for (WireId wire : *results)
    values.push_back({&frame, wire});
  return values;
}

std::optional<Value> Elaborator::convert(Value value, Kind kind, Frame &frame, Span span, const std::string &) {
  if (kind != Kind::Real || value.type().kind != Kind::Int)
    return value;
  // An integer literal that meets a real is that real.
  if (value.frame == &frame && value.type().isScalar())
    if (auto literal = frame.builder.constantOf(value.wire))
      return constant(static_cast<double>(*literal), frame, span);
  return pointwise(PointwiseFn::ToReal, {value}, frame, span);
}

std::optional<Value> Elaborator::pointwise(PointwiseFn fn, Values operands, Frame &frame, Span span) {
  const PointwiseInfo &function = info(fn);
  if (operands.size() != function.arity) {
    wrongCount(std::string(function.name), function.arity, operands.size(), span);
    return std::nullopt;
  }
  // Ints become reals where the function wants reals, or where they meet a real.
  bool meetsReal = false;
  for (std::size_t i = 0; i < operands.size(); ++i)
    meetsReal |=
        (function.signature[i] == 'a' || function.signature[i] == 't') && operands[i].type().kind == Kind::Real;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    char letter = function.signature[i];
    if (operands[i].type().kind == Kind::Int && (letter == 'r' || (meetsReal && (letter == 'a' || letter == 't'))))
      operands[i] = *convert(operands[i], Kind::Real, frame, span, "");
  }
  std::vector<Kind> kinds;
  std::vector<Size> axes;
  std::vector<bool> lifted(operands.size());
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Type &type = operands[i].type();
    kinds.push_back(type.kind);
    lifted[i] = !type.isScalar();
    if (lifted[i] && axes.empty())
      axes = type.axes;
  }
  std::vector<Type> given;
  for (const Value &operand : operands)
    given.push_back(operand.type());
  if (!resultKind(fn, kinds)) {
    auto report = diagnostics.report(Diag::GeneratorMismatch, span, function.name,
                                     fmt::format("it does not act on {}", str(given)));
    for (Kind kind : kinds)
      if (kind == Kind::Bool)
        report.help("indicator(b) is 1 where b holds, else 0; where(b, x, y) chooses");
    return std::nullopt;
  }
  for (std::size_t i = 0; i < operands.size(); ++i)
    if (lifted[i] && operands[i].type().axes != axes) {
      const Type &other = operands[i].type();
      auto report = diagnostics.report(Diag::TypeMismatch, span, fmt::format("an operand of '{}'", function.name),
                                       other.str(), Type{other.kind, axes}.str());
      if (other.rank() == axes.size()) {
        for (std::size_t axis = 0; axis < axes.size(); ++axis)
          if (other.axes[axis] != axes[axis])
            for (const Size &size : {axes[axis], other.axes[axis]})
              for (const std::string &name : size.names())
                if (auto first = sizeSpans.find(name); first != sizeSpans.end())
                  report.note(first->second, fmt::format("'{}' is first named here", name));
      } else {
        report.help("arrays of different rank meet inside a box that maps the larger: simd n (x) { … }");
      }
      return std::nullopt;
    }
  auto result = lift(frame, axes, operands, lifted, span, [&](Frame &inside, const Values &values) {
    return generator(Pointwise{fn}, values, inside, span);
  });
  return result ? std::optional(result->front()) : std::nullopt;
}

std::optional<Value> Elaborator::gather(Value array, Value index, Frame &frame, Span span) {
  if (array.type().isScalar()) {
    diagnostics.report(Diag::GeneratorMismatch, span, "indexing", "a scalar has no axis to index");
    return std::nullopt;
  }
  if (index.type().kind != Kind::Int) {
    diagnostics.report(Diag::KindMismatch, span, "an index", name(index.type().kind), "int").help("int(x) rounds down");
    return std::nullopt;
  }
  std::vector<Size> axes = index.type().axes;
  auto result = lift(frame, axes, {array, index}, {false, true}, span,
                     [&](Frame &inside, const Values &values) { return generator(Gather{}, values, inside, span); });
  return result ? std::optional(result->front()) : std::nullopt;
}

std::optional<Value> Elaborator::fold(Cap cap, Value array, Frame &frame, Span span) {
  if (array.type().isScalar()) {
    diagnostics.report(Diag::GeneratorMismatch, span, name(cap), "a scalar has no axis to fold");
    return std::nullopt;
  }
  bool logical = cap == Cap::Any || cap == Cap::All;
  if (logical != (array.type().kind == Kind::Bool)) {
    diagnostics.report(Diag::CapNeedsKind, span, name(cap), logical ? "bools" : "numbers", name(array.type().kind));
    return std::nullopt;
  }
  auto result = inBox(frame, cap, array.type().axes[0], false, {array}, span,
                      [](Frame &, const Values &slices) { return std::optional(slices); });
  return result ? std::optional(result->front()) : std::nullopt;
}

std::optional<Value> Elaborator::softmax(Values arguments, const Keywords &keywords, Frame &frame, Span span) {
  std::optional<std::size_t> axes;
  std::optional<Value> sink;
  for (const ast::KeywordArgument &keyword : keywords) {
    if (keyword.name.text == "axes") {
      auto count = sizeOf(*keyword.value);
      if (!count)
        return std::nullopt;
      if (auto number = count->constant(); number && *number >= 1 && *number <= 64)
        axes = *number;
      else {
        diagnostics.report(Diag::SyntaxExpected, keyword.value->span, "a number of axes from 1");
        return std::nullopt;
      }
    } else if (keyword.name.text == "sink") {
      // In the point-free form the sink is the second wire and the keyword only says so.
      if (auto *flag = std::get_if<ast::BoolLiteral>(&keyword.value->node);
          flag && flag->value && arguments.size() == 2) {
        sink = arguments.back();
        arguments.pop_back();
      } else if (!(sink = one(*keyword.value, frame))) {
        return std::nullopt;
      }
    } else {
      diagnostics.report(Diag::UnknownKeyword, keyword.name.span, "softmax", keyword.name.text)
          .help("it has 'axes' and 'sink'");
      return std::nullopt;
    }
  }
  if (arguments.size() != 1) {
    wrongCount("softmax", 1, arguments.size(), span);
    return std::nullopt;
  }
  Value scores = *convert(arguments[0], Kind::Real, frame, span, "");
  if (sink)
    sink = convert(*sink, Kind::Real, frame, span, "");
  const Type type = scores.type();
  if (type.isScalar() || (axes && *axes > type.rank())) {
    diagnostics.report(Diag::RankMismatch, span, "the argument of 'softmax'", type.str(),
                       axes ? counted(*axes, "axis") + " or more" : "an axis");
    return std::nullopt;
  }
  if (!axes && type.rank() > 1) {
    diagnostics.report(Diag::AmbiguousAxes, span, "softmax", type.str())
        .help(fmt::format("rows: simd {} (s) {{ softmax(s) }};  all jointly: softmax(s, axes = {});  along the "
                          "outermost axis: softmax(s, axes = 1)",
                          type.axes[0].str(), type.rank()));
    return std::nullopt;
  }
  std::size_t count = axes.value_or(1), rest = type.rank() - count;
  Values operands{scores};
  if (sink)
    operands.push_back(*sink);
  bool hasSink = sink.has_value();
  if (rest == 0) {
    auto result = generator(Softmax{hasSink}, operands, frame, span);
    return result ? std::optional(result->front()) : std::nullopt;
  }
  // The axes after the normalised ones are lifted over: moved outside, run over, moved back.
  auto moved = moveAxes(scores, count, rest, frame, span);
  std::vector<Size> outer(type.axes.begin() + count, type.axes.end());
  operands[0] = *moved;
  std::vector<bool> lifted(operands.size());
  lifted[0] = true;
  auto result = lift(frame, outer, operands, lifted, span, [&](Frame &inside, const Values &values) {
    return generator(Softmax{hasSink}, values, inside, span);
  });
  return result ? moveAxes(result->front(), rest, count, frame, span) : std::nullopt;
}

std::optional<Value> Elaborator::moveAxes(Value value, std::size_t first, std::size_t second, Frame &frame, Span span) {
  // [a.. b..] -> [b.. a..] by swaps of neighbours: each axis of b passes all of a.
  for (std::size_t i = 0; i < second; ++i)
    for (std::size_t position = first + i; position > i; --position) {
      std::vector<Size> outer(value.type().axes.begin(), value.type().axes.begin() + position - 1);
      auto swapped = lift(frame, outer, {value}, {true}, span, [&](Frame &inside, const Values &values) {
        return generator(Transpose{}, values, inside, span);
      });
      if (!swapped)
        return std::nullopt;
      value = swapped->front();
    }
  return value;
}

std::optional<std::optional<Values>> Elaborator::applyGenerator(const std::string &name, Values &arguments,
                                                                const Keywords &keywords, Frame &frame, Span span) {
  using Answer = std::optional<std::optional<Values>>;
  auto single = [](std::optional<Value> value) -> Answer {
    return value ? std::optional(Values{*value}) : std::nullopt;
  };
  const std::optional<Values> failed;
  auto needs = [&](std::size_t count) {
    return arguments.size() == count || wrongCount(name, count, arguments.size(), span);
  };
  /// The one size keyword of a generator.
  auto sizeKeyword = [&](const char *keyword) -> std::optional<Size> {
    std::optional<Size> found;
    for (const ast::KeywordArgument &given : keywords) {
      if (given.name.text != keyword) {
        diagnostics.report(Diag::UnknownKeyword, given.name.span, name, given.name.text)
            .help(fmt::format("it has '{}'", keyword));
        return std::nullopt;
      }
      found = sizeOf(*given.value);
      if (!found)
        return std::nullopt;
    }
    if (!found)
      diagnostics.report(Diag::UndeterminedSize, span, keyword, name)
          .help(fmt::format("give it: {}(…, {} = SIZE)", name, keyword));
    return found;
  };
  auto noKeywords = [&] {
    for (const ast::KeywordArgument &given : keywords) {
      diagnostics.report(Diag::UnknownKeyword, given.name.span, name, given.name.text);
      return false;
    }
    return true;
  };

  if (name == "softmax")
    return single(softmax(arguments, keywords, frame, span));
  if (name == "topk") {
    auto count = needs(1) ? sizeKeyword("k") : std::nullopt;
    return count ? Answer(generator(TopK{*count}, arguments, frame, span)) : Answer(failed);
  }
  if (name == "scatter") {
    auto count = needs(2) ? sizeKeyword("size") : std::nullopt;
    return count ? Answer(generator(Scatter{*count}, arguments, frame, span)) : Answer(failed);
  }
  if (name == "transpose")
    return needs(1) && noKeywords() ? Answer(generator(Transpose{}, arguments, frame, span)) : Answer(failed);
  if (name == "gather")
    return needs(2) && noKeywords() ? single(gather(arguments[0], arguments[1], frame, span)) : Answer(failed);
  if (name == "split" || name == "merge") {
    if (!needs(1))
      return Answer(failed);
    Type type = arguments[0].type();
    if (name == "merge") {
      if (!noKeywords())
        return Answer(failed);
      if (type.rank() < 2) {
        diagnostics.report(Diag::RankMismatch, span, "the argument of 'merge'", type.str(), "two axes or more");
        return Answer(failed);
      }
      type.axes[1] = type.axes[0] * type.axes[1];
      type.axes.erase(type.axes.begin());
      return Answer(generator(Reshape{type.axes}, arguments, frame, span));
    }
    auto outer = sizeKeyword("h");
    if (!outer)
      return Answer(failed);
    auto inner = type.isScalar() ? std::nullopt : type.axes[0].dividedBy(*outer);
    if (!inner) {
      diagnostics
          .report(Diag::SizeMismatch, span, type.isScalar() ? type.str() : type.axes[0].str(),
                  fmt::format("a multiple of {}", outer->str()))
          .help(fmt::format("write the axis as a product in the signature, e.g. [{}*d]", outer->str()));
      return Answer(failed);
    }
    type.axes[0] = *inner;
    type.axes.insert(type.axes.begin(), *outer);
    return Answer(generator(Reshape{type.axes}, arguments, frame, span));
  }
  for (Cap cap : {Cap::Sum, Cap::Prod, Cap::Max, Cap::Min, Cap::Any, Cap::All})
    if (name == attnc::name(cap))
      return needs(1) && noKeywords() ? single(fold(cap, arguments[0], frame, span)) : Answer(failed);
  if (name == "real" && arguments.size() == 1 && arguments[0].type().kind == Kind::Real)
    return single(arguments[0]);
  if (name == "int" && arguments.size() == 1 && arguments[0].type().kind == Kind::Int)
    return single(arguments[0]);
  if (auto fn = pointwiseNamed(name))
    return noKeywords() ? single(pointwise(*fn, arguments, frame, span)) : Answer(failed);
  return std::nullopt;
}

} // namespace attnc::elaboration
