#pragma once
#include "attnc/arrays/Array.h"
#include "attnc/diagram/Diagram.h"

namespace attnc {

/// The calling convention of a compiled definition:
///
///     int32_t attnc_NAME(const T *in…, const T *param…, T *out…, int64_t size…)
///
/// Arrays are dense and row-major. Inputs come in the order of the diagram, parameters in that of `parametersOf`,
/// then outputs; then the sizes that are not fixed at compile time, in the order of `sizeNames` once the others are put
/// in. Reals are float, double or the bits of a bfloat16; ints are int64_t, bools uint8_t. Returns 0, or 1 without
/// memory.
struct KernelArgument {
  enum class Role : std::uint8_t { Input, Parameter, Output, SizeValue };
  Role role;
  std::string name;   // as the source calls it; "out" where it gives an output no name
  std::string symbol; // a C identifier, unlike that of every other argument
  Type type;          // of an array
  DType dtype;        // of an array
};

struct KernelAbi {
  std::string symbol; // of the function
  std::vector<KernelArgument> arguments;
};

/// The symbol of the function for a definition of that name: `attnc_` and the name, with what C cannot spell as `_`.
std::string kernelSymbol(std::string_view name);

/// A kernel that is to be loaded has a second function of this suffix, `int32_t NAME_packed(void **slots)`: a slot
/// holds the pointer or the 64-bit value of one argument. It is called without knowing the prototype.
inline constexpr std::string_view packedSuffix = "_packed";

/// `real` is F32, F64 or BF16; `fixed` are the sizes that are compiled in.
KernelAbi abiOf(const Definition &definition, DType real, const Size::Values &fixed);

} // namespace attnc
