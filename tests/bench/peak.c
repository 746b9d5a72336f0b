/* What one core can do, measured beside the kernels: f32 multiply-adds in registers, the same as a block of 8 × 3
 * vectors whose operands come out of the first cache, and reading from memory. The best of several rounds. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
typedef float lanes __attribute__((vector_size(4 * LANES)));

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* GFLOP/s of independent chains of multiply-adds. */
double peak_fma(void) {
  double best = 0;
  for (int round = 0; round < 9; round++) {
    lanes a[12], x, y;
    for (int i = 0; i < LANES; i++) x[i] = 1.0000001f, y[i] = 1e-9f;
    for (int i = 0; i < 12; i++) a[i] = x;
    double begin = now();
    for (int k = 0; k < 400000; k++) {
#pragma GCC unroll 12
      for (int i = 0; i < 12; i++) a[i] = a[i] * x + y;
      __asm__ volatile("" : "+v"(a[0]));
    }
    double rate = 2.0 * LANES * 12 * 400000 / (now() - begin) / 1e9;
    volatile float sink = 0;
    for (int i = 0; i < 12; i++) sink += a[i][0];
    if (rate > best) best = rate;
  }
  return best;
}

/* GFLOP/s of acc[8][3] += left[k][8] * right[k][3] out of the first cache. */
double peak_block(void) {
  enum { DEPTH = 128 };
  static float left[DEPTH][8];
  static lanes right[DEPTH][3];
  for (int k = 0; k < DEPTH; k++) {
    for (int r = 0; r < 8; r++) left[k][r] = 1e-3f;
    for (int v = 0; v < 3; v++)
      for (int i = 0; i < LANES; i++) right[k][v][i] = 1e-3f;
  }
  double best = 0;
  for (int round = 0; round < 9; round++) {
    lanes acc[8][3];
    memset(acc, 0, sizeof acc);
    double begin = now();
    for (int rep = 0; rep < 4000; rep++) {
      for (int k = 0; k < DEPTH; k++) {
#pragma GCC unroll 8
        for (int r = 0; r < 8; r++)
#pragma GCC unroll 3
          for (int v = 0; v < 3; v++) acc[r][v] += left[k][r] * right[k][v];
      }
      __asm__ volatile("" ::: "memory");
    }
    double rate = 2.0 * LANES * 24 * DEPTH * 4000 / (now() - begin) / 1e9;
    volatile float sink = 0;
    for (int r = 0; r < 8; r++) sink += acc[r][r % 3][0];
    if (rate > best) best = rate;
  }
  return best;
}

/* GB/s. */
double peak_read(void) {
  size_t count = (size_t)1 << 26;
  float *data = malloc(count * sizeof *data);
  if (!data) return 0;
  for (size_t i = 0; i < count; i++) data[i] = 1;
  double best = 0;
  for (int round = 0; round < 3; round++) {
    lanes sums[4];
    memset(sums, 0, sizeof sums);
    double begin = now();
    for (size_t i = 0; i < count; i += 4 * LANES)
      for (int k = 0; k < 4; k++) {
        lanes part;
        memcpy(&part, data + i + k * LANES, sizeof part);
        sums[k] += part;
      }
    double rate = count * sizeof *data / (now() - begin) / 1e9;
    volatile float sink = 0;
    for (int k = 0; k < 4; k++) sink += sums[k][0];
    if (rate > best) best = rate;
  }
  free(data);
  return best;
}
