#include "attnc/arrays/ZipSource.h"

#include <algorithm>
#include <cstring>

namespace attnc {

zip_int64_t ZipSource::call(void *self, void *data, zip_uint64_t length, zip_source_cmd_t command) {
  return static_cast<ZipSource *>(self)->answer(data, length, command);
}

zip_int64_t ZipSource::answer(void *data, zip_uint64_t length, zip_source_cmd_t command) {
  switch (command) {
  case ZIP_SOURCE_SUPPORTS:
    return zip_source_make_command_bitmap(ZIP_SOURCE_SUPPORTS, ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                          ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK,
                                          ZIP_SOURCE_TELL, -1);
  case ZIP_SOURCE_OPEN:
    at = 0;
    return 0;
  case ZIP_SOURCE_READ: {
    std::size_t count = std::min<std::size_t>(length, file.data.size() - at);
    if (count > 0)
      std::memcpy(data, file.data.data() + at, count);
    at += count;
    return count;
  }
  case ZIP_SOURCE_SEEK: {
    zip_int64_t to = zip_source_seek_compute_offset(at, file.data.size(), data, length, &error);
    if (to < 0)
      return -1;
    at = to;
    return 0;
  }
  case ZIP_SOURCE_TELL:
    return at;
  case ZIP_SOURCE_STAT: {
    zip_stat_t *about = ZIP_SOURCE_GET_ARGS(zip_stat_t, data, length, &error);
    if (!about)
      return -1;
    zip_stat_init(about);
    about->size = file.data.size();
    about->valid = ZIP_STAT_SIZE;
    return sizeof(zip_stat_t);
  }
  case ZIP_SOURCE_ERROR:
    return zip_error_to_data(&error, data, length);
  case ZIP_SOURCE_CLOSE:
  case ZIP_SOURCE_FREE:
    return 0;
  default:
    zip_error_set(&error, ZIP_ER_OPNOTSUPP, 0);
    return -1;
  }
}

} // namespace attnc
