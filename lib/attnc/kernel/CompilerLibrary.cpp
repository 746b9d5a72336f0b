#include "attnc/kernel/Compiler.h"
#include "attnc/kernel/Pipeline.h"

extern "C" __attribute__((visibility("default"))) const attnc::CompilerInterface *attncCompiler() {
  static constexpr attnc::CompilerInterface interface = {&attnc::buildArtefact, &attnc::buildKernel};
  return &interface;
}
