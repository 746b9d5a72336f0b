/* Attention from C: cc call.c -I. -L. -lattnc_sdpa, after `attnc compile` made sdpa.h and libattnc_sdpa.so. */
#include "sdpa.h"
#include <stdio.h>

int main(void) {
  float q[2][2] = {{1, 0}, {0, 2}}, k[3][2] = {{1, 0}, {0, 1}, {1, 1}}, v[3][1] = {{1}, {2}, {3}}, y[2][1];
  int64_t n = 2, d = 2, m = 3, e = 1;
  if (attnc_sdpa(*q, *k, *v, *y, n, d, m, e) != 0)
    return 1;
  printf("%.6f %.6f\n", y[0][0], y[1][0]);
}
