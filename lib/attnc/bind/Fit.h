#pragma once
#include "attnc/arrays/Array.h"
#include "attnc/bind/SizeSolver.h"
#include "attnc/diagram/Diagram.h"
#include "attnc/support/Diagnostics.h"

namespace attnc {

/// One array a definition needs: a wire of the interface, or a parameter of a learner.
struct Slot {
  std::string name;
  Type type;
  Span span;
  const Array *array = nullptr; // as given
};

/// "axis 2 of 'q', whose array has shape [24 64]".
std::string axisText(const Slot &slot, std::size_t axis);
/// Reports a kind or a number of axes that is wrong. Whether the number of axes is right.
bool checkKindAndRank(const Slot &slot, Diagnostics &diagnostics);
/// Reports the axes that differ from what the solved sizes make them, of an array with as many axes as its type.
/// Whether they agree.
bool checkAxes(const Slot &slot, const SizeSolver &sizes, Diagnostics &diagnostics);
/// Reports the conditions that do not hold of the solved sizes.
void checkConstraints(const Definition &definition, const SizeSolver &sizes, Diagnostics &diagnostics);
/// Reports the axes anywhere in the definition that are negative, and arrays that no memory could hold.
void checkInside(const Definition &definition, const Size::Values &values, std::size_t maxMemory,
                 Diagnostics &diagnostics);
} // namespace attnc
