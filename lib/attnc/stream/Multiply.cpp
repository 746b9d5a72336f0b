#include "attnc/stream/Passes.h"
#include "attnc/stream/Registers.h"
#include "attnc/stream/Sharing.h"
#include "attnc/stream/StreamLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

#include "llvm/Support/FormatVariadic.h"

// A product as loops over blocks of registers, columns along the lanes of vectors:
//
//     right, packed [columns / wide][k][wide vectors]
//     for each `taskRows` rows of a matrix:
//       for each `depthTile` of the depth, and of what else is folded:
//         y [row][column] += left · right       `rows` rows by `wide` vectors in registers; left as it lies
//       y = finish(y)                           while it is in the cache
//
// An element is summed in one order, whatever the tasks are: the result does not depend on threads.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace scf = mlir::scf;
namespace vector = mlir::vector;
using dialect::ProductOp;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

/// Rows of a task, and the depth for which a strip of packed columns stays in the first cache.
constexpr int64_t taskRows = 64, depthTile = 128;

class Multiplier {
public:
  Multiplier(Code &code, ProductOp op, const Machine &machine, std::string name)
      : code(code), op(op), loops(code, op), sharing(code, loops.work(), std::move(name)), blocks(machine),
        lanes(machine.lanes()), rows(loops.extent(op.rowLoop())), columns(loops.extent(op.columnLoop())),
        depth(loops.extent(op.depthLoop())), groups{code, ceilDiv(code, columns, lanes), machine.vectors()} {}

  void run() {
    left = loops.operand(0, op.rowLoop(), op.depthLoop());
    right = loops.operand(1, op.columnLoop(), op.depthLoop());
    for (unsigned i = 0; i < op.getOthers().size(); ++i)
      others.push_back(loops.operand(2 + i, op.rowLoop(), op.columnLoop()));
    output = loops.operand(2 + op.getOthers().size(), op.rowLoop(), op.columnLoop());
    parallel = loops.batch().drop_back(op.getFolded());
    folded = loops.batch().take_back(op.getFolded());
    depthRoom = multiply(code, ceilDiv(code, depth, lanes), index(code, lanes));
    matrixRoom = multiply(code, multiply(code, groups.vectors, index(code, lanes)), depthRoom);
    Value count = loops.count(right.loops);
    auto type = mlir::MemRefType::get({mlir::ShapedType::kDynamic}, code.getF32Type());
    packed =
        memref::AllocOp::create(code, type, ValueRange{multiply(code, count, matrixRoom)}, code.getI64IntegerAttr(64));
    Value strips = groups.number();
    sharing.forEach("right", multiply(code, count, strips), [&](Value task) {
      pack(code.createOrFold<arith::DivUIOp>(task, strips), code.createOrFold<arith::RemUIOp>(task, strips), strips);
    });
    Value tasks = ceilDiv(code, rows, taskRows);
    sharing.forEach("rows", multiply(code, loops.count(parallel), tasks), [&](Value task) {
      Values batch = loops.indices(parallel, code.createOrFold<arith::DivUIOp>(task, tasks));
      Value first = multiply(code, code.createOrFold<arith::RemUIOp>(task, tasks), index(code, taskRows));
      runTask(batch, first, smaller(code, subtract(code, rows, first), index(code, taskRows)));
    });
    memref::DeallocOp::create(code, packed);
  }

private:
  /// The strip of a matrix whose first vector is `v`, from step k of the depth on.
  Value stripAt(Value matrix, Value v, Value k, unsigned wide) {
    Value at =
        add(code, multiply(code, matrix, matrixRoom), multiply(code, multiply(code, v, index(code, lanes)), depthRoom));
    return add(code, at, multiply(code, k, index(code, wide * lanes)));
  }

  void pack(Value matrix, Value strip, Value strips) {
    Values batch = loops.indices(right.loops, matrix);
    groups.forEach(strip, strips, [&](unsigned wide, Value v) {
      Value first = multiply(code, v, index(code, lanes));
      blocks.gather(code, right.at(code, batch, first), subtract(code, columns, first), depth,
                    {packed, stripAt(matrix, v, index(code, 0), wide), index(code, wide * lanes)}, lanes, wide);
    });
  }

  /// Some rows of a matrix. What is folded goes on one after another: the folded loops, then the depth.
  void runTask(Values batch, Value first, Value count) {
    Value none = index(code, 0), one = index(code, 1), tile = index(code, depthTile);
    Value chunks = greater(code, ceilDiv(code, depth, depthTile), one), folds = loops.count(folded);
    auto step = [&](Value number, Value fold) {
      Value k = multiply(code, number, tile);
      multiplyRows(batch, first, count, k, smaller(code, subtract(code, depth, k), tile),
                   less(code, none, add(code, number, fold)));
    };
    auto all = [&](Value fold) { loop(code, none, chunks, 1, [&](Value number) { step(number, fold); }); };
    if (folded.empty()) {
      all(none);
    } else {
      // Of nothing the sum is 0.
      branch(
          code, less(code, none, folds),
          [&] {
            loop(code, none, folds, 1, [&](Value fold) {
              Values at = loops.indices(folded, fold);
              for (unsigned loop : folded)
                batch[loop] = at[loop];
              all(fold);
            });
          },
          [&] { multiplyRows(batch, first, count, none, none, less(code, none, none)); });
    }
    if (!op.isPlain())
      finish(batch, first, count);
  }

  void multiplyRows(const Values &batch, Value first, Value count, Value k, Value steps, Value adds) {
    View from = left.at(code, batch, first, k), to = output.at(code, batch, first);
    Value matrix = loops.number(right.loops, batch);
    groups.forEach(index(code, 0), index(code, 1), [&](unsigned wide, Value v) {
      Value column = multiply(code, v, index(code, lanes));
      View out = to;
      out.start = add(code, out.start, column);
      blocks.multiplyRows(code,
                          {from, packed, stripAt(matrix, v, k, wide), steps, out, count,
                           subtract(code, columns, column), adds, areWhole()},
                          wide);
    });
  }

  /// Whether columns are known to fill their vectors.
  bool areWhole() {
    auto known = mlir::getConstantIntValue(columns);
    return known && *known % lanes == 0;
  }

  mlir::VectorType typeOf(mlir::Type element) { return mlir::VectorType::get({lanes}, element); }

  /// The region on the elements of some rows.
  void finish(const Values &batch, Value first, Value count) {
    View out = output.at(code, batch, first);
    llvm::SmallVector<View> others;
    for (const Operand &other : this->others)
      others.push_back(other.at(code, batch, first));
    bool whole = areWhole();
    loop(code, index(code, 0), count, 1, [&](Value row) {
      loop(code, index(code, 0), columns, lanes, [&](Value column) {
        Value mask = whole ? Value()
                           : vector::CreateMaskOp::create(code, typeOf(code.getI1Type()),
                                                          ValueRange{subtract(code, columns, column)})
                                 .getResult();
        llvm::DenseMap<Value, Value> values;
        mlir::Block &block = op.getFinish().front();
        Value at = elementAt(out, row, column);
        values[block.getArgument(0)] = load(out.array, at, mask);
        for (auto [i, other] : llvm::enumerate(this->others))
          values[block.getArgument(1 + i)] = elements(other, others[i], row, column, mask);
        for (mlir::Operation &inner : block.without_terminator())
          clone(inner, values);
        Value given = values.lookup(op.finished()), element = broadcast(code, given ? given : op.finished(), lanes);
        if (mask)
          vector::MaskedStoreOp::create(code, out.array, ValueRange{at}, mask, element);
        else
          vector::StoreOp::create(code, element, out.array, ValueRange{at});
      });
    });
  }

  Value elementAt(const View &view, Value row, Value column) {
    return add(code, view.start,
               add(code, multiply(code, row, view.rowStride), multiply(code, column, view.columnStride)));
  }

  Value load(Value array, Value at, Value mask) {
    auto type = typeOf(mlir::getElementTypeOrSelf(array));
    return mask
               ? vector::MaskedLoadOp::create(code, type, array, ValueRange{at}, mask, splat(code, type, 0)).getResult()
               : vector::LoadOp::create(code, type, array, ValueRange{at}).getResult();
  }

  /// A vector of elements along a row; one for all where the array has no columns.
  Value elements(const Operand &other, const View &view, Value row, Value column, Value mask) {
    if (!other.hasColumns)
      return memref::LoadOp::create(code, view.array, ValueRange{elementAt(view, row, index(code, 0))});
    if (isContiguous(view))
      return load(view.array, elementAt(view, row, column), mask);
    Value result = splat(code, typeOf(mlir::getElementTypeOrSelf(view.array)), 0);
    for (int64_t lane = 0; lane < lanes; ++lane) { // past the end the last one is read again
      Value at = smaller(code, add(code, column, index(code, lane)), subtract(code, columns, index(code, 1)));
      Value scalar = memref::LoadOp::create(code, view.array, ValueRange{elementAt(view, row, at)});
      result = vector::InsertOp::create(code, scalar, result, lane);
    }
    return result;
  }

  void clone(mlir::Operation &inner, llvm::DenseMap<Value, Value> &values) {
    Values operands;
    bool wide = false;
    for (Value operand : inner.getOperands()) {
      Value inside = values.lookup(operand);
      operands.push_back(inside ? inside : operand);
      wide |= mlir::isa<mlir::VectorType>(operands.back().getType());
    }
    mlir::Type type = inner.getResult(0).getType();
    if (wide) {
      bool scalarChoice = mlir::isa<arith::SelectOp>(inner) && !mlir::isa<mlir::VectorType>(operands[0].getType());
      for (auto [i, operand] : llvm::enumerate(operands))
        if (i > 0 || !scalarChoice)
          operand = broadcast(code, operand, lanes);
      type = typeOf(type);
    }
    mlir::OperationState state(code.getLoc(), inner.getName(), operands, type, inner.getAttrs());
    values[inner.getResult(0)] = code.create(state)->getResult(0);
  }

  Code &code;
  ProductOp op;
  StreamLoops loops;
  Sharing sharing;
  Blocks blocks;
  int64_t lanes;
  Value rows, columns, depth; // extents
  Groups groups;              // of columns
  Operand left, right, output;
  llvm::SmallVector<Operand> others;
  llvm::ArrayRef<unsigned> parallel, folded;
  Value depthRoom, matrixRoom, packed; // steps and floats of a packed matrix, and where all are
};

struct Multiply : mlir::PassWrapper<Multiply, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Multiply)
  Multiply(const Machine &machine = {}) {
    vectorBits = machine.vectorBits;
    registers = machine.registers;
  }
  Multiply(const Multiply &other) : PassWrapper(other) {}
  llvm::StringRef getArgument() const final { return "attnc-multiply"; }
  llvm::StringRef getDescription() const final { return "products on arrays as loops over blocks of vectors"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::memref::MemRefDialect,
                    mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
  }

  void runOnOperation() final {
    llvm::SmallVector<ProductOp> all;
    getOperation()->walk([&](ProductOp op) { all.push_back(op); });
    for (auto [number, op] : llvm::enumerate(all)) {
      Code code(op.getLoc(), op);
      Multiplier(code, op, Machine{vectorBits, registers}, llvm::formatv("product_{0}", number)).run();
      op.erase();
    }
  }

  Option<unsigned> vectorBits{*this, "vector-bits", llvm::cl::desc("bits of a vector"), llvm::cl::init(128)};
  Option<unsigned> registers{*this, "registers", llvm::cl::desc("how many vectors registers hold"), llvm::cl::init(16)};
};

} // namespace

std::unique_ptr<mlir::Pass> createMultiplyPass(const Machine &machine) { return std::make_unique<Multiply>(machine); }
void registerMultiplyPass() { mlir::PassRegistration<Multiply>(); }

} // namespace attnc
