#include "attnc/gpu/Gpu.h"
#include "attnc/lower/Lower.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

/// Runs passes named on the command line over MLIR text: for tests, and to see what a pass does.
int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  attnc::registerLowering(registry);
  attnc::registerGpu(registry);
  mlir::registerTransformsPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "attnc optimiser driver\n", registry));
}
