#include "attnc/kernel/Program.h"

__asm__(".pushsection .rodata\n"
        ".globl attncLaunchObject, attncLaunchObjectEnd\n.hidden attncLaunchObject, attncLaunchObjectEnd\n"
        "attncLaunchObject:\n"
        ".incbin \"" ATTNC_LAUNCH_OBJECT "\"\n"
        "attncLaunchObjectEnd:\n"
        ".popsection\n");

extern "C" const char attncLaunchObject[] __attribute__((visibility("hidden")));
extern "C" const char attncLaunchObjectEnd[] __attribute__((visibility("hidden")));

namespace attnc {

std::string_view launchObject() { return {attncLaunchObject, std::size_t(attncLaunchObjectEnd - attncLaunchObject)}; }

} // namespace attnc
