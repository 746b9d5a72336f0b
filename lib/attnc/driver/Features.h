#pragma once

/// What this build of attnc has: CMake defines it for the driver.
#ifndef ATTNC_HAS_COMPILER
#define ATTNC_HAS_COMPILER 0
#endif
