#include "attnc/dialect/AttncDialect.h"
#include "attnc/lower/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

#include "llvm/Support/FormatVariadic.h"

namespace attnc {

namespace {

namespace func = mlir::func;
namespace linalg = mlir::linalg;
using mlir::Value;
using Computation = mlir::DestinationStyleOpInterface;

/// Nests from which on a kernel's are shared: one of few is compiled soon enough, and does without calls. Products are
/// always shared.
constexpr std::size_t manyNests = 32;

/// What a nest reads from outside, in the order of first use.
llvm::SetVector<Value> valuesOf(mlir::Operation *nest) {
  llvm::SetVector<Value> values(nest->operand_begin(), nest->operand_end());
  mlir::getUsedValuesDefinedAbove(nest->getRegions(), values);
  return values;
}

/// Whether two nests are the same but for the values that they read from outside, and which value of the second stands
/// for which of the first.
class Alike {
public:
  bool operator()(mlir::Operation *first, mlir::Operation *second) {
    // A value that both read is not asked about below.
    llvm::SetVector<Value> here = valuesOf(first), there = valuesOf(second);
    if (here.size() != there.size() || !llvm::all_of(llvm::zip(here, there), [&](auto pair) {
          return corresponds(std::get<0>(pair), std::get<1>(pair));
        }))
      return false;
    auto check = [&](Value a, Value b) { return mlir::success(corresponds(a, b)); };
    auto mark = [&](Value a, Value b) { corresponds(a, b); };
    return mlir::OperationEquivalence::isEquivalentTo(first, second, check, mark,
                                                      mlir::OperationEquivalence::IgnoreLocations);
  }
  Value of(Value a) const { return there.lookup(a); }

private:
  bool corresponds(Value a, Value b) {
    if (a.getType() != b.getType())
      return false;
    mlir::Attribute one, other;
    bool isConstant = mlir::matchPattern(a, mlir::m_Constant(&one));
    if (isConstant != mlir::matchPattern(b, mlir::m_Constant(&other)) || (isConstant && one != other))
      return false;
    return isConstant || (there.try_emplace(a, b).first->second == b && back.try_emplace(b, a).first->second == a);
  }

  llvm::DenseMap<Value, Value> there, back;
};

/// The array whose memory a value is in: an allocation, or an argument of the kernel; null where that is not known.
Value rootOf(Value array) {
  array = mlir::memref::skipViewLikeOps(mlir::cast<mlir::MemrefValue>(array));
  if (array.getDefiningOp<mlir::memref::AllocOp>())
    return array;
  auto argument = mlir::dyn_cast<mlir::BlockArgument>(array);
  return argument && mlir::isa<mlir::FunctionOpInterface>(argument.getOwner()->getParentOp()) ? array : Value();
}

/// What a nest writes is in no array that it reads.
bool writesApart(Computation nest) {
  for (mlir::OpOperand &out : nest.getDpsInitsMutable()) {
    Value root = rootOf(out.get());
    for (mlir::OpOperand &other : nest->getOpOperands())
      if (&other != &out && mlir::isa<mlir::MemRefType>(other.get().getType()))
        if (Value there = rootOf(other.get()); !root || !there || root == there)
          return false;
  }
  return true;
}

/// Maps, folds and products on arrays that are alike become calls of one function, so that a kernel of many layers is
/// compiled about as fast as one of its layers.
struct Share : mlir::PassWrapper<Share, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Share)
  llvm::StringRef getArgument() const final { return "attnc-share"; }
  llvm::StringRef getDescription() const final { return "nests that are alike become calls of one function"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final { registry.insert<func::FuncDialect>(); }

  void runOnOperation() final {
    llvm::SmallVector<Computation> nests;
    getOperation()->walk([&](Computation nest) {
      if (mlir::isa<linalg::LinalgOp, dialect::ProductOp>(nest.getOperation()) && nest->getNumResults() == 0 &&
          writesApart(nest))
        nests.push_back(nest);
    });
    if (nests.size() < manyNests)
      llvm::erase_if(nests, [](Computation nest) { return !mlir::isa<dialect::ProductOp>(nest.getOperation()); });
    unsigned made = 0;
    for (std::size_t i = 0; i < nests.size(); ++i) {
      if (!nests[i])
        continue;
      func::FuncOp function;
      llvm::SmallVector<Value> given;
      for (std::size_t j = i + 1; j < nests.size(); ++j) {
        Alike alike;
        if (!nests[j] || !alike(nests[i], nests[j]))
          continue;
        if (!function) {
          given = valuesOf(nests[i]).takeVector();
          llvm::erase_if(given, [](Value value) { return mlir::matchPattern(value, mlir::m_Constant()); });
          function = outlined(nests[i], given, made++);
        }
        llvm::SmallVector<Value> here;
        for (Value value : given)
          here.push_back(alike.of(value));
        replace(nests[j], function, here);
      }
      if (function)
        replace(nests[i], function, given);
    }
  }

private:
  func::FuncOp outlined(Computation nest, llvm::ArrayRef<Value> values, unsigned number) {
    mlir::OpBuilder builder(&getContext());
    builder.setInsertionPointToEnd(getOperation().getBody());
    auto function = func::FuncOp::create(builder, nest.getLoc(), llvm::formatv("nest_{0}", number).str(),
                                         builder.getFunctionType(mlir::ValueRange(values).getTypes(), {}));
    function.setPrivate();
    function->setAttr(apartAttribute, builder.getUnitAttr());
    mlir::Block *body = function.addEntryBlock();
    builder.setInsertionPointToStart(body);
    mlir::IRMapping inside;
    inside.map(values, body->getArguments());
    for (Value value : valuesOf(nest))
      if (!inside.contains(value)) // a constant
        builder.clone(*value.getDefiningOp(), inside);
    builder.clone(*nest, inside);
    func::ReturnOp::create(builder, nest.getLoc());
    return function;
  }

  static void replace(Computation &nest, func::FuncOp function, llvm::ArrayRef<Value> values) {
    mlir::OpBuilder builder(nest);
    func::CallOp::create(builder, nest.getLoc(), function, values);
    nest->erase();
    nest = nullptr;
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createSharePass() { return std::make_unique<Share>(); }

} // namespace attnc
