#pragma once
#include "attnc/arrays/Array.h"
#include "attnc/diagram/Diagram.h"
#include "attnc/support/Diagnostics.h"

#include <map>

namespace attnc {

/// What the user gives a definition to run on. Inputs go by the names of the definition's interface (`inputName`),
/// parameters by those of `parametersOf`.
struct Given {
  std::map<std::string, Array, std::less<>> inputs, parameters;
  std::map<std::string, std::int64_t, std::less<>> randomInputs; // name to seed
  std::optional<std::int64_t> parameterSeed;                     // for the parameters that are not given
  Size::Values sizes;
  DType real = DType::F64;                      // the element type of real wires
  std::size_t maxMemory = std::size_t(8) << 30; // bytes, of arrays that are converted or drawn
};

/// A definition ready to run: each size has a value ≥ 0, each array the shape its type then has. The arrays are of
/// type `Given::real`, I64 or Bool; one that was so already is not copied.
struct Bound {
  Size::Values sizes;
  std::vector<Array> inputs, parameters; // as the diagram's inputs and as `parametersOf`
};

/// Solves the sizes from the arrays, the given sizes and the `==` conditions, and checks everything against them:
/// names, kinds, ranks, axes, conditions, that no size inside is negative and no array inside beyond an address.
/// Each thing that is wrong is reported; then there is no result.
///
/// Conversions that lose nothing but precision are made: integers to real, any width to the one above. A real array
/// for an int wire and an int array for a bool wire are refused. Parameters in excess are not looked at, for a file
/// of trained weights may serve more than one definition.
std::optional<Bound> bindArrays(const Definition &definition, const Given &given, Diagnostics &diagnostics);

/// What the user calls an input: its name, or its place `1`, `2` … where the source gives none.
std::string inputName(const Definition &definition, std::size_t index);

} // namespace attnc
