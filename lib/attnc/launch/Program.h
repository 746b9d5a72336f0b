#pragma once
#include <stddef.h>
#include <stdint.h>

/* A compiled definition for a device: the plan of its host (Plan.h), its kernels, and what its arrays are. The compiler
 * writes one `attnc_program` into a shared object, beside the functions below, which need the C library alone. */

#ifdef __cplusplus
extern "C" {
#endif

/* An array as other programs have it: the layout of DLPack's DLTensor. */
#ifndef ATTNC_TENSOR
#define ATTNC_TENSOR
typedef struct attnc_tensor {
  void *data;
  struct {
    int32_t type, id; /* 1: this machine's memory, 2: a CUDA device's */
  } device;
  int32_t ndim;
  struct {
    uint8_t code, bits; /* code 0: int, 1: unsigned, 2: float, 4: bfloat, 6: bool */
    uint16_t lanes;
  } dtype;
  int64_t *shape;
  int64_t *strides; /* in elements; null: dense and row-major */
  uint64_t byte_offset;
} attnc_tensor;
#endif

/* The functions of a driver, those of CUDA's driver API by their signatures; each returns 0, or what went wrong. */
typedef struct attnc_driver {
  int (*context)(void **);                                        /* cuCtxGetCurrent */
  int (*load)(void **module, const void *image);                  /* cuModuleLoadData */
  int (*unload)(void *module);                                    /* cuModuleUnload */
  int (*function)(void **, void *module, const char *name);       /* cuModuleGetFunction */
  int (*attribute)(void *function, int attribute, int value);     /* cuFuncSetAttribute */
  int (*allocate)(uint64_t *address, size_t bytes, void *stream); /* cuMemAllocAsync */
  int (*release)(uint64_t address, void *stream);                 /* cuMemFreeAsync */
  int (*launch)(void *function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned, unsigned,
                unsigned shared, void *stream, void **arguments, void **); /* cuLaunchKernel */
  int (*text)(int status, const char **);                                  /* cuGetErrorString */
  int (*device)(int *device);                                              /* cuCtxGetDevice */
  int (*property)(int *value, int attribute, int device);                  /* cuDeviceGetAttribute */
  /* cuTensorMapEncodeTiled; null before CUDA 12.0 */
  int (*map)(void *map, int type, unsigned rank, void *address, const uint64_t *extents, const uint64_t *strides,
             const uint32_t *box, const uint32_t *steps, int interleave, int swizzle, int promotion, int fill);
  /* Makes a context current if none is. NOLINTNEXTLINE(modernize-redundant-void-arg): as of attnc_program. */
  int (*enter)(void);
  int (*upload)(uint64_t to, const void *from, size_t bytes, void *stream); /* cuMemcpyHtoDAsync */
  int (*download)(void *to, uint64_t from, size_t bytes, void *stream);     /* cuMemcpyDtoHAsync */
  int (*finish)(void *stream);                                              /* cuStreamSynchronize */
} attnc_driver;

typedef struct attnc_array {
  const char *name;
  int32_t ndim;
  uint8_t code, bits;
} attnc_array;

typedef struct attnc_program {
  int32_t device;                                     /* the type of device of its arrays */
  int32_t arrays, sizes, registers, kernels, outputs; /* the last of the arrays are the outputs */
  const attnc_array *interface;
  const int64_t *code;
  const char *const *names; /* of the kernels */
  const int32_t *shared;    /* bytes of memory that a block of each shares */
  const void *images[2];    /* the first that loads is taken; null where there is none */
  /* Null where there is none. NOLINTNEXTLINE(modernize-redundant-void-arg): in C, () leaves the arguments open. */
  const attnc_driver *(*driver)(void);
} attnc_program;

/* What the functions return. The text of the last error of this thread is `attnc_error()`. */
enum attnc_status {
  ATTNC_DONE,
  ATTNC_NO_MEMORY,
  ATTNC_NO_DEVICE,    /* no driver, or no context is current */
  ATTNC_BAD_ARGUMENT, /* an array that is not as the definition says */
  ATTNC_DEVICE_ERROR  /* what the driver reports */
};

/* Runs on a stream (null: the default one) of the context that is current, and waits for nothing. Arrays are used where
 * they lie. Scratch is allocated and freed in the order of the stream. What a context needs is loaded at its first
 * call. After an error all scratch has been freed, and results may be written in part. */
int32_t attnc_run(const attnc_program *program, void *const *arrays, const int64_t *sizes, void *stream);
/* The same after every array was checked: device, element type, extents, dense and row-major. */
int32_t attnc_run_tensors(const attnc_program *program, const attnc_tensor *const *tensors, const int64_t *sizes,
                          void *stream);
/* The same with arrays in this machine's memory, dense and row-major: they are copied to the device, the first one if
 * no context is current, and outputs back. All is done when it returns. */
int32_t attnc_run_here(const attnc_program *program, void *const *arrays, const int64_t *sizes);
const char *attnc_error(void);

/* CUDA's driver, from libcuda.so.1; null, with an error, where it is not installed. */
const attnc_driver *attnc_cuda(void);
/* This machine as a device: its images are lists of `attnc_emulated_kernel`, ended by a null name; launches run at
 * once, and scratch is filled with bytes 0xff, so that what was never written is NaN. */
const attnc_driver *attnc_emulated(void);
/* A kernel without maps runs all threads of all blocks itself. One with maps is the code of one thread, which waits for
 * others (Threads.h). */
typedef struct attnc_emulated_kernel {
  const char *name;
  int64_t arguments, maps;   /* of the arguments the last are maps, given by their addresses */
  void (*run)(void **slots); /* the values of the arguments, then the number of blocks */
} attnc_emulated_kernel;

#ifdef __cplusplus
}
#endif
