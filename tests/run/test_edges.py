"""Numbers at the edge: masked rows, infinite and huge logits, NaN, other dtypes and layouts of arrays."""
import unittest

import numpy as np

import support
from support import EXAMPLES, Case, HAS_COMPILER, reference

RUNS = [("eval", [], 1e-10)]
if HAS_COMPILER:
    RUNS += [("run", ["--dtype", "f32", "--check"], 1e-5), ("run", ["--dtype", "f64", "--check"], 1e-12)]


class Edges(Case):
    def agree(self, file, diagram, name, arrays, parameters=None):
        expected = reference(name)(arrays, parameters)
        for command, options, tolerance in RUNS:
            with self.subTest(f"{diagram}: {command} {' '.join(options)}"):
                actual = self.result(command, EXAMPLES / file, diagram, arrays, parameters, options)
                self.assertNear(actual[0], expected[0], tolerance)

    def test_masked_rows_give_zero(self):
        s = np.array([[-np.inf] * 3, [0, -np.inf, 1], [2, 2, 2]])
        self.agree("01_softmax.attn", "softmax_rows", "dot_product.softmax_rows", {"s": s})

    def test_a_mask_that_drops_every_key_gives_zero(self):
        rng = np.random.default_rng(1)
        arrays = {name: rng.standard_normal((4, 3)) for name in "qkv"} | {"keep": np.zeros(4, bool)}
        arrays = {name: a.astype(np.float32).astype(float) if a.dtype == float else a for name, a in arrays.items()}
        self.agree("04_batch.attn", "masked_sdpa", "dot_product.masked_sdpa", arrays)

    def test_huge_logits(self):
        # Small integers at d = 4: every score is exact in float32, and no exponential of one would be finite.
        rng = np.random.default_rng(2)
        q, k = (rng.integers(-20, 20, (7, 4)).astype(float) for _ in range(2))
        v = rng.integers(-9, 9, (7, 3)).astype(float)
        self.agree("02_sdpa.attn", "sdpa", "dot_product.sdpa", {"q": q, "k": k, "v": v})

    def test_huge_rows(self):
        s = np.array([[1e30, 0, -1e30], [-1e30, -1e30, -2e30], [88.0, 89.0, -100.0]], np.float32).astype(float)
        self.agree("01_softmax.attn", "softmax_rows", "dot_product.softmax_rows", {"s": s})

    def test_a_long_row(self):
        s = np.random.default_rng(3).standard_normal((2, 10007)).astype(np.float32).astype(float)
        self.agree("01_softmax.attn", "softmax_rows", "dot_product.softmax_rows", {"s": s})

    def test_nan_stays_in_its_row(self):
        s = np.array([[0.0, np.nan, 1.0], [0.0, 1.0, 2.0]])
        for command, options, _ in RUNS:
            options = [option for option in options if option != "--check"]
            (y,) = self.result(command, EXAMPLES / "01_softmax.attn", "softmax_rows", {"s": s}, options=options)
            self.assertTrue(np.isnan(y[0]).any())
            self.assertNear(y[1], np.exp(s[1] - 2) / np.exp(s[1] - 2).sum(), 1e-6)

    def test_published_two_simplicial_numbers(self):
        arrays = {
            "q": [[1, 0], [0, 1], [1, 1]], "k1": [[1, 1], [0, 1], [1, 0]], "k2": [[1, 0], [1, 1], [0, 1]],
            "v1": [[1, 2], [3, 4], [5, 6]], "v2": [[1, 1], [0, 1], [2, -1]]}
        arrays = {name: np.array(a, float) for name, a in arrays.items()} | {"w1": np.array(3), "w2": np.array(3)}
        golden = np.array([[1, 2], [0.6604769, 3], [2.26418034, 1.67180726]])
        for command, options, _ in RUNS:
            (y,) = self.result(command, EXAMPLES / "19_two_simplicial.attn", "two_simplicial_window", arrays,
                               options=options)
            self.assertNear(y, golden, 1e-6)

    def test_scores_of_rotated_pairs_depend_on_distance(self):
        # Equal rows everywhere: after rotation each q·k is a function of i − j, so a shift changes nothing.
        q = np.tile(np.array([[0.3, -1.2, 0.7, 0.4]]), (6, 1))
        (x,) = self.result("eval", EXAMPLES / "13_rope.attn", "rope_halves", {"x": q})
        scores = x @ x.T
        for i in range(5):
            self.assertNear(scores[i + 1, 1:], scores[i, :-1], 1e-12)

    def test_dtypes_and_layouts(self):
        s = np.arange(12).reshape(3, 4)
        want = reference("dot_product.softmax_rows")({"s": s.astype(float)}, {})[0]
        variants = [s.astype(t) for t in ("f2", "f4", "f8", ">f4", ">f8", "i1", "i2", "i4", "i8", "u1", ">i4")]
        variants += [np.asfortranarray(s.astype("f8")), np.asfortranarray(s.astype("f4"))]
        for array in variants:
            with self.subTest(f"{array.dtype} {'F' if array.flags.f_contiguous else 'C'}"):
                (y,) = self.result("eval", EXAMPLES / "01_softmax.attn", "softmax_rows", {"s": array})
                self.assertNear(y, want, 1e-10)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
