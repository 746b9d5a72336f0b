/* Calls a kernel with arrays from files:  host KERNEL.so SYMBOL (in:FILE | out:FILE:BYTES | size:N)…
 * The exit code is 0 if the kernel returned 0 and all was read and written. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 24 };
typedef int64_t Word; /* a pointer or a size: both are passed alike */
#define WORDS(X) X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X
typedef int32_t Kernel(WORDS(Word));

static int fail(const char *what, const char *which) {
  fprintf(stderr, "host: %s: %s\n", what, which);
  return 2;
}

static void *contents(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END))
    return NULL;
  long bytes = ftell(file);
  rewind(file);
  void *data = malloc(bytes + 1);
  if (data && fread(data, 1, bytes, file) != (size_t)bytes)
    return NULL;
  fclose(file);
  return data;
}

int main(int argc, char **argv) {
  Word words[MOST] = {0};
  char *outputs[MOST] = {0};
  size_t bytes[MOST] = {0};
  if (argc < 3 || argc - 3 > MOST)
    return fail("arguments", "too few or too many");
  for (int i = 0; i < argc - 3; i++) {
    char *argument = argv[i + 3];
    if (!strncmp(argument, "size:", 5)) {
      words[i] = strtoll(argument + 5, NULL, 10);
    } else if (!strncmp(argument, "in:", 3)) {
      if (!(words[i] = (Word)contents(argument + 3)))
        return fail("cannot read", argument + 3);
    } else if (!strncmp(argument, "out:", 4)) {
      char *colon = strrchr(argument, ':');
      *colon = 0;
      outputs[i] = argument + 4;
      bytes[i] = strtoull(colon + 1, NULL, 10);
      void *data = malloc(bytes[i] + 1);
      if (!data)
        return fail("no memory for", outputs[i]);
      memset(data, 0xff, bytes[i] + 1); /* NaN, so that an element left out is seen */
      words[i] = (Word)data;
    } else {
      return fail("what is", argument);
    }
  }
  void *library = dlopen(argv[1], RTLD_NOW);
  if (!library)
    return fail("cannot load", dlerror());
  Kernel *kernel = (Kernel *)dlsym(library, argv[2]);
  if (!kernel)
    return fail("no function", argv[2]);
  Word *w = words;
#define W(N) w[N], w[N + 1], w[N + 2], w[N + 3]
  if (kernel(W(0), W(4), W(8), W(12), W(16), W(20)))
    return fail("the kernel failed", argv[2]);
  for (int i = 0; i < argc - 3; i++) {
    if (!outputs[i])
      continue;
    if (((unsigned char *)words[i])[bytes[i]] != 0xff)
      return fail("written beyond its end", outputs[i]);
    FILE *file = fopen(outputs[i], "wb");
    if (!file || fwrite((void *)words[i], 1, bytes[i], file) != bytes[i] || fclose(file))
      return fail("cannot write", outputs[i]);
  }
  return 0;
}
