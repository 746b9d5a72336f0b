#include "attnc/launch/Internal.h"
#include "attnc/launch/Plan.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local char message[512];

const char *attnc_error(void) { return message; }

int32_t attnc_fail(int32_t status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return status;
}

int32_t attnc_driver_fail(const attnc_driver *driver, int status, const char *what) {
  enum { outOfMemory = 2 }; /* CUDA_ERROR_OUT_OF_MEMORY */
  const char *text = NULL;
  driver->text(status, &text);
  return attnc_fail(status == outOfMemory ? ATTNC_NO_MEMORY : ATTNC_DEVICE_ERROR, "%s: %s (%d)", what,
                    text ? text : "unknown error", status);
}

/* The kernels of a program in one context. They stay loaded as long as the context: it may be used at any time. */
typedef struct Loaded {
  const attnc_program *program;
  void *context;
  struct Loaded *next;
  void *functions[];
} Loaded;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Loaded *all;

/* Where the object is unloaded, only its own memory goes: of a context nothing is known then, not even that it lives. */
__attribute__((destructor)) static void forget(void) {
  while (all) {
    Loaded *next = all->next;
    free(all);
    all = next;
  }
}

static int32_t load(const attnc_program *program, const attnc_driver *driver, void *context, Loaded **result) {
  for (Loaded *one = all; one; one = one->next)
    if (one->program == program && one->context == context) {
      *result = one;
      return ATTNC_DONE;
    }
  Loaded *fresh = malloc(sizeof *fresh + (size_t)program->kernels * sizeof(void *));
  if (!fresh)
    return attnc_fail(ATTNC_NO_MEMORY, "no memory for the names of kernels");
  void *module = NULL;
  int status = 0;
  for (int i = 0; i < 2 && !module; ++i)
    if (program->images[i] && (status = driver->load(&module, program->images[i])) != 0)
      module = NULL;
  if (!module) {
    free(fresh);
    return attnc_driver_fail(driver, status, "the kernels cannot be loaded");
  }
  enum { mostShared = 8, freely = 48 * 1024 }; /* CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES */
  for (int32_t i = 0; i < program->kernels; ++i)
    if ((status = driver->function(&fresh->functions[i], module, program->names[i])) != 0 ||
        (program->shared[i] > freely &&
         (status = driver->attribute(fresh->functions[i], mostShared, program->shared[i])) != 0)) {
      driver->unload(module);
      free(fresh);
      return attnc_driver_fail(driver, status, program->names[i]);
    }
  fresh->program = program;
  fresh->context = context;
  fresh->next = all;
  all = *result = fresh;
  return ATTNC_DONE;
}

/* Whether the arrays have the extents that the plan computes. */
static int32_t checkExtent(const attnc_program *program, const attnc_tensor *tensor, const int64_t *words,
                           int64_t expected) {
  int64_t found = tensor->shape[words[2]];
  if (found == expected)
    return ATTNC_DONE;
  return attnc_fail(ATTNC_BAD_ARGUMENT, "axis %lld of '%s' has length %lld where %lld is needed", (long long)words[2],
                    program->interface[words[1]].name, (long long)found, (long long)expected);
}

const int64_t *attnc_compute(const int64_t *w, int64_t *r) {
  switch (w[0]) {
  case ATTNC_CONSTANT:
    r[w[1]] = w[2];
    return w + 3;
  case ATTNC_ADD:
    r[w[1]] = r[w[2]] + r[w[3]];
    return w + 4;
  case ATTNC_SUBTRACT:
    r[w[1]] = r[w[2]] - r[w[3]];
    return w + 4;
  case ATTNC_MULTIPLY:
    r[w[1]] = r[w[2]] * r[w[3]];
    return w + 4;
  case ATTNC_DIVIDE:
    r[w[1]] = r[w[2]] / r[w[3]];
    return w + 4;
  case ATTNC_MINIMUM:
    r[w[1]] = r[w[2]] < r[w[3]] ? r[w[2]] : r[w[3]];
    return w + 4;
  case ATTNC_MAXIMUM:
    r[w[1]] = r[w[2]] > r[w[3]] ? r[w[2]] : r[w[3]];
    return w + 4;
  default:
    return NULL;
  }
}

/* Carries out the plan. `held` says of each register whether it holds scratch. */
static int32_t follow(const attnc_program *program, const attnc_driver *driver, const Loaded *loaded,
                      const attnc_tensor *const *tensors, int64_t *r, unsigned char *held, void *stream) {
  for (const int64_t *w = program->code;;) {
    const int64_t *next = attnc_compute(w, r);
    if (next) {
      w = next;
      continue;
    }
    switch (w[0]) {
    case ATTNC_END:
      return ATTNC_DONE;
    case ATTNC_EXTENT: {
      int32_t status = tensors ? checkExtent(program, tensors[w[1]], w, r[w[3]]) : ATTNC_DONE;
      if (status)
        return status;
      w += 4;
      break;
    }
    case ATTNC_ALLOCATE: {
      uint64_t address = 0;
      if (r[w[2]] > 0) {
        int status = driver->allocate(&address, (size_t)r[w[2]], stream);
        if (status)
          return attnc_driver_fail(driver, status, "no scratch memory");
        held[w[1]] = 1;
      }
      r[w[1]] = (int64_t)address;
      w += 3;
      break;
    }
    case ATTNC_RELEASE:
      if (held[w[1]]) {
        held[w[1]] = 0;
        int status = driver->release((uint64_t)r[w[1]], stream);
        if (status)
          return attnc_driver_fail(driver, status, "scratch memory cannot be freed");
      }
      w += 2;
      break;
    case ATTNC_LAUNCH: {
      void *arguments[256];
      for (int64_t i = 0; i < w[4]; ++i)
        arguments[i] = &r[w[5 + i]];
      if (r[w[2]] > 0) {
        int status = driver->launch(loaded->functions[w[1]], (unsigned)r[w[2]], 1, 1, (unsigned)r[w[3]], 1, 1,
                                    (unsigned)program->shared[w[1]], stream, arguments, NULL);
        if (status)
          return attnc_driver_fail(driver, status, program->names[w[1]]);
      }
      w += 5 + w[4];
      break;
    }
    case ATTNC_PROCESSORS: {
      enum { processors = 16 }; /* CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT */
      int device = 0, count = 0, status = driver->device(&device);
      if (status || (status = driver->property(&count, processors, device)) != 0)
        return attnc_driver_fail(driver, status, "the number of multiprocessors");
      r[w[1]] = count;
      w += 2;
      break;
    }
    case ATTNC_MAP: {
      int32_t status = attnc_make_map(program, driver, w, r);
      if (status)
        return status;
      w += 4 + 3 * w[4];
      break;
    }
    case ATTNC_LOOP:
      r[w[1]] = r[w[2]];
      w = r[w[1]] < r[w[3]] ? w + 6 : program->code + w[5];
      break;
    case ATTNC_NEXT:
      r[w[1]] += r[w[3]];
      w = r[w[1]] < r[w[2]] ? program->code + w[4] : w + 5;
      break;
    default:
      return attnc_fail(ATTNC_DEVICE_ERROR, "the plan has no instruction %lld", (long long)w[0]);
    }
  }
}

static int32_t run(const attnc_program *program, void *const *arrays, const attnc_tensor *const *tensors,
                   const int64_t *sizes, void *stream) {
  const attnc_driver *driver = program->driver();
  if (!driver)
    return ATTNC_NO_DEVICE;
  void *context = NULL;
  if (driver->context(&context) != 0 || !context)
    return attnc_fail(ATTNC_NO_DEVICE, "no context of the device is current on this thread");
  Loaded *loaded = NULL;
  pthread_mutex_lock(&lock);
  int32_t status = load(program, driver, context, &loaded);
  pthread_mutex_unlock(&lock);
  if (status)
    return status;
  int64_t *registers = calloc((size_t)program->registers, sizeof(int64_t) + 1);
  if (!registers)
    return attnc_fail(ATTNC_NO_MEMORY, "no memory for %d numbers", program->registers);
  unsigned char *held = (unsigned char *)(registers + program->registers);
  for (int32_t i = 0; i < program->arrays; ++i)
    registers[i] = (int64_t)(intptr_t)arrays[i];
  for (int32_t i = 0; i < program->sizes; ++i)
    registers[program->arrays + i] = sizes[i];
  status = follow(program, driver, loaded, tensors, registers, held, stream);
  for (int32_t i = 0; i < program->registers; ++i)
    if (held[i])
      driver->release((uint64_t)registers[i], stream);
  free(registers);
  return status;
}

int32_t attnc_run(const attnc_program *program, void *const *arrays, const int64_t *sizes, void *stream) {
  return run(program, arrays, NULL, sizes, stream);
}

static int32_t checkTensor(const attnc_program *program, int32_t i, const attnc_tensor *tensor) {
  const attnc_array *wanted = &program->interface[i];
  if (!tensor)
    return attnc_fail(ATTNC_BAD_ARGUMENT, "'%s' is not given", wanted->name);
  if (tensor->device.type != program->device)
    return attnc_fail(ATTNC_BAD_ARGUMENT, "'%s' lies on a device of type %d, not %d", wanted->name, tensor->device.type,
                      program->device);
  if (tensor->dtype.code != wanted->code || tensor->dtype.bits != wanted->bits || tensor->dtype.lanes != 1)
    return attnc_fail(ATTNC_BAD_ARGUMENT, "the elements of '%s' are of code %d with %d bits, not code %d with %d",
                      wanted->name, tensor->dtype.code, tensor->dtype.bits, wanted->code, wanted->bits);
  if (tensor->ndim != wanted->ndim)
    return attnc_fail(ATTNC_BAD_ARGUMENT, "'%s' has %d axes where %d are needed", wanted->name, tensor->ndim,
                      wanted->ndim);
  int64_t stride = 1;
  for (int32_t axis = tensor->ndim; axis-- > 0 && tensor->strides; stride *= tensor->shape[axis])
    if (tensor->shape[axis] > 1 && tensor->strides[axis] != stride)
      return attnc_fail(ATTNC_BAD_ARGUMENT, "'%s' is not dense and row-major", wanted->name);
  return ATTNC_DONE;
}

int32_t attnc_run_tensors(const attnc_program *program, const attnc_tensor *const *tensors, const int64_t *sizes,
                          void *stream) {
  void **arrays = calloc((size_t)program->arrays + 1, sizeof(void *));
  if (!arrays)
    return attnc_fail(ATTNC_NO_MEMORY, "no memory for %d addresses", program->arrays);
  int32_t status = ATTNC_DONE;
  for (int32_t i = 0; i < program->arrays && !status; ++i)
    if (!(status = checkTensor(program, i, tensors[i])))
      arrays[i] = (char *)tensors[i]->data + tensors[i]->byte_offset;
  if (!status)
    status = run(program, arrays, tensors, sizes, stream);
  free(arrays);
  return status;
}
