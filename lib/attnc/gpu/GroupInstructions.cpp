#include "attnc/gpu/GroupInstructions.h"

#include "attnc/dialect/DeviceOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include "llvm/ADT/TypeSwitch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace attnc {

namespace {

namespace LLVM = mlir::LLVM;
using mlir::Value;
using mlir::ValueRange;

/// Assembly with `$0`, `$1`, … for its results, then its operands. It is never left out, moved or doubled, and memory
/// is as it says before and after.
LLVM::InlineAsmOp assembly(Code &code, mlir::Type result, ValueRange operands, const std::string &text,
                           std::string constraints) {
  constraints += constraints.empty() ? "~{memory}" : ",~{memory}";
  return LLVM::InlineAsmOp::create(code, result, operands, text, constraints, /*has_side_effects=*/true,
                                   /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
                                   LLVM::AsmDialectAttr(), mlir::ArrayAttr());
}

/// `prefix` first, `prefix` first + 1, …
std::string numbered(const char *prefix, std::size_t first, std::size_t count) {
  std::string list;
  for (std::size_t i = first; i < first + count; ++i)
    list += fmt::format("{}{}{}", i > first ? ", " : "", prefix, i);
  return list;
}

/// Assembly whose results are f32 in registers that stay the same: those of `sums`, where there are any.
void withSums(Code &code, mlir::Operation *op, ValueRange sums, ValueRange others, const std::string &text,
              const std::string &constraints) {
  std::size_t count = op->getNumResults();
  llvm::SmallVector<mlir::Type> types(count, code.getF32Type());
  llvm::SmallVector<Value> operands(sums);
  operands.append(others.begin(), others.end());
  std::string all;
  for (std::size_t i = 0; i < count; ++i)
    all += i ? ",=f" : "=f";
  for (std::size_t i = 0; i < sums.size(); ++i)
    all += fmt::format(",{}", i);
  if (!constraints.empty())
    all += "," + constraints;
  auto made = assembly(code, LLVM::LLVMStructType::getLiteral(code.getContext(), types), operands, text, all);
  for (std::size_t i = 0; i < count; ++i)
    op->getResult(i).replaceAllUsesWith(LLVM::ExtractValueOp::create(code, made.getRes(), int64_t(i)));
}

/// Products of one group: the fence before them says that registers are as they should be, and a step takes 16 columns
/// of the left factor.
void multiply(Code &code, dialect::GroupProductOp op) {
  std::size_t results = op->getNumResults(), first = results + op.getSums().size();
  bool inRegisters = !op.getLeft().empty();
  std::size_t right = first + (inRegisters ? op.getLeft().size() : 1);
  const char *type = op.getElement().isBF16() ? "bf16" : "f16";
  std::string text = "{\n.reg .pred more;\n.reg .b64 a, b;\nwgmma.fence.sync.aligned;\n";
  for (auto [number, step] : llvm::enumerate(op.getRightSteps())) {
    bool adds = number > 0 || !op.getSums().empty();
    text += fmt::format("setp.ne.b32 more, {}, 0;\nadd.s64 b, ${}, {};\n", int(adds), right, step);
    std::string left = "a";
    if (inRegisters)
      left = fmt::format("{{{}}}", numbered("$", first + 4 * number, 4));
    else
      text += fmt::format("add.s64 a, ${}, {};\n", first, op.getLeftSteps()[number]);
    text +=
        fmt::format("wgmma.mma_async.sync.aligned.m64n{}k16.f32.{}.{} {{{}}}, {}, b, more, 1, 1, {}{};\n", 2 * results,
                    type, type, numbered("$", 0, results), left, inRegisters ? "" : "0, ", int(op.getTurned()));
  }
  text += "wgmma.commit_group.sync.aligned;\n}";
  llvm::SmallVector<Value> others(op.getLeft());
  std::string constraints;
  for (std::size_t i = 0; i < op.getLeft().size(); ++i)
    constraints += "r,";
  if (!inRegisters) {
    others.push_back(op.getLeftMatrix());
    constraints += "l,";
  }
  others.push_back(op.getRightMatrix());
  withSums(code, op, op.getSums(), others, text, constraints + "l");
}

void load(Code &code, dialect::LoadBoxOp op) {
  std::size_t axes = op.getAt().size();
  Value map = mlir::memref::ExtractAlignedPointerAsIndexOp::create(code, op.getMap());
  llvm::SmallVector<Value> operands{op.getTo(), mlir::arith::IndexCastOp::create(code, code.getI64Type(), map)};
  operands.append(op.getAt().begin(), op.getAt().end());
  operands.push_back(op.getBarrier());
  std::string constraints = "r,l";
  for (std::size_t i = 0; i < axes; ++i)
    constraints += ",r";
  assembly(code, {}, operands,
           fmt::format("cp.async.bulk.tensor.{}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
                       "[$0], [$1, {{{}}}], [${}];",
                       axes, numbered("$", 2, axes), axes + 2),
           constraints + ",r");
}

} // namespace

bool writeGroupInstruction(Code &code, mlir::Operation *op) {
  auto plain = [&](ValueRange operands, const std::string &text, const char *constraints) {
    assembly(code, {}, operands, text, constraints);
  };
  bool known = true;
  llvm::TypeSwitch<mlir::Operation *>(op)
      .Case([&](dialect::BeginBarrierOp op) {
        plain(op.getBarrier(), fmt::format("mbarrier.init.shared::cta.b64 [$0], {};", op.getArrivals()), "r");
      })
      .Case([&](dialect::PublishBarriersOp) { plain({}, "fence.mbarrier_init.release.cluster;", ""); })
      .Case([&](dialect::ExpectOp op) {
        plain(op.getBarrier(), fmt::format("mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], {};", op.getBytes()),
              "r");
      })
      .Case([&](dialect::ArriveOp op) {
        Value condition = mlir::arith::ExtUIOp::create(code, code.getI32Type(), op.getCondition());
        plain({op.getBarrier(), condition},
              "{\n.reg .pred here;\nsetp.ne.b32 here, $1, 0;\n@here mbarrier.arrive.shared::cta.b64 _, [$0];\n}",
              "r,r");
      })
      .Case([&](dialect::WaitOp op) {
        plain({op.getBarrier(), op.getParity()},
              "{\n.reg .pred done;\nagain:\nmbarrier.try_wait.parity.shared::cta.b64 done, [$0], $1;\n"
              "@!done bra again;\n}",
              "r,r");
      })
      .Case([&](dialect::LoadBoxOp op) { load(code, op); })
      .Case([&](dialect::RegistersOp op) {
        plain({}, fmt::format("setmaxnreg.{}.sync.aligned.u32 {};", op.getMore() ? "inc" : "dec", op.getCount()), "");
      })
      .Case([&](dialect::MeetOp op) { plain(op.getNumber(), fmt::format("bar.sync $0, {};", op.getThreads()), "r"); })
      .Case([&](dialect::PassOp op) { plain(op.getNumber(), fmt::format("bar.arrive $0, {};", op.getThreads()), "r"); })
      .Case([&](dialect::GroupProductOp op) { multiply(code, op); })
      .Case([&](dialect::AwaitOp op) {
        withSums(code, op, op.getSums(), {}, fmt::format("wgmma.wait_group.sync.aligned {};", op.getPending()), "");
      })
      .Default([&](mlir::Operation *) { known = false; });
  if (known)
    op->erase();
  return known;
}

} // namespace attnc
