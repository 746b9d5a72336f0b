#include "attnc/theory/Type.h"

namespace attnc {

std::string_view name(Kind kind) {
  switch (kind) {
  case Kind::Real:
    return "real";
  case Kind::Int:
    return "int";
  case Kind::Bool:
    return "bool";
  }
  return "";
}

Type Type::over(const Size &size) const {
  Type result{kind, {size}};
  result.axes.insert(result.axes.end(), axes.begin(), axes.end());
  return result;
}

Type Type::slice() const { return {kind, {axes.begin() + 1, axes.end()}}; }

Type Type::substitute(const Size::Bindings &bindings) const {
  Type result{kind, {}};
  for (const Size &axis : axes)
    result.axes.push_back(axis.substitute(bindings));
  return result;
}

std::string Type::str() const {
  std::string text = kind == Kind::Real ? "[" : std::string(name(kind)) + "[";
  for (std::size_t i = 0; i < axes.size(); ++i) {
    std::string axis = axes[i].str();
    for (std::size_t at; (at = axis.find(' ')) != std::string::npos;) // blanks part axes, so none within
      axis.erase(at, 1);
    text += (i ? " " : "") + axis;
  }
  return text + "]";
}

std::string str(const std::vector<Type> &types) {
  if (types.empty())
    return "nothing";
  std::string text;
  for (std::size_t i = 0; i < types.size(); ++i)
    text += (i ? " @ " : "") + types[i].str();
  return text;
}

} // namespace attnc
