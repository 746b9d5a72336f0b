#include "attnc/kernel/Host.h"

#include <fmt/format.h>
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace attnc {

#if defined(__x86_64__)

std::string hostIdentity() {
  // Leaves and registers that hold features; the others hold counters, sizes and the number of the core.
  struct Leaf {
    unsigned leaf, subleaf;
    bool eax, ebx, ecx, edx;
  };
  static constexpr Leaf leaves[] = {
      {0, 0, false, true, true, true},      // vendor
      {1, 0, true, false, true, true},      // family and model; SSE to AVX
      {7, 0, false, true, true, true},      // AVX2, AVX-512, AMX
      {7, 1, true, true, true, true},       // AVX-VNNI, AVX512-BF16
      {0xd, 1, true, false, false, false},  // XSAVE
      {0x14, 0, false, true, false, false}, // PTWRITE
      {0x19, 0, false, true, false, false}, // Key Locker
      {0x1e, 1, true, false, false, false}, // AMX
      {0x24, 0, false, true, false, false}, // AVX10
      {0x80000001, 0, false, false, true, true},
      {0x80000008, 0, false, true, false, false},
  };
  std::string text = "x86";
  bool saves = false;
  for (const Leaf &leaf : leaves) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    __get_cpuid_count(leaf.leaf, leaf.subleaf, &a, &b, &c, &d);
    if (leaf.leaf == 1)
      saves = c & bit_OSXSAVE;
    text += fmt::format(" {:x}.{:x}.{:x}.{:x}", leaf.eax ? a : 0, leaf.ebx ? b : 0, leaf.ecx ? c : 0, leaf.edx ? d : 0);
  }
  if (saves) { // which registers the system keeps
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    text += fmt::format(" {:x}.{:x}", high, low);
  }
  return text;
}

#elif defined(__aarch64__)

std::string hostIdentity() {
  unsigned long part = 0;
  if (::getauxval(AT_HWCAP) & HWCAP_CPUID)
    __asm__("mrs %0, MIDR_EL1" : "=r"(part));
  return fmt::format("aarch64 {:x}.{:x}.{:x}", ::getauxval(AT_HWCAP), ::getauxval(AT_HWCAP2), part);
}

#else
#error "attnc compiles for x86-64 and AArch64"
#endif

} // namespace attnc
