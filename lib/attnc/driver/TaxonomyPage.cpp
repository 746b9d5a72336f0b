#include "attnc/driver/TaxonomyPage.h"

#include <nlohmann/json.hpp>

namespace attnc {

extern const char *const taxonomyPageHtml; // TaxonomyPage.html, by CMake

std::string taxonomyPage(const nlohmann::json &description, const std::string &graph) {
  std::string page = taxonomyPageHtml;
  auto fill = [&](const std::string &mark, const std::string &text) {
    std::size_t at = page.find(mark);
    page.replace(at, mark.size(), text);
  };
  // `</` would end the script.
  std::string data = description.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  for (std::size_t at = 0; (at = data.find("</", at)) != std::string::npos; at += 3)
    data.replace(at, 2, "<\\/");
  fill("@DATA@", data);
  fill("@GRAPH@", graph.substr(graph.find("<svg")));
  return page;
}

} // namespace attnc
