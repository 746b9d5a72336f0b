#include "attnc/render/Writers.h"

#include <fmt/format.h>
#include <memory>

#include <cairo-pdf.h>
#include <cairo.h>
#include <librsvg/rsvg.h>

namespace attnc::render {

namespace {

constexpr double most = 16384; // pixels a side: beyond that cairo's arithmetic and memory are at risk

template <auto release> struct Release {
  template <class T> void operator()(T *object) const { release(object); }
};
using Handle = std::unique_ptr<RsvgHandle, Release<g_object_unref>>;
using Surface = std::unique_ptr<cairo_surface_t, Release<cairo_surface_destroy>>;
using Context = std::unique_ptr<cairo_t, Release<cairo_destroy>>;

cairo_status_t append(void *closure, const unsigned char *data, unsigned length) {
  static_cast<std::string *>(closure)->append(reinterpret_cast<const char *>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

tl::unexpected<std::string> failed(std::string_view what, GError *error) {
  std::string text = fmt::format("{}: {}", what, error ? error->message : "unknown reason");
  if (error)
    g_error_free(error);
  return tl::unexpected(text);
}

/// Paints the picture on the whole of a surface of the given size.
tl::expected<void, std::string> paint(const Picture &picture, const WriteOptions &options, cairo_surface_t *surface,
                                      double width, double height) {
  WriteOptions unscaled = options;
  unscaled.scale = 1;
  std::string svg = toSvg(picture, unscaled);
  GError *error = nullptr;
  Handle handle(rsvg_handle_new_from_data(reinterpret_cast<const guint8 *>(svg.data()), svg.size(), &error));
  if (!handle)
    return failed("librsvg cannot read the picture", error);
  Context context(cairo_create(surface));
  cairo_set_source_rgb(context.get(), 1, 1, 1);
  cairo_paint(context.get());
  RsvgRectangle viewport{0, 0, width, height};
  if (!rsvg_handle_render_document(handle.get(), context.get(), &viewport, &error))
    return failed("librsvg cannot draw the picture", error);
  if (cairo_status_t status = cairo_status(context.get()))
    return tl::unexpected(fmt::format("cairo cannot draw the picture: {}", cairo_status_to_string(status)));
  return {};
}

} // namespace

double pngScale(const Picture &picture) {
  return std::min(2.0, most / std::ceil(std::max(picture.width, picture.height)));
}

tl::expected<std::string, std::string> toPng(const Picture &picture, const WriteOptions &options) {
  double width = std::ceil(picture.width * options.scale), height = std::ceil(picture.height * options.scale);
  if (!(width >= 1 && height >= 1 && width <= most && height <= most))
    return tl::unexpected(
        fmt::format("a PNG of {} by {} pixels is not within 1 … {} a side; use SVG or PDF, or a smaller scale", width,
                    height, most));
  Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height));
  if (auto ok = paint(picture, options, surface.get(), picture.width * options.scale, picture.height * options.scale);
      !ok)
    return tl::unexpected(ok.error());
  std::string bytes;
  if (cairo_status_t status = cairo_surface_write_to_png_stream(surface.get(), append, &bytes))
    return tl::unexpected(fmt::format("cairo cannot write the picture: {}", cairo_status_to_string(status)));
  return bytes;
}

tl::expected<std::string, std::string> toPdf(const Picture &picture, const WriteOptions &options) {
  constexpr double points = 0.75; // of 1/72 inch, for one unit of 1/96 inch
  double width = picture.width * options.scale * points, height = picture.height * options.scale * points;
  std::string bytes;
  {
    Surface surface(cairo_pdf_surface_create_for_stream(append, &bytes, width, height));
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_TITLE, utf8(codePoints(picture.title)).c_str());
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    if (auto ok = paint(picture, options, surface.get(), width, height); !ok)
      return tl::unexpected(ok.error());
    cairo_surface_finish(surface.get());
    if (cairo_status_t status = cairo_surface_status(surface.get()))
      return tl::unexpected(fmt::format("cairo cannot write the picture: {}", cairo_status_to_string(status)));
  }
  return bytes;
}

} // namespace attnc::render
