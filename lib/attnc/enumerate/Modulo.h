#pragma once
#include "attnc/enumerate/Word.h"

#include <tl/expected.hpp>

namespace attnc::enumerate {

/// The sort of each variable of an equation, or what is wrong with it. Both sides must be of one sort, and each
/// variable must stand once on each side: then it may be used in any diagram, whatever its variables stand for.
tl::expected<std::vector<unsigned>, std::string> variablesOf(const Presentation &presentation,
                                                             const Presentation::Equation &equation);

/// Which of `words` are equal modulo the equations: for each the index of the first that equals it, itself if none
/// before does. Two are equal when equations lead from one to the other, in either direction, through diagrams of at
/// most `most` operations. An equation is used where its operations within are used only there.
///
/// The error says what was done when more than `limit` diagrams are met.
tl::expected<std::vector<std::size_t>, std::string>
classes(const Presentation &presentation, const std::vector<Word> &words, unsigned most, std::size_t limit = 1'000'000);

/// All diagrams one use of an equation makes of this one, in either direction.
std::vector<Word> neighbours(const Presentation &presentation, const Presentation::Equation &equation,
                             const Word &word);

} // namespace attnc::enumerate
