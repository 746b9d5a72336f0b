#include "attnc/gpu/Tiling.h"

#include "attnc/stream/Algebra.h"
#include "attnc/stream/Narrow.h"

#include <fmt/format.h>

namespace attnc {

using dialect::StreamOp;

/// Floats that a thread keeps of scores and results, beside what it computes with, of the 255 that it may have.
constexpr int64_t mostKept = 144;
/// Shared memory that a block may have on every device from sm_80 on.
constexpr int64_t mostShared = 99 * 1024;

tl::expected<Tiling, std::string> tilingOf(StreamOp stream) {
  if (!algebra::withAlgebra(std::string_view(stream.getAlgebra()), [](auto) {}))
    return tl::unexpected(fmt::format("there is no algebra '{}'", std::string_view(stream.getAlgebra())));
  if (stream.isJoint())
    return tl::unexpected<std::string>("it runs over pairs of keys");
  for (unsigned i = stream.getContraction().size() + stream.getValue().size(); i < stream.getMaps().size(); ++i)
    for (unsigned axis = 0; axis < stream.mapOf(i).getNumResults(); ++axis)
      if (stream.mapOf(i).getDimPosition(axis) >= stream.loopCount())
        return tl::unexpected<std::string>("its scores read at places that are computed");
  if (stream.isTermed())
    return tl::unexpected<std::string>("its scores are sums of terms that are no products");
  Tiling tiling;
  tiling.contracted = stream.isContracted();
  tiling.valued = stream.isValued();
  unsigned values = stream.getContraction().size();
  if (tiling.contracted) {
    tiling.depth = stream.extentOf(stream.depthLoop());
    tiling.scores = precisionOf(stream, isNarrow(stream, 0) && isNarrow(stream, 1));
    if (mlir::ShapedType::isDynamic(tiling.depth))
      return tl::unexpected<std::string>("the length of its queries and keys is not compiled in");
  }
  if (tiling.valued) {
    tiling.features = stream.extentOf(stream.featureLoop());
    tiling.values = precisionOf(stream, isNarrow(stream, values));
    if (mlir::ShapedType::isDynamic(tiling.features))
      return tl::unexpected<std::string>("the length of its values is not compiled in");
  }
  for (int64_t warps : {4, 2})
    for (int64_t buffers : {2, 1})
      for (int64_t keys : {64, 32, 16}) {
        tiling.warps = warps;
        tiling.buffers = buffers;
        tiling.keys = keys;
        int64_t kept = keys / 2 + (tiling.valued ? tiling.featureTiles() * 4 : 2);
        if (kept <= mostKept && tiling.bytes() <= mostShared)
          return tiling;
      }
  return tl::unexpected(
      fmt::format("queries and keys of length {} with values of length {} do not fit in the registers "
                  "and the shared memory of a block",
                  tiling.depth, tiling.features));
}

} // namespace attnc
