#include "attnc/driver/Arguments.h"
#include "attnc/driver/Commands.h"
#include "attnc/driver/Features.h"

#include "attnc/diagram/Canonical.h"

#include <ostream>

#if ATTNC_HAS_COMPILER
#include "attnc/kernel/Compile.h"
#endif

namespace attnc {

#if ATTNC_HAS_COMPILER
/// The sizes that are known: those given, and those a condition `name == number` or `name == number ^ number` fixes.
static Size::Values knownSizes(const Definition &definition, Size::Values given) {
  for (const Constraint &constraint : definition.constraints) {
    auto name = constraint.left.asVariable();
    auto right = constraint.right.evaluate(given), exponent = constraint.exponent.value_or(Size(1)).evaluate(given);
    if (name && right && exponent && (constraint.isEquation() || constraint.isPower()))
      if (auto value = power(*right, *exponent))
        given.emplace(*name, *value);
  }
  return given;
}
#endif

static bool writeArtefact(const CompileOptions &options, const Definition &definition, std::string_view suffix,
                          std::string_view bytes, Session &session) {
  std::string path = options.output;
  if (path.empty())
    path = suffix.empty() ? "-" : definition.name + std::string(suffix);
  return session.write(path, bytes);
}

int compile(const CompileOptions &options, Console console) {
  Session session(console);
  auto definition = session.definition(options.file, options.diagram);
  auto sizes = parseSizes(options.sizes, session);
  if (!definition || !sizes)
    return session.finish();
  if (options.emit == "diagram" && !options.explain) {
    writeArtefact(options, *definition, "", canonicalText(*definition), session);
    return session.finish();
  }
#if ATTNC_HAS_COMPILER
  static const std::map<std::string, std::pair<Artefact, std::string_view>> forms = {
      {"mlir", {Artefact::Dialect, ""}},     {"linalg", {Artefact::Linalg, ""}}, {"llvm", {Artefact::Llvm, ""}},
      {"asm", {Artefact::Assembly, ""}},     {"obj", {Artefact::Object, ".o"}},  {"so", {Artefact::Shared, ".so"}},
      {"header", {Artefact::Header, ""}},    {"gpu", {Artefact::Gpu, ""}},       {"ptx", {Artefact::Ptx, ""}},
      {"cubin", {Artefact::Cubin, ".cubin"}}};
  checkSizeNames(*sizes, *definition, session);
  if (session.diagnostics.hasErrors())
    return session.finish();
  // Sizes that are given are compiled in; the others are arguments of the kernel.
  KernelVariant variant{options.real, knownSizes(*definition, *sizes), options.target, 2, options.f32 == "tf32"};
  auto [artefact, suffix] = options.explain ? std::pair(Artefact::Streams, std::string_view()) : forms.at(options.emit);
  auto bytes = makeArtefact(*definition, variant, artefact, &session.sources);
  if (!bytes)
    session.diagnostics.report(Diag::CompilerError, definition->span, definition->name, bytes.error());
  else
    writeArtefact(options, *definition, suffix, *bytes, session);
#else
  session.diagnostics.report(Diag::CompilerError, definition->span, definition->name,
                             "this build of attnc has no compiler");
#endif
  return session.finish();
}

} // namespace attnc
