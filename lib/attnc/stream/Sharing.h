#pragma once
#include "attnc/stream/Lanes.h"

namespace attnc {

/// How the tasks of a stream are shared out to threads: not at all, always, or where its work is worth it, which only
/// the sizes of a call tell. Tasks share nothing, so that results are the same for any number of threads.
class Sharing {
public:
  /// `work` in multiplications.
  Sharing(Code &code, mlir::Value work, std::string name);

  void forEach(llvm::StringRef what, mlir::Value count, llvm::function_ref<void(mlir::Value)> body);
  /// How many threads there are at most, 1 where nothing is shared out; and the number of this one.
  mlir::Value slots();
  mlir::Value slot();

private:
  mlir::Value ask(llvm::StringRef function);

  Code &code;
  std::string name;
  mlir::Value worth; // an i1
  bool always = false, never = false;
};

/// The number of a task, from both ends in turn: where later ones have more to do, threads that take tasks in order
/// have equal shares.
mlir::Value fromBothEnds(Code &code, mlir::Value number, mlir::Value count);

} // namespace attnc
