#include "attnc/driver/HeatmapFile.h"

#include "attnc/render/Heatmap.h"
#include "attnc/render/Writers.h"
#include "attnc/support/File.h"

#include <nlohmann/json.hpp>

namespace attnc {

static std::optional<std::vector<std::string>> strings(const nlohmann::json &json) {
  if (!json.is_array())
    return std::nullopt;
  std::vector<std::string> list;
  for (const auto &entry : json) {
    if (!entry.is_string())
      return std::nullopt;
    list.push_back(entry);
  }
  return list;
}

bool writeHeatmap(const std::string &path, const Array &array, const std::string &labels, const std::string &title,
                  Session &session) {
  auto values = array.converted(DType::F64);
  if (array.shape().size() != 2 || !values) {
    session.diagnostics.report(
        Diag::CannotDraw, {}, title,
        fmt::format("a heat map shows a result with two axes, not {}", shapeText(array.shape())));
    return false;
  }
  render::Heatmap map;
  map.values = values->as<double>();
  map.rows.resize(array.shape()[0]);
  map.columns.resize(array.shape()[1]);
  map.title = title;
  if (!labels.empty()) {
    auto text = readFile(labels, 1 << 24);
    auto json = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
    std::optional<std::vector<std::string>> rows, columns;
    if (json.is_object() && json.contains("rows") && json.contains("columns")) {
      rows = strings(json["rows"]);
      columns = strings(json["columns"]);
    } else {
      rows = columns = strings(json);
    }
    if (!text)
      session.diagnostics.report(Diag::CannotRead, {}, labels, text.error());
    else if (!rows || !columns)
      session.diagnostics.report(Diag::BadArgument, {}, labels,
                                 "a JSON list of strings, or {\"rows\": […], \"columns\": […]}");
    else if (std::int64_t(rows->size()) != array.shape()[0] || std::int64_t(columns->size()) != array.shape()[1])
      session.diagnostics.report(Diag::BadArgument, {}, labels,
                                 fmt::format("of {} and {} labels, which a result of shape {} needs", array.shape()[0],
                                             array.shape()[1], shapeText(array.shape())));
    if (session.diagnostics.hasErrors())
      return false;
    map.rows = *rows;
    map.columns = *columns;
  }
  std::string form = formOf(path, "svg");
  auto picture = render::layout(map);
  tl::expected<std::string, std::string> bytes =
      !picture        ? tl::expected<std::string, std::string>(tl::unexpected(picture.error()))
      : form == "png" ? render::toPng(*picture, {.scale = render::pngScale(*picture)})
      : form == "pdf" ? render::toPdf(*picture)
                      : tl::expected<std::string, std::string>(render::toSvg(*picture));
  if (!bytes) {
    session.diagnostics.report(Diag::CannotDraw, {}, title, bytes.error());
    return false;
  }
  return session.write(path, *bytes);
}

} // namespace attnc
