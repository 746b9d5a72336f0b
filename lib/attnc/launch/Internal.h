#pragma once
#include "attnc/launch/Program.h"

/* Keeps the text of an error for `attnc_error`, and returns the status. */
int32_t attnc_fail(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));
