#include "attnc/theory/Type.h"

#include <catch2/catch.hpp>

using namespace attnc;

TEST_CASE("types print as the language writes them", "[type]") {
  Size n = Size::variable("n"), d = Size::variable("d");
  CHECK(Type{}.str() == "[]");
  CHECK(Type{Kind::Int, {n, 4}}.str() == "int[n 4]");
  CHECK(Type{Kind::Real, {n * 2 + d, d}}.str() == "[d+2*n d]"); // a blank parts two axes
  CHECK(Type{Kind::Bool, {n - 1}}.str() == "bool[n-1]");
  CHECK(str(std::vector<Type>{}) == "nothing");
  CHECK(str({Type{}, Type{Kind::Int, {n}}}) == "[] @ int[n]");
}

TEST_CASE("a tube puts its axis outside, a slice takes it off", "[type]") {
  Size n = Size::variable("n"), d = Size::variable("d");
  Type row{Kind::Real, {d}};
  CHECK(row.over(n) == Type{Kind::Real, {n, d}});
  CHECK(row.over(n).slice() == row);
  CHECK(row.over(n).rank() == 2);
  CHECK(row.substitute({{"d", n * 2}}) == Type{Kind::Real, {n * 2}});
  CHECK(row != Type{Kind::Int, {d}});
}
