#pragma once
#include "attnc/arrays/ArrayFile.h"

namespace attnc {

/// The .safetensors format (huggingface/safetensors): the length of the header in 8 bytes, a JSON object of
/// {name: {dtype, shape, data_offsets}} and perhaps `__metadata__`, then the elements. As that format's own reader
/// does, the arrays must cover the bytes after the header without holes or overlap.
tl::expected<std::shared_ptr<const ArrayFile::Form>, std::string> openSafetensors(const Bytes &file);
/// Whether a file can be no other form: the length fits and a JSON object begins after it.
bool looksLikeSafetensors(const Bytes &file);
/// Arrays by descending width of their elements and then by name, so that each lies aligned.
tl::expected<std::string, std::string> safetensorsText(const NamedArrays &arrays);

} // namespace attnc
