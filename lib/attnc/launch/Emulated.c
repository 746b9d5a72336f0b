#include "attnc/launch/Emulated.h"
#include "attnc/launch/Internal.h"

#include <stdlib.h>
#include <string.h>

enum { invalid = 1, outOfMemory = 2, notFound = 500, alignment = 64, most = 256 };

static int context(void **result) {
  static char machine;
  *result = &machine;
  return 0;
}

static int load(void **module, const void *image) {
  *module = (void *)(intptr_t)image;
  return 0;
}

static int unload(void *module) {
  (void)module;
  return 0;
}

static int function(void **result, void *module, const char *name) {
  for (attnc_emulated_kernel *kernel = module; kernel->name; ++kernel)
    if (strcmp(kernel->name, name) == 0) {
      *result = kernel;
      return 0;
    }
  return notFound;
}

static int attribute(void *function, int attribute, int value) {
  (void)function, (void)attribute, (void)value;
  return 0;
}

static int allocate(uint64_t *address, size_t bytes, void *stream) {
  (void)stream;
  void *memory = NULL;
  if (posix_memalign(&memory, alignment, bytes) != 0)
    return outOfMemory;
  memset(memory, 0xff, bytes);
  *address = (uint64_t)(uintptr_t)memory;
  return 0;
}

static int release(uint64_t address, void *stream) {
  (void)stream;
  free((void *)(uintptr_t)address);
  return 0;
}

static int launch(void *function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned b, unsigned c,
                  unsigned shared, void *stream, void **arguments, void **extra) {
  (void)y, (void)z, (void)b, (void)c, (void)stream, (void)extra;
  const attnc_emulated_kernel *kernel = function;
  void *slots[most + 1];
  if (kernel->arguments > most)
    return invalid;
  for (int64_t i = 0; i < kernel->arguments; ++i)
    slots[i] = i < kernel->arguments - kernel->maps ? *(void **)arguments[i] : arguments[i];
  slots[kernel->arguments] = (void *)(uintptr_t)x;
  if (kernel->maps)
    return attnc_emulated_run(kernel, slots, x, threads, shared);
  kernel->run(slots);
  return 0;
}

static int text(int status, const char **result) {
  *result = status == outOfMemory       ? "out of memory"
            : status == emulatedFailure ? attnc_emulated_complaint()
            : status == invalid         ? "invalid value"
                                        : "not found";
  return 0;
}

static int device(int *number) {
  *number = 0;
  return 0;
}

/* An odd number of multiprocessors, so that blocks have different numbers of tasks. */
static int property(int *value, int attribute, int which) {
  enum { processors = 16 };
  *value = 3;
  return attribute == processors && which == 0 ? 0 : invalid;
}

static int nothing(void) { return 0; }

static int upload(uint64_t to, const void *from, size_t bytes, void *stream) {
  (void)stream;
  memcpy((void *)(uintptr_t)to, from, bytes);
  return 0;
}

static int download(void *to, uint64_t from, size_t bytes, void *stream) {
  return upload((uint64_t)(uintptr_t)to, (const void *)(uintptr_t)from, bytes, stream);
}

static int finish(void *stream) {
  (void)stream;
  return 0;
}

const attnc_driver *attnc_emulated(void) {
  static const attnc_driver driver = {.context = context,
                                      .load = load,
                                      .unload = unload,
                                      .function = function,
                                      .attribute = attribute,
                                      .allocate = allocate,
                                      .release = release,
                                      .launch = launch,
                                      .text = text,
                                      .device = device,
                                      .property = property,
                                      .map = attnc_emulated_map,
                                      .enter = nothing,
                                      .upload = upload,
                                      .download = download,
                                      .finish = finish};
  return &driver;
}
