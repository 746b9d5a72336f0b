#pragma once
#include <cstddef>

/// Of the cases that an exhaustive test goes through, every so manieth is tried: under the sanitizers, which take ten
/// times as long, one in seven.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t everyNthCase = 7;
#else
constexpr std::size_t everyNthCase = 1;
#endif
