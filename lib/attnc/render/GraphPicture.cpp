#include "attnc/render/GraphPicture.h"

#include "attnc/render/GraphvizContext.h"

namespace attnc::render {

tl::expected<std::string, std::string> drawGraph(const std::string &dot, const std::string &form) {
  GVC_t *context = graphvizContext();
  Agraph_t *graph = agmemread(dot.c_str());
  tl::expected<std::string, std::string> result = tl::unexpected<std::string>("Graphviz cannot draw it");
  if (graph && gvLayout(context, graph, "dot") == 0) {
    char *data = nullptr;
    unsigned length = 0;
    if (gvRenderData(context, graph, form.c_str(), &data, &length) == 0 && data)
      result = std::string(data, length);
    if (data)
      gvFreeRenderData(data);
    gvFreeLayout(context, graph);
  }
  if (graph)
    agclose(graph);
  return result;
}

} // namespace attnc::render
