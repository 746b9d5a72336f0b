#include "attnc/stream/Term.h"

#include "attnc/dialect/AttncDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace arith = mlir::arith;
namespace linalg = mlir::linalg;
using mlir::Value;

Term::Term(mlir::MLIRContext *context, mlir::Location location, const Roles &roles)
    : roles(roles), builder(context), location(location) {
  builder.setInsertionPointToEnd(block.get());
}

bool Term::gather(llvm::ArrayRef<Read> factors) {
  auto varies = [&](const Read &read) { return read.along(*roles.query) && read.along(roles.key); };
  if (!roles.query || !llvm::any_of(factors, varies))
    return false; // a product is a contraction
  Value term;
  for (const Read &factor : factors) {
    Value value = element(factor);
    if (!value)
      return false;
    term = term ? arith::MulFOp::create(builder, location, term, value).getResult() : value;
  }
  if (llvm::none_of(operands, [&](const Read &read) { return read.along(roles.depth); }))
    return false;
  dialect::TermOp::create(builder, location, term);
  return true;
}

Value Term::element(Read read) {
  read = source(std::move(read));
  for (auto &[seen, value] : known)
    if (seen == read)
      return value;
  Value value = constantElement(builder, read);
  if (!value && read.along(*roles.query) && read.along(roles.key)) {
    linalg::GenericOp map = mapOf(read.array);
    value = map && hasVectorCode(map) ? inlined(map, read) : Value();
  } else if (!value) {
    bool outside = llvm::any_of(read.loops, [&](unsigned loop) { return !roles.streamLoop(loop); });
    if (outside || !mlir::getElementTypeOrSelf(read.array).isF32())
      return nullptr;
    operands.push_back(read);
    value = block->addArgument(builder.getF32Type(), location);
  }
  if (value)
    known.push_back({read, value});
  return value;
}

Value Term::inlined(linalg::GenericOp map, const Read &read) {
  return inlineMap(
      builder, map, read, [&](const Read &operand) { return element(operand); }, [](unsigned) { return Value(); });
}

} // namespace attnc
