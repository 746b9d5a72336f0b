#pragma once
#include "attnc/launch/Program.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A block of threads that wait for one another, on this machine. Each is a context of its own, which runs until it has
 * to wait. What the device may do later is done as late as it can be: a product when it is awaited, a box when its
 * barrier is waited for, but every second box at once. So a wait that is missing shows: as NaN, as what was there
 * before, as bytes that do not add up, or as threads that wait for ever, which are errors. */
enum {
  warpThreads = 32,
  groupThreads = 128,
  mostThreads = 1024,
  firstShared = 1024, /* the address of the memory that the block shares, whose first KiB is the system's */
  mostShared = 227 * 1024,
  mostMeetings = 16,
  mostProducts = 4,
  mostSums = 128,
  mostSteps = 16,
  emulatedFailure = 719 /* CUDA_ERROR_LAUNCH_FAILED */
};

/* A product that a thread has asked for and not awaited. */
typedef struct EmulatedProduct {
  int64_t sumCount, steps, turned, type;
  int inRegisters;
  float sums[mostSums];
  uint32_t left[4 * mostSteps];
  uint64_t leftAt[mostSteps], rightAt[mostSteps];
} EmulatedProduct;

/* Runs a kernel's blocks; 0, or `emulatedFailure`, of which `attnc_emulated_complaint` tells more. */
int attnc_emulated_run(const attnc_emulated_kernel *kernel, void **slots, unsigned blocks, unsigned threads,
                       unsigned shared);
const char *attnc_emulated_complaint(void); /* NOLINT(modernize-redundant-void-arg) */

/* For what runs inside a thread: it is the end of the block. */
void attnc_emulated_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* So many bytes of the memory that the block shares; fails where they are not there. */
unsigned char *attnc_emulated_shared(uint64_t address, uint64_t bytes);
/* The place of an address in rows of 128 bytes that are swizzled. */
static inline uint64_t attnc_emulated_swizzled(uint64_t address) {
  enum { bits = 0x70, from = 3 };
  return address ^ (address >> from & bits);
}

/* Computes the oldest product of the threads of a warp group, for all of them. */
void attnc_emulated_compute(EmulatedProduct *const *parts);
/* cuTensorMapEncodeTiled, and what a box of such a map brings to an address; the bytes. */
int attnc_emulated_map(void *map, int type, unsigned rank, void *address, const uint64_t *extents,
                       const uint64_t *strides, const uint32_t *box, const uint32_t *steps, int interleave, int swizzle,
                       int promotion, int fill);
int64_t attnc_emulated_bring(const void *map, const int32_t *at, uint32_t to);

/* What kernels call; the operations of the same names say more (dialect/DeviceOps.td). */
int64_t attnc_emulated_thread(void); /* NOLINT(modernize-redundant-void-arg) */
int64_t attnc_emulated_block(void);  /* NOLINT(modernize-redundant-void-arg) */
void attnc_emulated_barrier(void);   /* NOLINT(modernize-redundant-void-arg) */
float attnc_emulated_exchange(float value, int32_t mask);
void attnc_emulated_meet(int32_t number, int64_t threads);
void attnc_emulated_pass(int32_t number, int64_t threads);
void attnc_emulated_begin_barrier(int32_t barrier, int64_t arrivals);
void attnc_emulated_expect(int32_t barrier, int64_t bytes);
void attnc_emulated_arrive(int32_t barrier, int32_t condition);
void attnc_emulated_wait(int32_t barrier, int32_t parity);
void attnc_emulated_load_box(int64_t map, int32_t to, int32_t barrier, int32_t a, int32_t b, int32_t c, int32_t d,
                             int32_t e);
/* Addresses of what a thread gives, and of its sums, in which there is NaN until they are awaited. `begins`: they are 0
 * before. `left`: words of registers; `leftAt`, `rightAt`: a descriptor for each step. One of `left`, `leftAt` is 0.
 * `type`: CUDA's, as of a tensor map. */
void attnc_emulated_product(int64_t sums, int64_t sumCount, int64_t begins, int64_t left, int64_t leftAt,
                            int64_t rightAt, int64_t steps, int64_t turned, int64_t type);
void attnc_emulated_await(int64_t sums, int64_t sumCount, int64_t pending);

#ifdef __cplusplus
}
#endif
