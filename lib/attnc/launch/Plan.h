#pragma once

/* What the host of a compiled definition does, as a list of 64-bit words: an instruction and its operands, most of them
 * numbers of registers. There is nothing that a kernel could do: no elements of arrays, no arithmetic of reals. */
enum attnc_instruction {
  ATTNC_END,
  ATTNC_CONSTANT, /* to, value */
  ATTNC_ADD,      /* to, a, b */
  ATTNC_SUBTRACT,
  ATTNC_MULTIPLY,
  ATTNC_DIVIDE, /* towards zero; b is not 0 */
  ATTNC_MINIMUM,
  ATTNC_MAXIMUM,
  ATTNC_EXTENT,     /* array, axis, a: the axis of that array of the interface must have this extent */
  ATTNC_ALLOCATE,   /* to, a: as many bytes of the device's memory */
  ATTNC_RELEASE,    /* a */
  ATTNC_LAUNCH,     /* kernel, blocks, threads of each, how many arguments, the arguments…; nothing for no blocks */
  ATTNC_PROCESSORS, /* to: the multiprocessors of the device */
  /* to, array, type, axes, an extent for each axis (the one along memory first), a stride in elements for each but the
   * first, and the extents of a box as numbers: a tensor map (cuTensorMapEncodeTiled) of 16 registers. Type: CUDA's. */
  ATTNC_MAP,
  ATTNC_LOOP, /* i, first, end, step, where to go on behind the loop */
  ATTNC_NEXT  /* i, end, step, where the body begins */
};
