/* A test double of libcuda.so.1: it executes nothing, and writes down what it is asked to do, a line each, to the file
 * $FAKE_CUDA_LOG. It refuses what the driver refuses: bytes and blocks of 0, addresses and streams it has not given.
 * $FAKE_CUDA_FAIL names a function that fails at its call number $FAKE_CUDA_AT (from 0). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { invalid = 1, outOfMemory = 2, launchFailed = 719, most = 64 };
static uint64_t live[most];
static uint64_t next = 0x10000;
static struct function {
  const char *name;
  unsigned shared; /* the most that it may be launched with */
} known[most];
static int functions;
static int module;

static int fails(const char *name) {
  static int calls;
  const char *which = getenv("FAKE_CUDA_FAIL"), *at = getenv("FAKE_CUDA_AT");
  return which && strcmp(which, name) == 0 && calls++ == (at ? atoi(at) : 0);
}

static void say(const char *name, const char *what, unsigned long long a, unsigned long long b, void *stream) {
  FILE *log = fopen(getenv("FAKE_CUDA_LOG"), "a");
  fprintf(log, "%s %s %llu %llu %p\n", name, what, a, b, stream);
  fclose(log);
}

int cuInit(unsigned flags) { return flags ? invalid : 0; }
static void *current;
int cuCtxGetCurrent(void **context) {
  *context = current || getenv("FAKE_CUDA_NO_CONTEXT") ? current : &module;
  return 0;
}
int cuDeviceGet(int *device, int number) {
  *device = 7;
  return number || fails("cuDeviceGet") ? invalid : 0;
}
int cuCtxGetDevice(int *device) {
  *device = 7;
  return fails("cuCtxGetDevice") ? invalid : 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = 132;
  return attribute != 16 || device != 7 || fails("cuDeviceGetAttribute") ? invalid : 0;
}
#ifndef FAKE_CUDA_OLD
int cuTensorMapEncodeTiled(void *map, int type, unsigned rank, void *address, const uint64_t *extents, const uint64_t *strides,
                           const uint32_t *box, const uint32_t *steps, int interleave, int swizzle, int promotion, int fill) {
  if (fails("cuTensorMapEncodeTiled") || (uintptr_t)map % 64 || (uintptr_t)address % 16 || !address || rank > 5 ||
      (type != 6 && type != 9) || interleave || swizzle != 3 || promotion != 3 || fill || box[0] * 2 > 128)
    return invalid;
  for (unsigned i = 0; i < rank; ++i)
    if (!extents[i] || !box[i] || box[i] > 256 || steps[i] != 1 || (i && strides[i - 1] % 16))
      return invalid;
  memset(map, 0xab, 128);
  say("map", "-", (uintptr_t)address, extents[rank - 1], 0);
  return 0;
}
#endif
int cuDevicePrimaryCtxRetain(void **context, int device) {
  *context = &module;
  return device == 7 ? 0 : invalid;
}
int cuCtxSetCurrent(void *context) {
  say("context", "-", 0, 0, 0);
  current = context;
  return context == &module ? 0 : invalid;
}
int cuModuleLoadData(void **result, const void *image) {
  int binary = memcmp(image, "\177ELF", 4) == 0;
  say("load", binary ? "cubin" : "ptx", 0, 0, 0);
  if (fails("cuModuleLoadData") || (!binary && !strstr(image, ".visible .entry")))
    return invalid;
  *result = &module;
  return 0;
}
int cuModuleUnload(void *which) {
  say("unload", "-", 0, 0, 0);
  return which == &module ? 0 : invalid;
}
int cuModuleGetFunction(void **result, void *which, const char *name) {
  if (which != &module || functions == most || fails("cuModuleGetFunction"))
    return invalid;
  known[functions].name = name;
  known[functions].shared = 48 * 1024;
  *result = &known[functions++];
  return 0;
}
int cuFuncSetAttribute(struct function *which, int attribute, int value) {
  if (fails("cuFuncSetAttribute") || attribute != 8 || value > 227 * 1024)
    return invalid;
  which->shared = (unsigned)value;
  return 0;
}
int cuMemAllocAsync(uint64_t *address, size_t bytes, void *stream) {
  if (fails("cuMemAllocAsync"))
    return outOfMemory;
  if (bytes == 0)
    return invalid;
  for (int i = 0; i < most; ++i)
    if (!live[i]) {
      *address = live[i] = next += 0x10000;
      say("allocate", "-", *address, bytes, stream);
      return 0;
    }
  return outOfMemory;
}
int cuMemFreeAsync(uint64_t address, void *stream) {
  for (int i = 0; i < most; ++i)
    if (live[i] == address && address) {
      live[i] = 0;
      say("free", "-", address, 0, stream);
      return 0;
    }
  say("free", "unknown", address, 0, stream);
  return invalid;
}
static int isLive(uint64_t address) {
  for (int i = 0; i < most; ++i)
    if (address && live[i] == address)
      return 1;
  return 0;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
  say("upload", "-", to, bytes, stream);
  return fails("cuMemcpyHtoDAsync_v2") || !isLive(to) || !from || !bytes ? invalid : 0;
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
  say("download", "-", from, bytes, stream);
  if (fails("cuMemcpyDtoHAsync_v2") || !isLive(from) || !bytes)
    return invalid;
  memset(to, 0, bytes);
  return 0;
}
int cuStreamSynchronize(void *stream) {
  say("wait", "-", 0, 0, stream);
  return fails("cuStreamSynchronize") ? launchFailed : 0;
}
int cuLaunchKernel(const struct function *which, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned b, unsigned c,
                   unsigned shared, void *stream, void **arguments, void **extra) {
  if (fails("cuLaunchKernel"))
    return launchFailed;
  if (!x || y != 1 || z != 1 || !threads || threads > 1024 || b != 1 || c != 1 || shared > which->shared || extra ||
      !arguments)
    return invalid;
  if (getenv("FAKE_CUDA_MAP") && *(unsigned char *)arguments[atoi(getenv("FAKE_CUDA_MAP"))] != 0xab)
    return invalid;
  say("launch", which->name, x, threads, stream);
  return 0;
}
int cuGetErrorString(int status, const char **text) {
  *text = status == outOfMemory ? "out of memory" : status == launchFailed ? "launch failed" : "invalid value";
  return 0;
}
