#pragma once
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/raw_ostream.h"

namespace attnc {

/// Gathers what MLIR reports while it lives, so that a failure becomes a value and nothing is printed.
class Complaints {
public:
  explicit Complaints(mlir::MLIRContext &context)
      : handler(&context, [this](mlir::Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error)
            return mlir::failure(); // remarks are for who asked for them
          llvm::raw_string_ostream out(gathered);
          if (!gathered.empty())
            out << "; ";
          out << diagnostic;
          return mlir::success();
        }) {}

  /// `situation: what was reported`.
  std::string text(const std::string &situation) const {
    return gathered.empty() ? situation : situation + ": " + gathered;
  }

private:
  std::string gathered;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace attnc
