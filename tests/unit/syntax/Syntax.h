#pragma once
#include "attnc/syntax/Dump.h"
#include "attnc/syntax/Parser.h"
#include "attnc/syntax/Printer.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

/// One text read, with what came of it.
struct Read {
  attnc::SourceManager sources;
  attnc::FileId id;
  attnc::Diagnostics diagnostics{sources};
  attnc::ast::File file;

  explicit Read(std::string text, std::string name = "test.attn")
      : id(sources.add(std::move(name), std::move(text))), file(attnc::parse(sources, id, diagnostics)) {}

  std::string printed() const { return attnc::print(sources, file); }
  std::string dumped() const { return attnc::dump(file); }
  /// `Kind line:column` of each diagnostic, in order of report.
  std::vector<std::string> errors() const {
    std::vector<std::string> list;
    for (const attnc::Diagnostic &diagnostic : diagnostics.all()) {
      attnc::Location at = sources.locate(id, diagnostic.span.begin);
      list.push_back(std::string(attnc::describe(diagnostic.kind).name) + " " + std::to_string(at.line) + ":" +
                     std::to_string(at.column));
    }
    return list;
  }
};

/// The dump of an expression, read as the body of a diagram.
inline std::string expression(const std::string &text) {
  Read read("diagram f() -> [] { " + text + "\n}");
  INFO(text << "\n" << read.diagnostics.render());
  REQUIRE(read.errors().empty());
  const auto &decl = std::get<attnc::ast::DiagramDecl>(read.file.items.at(0));
  return attnc::dump(*std::get<attnc::ast::NamedForm>(decl.form).body->result);
}

/// The dump of a point-free term.
inline std::string term(const std::string &text) {
  Read read("diagram f : [] -> [] = " + text);
  INFO(text << "\n" << read.diagnostics.render());
  REQUIRE(read.errors().empty());
  const auto &decl = std::get<attnc::ast::DiagramDecl>(read.file.items.at(0));
  return attnc::dump(*std::get<attnc::ast::PointFreeForm>(decl.form).term);
}

/// The dump of a file that has no errors.
inline std::string definitions(const std::string &text) {
  Read read(text);
  INFO(text << "\n" << read.diagnostics.render());
  REQUIRE(read.errors().empty());
  std::string dumped = read.dumped();
  dumped.pop_back();
  return dumped;
}

inline std::string fileText(const std::filesystem::path &path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

inline std::vector<std::filesystem::path> filesIn(const std::string &folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto &entry : std::filesystem::directory_iterator(std::string(ATTNC_SOURCE_DIR) + "/" + folder))
    if (entry.path().extension() == ".attn")
      paths.push_back(entry.path());
  REQUIRE(!paths.empty());
  return paths;
}
