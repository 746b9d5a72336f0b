#include "attnc/driver/Commands.h"

#include "attnc/decompile/Decompile.h"
#include "attnc/support/File.h"
#include "attnc/syntax/Parser.h"
#include "attnc/syntax/Printer.h"

#include <algorithm>
#include <ostream>

namespace attnc {

/// The definition of a diagram before the defaults of its boxes are plugged in: its text must not lose them.
static std::shared_ptr<const Definition> withoutDefaults(ast::File file, std::size_t item, Session &session) {
  auto &declaration = std::get<ast::DiagramDecl>(file.items[item]);
  for (ast::LearnerDecl &box : declaration.boxes)
    box.defaultBox.reset();
  FileId opened = session.sources.add(std::string(session.sources.name(file.id)), print(session.sources, file));
  Diagnostics ofCallers(session.sources); // who rely on the default
  Module module =
      elaborate(session.sources, opened, ofCallers, [](const std::filesystem::path &path) { return readFile(path); });
  return module.find(declaration.name.text);
}

/// Puts each diagram of a file into one notation. Comments within a body have no place in the other notation; they
/// go before the diagram. What cannot be elaborated stays as it is, for that has been reported.
static ast::File inNotation(ast::File file, const Module &module, FmtOptions::Notation notation, Session &session) {
  auto known = [&](const std::string &name) {
    auto own = module.find(name);
    return own ? own : preludeDefinition(name);
  };
  const ast::File original = file;
  for (std::size_t i = 0; i < file.items.size(); ++i) {
    auto *declaration = std::get_if<ast::DiagramDecl>(&file.items[i]);
    if (!declaration || std::holds_alternative<ast::SpecialiseForm>(declaration->form))
      continue;
    bool named = std::holds_alternative<ast::NamedForm>(declaration->form);
    if (named == (notation == FmtOptions::Notation::Named))
      continue;
    bool defaults = std::ranges::any_of(declaration->boxes, [](const auto &box) { return box.defaultBox.has_value(); });
    auto definition = defaults ? withoutDefaults(original, i, session) : module.find(declaration->name.text);
    if (!definition)
      continue;
    auto converted = named ? toPointFree(*definition, known) : toNamed(*definition, known);
    if (!converted) {
      session.diagnostics.report(Diag::CannotConvert, declaration->name.span, declaration->name.text,
                                 converted.error());
      continue;
    }
    converted->span = declaration->span;
    for (ast::LearnerDecl &box : converted->boxes)
      for (const ast::LearnerDecl &written : declaration->boxes)
        if (written.label.text == box.label.text)
          box.defaultBox = written.defaultBox;
    *declaration = std::move(*converted);
  }
  return file;
}

int format(const FmtOptions &options, Console console) {
  Session session(console);
  for (const std::string &file : options.files) {
    auto id = session.read(file);
    if (!id)
      continue;
    std::size_t errors = session.diagnostics.errorCount();
    ast::File tree;
    if (options.notation == FmtOptions::Notation::AsWritten) {
      tree = parse(session.sources, *id, session.diagnostics);
    } else {
      Module module = elaborate(session.sources, *id, session.diagnostics,
                                [](const std::filesystem::path &path) { return readFile(path); });
      if (session.diagnostics.errorCount() ==
          errors) // what elaborates has parsed: its tree is made again, without repeating anything
        tree = inNotation(parse(session.sources, *id, session.diagnostics), module, options.notation, session);
    }
    if (session.diagnostics.errorCount() != errors)
      continue; // a broken file is left as it is
    std::string text = print(session.sources, tree);
    if (options.check) {
      if (text != session.sources.text(*id))
        session.diagnostics.report(Diag::NotFormatted, {}, file).help(fmt::format("attnc fmt {}", file));
    } else if (options.toOutput || file == "-") {
      console.out << text;
    } else if (text != session.sources.text(*id)) {
      session.write(file, text);
    }
  }
  return session.finish();
}

} // namespace attnc
