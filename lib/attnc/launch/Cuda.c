#include "attnc/launch/Internal.h"

#include <dlfcn.h>
#include <pthread.h>

static attnc_driver driver;
static const char *missing;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int (*getDevice)(int *device, int number);
static int (*retain)(void **context, int device);
static int (*setCurrent)(void *context);

/* The primary context of the first device, which other libraries use too. It stays as long as the process. */
static int enter(void) {
  void *context = 0;
  int device, status = driver.context(&context);
  if (status || context)
    return status;
  if ((status = getDevice(&device, 0)) != 0 || (status = retain(&context, device)) != 0)
    return status;
  return setCurrent(context);
}

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
                 {"cuGetErrorString", &driver.text},
                 {"cuCtxGetDevice", &driver.device},
                 {"cuDeviceGetAttribute", &driver.property},
                 {"cuDeviceGet", &getDevice},
                 {"cuDevicePrimaryCtxRetain", &retain},
                 {"cuCtxSetCurrent", &setCurrent},
                 {"cuMemcpyHtoDAsync_v2", &driver.upload},
                 {"cuMemcpyDtoHAsync_v2", &driver.download},
                 {"cuStreamSynchronize", &driver.finish}};
  driver.enter = enter;
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
  *(void **)&driver.map = dlsym(library, "cuTensorMapEncodeTiled");
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
