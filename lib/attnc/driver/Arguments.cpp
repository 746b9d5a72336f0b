#include "attnc/driver/Arguments.h"

#include "attnc/arrays/ArrayFile.h"
#include "attnc/diagram/Parameters.h"
#include "attnc/web/WebArrays.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace attnc {

template <class Integer> static std::optional<Integer> number(std::string_view text) {
  Integer value;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                   : std::nullopt;
}

std::optional<Size::Values> parseSizes(const std::vector<std::string> &sizes, Session &session) {
  Size::Values values;
  bool ok = true;
  for (const std::string &size : sizes) {
    std::size_t equals = size.find('=');
    auto value =
        equals == std::string::npos ? std::nullopt : number<std::int64_t>(std::string_view(size).substr(equals + 1));
    if (!value || *value < 0 || equals == 0) {
      session.diagnostics.report(Diag::BadArgument, {}, size, "NAME=NUMBER, as --size takes it");
      ok = false;
    } else if (!values.emplace(size.substr(0, equals), *value).second) {
      session.diagnostics.report(Diag::GivenTwice, {}, size.substr(0, equals));
      ok = false;
    }
  }
  return ok ? std::optional(values) : std::nullopt;
}

void checkSizeNames(const Size::Values &sizes, const Definition &definition, Session &session) {
  std::vector<std::string> names = definition.sizeNames();
  for (const auto &[name, value] : sizes) {
    if (std::find(names.begin(), names.end(), name) != names.end())
      continue;
    auto report = session.diagnostics.report(Diag::UnknownKeyword, definition.span, definition.name, name);
    if (auto near = nearest(name, names))
      report.help(fmt::format("did you mean '{}'?", *near));
  }
}

namespace {
/// Opens each file once.
class OpenFiles {
public:
  explicit OpenFiles(Session &session) : session(session) {}

  const ArrayFile *open(const std::string &path) {
    auto known = files.find(path);
    if (known == files.end())
      known = files.emplace(path, isWebFile(path) ? openWeb(path) : openArrays(path)).first;
    return known->second ? &*known->second : nullptr;
  }
  /// Of a file that is open; null when it is no web.
  const Web *web(const std::string &path) const {
    auto known = webs.find(path);
    return known == webs.end() ? nullptr : known->second.get();
  }

private:
  std::optional<ArrayFile> openArrays(const std::string &path) {
    auto file = ArrayFile::open(path);
    if (!file)
      session.diagnostics.report(Diag::BadArrayFile, {}, path, file.error());
    return file ? std::optional(std::move(*file)) : std::nullopt;
  }
  std::optional<ArrayFile> openWeb(const std::string &path) {
    auto web = session.web(path);
    return web ? std::optional(arraysOf(webs[path] = std::make_shared<Web>(std::move(*web)))) : std::nullopt;
  }

  Session &session;
  std::map<std::string, std::optional<ArrayFile>> files;
  std::map<std::string, std::shared_ptr<const Web>> webs;
};

/// The places of nodes of a web, by `@NAME` a number, by `@NAME,NAME` a list.
std::optional<Array> placesOf(const Web &web, const std::string &nodes, Session &session) {
  auto ids = session.nodes(web, nodes);
  if (!ids)
    return std::nullopt;
  bool list = ids->size() > 1;
  auto array = Array::zeros(DType::I64, list ? std::vector{std::int64_t(ids->size())} : std::vector<std::int64_t>());
  if (array)
    std::copy(ids->begin(), ids->end(), array->mutableAs<std::int64_t>().begin());
  return array;
}
} // namespace

/// FILE or FILE:KEY. Without a key the file's only array, or the one of the wire's name.
static std::optional<Array> readArray(const std::string &source, const std::string &wire, std::size_t limit,
                                      OpenFiles &files, Session &session) {
  std::string path = source, key;
  std::error_code ignored;
  if (std::size_t colon = source.rfind(':'); colon != std::string::npos && !std::filesystem::exists(source, ignored)) {
    path = source.substr(0, colon);
    key = source.substr(colon + 1);
  }
  const ArrayFile *file = files.open(path);
  if (!file)
    return std::nullopt;
  if (const Web *web = files.web(path); web && key.starts_with('@'))
    return placesOf(*web, key.substr(1), session);
  bool named = !key.empty();
  if (!named && file->keys().size() == 1)
    key = file->keys()[0];
  else if (!named && file->has(wire))
    key = wire;
  if (!file->has(key)) {
    auto report = session.diagnostics.report(Diag::NoSuchKey, {}, path, named ? key : wire);
    if (auto near = nearest(key, file->keys()))
      report.help(fmt::format("did you mean '{}'?", *near));
    else
      report.help(fmt::format("it holds {}; write {}:KEY", fmt::join(file->keys(), ", "), path));
    return std::nullopt;
  }
  auto array = file->read(key, limit);
  if (!array) {
    session.diagnostics.report(Diag::BadArrayFile, {}, source, array.error());
    return std::nullopt;
  }
  return *array;
}

static constexpr std::string_view randomPrefix = "random:";

std::optional<Given> gatherArrays(const ArrayArguments &arguments, const Definition &definition, Session &session) {
  Given given;
  given.maxMemory = arguments.maxMemory;
  OpenFiles files(session);
  std::size_t errors = session.diagnostics.errorCount();
  if (auto sizes = parseSizes(arguments.sizes, session))
    given.sizes = std::move(*sizes);
  std::set<std::string> named;
  for (const std::string &input : arguments.inputs) {
    std::size_t equals = input.find('=');
    if (equals == std::string::npos || equals == 0) {
      session.diagnostics.report(Diag::BadArgument, {}, input,
                                 "NAME=FILE.npy, NAME=FILE.npz:KEY, NAME=FILE.csv:KEY or NAME=random:SEED");
      continue;
    }
    std::string name = input.substr(0, equals), source = input.substr(equals + 1);
    if (!named.insert(name).second) {
      session.diagnostics.report(Diag::GivenTwice, {}, name);
      continue;
    }
    if (source.starts_with(randomPrefix)) {
      auto seed = number<std::int64_t>(std::string_view(source).substr(randomPrefix.size()));
      if (!seed)
        session.diagnostics.report(Diag::BadArgument, {}, input, "NAME=random:SEED with a whole number");
      else
        given.randomInputs[name] = *seed;
    } else if (auto array = readArray(source, name, arguments.maxMemory, files, session)) {
      given.inputs[name] = std::move(*array);
    }
  }
  for (const std::string &source : arguments.parameters) {
    if (source.starts_with(randomPrefix)) {
      given.parameterSeed = number<std::int64_t>(std::string_view(source).substr(randomPrefix.size()));
      if (!given.parameterSeed)
        session.diagnostics.report(Diag::BadArgument, {}, source, "random:SEED with a whole number");
      continue;
    }
    const ArrayFile *file = files.open(source);
    if (!file)
      continue;
    // What is not needed is not read, unless something is missing: then its name may be a slip.
    std::vector<std::string> wanted;
    for (const Parameter &parameter : parametersOf(definition))
      if (file->has(parameter.name))
        wanted.push_back(parameter.name);
      else if (!given.parameterSeed)
        wanted = file->keys();
    for (const std::string &name : wanted)
      if (!given.parameters.contains(name))
        if (auto array = readArray(source + ":" + name, name, arguments.maxMemory, files, session))
          given.parameters[name] = std::move(*array);
  }
  return session.diagnostics.errorCount() == errors ? std::optional(std::move(given)) : std::nullopt;
}

} // namespace attnc
