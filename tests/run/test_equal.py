"""`attnc equal` and `attnc fmt`: which programs are one diagram, and that text survives its printing."""
import re
import unittest

import support
from support import EXAMPLES, Case

SDPA = EXAMPLES / "02_sdpa.attn"


class Equal(Case):
    def test_both_notations_are_one_diagram(self):
        self.attnc("equal", SDPA, EXAMPLES / "20_pointfree.attn")

    def test_names_do_not_matter(self):
        other = self.write("other.attn", "diagram mine(a: [r s], b: [t s], c: [t u]) -> [r u] {\n"
                           "  simd r (x = a) {\n    w = softmax(simd t (y = b) { dot(x, y) / sqrt(s) })\n"
                           "    sum t (c, w) { w * c }\n  }\n}\n")
        self.attnc("equal", SDPA, other)

    def test_the_first_difference_is_told(self):
        other = self.write("other.attn", SDPA.read_text().replace("sqrt(d)", "sqrt(e)"))
        result = self.attnc("equal", SDPA, other, code=1)
        self.assertTrue(result.stdout + result.stderr)

    def test_two_functions_that_agree_are_not_one_diagram(self):
        file = EXAMPLES / "11_linear_attention.attn"
        self.attnc("equal", f"{file}:linear_attention", f"{file}:linear_attention_quadratic", code=1)
        self.attnc("equal", f"{file}:linear_attention", f"{file}:linear_attention")


class Fmt(Case):
    def test_examples_are_formatted(self):
        for path in sorted(EXAMPLES.glob("*.attn")):
            with self.subTest(path.name):
                self.assertEqual(self.attnc("fmt", "-", stdin=path.read_text()).stdout, path.read_text())
        self.attnc("fmt", "--check", *sorted(EXAMPLES.glob("*.attn")))

    def test_formatting_in_place(self):
        untidy = self.write("x.attn", "// kept\ndiagram   f( x:[n] )->[n]{exp( x )} // and this\n")
        self.attnc("fmt", "--check", untidy, code=1)
        self.attnc("fmt", untidy)
        once = untidy.read_text()
        self.assertIn("// kept", once)
        self.assertIn("// and this", once)
        self.attnc("fmt", "--check", untidy)
        self.attnc("fmt", untidy)
        self.assertEqual(untidy.read_text(), once)

    def test_a_file_with_errors_is_left_alone(self):
        broken = self.write("x.attn", "diagram f(x: [n] -> [n] { exp(x) }\n")
        self.attnc("fmt", broken, code=1)
        self.assertEqual(broken.read_text(), "diagram f(x: [n] -> [n] { exp(x) }\n")

    def test_both_notations_read_back_to_the_same_diagrams(self):
        for path in sorted(EXAMPLES.glob("*.attn")):
            for notation in ("--pointfree", "--named"):
                with self.subTest(f"{path.name} {notation}"):
                    for other in EXAMPLES.glob("*.attn"):  # beside it, for the imports
                        self.write(other.name, other.read_text())
                    text = self.attnc("fmt", notation, "-", stdin=path.read_text()).stdout
                    copy = self.write(f"copy_{path.name}", text)
                    self.attnc("check", copy)
                    for name in definitions(path):
                        self.attnc("equal", f"{path}:{name}", f"{copy}:{name}")


def definitions(path):
    return re.findall(r"^(?:diagram )?(\w+)(?:\(| =| :)", path.read_text(), re.M)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
