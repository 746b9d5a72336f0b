#include "attnc/web/WebArrays.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace attnc {

namespace {

class WebForm : public ArrayFile::Form {
public:
  explicit WebForm(std::shared_ptr<const Web> from) : web(std::move(from)), types(web->typeNumbers()) {
    std::int64_t n = web->nodes.size(), l = web->links.size();
    add("w", DType::F64, {n, n}, [this, n](std::span<double> to) {
      for (const Web::Link &link : web->links)
        to[link.source * n + link.target] = link.weight;
    });
    add("type", DType::I64, {n, n}, [this, n](std::span<std::int64_t> to) {
      std::ranges::fill(to, -1);
      for (const Web::Link &link : web->links)
        to[link.source * n + link.target] = typeOf(link);
    });
    perNode<double>("m", DType::F64, [](const Web::Node &node) { return node.multiplicity; });
    perLink<std::int64_t>("source", DType::I64, {l}, [](const Web::Link &link) { return link.source; });
    perLink<std::int64_t>("target", DType::I64, {l}, [](const Web::Link &link) { return link.target; });
    perLink<double>("weight", DType::F64, {l}, [](const Web::Link &link) { return link.weight; });
    perLink<std::int64_t>("link_type", DType::I64, {l}, [this](const Web::Link &link) { return typeOf(link); });
    auto columns = numericColumns();
    add("meta", DType::F64, {n, std::int64_t(columns.size())}, [this, columns](std::span<double> to) {
      std::size_t next = 0;
      for (const Web::Node &node : web->nodes)
        for (const std::string &column : columns)
          to[next++] = std::get<double>(node.metadata.at(column));
    });
    for (const std::string &column : columns) {
      auto value = [column](const Web::Node &node) { return std::get<double>(node.metadata.at(column)); };
      bool whole = std::ranges::all_of(web->nodes, [&](const Web::Node &node) {
        return std::trunc(value(node)) == value(node) && std::abs(value(node)) < 1e15;
      });
      if (whole)
        perNode<std::int64_t>("node." + column, DType::I64, value);
      else
        perNode<double>("node." + column, DType::F64, value);
    }
  }

  tl::expected<Array, std::string> read(std::size_t index, std::size_t limit) const override {
    const auto &[dtype, shape, fill] = makers[index];
    auto bytes = byteSize(dtype, shape);
    if (!bytes || *bytes > limit)
      return tl::unexpected(overLimit(bytes.value_or(SIZE_MAX), limit));
    auto array = Array::zeros(dtype, shape);
    if (!array)
      return tl::unexpected<std::string>("there is no memory for it");
    fill(*array);
    return std::move(*array);
  }

private:
  struct Maker {
    DType dtype;
    std::vector<std::int64_t> shape;
    std::function<void(Array &)> fill;
  };

  template <class F> void add(std::string key, DType dtype, std::vector<std::int64_t> shape, const F &fill) {
    keys.push_back(std::move(key));
    makers.push_back({dtype, std::move(shape), [fill](Array &array) {
                        if constexpr (std::is_invocable_v<F, std::span<double>>)
                          fill(array.mutableAs<double>());
                        else
                          fill(array.mutableAs<std::int64_t>());
                      }});
  }
  template <class T, class F> void perNode(std::string key, DType dtype, const F &value) {
    add(std::move(key), dtype, {std::int64_t(web->nodes.size())},
        [this, value](std::span<T> to) { std::ranges::transform(web->nodes, to.begin(), value); });
  }
  template <class T, class F>
  void perLink(std::string key, DType dtype, std::vector<std::int64_t> shape, const F &value) {
    add(std::move(key), dtype, std::move(shape),
        [this, value](std::span<T> to) { std::ranges::transform(web->links, to.begin(), value); });
  }

  std::int64_t typeOf(const Web::Link &link) const { return link.type.empty() ? -1 : types.at(link.type); }

  /// The names under which every node has a number.
  std::vector<std::string> numericColumns() const {
    std::map<std::string, std::size_t> counts;
    for (const Web::Node &node : web->nodes)
      for (const auto &[name, value] : node.metadata)
        counts[name] += std::holds_alternative<double>(value);
    std::vector<std::string> columns;
    for (const auto &[name, count] : counts)
      if (count == web->nodes.size())
        columns.push_back(name);
    return columns;
  }

  std::shared_ptr<const Web> web;
  std::map<std::string, std::int64_t> types;
  std::vector<Maker> makers;
};

/// Reads arrays by name as the type that is wanted, and says once what is wrong.
class Lists {
public:
  explicit Lists(const ArrayFile &file) : file(file) {}

  std::optional<Array> get(const char *key, DType dtype, std::vector<std::int64_t> shape) {
    auto array = file.read(key);
    if (!array)
      return fail(array.error());
    if (dtype == DType::I64 && (array->dtype() == DType::Bool || array->dtype() >= DType::F16))
      return fail(fmt::format("'{}' holds {}, not whole numbers", key, name(array->dtype())));
    bool fits = array->shape().size() == shape.size();
    for (std::size_t i = 0; fits && i < shape.size(); ++i)
      fits = shape[i] < 0 || shape[i] == array->shape()[i];
    if (!fits)
      return fail(fmt::format("'{}' has shape {}", key, shapeText(array->shape())));
    return array->converted(dtype);
  }

  std::string fault;

private:
  std::nullopt_t fail(std::string why) {
    if (fault.empty())
      fault = std::move(why);
    return std::nullopt;
  }
  const ArrayFile &file;
};

} // namespace

ArrayFile arraysOf(std::shared_ptr<const Web> web) { return ArrayFile::of(std::make_shared<WebForm>(std::move(web))); }

std::optional<NamedArrays> listsOf(std::shared_ptr<const Web> web) {
  ArrayFile file = arraysOf(std::move(web));
  NamedArrays arrays;
  for (const std::string &key : file.keys()) {
    if (key == "w" || key == "type")
      continue;
    auto array = file.read(key);
    if (!array)
      return std::nullopt;
    arrays.emplace_back(key, std::move(*array));
  }
  return arrays;
}

tl::expected<Web, std::string> webOf(const ArrayFile &file, const std::vector<std::string> &names,
                                     Diagnostics &diagnostics) {
  Lists lists(file);
  std::vector<std::int64_t> source, target, type;
  std::vector<double> weight, multiplicity;
  std::int64_t n = names.size(), known = 0, before = diagnostics.errorCount();
  auto take = [&]<class T>(std::vector<T> &into, const char *key, DType dtype, std::vector<std::int64_t> shape) {
    if (auto array = lists.get(key, dtype, std::move(shape)))
      into.assign(array->as<T>().begin(), array->as<T>().end());
  };
  if (file.has("m"))
    take(multiplicity, "m", DType::F64, {-1});
  n = std::max<std::int64_t>(n, multiplicity.size());
  if (file.has("source") && file.has("target")) {
    take(source, "source", DType::I64, {-1});
    take(target, "target", DType::I64, {std::int64_t(source.size())});
    if (file.has("weight"))
      take(weight, "weight", DType::F64, {std::int64_t(source.size())});
    if (file.has("link_type"))
      take(type, "link_type", DType::I64, {std::int64_t(source.size())});
    bool counted = names.empty() && multiplicity.empty(); // by the links, that is
    for (const auto *ends : {&source, &target})
      for (std::int64_t end : *ends)
        if (end < 0)
          return tl::unexpected(fmt::format("the node {} of a link is negative", end));
        else if (end >= (counted ? mostNodes : n))
          return tl::unexpected(fmt::format("a link is of node {}, and there {} {}", end,
                                            counted ? "can be at most" : "are", counted ? mostNodes : n));
        else
          known = std::max(known, end + 1);
    n = std::max(n, known);
  } else if (file.has("w")) {
    std::vector<double> w;
    std::vector<std::int64_t> types;
    auto array = lists.get("w", DType::F64, {-1, -1});
    if (array && array->shape()[0] == array->shape()[1]) {
      n = array->shape()[0];
      w.assign(array->as<double>().begin(), array->as<double>().end());
    } else if (array) {
      return tl::unexpected(fmt::format("'w' has shape {}", shapeText(array->shape())));
    }
    if (file.has("type"))
      take(types, "type", DType::I64, {n, n});
    for (std::size_t i = 0; i < w.size(); ++i)
      if (w[i] != 0) {
        source.push_back(i / n);
        target.push_back(i % n);
        weight.push_back(w[i]);
        type.push_back(types.empty() ? -1 : types[i]);
      }
  } else {
    return tl::unexpected<std::string>("it has neither 'source' and 'target' nor 'w'");
  }
  if (!lists.fault.empty())
    return tl::unexpected(lists.fault);
  if ((!names.empty() && std::int64_t(names.size()) != n) ||
      (!multiplicity.empty() && std::int64_t(multiplicity.size()) != n))
    return tl::unexpected(fmt::format("its links are of {} nodes, and {} are named", n, names.size()));
  WebBuilder builder(diagnostics);
  for (std::int64_t i = 0; i < n; ++i)
    if (Web::Node *node = builder.node(names.empty() ? std::to_string(i) : names[i], {}); node && !multiplicity.empty())
      if (auto value = builder.weight(multiplicity[i], fmt::format("{}", multiplicity[i]), {}))
        node->multiplicity = *value;
  if (std::int64_t(diagnostics.errorCount()) != before)
    return tl::unexpected<std::string>("its nodes are at fault");
  for (std::size_t i = 0; i < source.size(); ++i) {
    Web::Link link{
        Web::Id(source[i]), Web::Id(target[i]), 1, type.empty() || type[i] < 0 ? "" : std::to_string(type[i]), {}};
    auto value = weight.empty() ? std::optional(1.0) : builder.weight(weight[i], fmt::format("{}", weight[i]), {});
    link.weight = value.value_or(1);
    builder.link(std::move(link));
  }
  if (std::int64_t(diagnostics.errorCount()) != before)
    return tl::unexpected<std::string>("its links are at fault");
  return std::move(builder.web);
}

} // namespace attnc
