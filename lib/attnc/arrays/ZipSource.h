#pragma once
#include "attnc/arrays/Bytes.h"

#include <zip.h>

namespace attnc {

/// An archive that lies in memory, as libzip wants to read it: through a callback, which therefore knows from where
/// the last bytes came. That is how a member that is stored as it is gets found, for libzip does not say where one is.
class ZipSource {
public:
  explicit ZipSource(Bytes file) : file(std::move(file)) { zip_error_init(&error); }
  ~ZipSource() { zip_error_fini(&error); }
  ZipSource(const ZipSource &) = delete;

  /// What an archive is opened from. It points here, and is freed with the archive. Nothing when memory is short.
  zip_source_t *open(zip_error_t *why) { return zip_source_function_create(&ZipSource::call, this, why); }

  const Bytes &bytes() const { return file; }
  /// Where the next byte would be read.
  std::size_t position() const { return at; }

private:
  static zip_int64_t call(void *self, void *data, zip_uint64_t length, zip_source_cmd_t command);
  zip_int64_t answer(void *data, zip_uint64_t length, zip_source_cmd_t command);

  Bytes file;
  std::size_t at = 0;
  zip_error_t error;
};

} // namespace attnc
