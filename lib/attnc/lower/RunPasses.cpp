#include "attnc/lower/RunPasses.h"

#include "attnc/lower/Complaints.h"

namespace attnc {

tl::expected<void, std::string> runPasses(mlir::ModuleOp module, llvm::function_ref<void(mlir::OpPassManager &)> build,
                                          const char *situation) {
  mlir::MLIRContext &context = *module.getContext();
  Complaints complaints(context);
  mlir::PassManager passes(&context, mlir::ModuleOp::getOperationName());
  build(passes);
  if (failed(passes.run(module)))
    return tl::unexpected(complaints.text(situation));
  return {};
}

} // namespace attnc
