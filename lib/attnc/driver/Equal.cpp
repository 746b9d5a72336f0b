#include "attnc/driver/Commands.h"
#include "attnc/driver/Theories.h"

#include "attnc/diagram/Equal.h"

#include <nlohmann/json.hpp>
#include <ostream>

namespace attnc {

int equal(const EqualOptions &options, Console console) {
  Session session(console);
  auto [leftFile, leftName] = splitReference(options.left);
  auto [rightFile, rightName] = splitReference(options.right);
  auto left = session.definition(leftFile, leftName);
  auto right = session.definition(rightFile, rightName);
  if (!left || !right)
    return session.finish();
  auto difference = firstDifference(*left, *right, {.renameSizes = true});
  if (console.json) {
    nlohmann::json out = {{"equal", !difference}};
    auto place = [&](Span span) -> nlohmann::json {
      if (!span.valid())
        return nullptr;
      Location location = session.sources.locate(span.file, span.begin);
      return {{"file", session.sources.name(span.file)}, {"line", location.line}, {"column", location.column}};
    };
    if (difference)
      out["difference"] = {
          {"message", difference->message}, {"left", place(difference->left)}, {"right", place(difference->right)}};
    console.out << out.dump(2) << "\n";
  } else if (!difference) {
    console.out << fmt::format("{} and {} are the same morphism\n", options.left, options.right);
  } else {
    session.diagnostics.report(Diag::NotEqual, difference->left, options.left, options.right, difference->message)
        .note(difference->right, "there");
  }
  int code = session.finish();
  return difference ? Failure : code;
}

} // namespace attnc
