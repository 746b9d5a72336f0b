#include "attnc/launch/Internal.h"
#include "attnc/launch/Plan.h"

#include <string.h>

enum { mostAxes = 5, elementBytes = 2, mapBytes = 128, mapAlignment = 64, addressAlignment = 16 };
/* CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B */
enum { swizzle128 = 3, promotion256 = 3 };

int32_t attnc_make_map(const attnc_program *program, const attnc_driver *driver, const int64_t *w, int64_t *r) {
  enum { to = 1, array, type, axes, first };
  const char *name = w[array] < program->arrays ? program->interface[w[array]].name : "scratch";
  uint64_t extents[mostAxes], strides[mostAxes];
  uint32_t box[mostAxes], steps[mostAxes];
  unsigned rank = (unsigned)w[axes];
  memset(&r[w[to]], 0, mapBytes);
  if (!driver->map)
    return attnc_fail(ATTNC_NO_DEVICE, "the driver of NVIDIA's devices is older than CUDA 12.0");
  for (unsigned i = 0; i < rank; ++i) {
    extents[i] = (uint64_t)r[w[first + i]];
    box[i] = (uint32_t)w[first + 2 * rank - 1 + i];
    steps[i] = 1;
    if (extents[i] == 0) /* nothing is read through it */
      return ATTNC_DONE;
    if (i + 1 < rank)
      strides[i] = (uint64_t)r[w[first + rank + i]] * elementBytes;
  }
  if (r[w[array]] % addressAlignment)
    return attnc_fail(ATTNC_BAD_ARGUMENT, "'%s' does not begin at a multiple of %d bytes, as sm_90a's kernels need",
                      name, addressAlignment);
  _Alignas(mapAlignment) unsigned char map[mapBytes];
  int status = driver->map(map, (int)w[type], rank, (void *)(intptr_t)r[w[array]], extents, strides, box, steps, 0,
                           swizzle128, promotion256, 0);
  if (status)
    return attnc_driver_fail(driver, status, name);
  memcpy(&r[w[to]], map, mapBytes);
  return ATTNC_DONE;
}
