#include "attnc/lower/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"

namespace attnc {

namespace {

namespace llvmir = mlir::LLVM;
using mlir::Value;

/// What a team of threads runs becomes a function of its own, to which the arrays come through memory: that they do not
/// overlap can no longer be seen, and vectors would be made twice, for arrays that do and that do not. So each load and
/// store says of which array it is.
struct AliasScopes : mlir::PassWrapper<AliasScopes, mlir::OperationPass<llvmir::LLVMFuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AliasScopes)
  llvm::StringRef getArgument() const final { return "attnc-alias-scopes"; }
  llvm::StringRef getDescription() const final { return "loads and stores of a team say of which array they are"; }

  void runOnOperation() final {
    auto domain = llvmir::AliasScopeDomainAttr::get(&getContext(), mlir::StringAttr());
    llvm::DenseMap<Value, mlir::Attribute> scopes;
    getOperation()->walk<mlir::WalkOrder::PreOrder>([&](mlir::omp::ParallelOp team) {
      llvm::MapVector<Value, llvm::SmallVector<llvmir::AliasAnalysisOpInterface>> accesses;
      team->walk([&](mlir::Operation *op) {
        Value address;
        if (auto load = mlir::dyn_cast<llvmir::LoadOp>(op))
          address = load.getAddr();
        else if (auto store = mlir::dyn_cast<llvmir::StoreOp>(op))
          address = store.getAddr();
        if (Value array = address ? arrayOf(address) : Value())
          accesses[array].push_back(mlir::cast<llvmir::AliasAnalysisOpInterface>(op));
      });
      for (auto &[array, ops] : accesses)
        if (!scopes.contains(array))
          scopes[array] = llvmir::AliasScopeAttr::get(domain, mlir::StringAttr());
      for (auto &[array, ops] : accesses) {
        llvm::SmallVector<mlir::Attribute> others;
        for (auto &[other, ignored] : accesses)
          if (other != array)
            others.push_back(scopes[other]);
        for (llvmir::AliasAnalysisOpInterface op : ops) {
          op.setAliasScopes(mlir::ArrayAttr::get(&getContext(), scopes[array]));
          op.setNoAliasScopes(mlir::ArrayAttr::get(&getContext(), others));
        }
      }
      return mlir::WalkResult::skip();
    });
  }

private:
  /// The argument or allocation that an address lies in, which no other overlaps; null where that cannot be seen.
  static Value arrayOf(Value address) {
    while (address) {
      if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(address)) {
        auto function = mlir::dyn_cast<llvmir::LLVMFuncOp>(argument.getOwner()->getParentOp());
        bool alone = function && argument.getOwner()->isEntryBlock() &&
                     function.getArgAttr(argument.getArgNumber(), llvmir::LLVMDialect::getNoAliasAttrName());
        return alone ? address : Value();
      }
      mlir::Operation *op = address.getDefiningOp();
      if (auto call = mlir::dyn_cast<llvmir::CallOp>(op))
        return call.getCallee() == "aligned_alloc" ? address : Value();
      if (auto offset = mlir::dyn_cast<llvmir::GEPOp>(op))
        address = offset.getBase();
      else if (auto part = mlir::dyn_cast<llvmir::ExtractValueOp>(op))
        address = inserted(part.getContainer(), part.getPosition());
      else
        return {};
    }
    return {};
  }

  /// What was put at that place of a struct.
  static Value inserted(Value container, llvm::ArrayRef<int64_t> position) {
    while (auto insert = container.getDefiningOp<llvmir::InsertValueOp>()) {
      if (insert.getPosition() == position)
        return insert.getValue();
      container = insert.getContainer();
    }
    return {};
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createAliasScopesPass() { return std::make_unique<AliasScopes>(); }

} // namespace attnc
