#include "attnc/arrays/Safetensors.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_set>

namespace attnc {

namespace {

using Json = nlohmann::json;

constexpr std::size_t prefix = 8, longestHeader = 100'000'000, mostAxes = 64;

struct TypeName {
  DType dtype;
  std::string_view name;
};
constexpr TypeName typeNames[] = {
    {DType::Bool, "BOOL"}, {DType::I8, "I8"},   {DType::I16, "I16"}, {DType::I32, "I32"}, {DType::I64, "I64"},
    {DType::U8, "U8"},     {DType::U16, "U16"}, {DType::U32, "U32"}, {DType::U64, "U64"}, {DType::F16, "F16"},
    {DType::BF16, "BF16"}, {DType::F32, "F32"}, {DType::F64, "F64"}};

struct Tensor {
  Layout layout;
  std::size_t begin = 0, end = 0;
};

/// Reads the header as it is parsed, so that memory grows with its tensors only, whatever the JSON holds.
///
///     {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {"k": "v"}}
class HeaderHandler : public nlohmann::json_sax<Json> {
public:
  std::vector<std::string> names;
  std::vector<Tensor> tensors;
  std::string why; // empty when all is well

  bool start_object(std::size_t) override {
    if (place == Place::Start)
      place = Place::Top;
    else if (place == Place::Top && metadata)
      place = Place::Metadata;
    else if (place == Place::Top) {
      place = Place::Tensor;
      tensors.emplace_back();
      hasType = hasShape = hasOffsets = false;
    } else
      return bad("an object stands where none may");
    return true;
  }
  bool end_object() override {
    if (place == Place::Tensor && !(hasType && hasShape && hasOffsets))
      return bad(fmt::format("'{}' lacks its {}", shown(names.back()),
                             !hasType    ? "dtype"
                             : !hasShape ? "shape"
                                         : "data_offsets"));
    place = place == Place::Top ? Place::End : Place::Top;
    return true;
  }
  bool key(std::string &text) override {
    if (place == Place::Top) {
      if (!seen.insert(text).second)
        return bad(fmt::format("'{}' stands twice", shown(text)));
      metadata = text == "__metadata__";
      if (!metadata)
        names.push_back(text);
    } else if (place == Place::Tensor) {
      bool *given = text == "dtype"          ? &hasType
                    : text == "shape"        ? &hasShape
                    : text == "data_offsets" ? &hasOffsets
                                             : nullptr;
      if (!given)
        return bad(fmt::format("'{}' has an unknown field '{}'", shown(names.back()), shown(text)));
      if (*given)
        return bad(fmt::format("'{}' has its {} twice", shown(names.back()), text));
      *given = true;
      field = given;
    }
    return true;
  }
  bool start_array(std::size_t) override {
    if (place != Place::Tensor || field == &hasType)
      return bad("an array stands where none may");
    place = field == &hasShape ? Place::Shape : Place::Offsets;
    offsets = 0;
    return true;
  }
  bool end_array() override {
    if (place == Place::Offsets && offsets != 2)
      return bad(fmt::format("the data_offsets of '{}' are not two", shown(names.back())));
    place = Place::Tensor;
    return true;
  }
  bool number_unsigned(std::uint64_t value) override {
    if (place == Place::Shape) {
      std::vector<std::int64_t> &shape = tensors.back().layout.shape;
      if (value > INT64_MAX)
        return bad(fmt::format("'{}' has an axis of {}", shown(names.back()), value));
      if (shape.size() == mostAxes)
        return bad(fmt::format("'{}' has more than {} axes", shown(names.back()), mostAxes));
      shape.push_back(value);
      return true;
    }
    if (place != Place::Offsets || offsets == 2)
      return bad("a number stands where none may");
    (offsets++ == 0 ? tensors.back().begin : tensors.back().end) = value;
    return true;
  }
  bool string(std::string &text) override {
    if (place == Place::Metadata)
      return true;
    if (place != Place::Tensor || field != &hasType)
      return bad("a string stands where none may");
    for (const TypeName &type : typeNames)
      if (type.name == text) {
        tensors.back().layout.dtype = type.dtype;
        return true;
      }
    return bad(fmt::format("elements of type '{}', as in '{}', are not read", shown(text), shown(names.back())));
  }
  bool null() override { return bad("null stands where it may not"); }
  bool boolean(bool) override { return bad("a truth value stands where none may"); }
  bool number_integer(std::int64_t value) override { return bad(fmt::format("the number {} stands in it", value)); }
  bool number_float(double, const std::string &text) override {
    return bad(fmt::format("the number {} stands in it", shown(text)));
  }
  bool binary(Json::binary_t &) override { return bad("binary data stands in it"); }
  bool parse_error(std::size_t position, const std::string &, const Json::exception &) override {
    return bad(fmt::format("it is no JSON at byte {}", prefix + position));
  }

private:
  enum class Place { Start, Top, Metadata, Tensor, Shape, Offsets, End };

  bool bad(std::string reason) {
    if (why.empty())
      why = "its header is broken: " + std::move(reason);
    return false;
  }

  Place place = Place::Start;
  bool metadata = false, hasType = false, hasShape = false, hasOffsets = false;
  bool *field = nullptr;
  unsigned offsets = 0;
  std::unordered_set<std::string> seen;
};

struct Safetensors : ArrayFile::Form {
  Bytes data; // after the header
  std::vector<Tensor> tensors;

  /// Every array is as long as its shape says, and together they are the data.
  tl::expected<void, std::string> check() const {
    std::vector<std::size_t> order(tensors.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(tensors[a].begin, tensors[a].end) < std::pair(tensors[b].begin, tensors[b].end);
    });
    std::size_t end = 0;
    for (std::size_t i : order) {
      const Tensor &tensor = tensors[i];
      auto bytes = byteSize(tensor.layout.dtype, tensor.layout.shape);
      if (tensor.end < tensor.begin || tensor.end > data.data.size())
        return tl::unexpected(fmt::format("'{}' is said to lie at {} to {} of {} bytes", shown(keys[i]), tensor.begin,
                                          tensor.end, data.data.size()));
      if (!bytes || *bytes != tensor.end - tensor.begin)
        return tl::unexpected(fmt::format("'{}' is {} {}, but has {} bytes", shown(keys[i]), name(tensor.layout.dtype),
                                          shapeText(tensor.layout.shape), tensor.end - tensor.begin));
      if (tensor.begin != end)
        return tl::unexpected(fmt::format("'{}' {}", shown(keys[i]),
                                          tensor.begin < end ? "overlaps another array" : "lies after a hole"));
      end = tensor.end;
    }
    if (end != data.data.size())
      return tl::unexpected(fmt::format("{} bytes follow its last array", data.data.size() - end));
    return {};
  }

  tl::expected<Array, std::string> read(std::size_t index, std::size_t limit) const override {
    const Tensor &tensor = tensors[index];
    return arrayIn(data.part(tensor.begin, tensor.end - tensor.begin), tensor.layout, limit);
  }
};

std::uint64_t headerLength(const Bytes &file) {
  std::uint64_t length;
  std::memcpy(&length, file.data.data(), prefix);
  return length;
}

} // namespace

bool looksLikeSafetensors(const Bytes &file) {
  return file.data.size() > prefix && file.text()[prefix] == '{' && headerLength(file) <= file.data.size() - prefix;
}

tl::expected<std::shared_ptr<const ArrayFile::Form>, std::string> openSafetensors(const Bytes &file) {
  if (file.data.size() < prefix)
    return tl::unexpected<std::string>("it ends within its header");
  std::uint64_t length = headerLength(file);
  if (length > longestHeader)
    return tl::unexpected(fmt::format("its header is said to be {}", sizeText(length)));
  if (length > file.data.size() - prefix)
    return tl::unexpected<std::string>("it ends within its header");
  std::string_view header = file.text().substr(prefix, length);
  HeaderHandler handler;
  bool parsed = header.starts_with('{') && Json::sax_parse(header.begin(), header.end(), &handler);
  if (!parsed)
    return tl::unexpected(handler.why.empty() ? "its header is broken: it is no object" : handler.why);
  auto form = std::make_shared<Safetensors>();
  form->keys = std::move(handler.names);
  form->tensors = std::move(handler.tensors);
  form->data = file.part(prefix + length, file.data.size() - prefix - length);
  if (auto checked = form->check(); !checked)
    return tl::unexpected(checked.error());
  return form;
}

tl::expected<std::string, std::string> safetensorsText(const NamedArrays &arrays) {
  std::vector<const NamedArrays::value_type *> order;
  for (const auto &entry : arrays)
    order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](auto *a, auto *b) {
    std::size_t left = byteSize(a->second.dtype()), right = byteSize(b->second.dtype());
    return left != right ? left > right : a->first < b->first;
  });
  std::string header = "{";
  std::size_t end = 0;
  for (const auto *entry : order) {
    const auto &[name, array] = *entry;
    if (name == "__metadata__")
      return tl::unexpected<std::string>("no array can be called '__metadata__'");
    std::size_t begin = end;
    end += array.byteCount();
    header +=
        fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                    begin || header.size() > 1 ? "," : "", Json(name).dump(),
                    typeNames[static_cast<std::size_t>(array.dtype())].name, fmt::join(array.shape(), ","), begin, end);
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  if (header.size() > longestHeader)
    return tl::unexpected<std::string>("the header would be longer than the format allows");
  std::uint64_t length = header.size();
  std::string text(reinterpret_cast<const char *>(&length), prefix);
  text.reserve(prefix + header.size() + end);
  text += header;
  for (const auto *entry : order)
    text.append(reinterpret_cast<const char *>(entry->second.data()), entry->second.byteCount());
  return text;
}

} // namespace attnc
