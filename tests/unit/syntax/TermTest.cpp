#include "Syntax.h"

TEST_CASE("composition and product") {
  CHECK(term("f ; g @ h ; k") == "(seq f (beside g h) k)");
  CHECK(term("(f ; g) @ h") == "(beside (seq f g) h)");
  CHECK(term("((f ; g) ; (h)) ; k") == "(seq f g h k)");
  CHECK(term("f ⊗ (g @ h)") == "(beside f g h)");
}

TEST_CASE("atoms") {
  CHECK(term("id[m e]") == "(atom id (type (real m e)))");
  CHECK(term("id int[m] ; del bool[]") == "(seq (atom id (type (int m))) (atom del (type (bool))))");
  CHECK(term("scale(1 / sqrt(d)) ; topk(k = 4)") == "(seq (atom scale (div 1 (call sqrt d))) (atom topk (= k 4)))");
  CHECK(term("sum ; max(axes = 2) @ and ; where ; not @ int") ==
        "(seq sum (beside (atom max (= axes 2)) and) where (beside not int))");
  CHECK(term("0.5 @ -2 @ -inf @ true @ size(n)") ==
        "(beside (state 0.5) (state (neg 2)) (state (neg inf)) (state true) (atom size n))");
}

TEST_CASE("boxes in terms") {
  CHECK(term("simd n (map, share) { f }") == "(box simd n (modes map share) f)");
  CHECK(term("sum 2*n as i (map) { f ; g }") == "(box sum (mul 2 n) (as i) (modes map) (seq f g))");
  CHECK(term("max (n + m) { f }") == "(box max (add n m) f)");
  CHECK(term("scan n as i (map, share) from [d e], int[] { f } ; g") ==
        "(seq (scan n (as i) (modes map share) (from (real d e) (int)) f) g)");
}

TEST_CASE("a fold at the end of a line is an atom") {
  CHECK(
      definitions("diagram f : [n] -> [] = sum\nm = f with (a = b)").find("(from (real n)) sum)\n(diagram m with f") !=
      std::string::npos);
}

TEST_CASE("point-free headers") {
  CHECK(
      definitions(
          "diagram f : [n] @ [m] -> (y: [n]) with (c: [n] -> [n]) where n == m linear W : [n] -> [m] box b = g = W") ==
      "(diagram f (boxes (hole c (from (real n)) (to (real n)))) (results (: y (real n))) (where (== n m)) "
      "(from (real n) (real m)) (linear W (from (real n)) (to (real m))) (instance b g) W)");
  CHECK(definitions("diagram f : -> [n] = c") == "(diagram f (results (real n)) c)");
}
