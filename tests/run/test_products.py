"""Products of matrices in blocks of registers: operands that lie in any way, sizes around those of blocks, what is done with
each element after, and threads."""
import unittest

import numpy as np

from support import Case, needs_compiler

# name: the program, axes of its inputs
PRODUCTS = {
    "plain": ("x: [n d], w: [d e]", "[n e]", "matmul(x, w)", "nd de"),
    "left turned": ("x: [d n], w: [d e]", "[n e]", "sum d (x, w) { outer(x, w) }", "dn de"),
    "right turned": ("x: [n d], w: [e d]", "[n e]", "simd n (x) { simd e (w) { dot(x, w) } }", "nd ed"),
    "heads": ("x: [n d], w: [h d e]", "[h n e]", "simd h (w) { matmul(x, w) }", "nd hde"),
    "heads inside": ("x: [n h d], w: [h d e]", "[n h e]", "simd n (x) { simd h (x, w) { dot(x, w) } }", "nhd hde"),
    "heads folded": ("x: [h n d], w: [h d e]", "[n e]", "sum h (x, w) { matmul(x, w) }", "hnd hde"),
    "activated": ("x: [n d], w: [d e], b: [e], r: [n e]", "[n e]",
                  "simd n (x, r) { y = dot(x, w) + b ; simd e (y, r) { where(y > 0, y, exp(y) - 1) * tanh(r) } }", "nd de e ne"),
    "divided": ("x: [n d], w: [d e], z: [n]", "[n e]", "simd n (x, z) { dot(x, w) / (abs(z) + 1) }", "nd de n"),
    "turned bias": ("x: [n d], w: [d e], b: [e n]", "[n e]",
                    "simd n as i (x) { y = dot(x, w) ; simd e (y, b) { y + b[i] } }", "nd de en"),
}
SIZES = ((1, 1, 1, 1), (8, 16, 16, 1), (7, 5, 9, 2), (65, 64, 48, 3), (66, 129, 65, 2), (130, 300, 17, 1), (9, 4, 100, 2),
         (0, 8, 8, 2), (8, 0, 8, 2), (8, 8, 0, 2), (8, 8, 8, 0))


def program(inputs, output, body):
    lines = "\n".join("  " + line.strip() for line in body.split(";")) if "{" not in body else "  " + body.replace(" ; ", "\n    ")
    return f"diagram f({inputs}) -> {output} {{\n{lines}\n}}\n"


@needs_compiler
class Products(Case):
    def arrays(self, inputs, axes, sizes, seed=1):
        rng = np.random.default_rng(seed)
        extents = dict(zip("ndeh", sizes))
        names = [part.split(":")[0].strip() for part in inputs.replace("]", "").split(", ")]
        return {name: rng.standard_normal([extents[a] for a in along]).astype(np.float32)
                for name, along in zip(names, axes.split())}

    def test_products(self):
        """Each of the forms at each of the sizes, with sizes fixed and as arguments, against the evaluator in float64."""
        for name, (inputs, output, body, axes) in PRODUCTS.items():
            file = self.write("f.attn", program(inputs, output, body))
            for sizes in SIZES:
                arrays = self.arrays(inputs, axes, sizes)
                for options in ((), ("--dynamic",)):
                    with self.subTest(f"{name} {sizes} {options}"):
                        self.attnc("run", file, *self.inputs(arrays), "--check", *options)

    def test_all_are_products(self):
        for name, (inputs, output, body, axes) in PRODUCTS.items():
            with self.subTest(name):
                file = self.write("f.attn", program(inputs, output, body))
                self.assertIn("attnc.product", self.attnc("compile", "--emit=linalg", "-o", "-", file).stdout)

    def test_threads(self):
        """Bit for bit the same."""
        inputs, output, body, axes = PRODUCTS["heads folded"]
        file = self.write("f.attn", program(inputs, output, body))
        arrays = self.arrays(inputs, axes, (200, 300, 90, 3))
        results = []
        for threads in ("1", "2"):
            self.attnc("run", file, *self.inputs(arrays), "--threads", threads, "--out", "y.npy")
            results.append((self.folder / "y.npy").read_bytes())
        self.assertEqual(*results)


if __name__ == "__main__":
    unittest.main()
