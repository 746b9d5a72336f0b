#include "attnc/launch/Emulated.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { stackBytes = 1 << 18, mostBoxes = 64, begun = 0xb5 };

/* A barrier as it lies in shared memory, in 8 bytes. */
typedef struct Barrier {
  uint8_t mark, phase, arrivals, missing;
  int32_t bytes; /* that are expected and have not come */
} Barrier;

typedef struct Meeting {
  unsigned come, generation;
} Meeting;

typedef struct Box {
  const void *map;
  int32_t at[5];
  uint32_t to, barrier;
} Box;

typedef struct Thread {
  ucontext_t context;
  int done;
  unsigned asked, taken; /* products */
  EmulatedProduct products[mostProducts];
} Thread;

typedef struct Block {
  ucontext_t scheduler;
  Thread *threads;
  unsigned count, number, blocks, current, sharedBytes;
  unsigned char *shared;
  int failed, moved;
  Meeting meetings[mostMeetings], warps[mostThreads / warpThreads], groups[mostThreads / groupThreads];
  float exchanged[2][mostThreads];
  Box boxes[mostBoxes];
  unsigned boxCount, boxNumber;
  const attnc_emulated_kernel *kernel;
  void **slots;
} Block;

static _Thread_local Block *block;
static _Thread_local char complaint[256];

const char *attnc_emulated_complaint(void) { return complaint; }

/* Others run, until one of them may have done what this one waits for. */
static void pause(void) { swapcontext(&block->threads[block->current].context, &block->scheduler); }

void attnc_emulated_fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(complaint, sizeof complaint, format, arguments);
  va_end(arguments);
  block->failed = 1;
  for (;;)
    pause();
}

unsigned char *attnc_emulated_shared(uint64_t address, uint64_t bytes) {
  if (address < firstShared || address + bytes > firstShared + (uint64_t)block->sharedBytes)
    attnc_emulated_fail("shared memory has no %llu bytes at %llu", (unsigned long long)bytes,
                        (unsigned long long)address);
  return block->shared + (address - firstShared);
}

static void begin(void) {
  block->kernel->run(block->slots);
  block->threads[block->current].done = 1;
  for (;;)
    pause();
}

static void runBlock(unsigned char *stacks) {
  memset(block->threads, 0, block->count * sizeof(Thread));
  memset(block->shared, 0xff, block->sharedBytes);
  memset(block->meetings, 0, sizeof block->meetings);
  memset(block->warps, 0, sizeof block->warps);
  memset(block->groups, 0, sizeof block->groups);
  block->boxCount = 0;
  for (unsigned i = 0; i < block->count; ++i) {
    ucontext_t *context = &block->threads[i].context;
    getcontext(context);
    context->uc_stack.ss_sp = stacks + (size_t)i * stackBytes;
    context->uc_stack.ss_size = stackBytes;
    makecontext(context, begin, 0);
  }
  for (unsigned left = block->count; left && !block->failed;) {
    block->moved = 0;
    left = 0;
    for (unsigned i = 0; i < block->count && !block->failed; ++i) {
      if (block->threads[i].done)
        continue;
      block->current = i;
      swapcontext(&block->scheduler, &block->threads[i].context);
      block->moved |= block->threads[i].done;
      left += !block->threads[i].done;
    }
    if (left && !block->moved && !block->failed) {
      snprintf(complaint, sizeof complaint, "%u threads of '%s' wait for ever", left, block->kernel->name);
      block->failed = 1;
    }
  }
  if (!block->failed && block->boxCount) {
    snprintf(complaint, sizeof complaint, "'%s' ends before a box that it asked for has come", block->kernel->name);
    block->failed = 1;
  }
}

int attnc_emulated_run(const attnc_emulated_kernel *kernel, void **slots, unsigned blocks, unsigned threads,
                       unsigned shared) {
  enum { outOfMemory = 2, invalid = 1 };
  if (threads > mostThreads || threads % warpThreads || shared > mostShared)
    return invalid;
  Block made = {.count = threads, .blocks = blocks, .sharedBytes = shared, .kernel = kernel, .slots = slots};
  size_t stackSize = (size_t)threads * stackBytes;
  unsigned char *stacks =
      mmap(NULL, stackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stacks == MAP_FAILED)
    return outOfMemory;
  made.threads = malloc(threads * sizeof(Thread));
  made.shared = malloc(shared + 1);
  int status = made.threads && made.shared ? 0 : outOfMemory;
  block = &made;
  for (unsigned i = 0; i < blocks && !status; ++i) {
    made.number = i;
    runBlock(stacks);
    status = made.failed ? emulatedFailure : 0;
  }
  free(made.shared);
  free(made.threads);
  munmap(stacks, stackSize);
  return status;
}

/* Those who come last do what all wait for. */
static void meet(Meeting *meeting, int64_t threads, void (*last)(void)) {
  unsigned generation = meeting->generation;
  if (++meeting->come == threads) {
    if (last)
      last();
    meeting->come = 0;
    ++meeting->generation;
  }
  while (meeting->generation == generation)
    pause();
  block->moved = 1;
}

static Barrier *barrierAt(uint32_t address) {
  Barrier *barrier = (Barrier *)attnc_emulated_shared(address, sizeof(Barrier));
  if (address % sizeof(Barrier) || barrier->mark != begun)
    attnc_emulated_fail("there is no barrier at %u", address);
  return barrier;
}

static void endPhase(Barrier *barrier) {
  if (barrier->missing || barrier->bytes)
    return;
  barrier->phase ^= 1;
  barrier->missing = barrier->arrivals;
}

static void bring(const Box *box) {
  Barrier *barrier = barrierAt(box->barrier);
  barrier->bytes -= (int32_t)attnc_emulated_bring(box->map, box->at, box->to);
  endPhase(barrier);
}

/* What kernels call. */

int64_t attnc_emulated_thread(void) { return block->current; }
int64_t attnc_emulated_block(void) { return block->number; }

void attnc_emulated_barrier(void) { meet(&block->meetings[0], block->count, NULL); }
void attnc_emulated_meet(int32_t number, int64_t threads) { meet(&block->meetings[number], threads, NULL); }
void attnc_emulated_pass(int32_t number, int64_t threads) {
  Meeting *meeting = &block->meetings[number];
  if (++meeting->come == threads) {
    meeting->come = 0;
    ++meeting->generation;
  }
}

float attnc_emulated_exchange(float value, int32_t mask) {
  Meeting *warp = &block->warps[block->current / warpThreads];
  float *values = block->exchanged[warp->generation & 1];
  values[block->current] = value;
  meet(warp, warpThreads, NULL);
  return values[block->current ^ (unsigned)mask];
}

void attnc_emulated_begin_barrier(int32_t address, int64_t arrivals) {
  Barrier *barrier = (Barrier *)attnc_emulated_shared((uint32_t)address, sizeof(Barrier));
  *barrier = (Barrier){begun, 0, (uint8_t)arrivals, (uint8_t)arrivals, 0};
}

void attnc_emulated_expect(int32_t address, int64_t bytes) {
  Barrier *barrier = barrierAt((uint32_t)address);
  if (barrier->missing == 0)
    attnc_emulated_fail("more arrive at the barrier at %d than it counts", address);
  --barrier->missing;
  barrier->bytes += (int32_t)bytes;
  endPhase(barrier);
}
void attnc_emulated_arrive(int32_t address, int32_t condition) {
  if (condition)
    attnc_emulated_expect(address, 0);
}

void attnc_emulated_wait(int32_t address, int32_t parity) {
  Barrier *barrier = barrierAt((uint32_t)address);
  while (barrier->phase == parity) {
    unsigned kept = 0;
    for (unsigned i = 0; i < block->boxCount; ++i)
      if (block->boxes[i].barrier == (uint32_t)address)
        bring(&block->boxes[i]);
      else
        block->boxes[kept++] = block->boxes[i];
    block->boxCount = kept;
    if (barrier->phase == parity)
      pause();
  }
  block->moved = 1;
}

void attnc_emulated_load_box(int64_t map, int32_t to, int32_t barrier, int32_t a, int32_t b, int32_t c, int32_t d,
                             int32_t e) {
  Box box = {(const void *)(intptr_t)map, {a, b, c, d, e}, (uint32_t)to, (uint32_t)barrier};
  if (block->boxNumber++ % 2)
    bring(&box);
  else if (block->boxCount == mostBoxes)
    attnc_emulated_fail("nobody waits for the %d boxes that were asked for", mostBoxes);
  else
    block->boxes[block->boxCount++] = box;
}

void attnc_emulated_product(int64_t sums, int64_t sumCount, int64_t begins, int64_t left, int64_t leftAt,
                            int64_t rightAt, int64_t steps, int64_t turned, int64_t type) {
  Thread *thread = &block->threads[block->current];
  if (thread->asked - thread->taken == mostProducts)
    attnc_emulated_fail("more than %d products are not awaited", mostProducts);
  EmulatedProduct *product = &thread->products[thread->asked++ % mostProducts];
  float *given = (float *)(intptr_t)sums;
  product->sumCount = sumCount;
  product->steps = steps;
  product->turned = turned;
  product->type = type;
  product->inRegisters = left != 0;
  for (int64_t i = 0; i < sumCount; ++i) {
    product->sums[i] = begins ? 0 : given[i];
    given[i] = NAN; /* until it is awaited */
  }
  if (left)
    memcpy(product->left, (const void *)(intptr_t)left, (size_t)steps * 4 * sizeof(uint32_t));
  else
    memcpy(product->leftAt, (const void *)(intptr_t)leftAt, (size_t)steps * sizeof(uint64_t));
  memcpy(product->rightAt, (const void *)(intptr_t)rightAt, (size_t)steps * sizeof(uint64_t));
}

static void computeOldest(void) {
  EmulatedProduct *parts[groupThreads];
  unsigned first = block->current / groupThreads * groupThreads;
  for (unsigned i = 0; i < groupThreads; ++i) {
    Thread *thread = &block->threads[first + i];
    parts[i] = &thread->products[thread->taken % mostProducts];
  }
  attnc_emulated_compute(parts);
}

void attnc_emulated_await(int64_t sums, int64_t sumCount, int64_t pending) {
  Thread *thread = &block->threads[block->current];
  if (thread->asked - thread->taken != pending + 1)
    attnc_emulated_fail("%u products go on where %lld should", thread->asked - thread->taken, (long long)pending + 1);
  meet(&block->groups[block->current / groupThreads], groupThreads, computeOldest);
  EmulatedProduct *product = &thread->products[thread->taken++ % mostProducts];
  if (product->sumCount != sumCount)
    attnc_emulated_fail("%lld sums of a product are awaited as %lld", (long long)product->sumCount,
                        (long long)sumCount);
  memcpy((void *)(intptr_t)sums, product->sums, (size_t)sumCount * sizeof(float));
}
