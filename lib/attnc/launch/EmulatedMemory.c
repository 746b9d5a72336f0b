#include "attnc/launch/Emulated.h"

#include <string.h>

/* Boxes of arrays on their way to shared memory, and products of matrices in it, by the bits of tensor maps' and
 * descriptors' layouts (PTX ISA, "asynchronous warpgroup level matrix instructions"). */

enum { mostAxes = 5, float16 = 6, bfloat16 = 9, bytesOfElement = 2, rowBytes = 128, invalid = 1 };

typedef struct Map {
  uint64_t address;
  uint32_t rank, box[mostAxes];
  uint64_t extents[mostAxes], strides[mostAxes]; /* bytes; the first is that of an element */
} Map;
_Static_assert(sizeof(Map) <= 128, "a tensor map has 128 bytes");

int attnc_emulated_map(void *map, int type, unsigned rank, void *address, const uint64_t *extents,
                       const uint64_t *strides, const uint32_t *box, const uint32_t *steps, int interleave, int swizzle,
                       int promotion, int fill) {
  enum { alignment = 16, mapAlignment = 64, mostBox = 256, swizzle128 = 3 };
  (void)promotion;
  if ((type != float16 && type != bfloat16) || rank < 1 || rank > mostAxes || (uintptr_t)map % mapAlignment ||
      !address || (uintptr_t)address % alignment || interleave || swizzle != swizzle128 || fill ||
      box[0] * bytesOfElement > rowBytes)
    return invalid;
  Map made = {.address = (uintptr_t)address, .rank = rank};
  for (unsigned i = 0; i < rank; ++i) {
    made.extents[i] = extents[i];
    made.box[i] = box[i];
    made.strides[i] = i ? strides[i - 1] : bytesOfElement;
    if (!extents[i] || extents[i] > 1ULL << 32 || !box[i] || box[i] > mostBox || steps[i] != 1 ||
        (i && (made.strides[i] % alignment || made.strides[i] >= 1ULL << 40)))
      return invalid;
  }
  memcpy(map, &made, sizeof made);
  return 0;
}

int64_t attnc_emulated_bring(const void *from, const int32_t *at, uint32_t to) {
  Map map;
  memcpy(&map, from, sizeof map);
  if (map.rank < 1 || map.rank > mostAxes || to % rowBytes)
    attnc_emulated_fail("a box cannot come to %u", to);
  int64_t count = 1;
  for (unsigned i = 0; i < map.rank; ++i)
    count *= map.box[i];
  attnc_emulated_shared(to, (uint64_t)count * bytesOfElement);
  for (int64_t number = 0; number < count; ++number) {
    int64_t rest = number, place = 0;
    int inside = 1;
    for (unsigned i = 0; i < map.rank; ++i) {
      int64_t coordinate = at[i] + rest % map.box[i];
      rest /= map.box[i];
      inside &= coordinate >= 0 && coordinate < (int64_t)map.extents[i];
      place += coordinate * (int64_t)map.strides[i];
    }
    uint64_t address = attnc_emulated_swizzled(to + (uint64_t)number * bytesOfElement);
    unsigned char *target = attnc_emulated_shared(address, bytesOfElement);
    if (inside)
      memcpy(target, (const char *)(uintptr_t)map.address + place, bytesOfElement);
    else
      memset(target, 0, bytesOfElement);
  }
  return count * bytesOfElement;
}

static float asFloat(uint32_t bits) {
  float result;
  memcpy(&result, &bits, sizeof result);
  return result;
}

static float number(uint16_t bits, int64_t type) {
  if (type == bfloat16)
    return asFloat((uint32_t)bits << 16);
  /* A float has three bits of exponent more, biased by 112 more, and 13 bits of fraction more. */
  enum { exponent = 0x7c00, magnitude = 0x7fff, shift = 13 };
  float value = (bits & exponent) == exponent ? asFloat(0x7f800000 | (uint32_t)(bits & magnitude) << shift)
                                              : asFloat((uint32_t)(bits & magnitude) << shift) * 0x1p112F;
  return bits >> 15 ? -value : value;
}

/* An element of a matrix in shared memory. Along memory there are rows of 128 bytes, eight of them in a piece of 1 KiB.
 * `line`: of those; `along`: the element in it. */
static float element(uint64_t descriptor, int64_t line, int64_t along, int64_t type) {
  enum { lines = 8, perRow = rowBytes / bytesOfElement };
  uint64_t start = (descriptor & 0x3fff) << 4, leading = (descriptor >> 16 & 0x3fff) << 4,
           stride = (descriptor >> 32 & 0x3fff) << 4;
  if (descriptor >> 62 != 1 || descriptor >> 49 & 7)
    attnc_emulated_fail("a descriptor's matrix is not swizzled in rows of 128 bytes");
  uint64_t address = start + (uint64_t)(along / perRow) * leading + (uint64_t)(line / lines) * stride +
                     (uint64_t)(line % lines) * rowBytes + (uint64_t)(along % perRow) * bytesOfElement;
  uint16_t bits;
  memcpy(&bits, attnc_emulated_shared(attnc_emulated_swizzled(address), bytesOfElement), sizeof bits);
  return number(bits, type);
}

void attnc_emulated_compute(EmulatedProduct *const *parts) {
  enum { rows = 64, step = 16, mostColumns = 2 * mostSums };
  const EmulatedProduct *all = parts[0];
  int64_t columns = all->sumCount * 2;
  for (int i = 1; i < groupThreads; ++i)
    if (parts[i]->steps != all->steps || parts[i]->sumCount != all->sumCount || parts[i]->turned != all->turned ||
        memcmp(parts[i]->rightAt, all->rightAt, (size_t)all->steps * sizeof(uint64_t)) ||
        (!all->inRegisters && memcmp(parts[i]->leftAt, all->leftAt, (size_t)all->steps * sizeof(uint64_t))))
      attnc_emulated_fail("the threads of a warp group ask for different products");
  for (int64_t s = 0; s < all->steps; ++s) {
    float left[rows][step], right[step][mostColumns];
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t k = 0; k < step; ++k) {
        /* A warp has 16 rows. Of its words, a thread has rows g and g + 8, columns 2 p and 2 p + 1, then 8 on. */
        int64_t thread = row / 16 * warpThreads + row % 8 * 4 + k % 8 / 2, word = row % 16 / 8 + k / 8 * 2;
        left[row][k] = all->inRegisters
                           ? number((uint16_t)(parts[thread]->left[4 * s + word] >> 16 * (k % 2)), all->type)
                           : element(all->leftAt[s], row, k, all->type);
      }
    for (int64_t k = 0; k < step; ++k)
      for (int64_t column = 0; column < columns; ++column)
        right[k][column] = all->turned ? element(all->rightAt[s], k, column, all->type)
                                       : element(all->rightAt[s], column, k, all->type);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < columns; ++column) {
        int64_t thread = row / 16 * warpThreads + row % 8 * 4 + column % 8 / 2;
        float *sum = &parts[thread]->sums[column / 8 * 4 + row % 16 / 8 * 2 + column % 2];
        for (int64_t k = 0; k < step; ++k)
          *sum += left[row][k] * right[k][column];
      }
  }
}
