#include "Syntax.h"
#include "attnc/syntax/Operators.h"

using namespace attnc;

TEST_CASE("precedence and associativity") {
  CHECK(expression("a + b * c") == "(add a (mul b c))");
  CHECK(expression("a - b - c") == "(sub (sub a b) c)");
  CHECK(expression("a / b * c % d") == "(mod (mul (div a b) c) d)");
  CHECK(expression("a ^ b ^ c") == "(pow a (pow b c))");
  CHECK(expression("-a ^ b") == "(neg (pow a b))");
  CHECK(expression("a ^ -b ^ c * d") == "(mul (pow a (neg (pow b c))) d)");
  CHECK(expression("-a * b") == "(mul (neg a) b)");
  CHECK(expression("- - a - -b") == "(sub (neg (neg a)) (neg b))");
  CHECK(expression("not a and b or c") == "(or (and (not a) b) c)");
  CHECK(expression("not a == b + 1") == "(not (equal a (add b 1)))");
  CHECK(expression("a or b and not c < d") == "(or a (and b (not (less c d))))");
  CHECK(expression("(a + b) * (c)") == "(mul (add a b) c)");
  CHECK(expression("a <= b and c >= d or e != f and g > h") ==
        "(or (and (less_equal a b) (greater_equal c d)) (and (not_equal e f) (greater g h)))");
}

TEST_CASE("the tree's operators are those of the table, in its order") {
  unsigned count = 0;
#define ATTNC_BINARY(OP, TOKEN, LEVEL, ASSOCIATIVITY)                                                                  \
  CHECK(unsigned(ast::Binary::Op::OP) == count++);                                                                     \
  CHECK(describe(ast::Binary::Op::OP).token == TokenKind::TOKEN);                                                      \
  CHECK(describe(ast::Binary::Op::OP).level == (LEVEL));
#define ATTNC_PREFIX(OP, TOKEN, LEVEL) CHECK(describe(ast::Unary::Op::OP).level == (LEVEL));
#include "grammar/operators.def"
  CHECK(count == unsigned(ast::Binary::Op::Pow) + 1);
}

TEST_CASE("literals and names") {
  CHECK(expression("2") == "2");
  CHECK(expression("9223372036854775807") == "9223372036854775807");
  CHECK(expression("0.50 + 1e-6") == "(add 0.50 1e-6)");
  CHECK(expression("(true, false, inf, x'')") == "(tuple true false inf x'')");
}

TEST_CASE("calls, indices and tuples") {
  CHECK(expression("f()") == "(call f)");
  CHECK(expression("f (a, g(b), k = 16, axes = 1 + 1)") == "(call f a (call g b) (= k 16) (= axes (add 1 1)))");
  CHECK(expression("f(k = 1)") == "(call f (= k 1))");
  CHECK(expression("x[i, j][k] + f(x)[0]") == "(add (index (index x i j) k) (index (call f x) 0))");
  CHECK(expression("(a, (b, c), (d))") == "(tuple a (tuple b c) d)");
  CHECK(expression("where(c, a, b) + int(x) + real(i) + box(x)") ==
        "(add (add (add (call where c a b) (call int x)) (call real i)) (call box x))");
}

TEST_CASE("a fold is a call without a blank and a box with a size") {
  CHECK(expression("sum(x) + max(y)") == "(add (call sum x) (call max y))");
  CHECK(expression("sum m (x) { x }") == "(box sum m (wires x) (block x))");
  CHECK(expression("any (n + m)*2 as i { i }") == "(box any (mul (add n m) 2) (as i) (block i))");
  CHECK(expression("prod 3 { x }") == "(box prod 3 (block x))");
}

TEST_CASE("boxes and scans") {
  CHECK(expression("simd n (q) { q }") == "(box simd n (wires q) (block q))");
  CHECK(expression("simd n() { q }") == "(box simd n (block q))");
  CHECK(expression("simd n + m as i (a = f(x), b) { a }") ==
        "(box simd (add n m) (as i) (wires (= a (call f x)) b) (block a))");
  CHECK(expression("simd (n + m) (x) {x}[2] * 3") == "(mul (index (box simd (add n m) (wires x) (block x)) 2) 3)");
  CHECK(expression("simd 2*n-1 { x }") == "(box simd (sub (mul 2 n) 1) (block x))");
  CHECK(expression("scan n as i (q) from S: [d e] = 0, z: int[] = f (x) { a = S\n (a, z, q) }") ==
        "(scan n (as i) (wires q) (state S (real d e) 0) (state z (int) (call f x)) (block (bind (to a) S) (tuple a z "
        "q)))");
}

TEST_CASE("statements end where the next begins") {
  CHECK(expression("simd 1 { a = f\n(b, c) = g\n(b, c) }") ==
        "(box simd 1 (block (bind (to a) f) (bind (to b c) g) (tuple b c)))");
  CHECK(expression("simd 1 { a: [n] = x b = a + \n 1 (c: int[], d) = (a, b) c }") ==
        "(box simd 1 (block (bind (to (: a (real n))) x) (bind (to b) (add a 1)) (bind (to (: c (int)) d) (tuple a b)) "
        "c))");
}
