#include "attnc/stream/Diagonal.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace linalg = mlir::linalg;
namespace tensor = mlir::tensor;
using mlir::Value;

/// query · i + key · j + rest; any value, where both are 0.
struct Symbol {
  int query = 0, key = 0;
  Value rest; // null for 0
};

class Builder {
public:
  Builder(mlir::RewriterBase &rewriter, mlir::Location location, Value queries, Value keys)
      : rewriter(rewriter), location(location) {
    shift = rewriter.createOrFold<arith::SubIOp>(location, keys, index(1));
    Value all = rewriter.createOrFold<arith::AddIOp>(location, queries, shift);
    distances = rewriter.createOrFold<arith::MaxSIOp>(location, all, index(0));
  }

  Value shift; // index

  /// The array without two axes, and with that of distances at its end; null where it varies with more.
  Value along(Value array, unsigned query, unsigned key) {
    auto op = array.getDefiningOp<linalg::GenericOp>();
    if (!op || op->getNumResults() != 1)
      return nullptr;
    mlir::AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    if (!output.isProjectedPermutation())
      return nullptr;
    unsigned queryLoop = output.getDimPosition(query), keyLoop = output.getDimPosition(key);
    // The loops of the new one: those that are left, then that of distances.
    llvm::SmallVector<unsigned> numbers(op.getNumLoops(), ~0u);
    llvm::SmallVector<mlir::utils::IteratorType> kinds;
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
      if (loop != queryLoop && loop != keyLoop) {
        numbers[loop] = kinds.size();
        kinds.push_back(op.getIteratorTypesArray()[loop]);
      }
    unsigned distance = kinds.size();
    kinds.push_back(mlir::utils::IteratorType::parallel);

    llvm::SmallVector<Value> inputs;
    llvm::SmallVector<mlir::AffineMap> maps;
    llvm::SmallVector<std::optional<unsigned>> places; // of the inputs that are read
    for (auto [i, input] : llvm::enumerate(op.getDpsInputs())) {
      mlir::AffineMap map = op.getIndexingMapsArray()[i];
      bool ofQuery = map.isFunctionOfDim(queryLoop), ofKey = map.isFunctionOfDim(keyLoop);
      places.push_back(std::nullopt);
      if (ofQuery != ofKey)
        continue; // a symbol
      if (!map.isProjectedPermutation())
        return nullptr;
      llvm::SmallVector<mlir::AffineExpr> axes;
      for (mlir::AffineExpr axis : map.getResults())
        if (unsigned loop = mlir::cast<mlir::AffineDimExpr>(axis).getPosition(); loop != queryLoop && loop != keyLoop)
          axes.push_back(rewriter.getAffineDimExpr(numbers[loop]));
      Value source = input;
      if (ofQuery) {
        source = along(input, *map.getResultPosition(rewriter.getAffineDimExpr(queryLoop)),
                       *map.getResultPosition(rewriter.getAffineDimExpr(keyLoop)));
        if (!source)
          return nullptr;
        axes.push_back(rewriter.getAffineDimExpr(distance));
      }
      places.back() = inputs.size();
      inputs.push_back(source);
      maps.push_back(mlir::AffineMap::get(kinds.size(), 0, axes, rewriter.getContext()));
    }
    Value init = emptied(op, query, key);
    if (!init)
      return nullptr;
    llvm::SmallVector<mlir::AffineExpr> written;
    for (mlir::AffineExpr axis : output.getResults())
      if (unsigned loop = mlir::cast<mlir::AffineDimExpr>(axis).getPosition(); loop != queryLoop && loop != keyLoop)
        written.push_back(rewriter.getAffineDimExpr(numbers[loop]));
    written.push_back(rewriter.getAffineDimExpr(distance));
    maps.push_back(mlir::AffineMap::get(kinds.size(), 0, written, rewriter.getContext()));

    bool told = true;
    auto made = linalg::GenericOp::create(
        rewriter, op.getLoc(), init.getType(), inputs, init, maps, kinds,
        [&](mlir::OpBuilder &builder, mlir::Location at, mlir::ValueRange arguments) {
          llvm::DenseMap<Value, Symbol> symbols;
          for (auto [i, argument] : llvm::enumerate(op.getBody()->getArguments())) {
            if (i + 1 == op.getBody()->getNumArguments() || places[i]) {
              symbols[argument] = {0, 0, i < places.size() ? arguments[*places[i]] : arguments.back()};
              continue;
            }
            Value array = op.getDpsInputs()[i];
            auto symbol = rampOf(builder, array, op.getIndexingMapsArray()[i].isFunctionOfDim(queryLoop));
            told &= symbol.has_value() || argument.use_empty();
            if (symbol)
              symbols[argument] = *symbol;
          }
          Value own = told ? linalg::IndexOp::create(builder, at, distance).getResult() : Value();
          Value given = told ? body(builder, *op.getBody(), symbols, own,
                                    [&](unsigned loop) -> Symbol {
                                      if (loop == queryLoop || loop == keyLoop)
                                        return {loop == queryLoop, loop == keyLoop, nullptr};
                                      return {0, 0, linalg::IndexOp::create(builder, at, numbers[loop])};
                                    })
                             : Value();
          told = given != nullptr;
          linalg::YieldOp::create(builder, at, told ? given : arguments.back());
        });
    if (told)
      return made.getResult(0);
    rewriter.eraseOp(made);
    return nullptr;
  }

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(rewriter, location, value); }

  /// What is folded into, of the new shape.
  Value emptied(linalg::GenericOp op, unsigned query, unsigned key) {
    auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
    if (!fill && op.payloadUsesValueFromOperand(op.getDpsInitOperand(0)))
      return nullptr;
    Value before = fill ? fill.getOutputs()[0] : op.getDpsInits()[0];
    llvm::SmallVector<mlir::OpFoldResult> sizes, given = tensor::getMixedSizes(rewriter, location, before);
    for (auto [axis, size] : llvm::enumerate(given))
      if (axis != query && axis != key)
        sizes.push_back(size);
    sizes.push_back(mlir::getAsOpFoldResult(distances));
    Value empty = tensor::EmptyOp::create(rewriter, location, sizes, mlir::getElementTypeOrSelf(before));
    return fill ? linalg::FillOp::create(rewriter, location, fill.getInputs()[0], empty).getResult(0) : empty;
  }

  /// The body on symbols; null where one of them is needed that is not of the distance.
  Value body(mlir::OpBuilder &builder, mlir::Block &block, llvm::DenseMap<Value, Symbol> &symbols, Value distance,
             llvm::function_ref<Symbol(unsigned)> indexOf) {
    for (mlir::Operation &op : block.without_terminator()) {
      if (auto asked = mlir::dyn_cast<linalg::IndexOp>(op)) {
        symbols[asked] = indexOf(asked.getDim());
        continue;
      }
      if (auto sum = linear(builder, op, symbols)) {
        symbols[op.getResult(0)] = *sum;
        continue;
      }
      mlir::IRMapping values;
      bool all = true;
      op.walk([&](mlir::Operation *inside) {
        all &= !mlir::isa<linalg::IndexOp>(inside);
        for (Value operand : inside->getOperands())
          if (auto at = symbols.find(operand); at != symbols.end()) {
            Value value = realised(builder, at->second, operand.getType(), distance);
            all &= value != nullptr;
            values.map(operand, value);
          }
      });
      if (!all)
        return nullptr;
      mlir::Operation *copy = builder.clone(op, values);
      for (auto [from, to] : llvm::zip(op.getResults(), copy->getResults()))
        symbols[from] = {0, 0, to};
    }
    Value given = block.getTerminator()->getOperand(0);
    auto at = symbols.find(given);
    return at == symbols.end() ? given : realised(builder, at->second, given.getType(), distance);
  }

  /// A sum, a difference or a cast of symbols of which one varies.
  static std::optional<Symbol> linear(mlir::OpBuilder &builder, mlir::Operation &op,
                                      const llvm::DenseMap<Value, Symbol> &symbols) {
    auto symbolOf = [&](Value value) {
      auto at = symbols.find(value);
      return at == symbols.end() ? Symbol{0, 0, value} : at->second;
    };
    auto varies = [](const Symbol &symbol) { return symbol.query || symbol.key; };
    if (auto cast = mlir::dyn_cast<arith::IndexCastOp>(op)) {
      Symbol symbol = symbolOf(cast.getIn());
      if (!varies(symbol))
        return std::nullopt;
      if (symbol.rest)
        symbol.rest = arith::IndexCastOp::create(builder, op.getLoc(), cast.getType(), symbol.rest);
      return symbol;
    }
    int sign = mlir::isa<arith::AddIOp>(op) ? 1 : mlir::isa<arith::SubIOp>(op) ? -1 : 0;
    if (!sign)
      return std::nullopt;
    Symbol a = symbolOf(op.getOperand(0)), b = symbolOf(op.getOperand(1));
    if (!varies(a) && !varies(b))
      return std::nullopt;
    Symbol sum{a.query + sign * b.query, a.key + sign * b.key, a.rest};
    if (b.rest) {
      Value zero = arith::ConstantOp::create(builder, op.getLoc(), builder.getIntegerAttr(b.rest.getType(), 0));
      Value before = a.rest ? a.rest : zero;
      sum.rest = sign > 0 ? arith::AddIOp::create(builder, op.getLoc(), before, b.rest).getResult()
                          : arith::SubIOp::create(builder, op.getLoc(), before, b.rest).getResult();
    }
    return sum;
  }

  Value realised(mlir::OpBuilder &builder, const Symbol &symbol, mlir::Type type, Value distance) {
    if (symbol.query != -symbol.key)
      return nullptr;
    if (!symbol.query)
      return symbol.rest;
    Value steps = symbol.query > 0 ? arith::SubIOp::create(builder, location, distance, shift).getResult()
                                   : arith::SubIOp::create(builder, location, shift, distance).getResult();
    if (std::abs(symbol.query) != 1)
      return nullptr;
    if (steps.getType() != type)
      steps = arith::IndexCastOp::create(builder, location, type, steps);
    return symbol.rest ? arith::AddIOp::create(builder, location, steps, symbol.rest).getResult() : steps;
  }

  /// An array of one axis whose elements are an index and what does not vary.
  std::optional<Symbol> rampOf(mlir::OpBuilder &builder, Value array, bool ofQuery) {
    linalg::GenericOp map = mapOf(array);
    if (!map || map.getNumLoops() != 1)
      return std::nullopt;
    llvm::DenseMap<Value, Symbol> symbols;
    for (auto [argument, input] : llvm::zip(map.getBody()->getArguments(), map.getDpsInputs())) {
      if (mlir::cast<mlir::RankedTensorType>(input.getType()).getRank() == 0) {
        symbols[argument] = {0, 0, tensor::ExtractOp::create(builder, location, input, mlir::ValueRange())};
      } else {
        auto symbol = rampOf(builder, input, ofQuery);
        if (!symbol)
          return std::nullopt;
        symbols[argument] = *symbol;
      }
    }
    for (mlir::Operation &op : map.getBody()->without_terminator()) {
      if (mlir::isa<linalg::IndexOp>(op)) {
        symbols[op.getResult(0)] = {ofQuery, !ofQuery, nullptr};
        continue;
      }
      auto sum = linear(builder, op, symbols);
      if (!sum)
        return std::nullopt;
      symbols[op.getResult(0)] = *sum;
    }
    auto at = symbols.find(map.getBody()->getTerminator()->getOperand(0));
    return at == symbols.end() ? std::nullopt : std::optional(at->second);
  }

  mlir::RewriterBase &rewriter;
  mlir::Location location;
  Value distances;
};

} // namespace

std::optional<Diagonal> diagonalOf(mlir::RewriterBase &rewriter, const Read &read, unsigned query, unsigned key,
                                   unsigned distance) {
  auto op = read.array.getDefiningOp<linalg::GenericOp>();
  if (!op || !read.along(query) || !read.along(key))
    return std::nullopt;
  unsigned queryAxis = llvm::find(read.loops, query) - read.loops.begin(),
           keyAxis = llvm::find(read.loops, key) - read.loops.begin();
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  Value shape = fill ? fill.getOutputs()[0] : op.getDpsInits()[0];
  auto extent = [&](unsigned axis) { return rewriter.createOrFold<tensor::DimOp>(op.getLoc(), shape, axis); };
  Value queries = extent(queryAxis), keys = extent(keyAxis);
  Builder builder(rewriter, op.getLoc(), queries, keys);
  Value array = builder.along(read.array, queryAxis, keyAxis);
  if (!array)
    return std::nullopt;
  Diagonal found{{array, {}}, builder.shift};
  for (unsigned loop : read.loops)
    if (loop != query && loop != key)
      found.read.loops.push_back(loop);
  found.read.loops.push_back(distance);
  return found;
}

} // namespace attnc
