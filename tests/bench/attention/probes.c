/* What one core can do, measured right before and after each timed call, for the clock of a machine drifts. A probe does
 * a known amount of work and returns the seconds it took; its loop is written in assembly, so that it shows what the
 * machine can do and not what a compiler made of it.
 *
 *   multiply-adds in registers         24 independent chains
 *   the same as a block                acc[8][3] += left[k][8] · right[k][3], out of the first cache (4 × 3 with 16 registers)
 *   dot products of pairs of bf16      24 independent chains
 *   tiles of bf16                      2 × 2 tiles of 16 × 16, 32 deep
 *   reading                            of an array, in order
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

static double now(int wall) {
  struct timespec t;
  clock_gettime(wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

#define EACH8(M, A) M(A, 0) M(A, 1) M(A, 2) M(A, 3) M(A, 4) M(A, 5) M(A, 6) M(A, 7)
#define CHAINS24(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11) \
  M(12) M(13) M(14) M(15) M(16) M(17) M(18) M(19) M(20) M(21) M(22) M(23)
#define CHAINS12(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11)

enum { DEPTH = 128 };
static float left[DEPTH * 8] __attribute__((aligned(64)));
static float right[DEPTH * 48] __attribute__((aligned(64)));

#if defined(__AVX512F__)
#define ALL_REGISTERS \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
  "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", \
  "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "memory", "cc"
enum { LANES = 16, ROWS = 8, CHAINS = 24 };
#define ZERO(N) "vpxord %%zmm" #N ", %%zmm" #N ", %%zmm" #N "\n"
#define FMA(N) "vfmadd231ps %%zmm30, %%zmm31, %%zmm" #N "\n"
#define DOT(N) "vdpbf16ps %%zmm30, %%zmm31, %%zmm" #N "\n"
#define CLEAR CHAINS24(ZERO) ZERO(30) ZERO(31)
#define CHAIN CHAINS24(FMA)
/* A row of the block: an element is broadcast and multiplied by three vectors. */
#define ROW(OFFSET, B, A0, A1, A2) \
  "vbroadcastss " #OFFSET "(%[l]), %%zmm" #B "\n" \
  "vfmadd231ps %%zmm24, %%zmm" #B ", %%zmm" #A0 "\n" \
  "vfmadd231ps %%zmm25, %%zmm" #B ", %%zmm" #A1 "\n" \
  "vfmadd231ps %%zmm26, %%zmm" #B ", %%zmm" #A2 "\n"
#define STEP \
  "vmovups (%[r]), %%zmm24\n vmovups 64(%[r]), %%zmm25\n vmovups 128(%[r]), %%zmm26\n" \
  ROW(0, 27, 0, 1, 2) ROW(4, 28, 3, 4, 5) ROW(8, 29, 6, 7, 8) ROW(12, 30, 9, 10, 11) ROW(16, 27, 12, 13, 14) \
  ROW(20, 28, 15, 16, 17) ROW(24, 29, 18, 19, 20) ROW(28, 30, 21, 22, 23)
#define NEXT "add $192, %[r]\n add $32, %[l]\n"
#elif defined(__FMA__)
#define ALL_REGISTERS \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
  "xmm14", "xmm15", "memory", "cc"
enum { LANES = 8, ROWS = 4, CHAINS = 12 };
#define ZERO(N) "vxorps %%ymm" #N ", %%ymm" #N ", %%ymm" #N "\n"
#define FMA(N) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #N "\n"
#define CLEAR CHAINS12(ZERO) ZERO(14) ZERO(15)
#define CHAIN CHAINS12(FMA)
#define ROW(OFFSET, A0, A1, A2) \
  "vbroadcastss " #OFFSET "(%[l]), %%ymm15\n" \
  "vfmadd231ps %%ymm12, %%ymm15, %%ymm" #A0 "\n" \
  "vfmadd231ps %%ymm13, %%ymm15, %%ymm" #A1 "\n" \
  "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #A2 "\n"
#define STEP \
  "vmovups (%[r]), %%ymm12\n vmovups 32(%[r]), %%ymm13\n vmovups 64(%[r]), %%ymm14\n" \
  ROW(0, 0, 1, 2) ROW(4, 3, 4, 5) ROW(8, 6, 7, 8) ROW(12, 9, 10, 11)
#define NEXT "add $96, %[r]\n add $16, %[l]\n"
#elif defined(__aarch64__)
#define ALL_REGISTERS \
  "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", \
  "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "memory", "cc"
enum { LANES = 4, ROWS = 8, CHAINS = 24 };
#define ZERO(N) "movi v" #N ".4s, #0\n"
#define FMA(N) "fmla v" #N ".4s, v30.4s, v31.4s\n"
#define CLEAR CHAINS24(ZERO) ZERO(30) ZERO(31)
#define CHAIN CHAINS24(FMA)
#define ROW(L, E, A0, A1, A2) \
  "fmla v" #A0 ".4s, v24.4s, v" #L ".s[" #E "]\n" \
  "fmla v" #A1 ".4s, v25.4s, v" #L ".s[" #E "]\n" \
  "fmla v" #A2 ".4s, v26.4s, v" #L ".s[" #E "]\n"
#define STEP \
  "ldp q27, q28, [%[l]]\n ldp q24, q25, [%[r]]\n ldr q26, [%[r], #32]\n" \
  ROW(27, 0, 0, 1, 2) ROW(27, 1, 3, 4, 5) ROW(27, 2, 6, 7, 8) ROW(27, 3, 9, 10, 11) ROW(28, 0, 12, 13, 14) \
  ROW(28, 1, 15, 16, 17) ROW(28, 2, 18, 19, 20) ROW(28, 3, 21, 22, 23)
#define NEXT "add %[r], %[r], #48\n add %[l], %[l], #32\n"
#else
#error "no probe is written for this machine"
#endif

#if defined(__aarch64__)
#define LOOP_END "subs %[n], %[n], #1\n b.ne 1b\n"
#else
#define LOOP_END "dec %[n]\n jnz 1b\n"
#endif

/* Seconds of so many rounds of `multiply_adds_work()` operations. */
double multiply_adds(long rounds, int wall) {
  double begin = now(wall);
  __asm__ volatile(CLEAR "1:\n" CHAIN LOOP_END : [n] "+r"(rounds) : : ALL_REGISTERS);
  return now(wall) - begin;
}
double multiply_adds_work(void) { return 2.0 * LANES * CHAINS; }

double block(long rounds, int wall) {
  double begin = now(wall);
  while (rounds-- > 0) {
    const float *l = left, *r = right;
    long n = DEPTH / 2;
    __asm__ volatile(CLEAR "1:\n" STEP NEXT STEP NEXT LOOP_END : [n] "+r"(n), [l] "+r"(l), [r] "+r"(r) : : ALL_REGISTERS);
  }
  return now(wall) - begin;
}
double block_work(void) { return 2.0 * LANES * 3 * ROWS * DEPTH; }

#if defined(__AVX512BF16__)
double dot_products(long rounds, int wall) {
  double begin = now(wall);
  __asm__ volatile(CLEAR "1:\n" CHAINS24(DOT) LOOP_END : [n] "+r"(rounds) : : ALL_REGISTERS);
  return now(wall) - begin;
}
double dot_products_work(void) { return 4.0 * LANES * CHAINS; }
#else
double dot_products(long rounds, int wall) { return 0; }
double dot_products_work(void) { return 0; }
#endif

#if defined(__x86_64__)
/* The shape of all eight tiles, as LDTILECFG reads it: palette 1, bytes of a row, rows. Written in assembly too, so that it is
 * built on every x86, and called where tiles_work() is not 0. */
static const struct {
  uint8_t palette, start, rest[14];
  uint16_t bytes[16];
  uint8_t rows[16];
} shape __attribute__((aligned(64))) = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

double tiles(long rounds, int wall) {
  __asm__ volatile("ldtilecfg %0\n tilezero %%tmm0\n tilezero %%tmm1\n tilezero %%tmm2\n tilezero %%tmm3\n"
                   "tilezero %%tmm4\n tilezero %%tmm5\n tilezero %%tmm6\n tilezero %%tmm7\n" : : "m"(shape));
  double begin = now(wall);
  __asm__ volatile("1:\n tdpbf16ps %%tmm6, %%tmm4, %%tmm0\n tdpbf16ps %%tmm7, %%tmm4, %%tmm1\n"
                   "tdpbf16ps %%tmm6, %%tmm5, %%tmm2\n tdpbf16ps %%tmm7, %%tmm5, %%tmm3\n" LOOP_END : [n] "+r"(rounds) : : "cc");
  double seconds = now(wall) - begin;
  __asm__ volatile("tilerelease");
  return seconds;
}
/* 0 where the processor has none, or the system does not let this process use them. */
double tiles_work(void) {
  unsigned a = 7, b, c = 0, d;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  int has = (d >> 24 & 1) && (d >> 22 & 1); /* amx-tile, amx-bf16 */
  return has && !syscall(SYS_arch_prctl, 0x1023, 18) ? 4.0 * 2 * 16 * 16 * 32 : 0;
}
#else
double tiles(long rounds, int wall) { return 0; }
double tiles_work(void) { return 0; }
#endif

/* Seconds to read so many floats, a multiple of 64, once. */
double reading(const float *data, long count, int wall) {
  typedef float lanes __attribute__((vector_size(4 * LANES)));
  lanes sums[4];
  memset(sums, 0, sizeof sums);
  double begin = now(wall);
  for (long i = 0; i < count; i += 4 * LANES) {
    const lanes *part = (const lanes *)(data + i);
    for (int k = 0; k < 4; k++)
      sums[k] += part[k];
  }
  double seconds = now(wall) - begin;
  __asm__ volatile("" : : "m"(sums));
  return seconds;
}
