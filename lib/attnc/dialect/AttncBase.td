// The dialect, and what its operations have in common.
#ifndef ATTNC_BASE
#define ATTNC_BASE

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Attnc_Dialect : Dialect {
  let name = "attnc";
  let summary = "diagrams of attention: boxes, learners and structure on tensors";
  let cppNamespace = "::attnc::dialect";
}

class Attnc_Op<string mnemonic, list<Trait> traits = []> : Op<Attnc_Dialect, mnemonic, traits>;

#endif
