#pragma once
#include "attnc/bind/Bind.h"
#include "attnc/driver/Commands.h"

namespace attnc {

/// Opens the array files a command names and parses its sizes. Everything wrong is reported; then there is no result.
std::optional<Given> gatherArrays(const ArrayArguments &arguments, const Definition &definition, Session &session);
/// `NAME=NUMBER`, several of them.
std::optional<Size::Values> parseSizes(const std::vector<std::string> &sizes, Session &session);
/// Reports each that is no size of the definition.
void checkSizeNames(const Size::Values &sizes, const Definition &definition, Session &session);

} // namespace attnc
