#pragma once
#include "attnc/arrays/ArrayFile.h"

namespace attnc {

/// NumPy's .npz: a zip archive of .npy files, stored or deflated, with the zip64 records of large files. A key is
/// the name of a member without its `.npy`.
tl::expected<std::shared_ptr<const ArrayFile::Form>, std::string> openNpz(Bytes file);
/// An archive of stored members whose elements lie aligned to 64 bytes, dated 1980-01-01, the first day of zip.
tl::expected<std::string, std::string> npzText(const NamedArrays &arrays);

} // namespace attnc
