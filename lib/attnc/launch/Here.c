#include "attnc/launch/Internal.h"
#include "attnc/launch/Plan.h"

#include <stdlib.h>

/* A program on arrays in this machine's memory: for programs that have none on a device. */

/* The bytes of each array, by the extents with which the plan begins. */
static int32_t measure(const attnc_program *program, const int64_t *sizes, size_t *bytes) {
  int64_t *registers = calloc((size_t)program->registers + 1, sizeof(int64_t));
  if (!registers)
    return attnc_fail(ATTNC_NO_MEMORY, "no memory for %d numbers", program->registers);
  for (int32_t i = 0; i < program->sizes; ++i)
    registers[program->arrays + i] = sizes[i];
  for (int32_t i = 0; i < program->arrays; ++i)
    bytes[i] = program->interface[i].bits / 8;
  for (const int64_t *w = program->code, *next;; w = next) {
    next = attnc_compute(w, registers);
    if (!next && w[0] != ATTNC_EXTENT)
      break;
    if (!next) {
      bytes[w[1]] *= (size_t)registers[w[3]];
      next = w + 4;
    }
  }
  free(registers);
  return ATTNC_DONE;
}

/* What is asked of a driver in turn, until something fails. */
static int32_t runCopied(const attnc_program *program, const attnc_driver *driver, void *const *arrays,
                         const int64_t *sizes, const size_t *bytes, uint64_t *copies) {
  int status = driver->enter();
  if (status)
    return attnc_driver_fail(driver, status, "no context of the device");
  for (int32_t i = 0; i < program->arrays; ++i) {
    if (bytes[i] == 0)
      continue;
    if ((status = driver->allocate(&copies[i], bytes[i], NULL)) != 0)
      return attnc_driver_fail(driver, status, program->interface[i].name);
    /* Outputs too: what is never written stays what the caller put there. */
    if ((status = driver->upload(copies[i], arrays[i], bytes[i], NULL)) != 0)
      return attnc_driver_fail(driver, status, program->interface[i].name);
  }
  int32_t result = attnc_run(program, (void *const *)copies, sizes, NULL);
  for (int32_t i = program->arrays - program->outputs; i < program->arrays && !result; ++i)
    if (bytes[i] && (status = driver->download(arrays[i], copies[i], bytes[i], NULL)) != 0)
      result = attnc_driver_fail(driver, status, program->interface[i].name);
  if (!result && (status = driver->finish(NULL)) != 0)
    result = attnc_driver_fail(driver, status, "the kernels");
  return result;
}

int32_t attnc_run_here(const attnc_program *program, void *const *arrays, const int64_t *sizes) {
  const attnc_driver *driver = program->driver();
  if (!driver)
    return ATTNC_NO_DEVICE;
  size_t *bytes = calloc((size_t)program->arrays + 1, sizeof(size_t) + sizeof(uint64_t));
  if (!bytes)
    return attnc_fail(ATTNC_NO_MEMORY, "no memory for %d addresses", program->arrays);
  uint64_t *copies = (uint64_t *)(bytes + program->arrays + 1);
  int32_t status = measure(program, sizes, bytes);
  if (!status)
    status = runCopied(program, driver, arrays, sizes, bytes, copies);
  for (int32_t i = 0; i < program->arrays; ++i)
    if (copies[i])
      driver->release(copies[i], NULL);
  free(bytes);
  return status;
}
