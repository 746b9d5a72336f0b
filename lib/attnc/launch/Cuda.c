#include "attnc/launch/Internal.h"

#include <dlfcn.h>
#include <pthread.h>

static attnc_driver driver;
static const char *missing;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find(void) {
  int (*init)(unsigned) = 0;
  const struct {
    const char *name;
    void *place;
  } symbols[] = {{"cuInit", &init},
                 {"cuCtxGetCurrent", &driver.context},
                 {"cuModuleLoadData", &driver.load},
                 {"cuModuleUnload", &driver.unload},
                 {"cuModuleGetFunction", &driver.function},
                 {"cuFuncSetAttribute", &driver.attribute},
                 {"cuMemAllocAsync", &driver.allocate},
                 {"cuMemFreeAsync", &driver.release},
                 {"cuLaunchKernel", &driver.launch},
                 {"cuGetErrorString", &driver.text}};
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    missing = "libcuda.so.1, the driver of NVIDIA's devices, is not installed";
    return;
  }
  for (unsigned i = 0; i < sizeof symbols / sizeof *symbols; ++i)
    if (!(*(void **)symbols[i].place = dlsym(library, symbols[i].name))) {
      missing = "the driver of NVIDIA's devices is older than CUDA 11.2";
      return;
    }
  if (init(0) != 0)
    missing = "the driver of NVIDIA's devices does not start: there may be no device";
}

const attnc_driver *attnc_cuda(void) {
  pthread_once(&once, find);
  if (!missing)
    return &driver;
  attnc_fail(ATTNC_NO_DEVICE, "%s", missing);
  return 0;
}
