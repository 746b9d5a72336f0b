#include "attnc/stream/Explain.h"
#include "attnc/stream/Sight.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include "llvm/Support/FormatVariadic.h"

namespace attnc {

using dialect::StreamOp;

void explain(StreamOp stream) {
  llvm::SmallVector<int64_t> extents(stream.loopCount(), mlir::ShapedType::kDynamic);
  int64_t bytes = 0;
  bool known = true;
  auto given = [&](unsigned loop, mlir::Value extent) {
    if (auto known = extent ? mlir::getConstantIntValue(extent) : std::nullopt)
      extents[loop] = *known;
  };
  given(stream.keyLoop(), stream.getKeys());
  given(stream.queryLoop(), stream.getQueries());
  for (auto [i, array] : llvm::enumerate(stream.arrays())) {
    auto type = mlir::cast<mlir::RankedTensorType>(array.getType());
    for (auto [axis, extent] : llvm::enumerate(type.getShape()))
      if (unsigned loop = stream.mapOf(i).getDimPosition(axis); loop < extents.size())
        extents[loop] = extent;
    known &= type.hasStaticShape();
    if (known)
      bytes += type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  }
  auto remark = stream.emitRemark() << "streamed: " << stream.getAlgebra() << " over ";
  auto count = [&](unsigned loop) {
    if (mlir::ShapedType::isDynamic(extents[loop]))
      remark << "any number of";
    else
      remark << extents[loop];
  };
  count(stream.keyLoop());
  if (stream.isJoint()) {
    remark << " by ";
    count(stream.queryLoop());
    remark << " pairs of keys for each query, the second ones in the lanes";
  } else if (remark << " keys for "; stream.hasQueries()) {
    count(stream.queryLoop());
    remark << " queries";
  } else {
    extents[stream.queryLoop()] = 1;
    remark << "each query";
  }
  if (Sight(stream).isLimited())
    remark << ", without tiles of keys that none sees";
  if (!known || llvm::any_of(extents, mlir::ShapedType::isDynamic))
    return;
  double work = 2, streams = 1;
  for (unsigned loop = 0; loop < stream.getBatch(); ++loop)
    streams *= extents[loop];
  double inner = (stream.isContracted() ? extents[stream.depthLoop()] : 0) +
                 (stream.isValued() ? extents[stream.featureLoop()] : 1);
  work *= streams * extents[stream.keyLoop()] * extents[stream.queryLoop()] * inner;
  remark << ", " << int64_t(streams) << " times; "
         << llvm::formatv("{0:f3} MFLOP, {1:f3} MB", work / 1e6, bytes / 1e6).str();
}

} // namespace attnc
