#pragma once
#include "attnc/stream/Lanes.h"

namespace attnc {

/// What the threads of a warp or a block do together, or wait for.
bool isCollective(mlir::Operation *op);

/// One for each thread of what values of vectors and scalars are: arrays whose first axis are the threads.
mlir::Value loadPlace(Code &code, mlir::Value place, mlir::Value thread, mlir::Type type);
void storePlace(Code &code, mlir::Value value, mlir::Value place, mlir::Value thread);

/// What a thread gets from a collective operation. `get` is a value as another thread has it, `place` where all threads
/// have one. None writes a place that it reads.
void emulateCollective(Code &code, mlir::Operation *op, mlir::Value thread,
                       llvm::function_ref<mlir::Value(mlir::Value value, mlir::Value thread)> get,
                       llvm::function_ref<mlir::Value(mlir::Value)> place);

/// Copies at once what a thread asks to be copied.
void emulateCopies(mlir::Operation *function);

} // namespace attnc
