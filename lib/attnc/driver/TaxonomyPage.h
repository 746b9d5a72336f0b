#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace attnc {

/// One page of HTML that needs no network: the graph, and of the mechanism that is chosen its picture, program,
/// formula, cost and derivation from the root; search, filters by kind of rule, keyboard. `description` as in
/// Taxonomy.cpp, `graph` the svg of its graph.
std::string taxonomyPage(const nlohmann::json &description, const std::string &graph);

} // namespace attnc
