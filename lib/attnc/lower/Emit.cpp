#include "attnc/lower/Lower.h"

#include "attnc/diagram/Functor.h"
#include "attnc/diagram/Parameters.h"
#include "attnc/diagram/Transform.h"
#include "attnc/dialect/AttncDialect.h"
#include "attnc/lower/Complaints.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

#include <fmt/format.h>

// A functor from diagrams to the attnc dialect: wires go to SSA values, operations to operations.
namespace attnc {

namespace {

using namespace attnc::dialect;
using mlir::Value;
using Values = std::vector<Value>;

class Emitter {
public:
  Emitter(mlir::MLIRContext &context, const Definition &definition, const LowerOptions &options,
          const SourceManager *sources)
      : builder(&context), definition(definition), options(options), sources(sources), names(definition.sizeNames()) {}

  mlir::OwningOpRef<mlir::ModuleOp> run() {
    mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(locationOf(definition.span));
    builder.setInsertionPointToEnd(module->getBody());
    std::vector<Parameter> parameters = parametersOf(definition);
    const Diagram &diagram = definition.diagram;

    llvm::SmallVector<mlir::Type> arguments, results;
    llvm::SmallVector<mlir::DictionaryAttr> argumentNotes, resultNotes;
    for (WireId input : diagram.inputs) {
      arguments.push_back(outer(diagram.type(input)));
      argumentNotes.push_back(notes(diagram.wire(input).name, diagram.type(input)));
    }
    for (const Parameter &parameter : parameters) {
      arguments.push_back(outer(parameter.type));
      argumentNotes.push_back(notes(parameter.name, parameter.type));
    }
    for (const std::string &name : names) {
      arguments.push_back(builder.getIndexType());
      argumentNotes.push_back(
          builder.getDictionaryAttr(builder.getNamedAttr(nameAttribute, builder.getStringAttr(name))));
    }
    for (std::size_t i = 0; i < diagram.outputs.size(); ++i) {
      const Type &type = diagram.type(diagram.outputs[i]);
      results.push_back(outer(type));
      resultNotes.push_back(notes(i < definition.outputNames.size() ? definition.outputNames[i] : std::string(), type));
    }

    function = mlir::func::FuncOp::create(builder, locationOf(definition.span), symbolName(definition),
                                          builder.getFunctionType(arguments, results));
    function.setAllArgAttrs(argumentNotes);
    function.setAllResultAttrs(resultNotes);
    mlir::Block *entry = function.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    location = function.getLoc();

    Values inputs;
    for (std::size_t i = 0; i < diagram.inputs.size(); ++i)
      inputs.push_back(widened(entry->getArgument(i)));
    parameterValues.resize(definition.learners.size());
    for (std::size_t i = 0; i < parameters.size(); ++i)
      parameterValues[parameters[i].learner.index()].push_back(widened(entry->getArgument(diagram.inputs.size() + i)));
    for (std::size_t i = 0; i < names.size(); ++i)
      sizeValues.emplace(Size::variable(names[i]), entry->getArgument(diagram.inputs.size() + parameters.size() + i));

    Values outputs = inside(diagram, inputs);
    location = function.getLoc();
    for (std::size_t i = 0; i < outputs.size(); ++i)
      if (outputs[i].getType() != results[i])
        outputs[i] = mlir::arith::TruncFOp::create(builder, location, results[i], outputs[i]);
    mlir::func::ReturnOp::create(builder, location, outputs);
    return module;
  }

  Values apply(const Const &constant, const Op &op, std::span<const Value>) {
    mlir::TypedAttr value = std::visit(
        [&](auto number) -> mlir::TypedAttr {
          if constexpr (std::is_same_v<decltype(number), double>)
            return builder.getFloatAttr(element(Kind::Real), number);
          else if constexpr (std::is_same_v<decltype(number), bool>)
            return builder.getIntegerAttr(builder.getI1Type(), number);
          else
            return builder.getI64IntegerAttr(number);
        },
        constant.value);
    return {ConstOp::create(builder, at(op), mlir::RankedTensorType::get({}, value.getType()), value)};
  }
  Values apply(const SizeValue &generator, const Op &op, std::span<const Value>) {
    return {SizeOp::create(builder, at(op), inner({Kind::Int, {}}), size(generator.size))};
  }
  Values apply(const Pointwise &generator, const Op &op, std::span<const Value> operands) {
    mlir::Type type = mlir::RankedTensorType::get({}, resultElement(generator.fn, operands));
    return {PointwiseOp::create(builder, at(op), type, llvm::StringRef(info(generator.fn).name), list(operands))};
  }
  Values apply(const Gather &, const Op &op, std::span<const Value> operands) {
    return {GatherOp::create(builder, at(op), type(op, 0), operands[0], operands[1])};
  }
  Values apply(const Scatter &generator, const Op &op, std::span<const Value> operands) {
    return {ScatterOp::create(builder, at(op), type(op, 0), operands[0], operands[1], size(generator.size))};
  }
  Values apply(const TopK &generator, const Op &op, std::span<const Value> operands) {
    auto topk = TopKOp::create(builder, at(op), type(op, 0), type(op, 1), operands[0], size(generator.count));
    return {topk.getValues(), topk.getIndices()};
  }
  Values apply(const Softmax &generator, const Op &op, std::span<const Value> operands) {
    return {SoftmaxOp::create(builder, at(op), type(op, 0), operands[0], generator.sink ? operands[1] : Value())};
  }
  Values apply(const Transpose &, const Op &op, std::span<const Value> operands) {
    return {TransposeOp::create(builder, at(op), type(op, 0), operands[0])};
  }
  Values apply(const Reshape &generator, const Op &op, std::span<const Value> operands) {
    llvm::SmallVector<Value> axes;
    for (const Size &axis : generator.axes)
      axes.push_back(size(axis));
    return {ReshapeOp::create(builder, at(op), type(op, 0), operands[0], axes)};
  }
  Values apply(const Box &generator, const Op &op, std::span<const Value> operands) {
    auto box = BoxOp::create(builder, at(op), types(op), llvm::StringRef(name(generator.cap)), size(generator.size),
                             generator.indexed, list(operands), mapped(generator.modes));
    return body(box, *generator.body);
  }
  Values apply(const Scan &generator, const Op &op, std::span<const Value> operands) {
    auto scan = ScanOp::create(builder, at(op), types(op), size(generator.size), generator.indexed,
                               int64_t(generator.states), list(operands), mapped(generator.modes));
    return body(scan, *generator.body);
  }
  Values apply(const Call &generator, const Op &op, std::span<const Value> operands) {
    return body(CallOp::create(builder, at(op), types(op), generator.name, list(operands)), *generator.body);
  }
  Values apply(const Apply &generator, const Op &op, std::span<const Value> operands) {
    const Learner &learner = definition.learner(generator.learner);
    llvm::SmallVector<int64_t> per(generator.per.begin(), generator.per.end());
    const Values &parameters = parameterValues[generator.learner.index()];
    return {ApplyOp::create(builder, at(op), type(op, 0), llvm::StringRef(name(learner.kind)), learner.label,
                            list(operands), llvm::ArrayRef(parameters), per)};
  }

private:
  template <class Operation> Values body(Operation operation, const Diagram &diagram) {
    mlir::OpBuilder::InsertionGuard guard(builder);
    mlir::Location saved = location;
    mlir::Block *block = builder.createBlock(&operation.getBody());
    for (WireId input : diagram.inputs)
      block->addArgument(inner(diagram.type(input)), location);
    Values inputs(block->args_begin(), block->args_end());
    Values outputs = this->inside(diagram, inputs);
    location = saved;
    YieldOp::create(builder, location, outputs);
    auto results = operation.getResults();
    return Values(results.begin(), results.end());
  }

  mlir::Location at(const Op &op) { return location = locationOf(op.span, location); }
  mlir::Location locationOf(Span span, std::optional<mlir::Location> otherwise = std::nullopt) {
    if (!sources || !span.valid())
      return otherwise ? *otherwise : mlir::Location(builder.getUnknownLoc());
    attnc::Location place = sources->locate(span.file, span.begin);
    return mlir::FileLineColLoc::get(builder.getContext(), llvm::StringRef(sources->name(span.file)), place.line,
                                     place.column);
  }

  mlir::Type element(Kind kind) {
    switch (kind) {
    case Kind::Real:
      return options.real == Real::F64 ? mlir::Type(builder.getF64Type()) : builder.getF32Type();
    case Kind::Int:
      return builder.getI64Type();
    case Kind::Bool:
      break;
    }
    return builder.getI1Type();
  }
  mlir::Type resultElement(PointwiseFn fn, std::span<const Value> operands) {
    std::vector<Kind> kinds;
    for (Value operand : operands)
      kinds.push_back(kindOf(mlir::getElementTypeOrSelf(operand)));
    return element(*resultKind(fn, kinds));
  }
  mlir::RankedTensorType inner(const Type &type) {
    llvm::SmallVector<int64_t> shape;
    for (const Size &axis : type.axes)
      shape.push_back(axis.constant().value_or(mlir::ShapedType::kDynamic));
    return mlir::RankedTensorType::get(shape, element(type.kind));
  }
  mlir::RankedTensorType outer(const Type &type) {
    mlir::RankedTensorType result = inner(type);
    return type.kind == Kind::Real && options.real == Real::BF16 ? result.clone(builder.getBF16Type()) : result;
  }
  Value widened(Value argument) {
    if (!mlir::getElementTypeOrSelf(argument).isBF16())
      return argument;
    mlir::Type type = mlir::cast<mlir::RankedTensorType>(argument.getType()).clone(builder.getF32Type());
    return mlir::arith::ExtFOp::create(builder, location, type, argument);
  }

  /// The functor hands over operations without their diagram, which holds the types of their results.
  Values inside(const Diagram &diagram, const Values &inputs) {
    const Diagram *outside = std::exchange(current, &diagram);
    Values outputs = mapDiagram<Value>(*this, diagram, inputs);
    current = outside;
    return outputs;
  }
  mlir::RankedTensorType type(const Op &op, std::size_t result) { return inner(current->type(op.results[result])); }
  llvm::SmallVector<mlir::Type> types(const Op &op) {
    llvm::SmallVector<mlir::Type> all;
    for (std::size_t i = 0; i < op.results.size(); ++i)
      all.push_back(type(op, i));
    return all;
  }

  static mlir::ValueRange list(std::span<const Value> values) { return llvm::ArrayRef(values.data(), values.size()); }
  static llvm::SmallVector<bool> mapped(const std::vector<Mode> &modes) {
    llvm::SmallVector<bool> flags;
    for (Mode mode : modes)
      flags.push_back(mode == Mode::Map);
    return flags;
  }

  /// The value of a size; each is computed once, at the head of the function.
  Value size(const Size &size) {
    if (auto known = sizeValues.find(size); known != sizeValues.end())
      return known->second;
    mlir::OpBuilder::InsertionGuard guard(builder);
    if (lastSize)
      builder.setInsertionPointAfter(lastSize);
    else
      builder.setInsertionPointToStart(&function.getBody().front());
    Value total;
    for (const Size::Term &term : size.polynomial()) {
      Value product;
      if (term.coefficient != 1 || term.names.empty())
        product = mlir::arith::ConstantIndexOp::create(builder, function.getLoc(), term.coefficient);
      for (const std::string &name : term.names) {
        Value factor = sizeValues.at(Size::variable(name));
        product =
            product ? mlir::arith::MulIOp::create(builder, function.getLoc(), product, factor).getResult() : factor;
      }
      total = total ? mlir::arith::AddIOp::create(builder, function.getLoc(), total, product).getResult() : product;
    }
    if (!total)
      total = mlir::arith::ConstantIndexOp::create(builder, function.getLoc(), 0);
    lastSize = total.getDefiningOp();
    return sizeValues[size] = total;
  }

  /// The extents of an array as a map from the size names.
  mlir::AffineMap shape(const Type &type) {
    llvm::SmallVector<mlir::AffineExpr> extents;
    for (const Size &axis : type.axes) {
      mlir::AffineExpr total = builder.getAffineConstantExpr(0);
      for (const Size::Term &term : axis.polynomial()) {
        mlir::AffineExpr product = builder.getAffineConstantExpr(term.coefficient);
        for (const std::string &name : term.names)
          product = builder.getAffineSymbolExpr(llvm::find(names, name) - names.begin()) * product;
        total = total + product;
      }
      extents.push_back(total);
    }
    return mlir::AffineMap::get(0, names.size(), extents, builder.getContext());
  }
  mlir::DictionaryAttr notes(const std::string &name, const Type &type) {
    llvm::SmallVector<mlir::NamedAttribute> list{
        builder.getNamedAttr(shapeAttribute, mlir::AffineMapAttr::get(shape(type)))};
    if (!name.empty())
      list.push_back(builder.getNamedAttr(nameAttribute, builder.getStringAttr(name)));
    return builder.getDictionaryAttr(list);
  }

  mlir::OpBuilder builder;
  const Definition &definition;
  const LowerOptions &options;
  const SourceManager *sources;
  std::vector<std::string> names;
  mlir::Location location = builder.getUnknownLoc();
  mlir::func::FuncOp function;
  const Diagram *current = nullptr;
  std::vector<Values> parameterValues; // by learner
  std::map<Size, Value> sizeValues;
  mlir::Operation *lastSize = nullptr;
};

/// Why the definition cannot be run, if it cannot: a hole, a learner of nothing, or an axis below 0.
struct Obstacles {
  const Definition &definition;
  std::string found;

  void check(const Size &size) {
    if (size.overflowed())
      found = "a size leaves the 64-bit range";
    else if (auto value = size.constant(); value && *value < 0)
      found = fmt::format("an axis has length {}", *value);
  }
  void check(const Learner &learner) {
    if (learner.kind == LearnerKind::Hole)
      found = fmt::format("the box '{}' has yet to be given", learner.label);
    if (learner.kind == LearnerKind::Linear && learner.domain.empty())
      found = fmt::format("nothing enters the linear learner '{}'", learner.label);
    for (const Size &axis : learner.per)
      check(axis);
    check(learner.width);
  }
  void check(const Diagram &diagram) {
    for (const Wire &wire : diagram.wires)
      for (const Size &axis : wire.type.axes)
        check(axis);
    for (const Op &op : diagram.ops) {
      if (auto *apply = std::get_if<Apply>(&op.generator))
        check(definition.learner(apply->learner));
      if (auto *box = std::get_if<Box>(&op.generator))
        check(box->size);
      if (auto *scan = std::get_if<Scan>(&op.generator))
        check(scan->size);
      if (const DiagramRef &body = bodyOf(op.generator))
        check(*body);
    }
  }
};

Definition withSizes(const Definition &definition, const LowerOptions &options) {
  Size::Bindings bindings;
  for (const auto &[name, value] : options.sizes)
    bindings.emplace(name, Size(value));
  return bindings.empty() ? definition : substitute(definition, bindings);
}

} // namespace

std::string symbolName(const Definition &definition) {
  std::string symbol = "attnc_" + definition.name;
  for (char &c : symbol)
    if (!llvm::isAlnum(c) && c != '_')
      c = '_';
  return symbol;
}

std::vector<std::string> sizeArguments(const Definition &definition, const LowerOptions &options) {
  return withSizes(definition, options).sizeNames();
}

tl::expected<mlir::OwningOpRef<mlir::ModuleOp>, std::string> emitDiagram(mlir::MLIRContext &context,
                                                                         const Definition &definition,
                                                                         const LowerOptions &options,
                                                                         const SourceManager *sources) {
  Definition sized = withSizes(definition, options);
  Obstacles obstacles{sized, {}};
  obstacles.check(sized.diagram);
  if (!obstacles.found.empty())
    return tl::unexpected(obstacles.found);
  prepareContext(context);
  auto module = Emitter(context, sized, options, sources).run();
  Complaints complaints(context);
  if (failed(mlir::verify(*module)))
    return tl::unexpected(complaints.text("the diagram is not valid"));
  return module;
}

} // namespace attnc
