#pragma once
#include "attnc/launch/Program.h"

/* Keeps the text of an error for `attnc_error`, and returns the status. */
int32_t attnc_fail(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Keeps what a driver says of a status, and returns this interface's. */
int32_t attnc_driver_fail(const attnc_driver *driver, int status, const char *what);

/* Carries out an instruction that only computes, on registers, and returns where the next one is; null for another. */
const int64_t *attnc_compute(const int64_t *instruction, int64_t *registers);

/* Makes the tensor map that an instruction asks for. */
int32_t attnc_make_map(const attnc_program *program, const attnc_driver *driver, const int64_t *instruction,
                       int64_t *registers);
