"""The greatest scores of a row: ties, NaN, infinities, masks, more asked for than there are, parts of keys, threads."""
import ctypes
import unittest

import numpy as np

from support import Case, needs_compiler

ROWS = """diagram best(x: [n m]) -> (values: [n c], keys: int[n c]) where c >= 0 {
  simd n (x) { topk(x, k = c) }
}
"""
SCORES = """diagram best(q: [n d], k: [m d], b: [m]) -> (values: [n c], keys: int[n c]) where c >= 0 {
  simd n as i (q) { topk(simd m as j (k, b) { where(CONDITION, dot(q, k) + b, -inf) }, k = c) }
}
"""
BATCH = """diagram best(q: [h n d], k: [m g d]) -> (values: [h n], keys: int[h n]) {
  simd h as u (q) {
    simd n as i (q) {
      x = simd m as j (k) { where(j <= i, dot(q, k[floordiv(u * g, h)]), -inf) }
      (max(x), argmax(x))
    }
  }
}
"""


def best(scores, count):
    """NaN, then greater, then the lower key; -inf at -1 where there is none."""
    scores = np.asarray(scores, float)
    n, m = scores.shape
    values, keys = np.full((n, count), -np.inf), np.full((n, count), -1)
    for row, out, at in zip(scores, values, keys):
        order = sorted(range(m), key=lambda j: (not np.isnan(row[j]), 0 if np.isnan(row[j]) else -row[j], j))[:count]
        out[:len(order)], at[:len(order)] = row[order], order
    return values, keys


@needs_compiler
class TopK(Case):
    def same(self, got, want, what):
        for g, w in zip(got, want):
            self.assertTrue(np.array_equal(np.asarray(g, float), np.asarray(w, float), equal_nan=True), f"{what}\n{g}\n{w}")

    def run_best(self, program, inputs, *options):
        return self.result("run", program, "best", inputs, options=options, results=("values", "keys"))

    def test_rows(self):
        program = self.write("b.attn", ROWS)
        rng = np.random.default_rng(1)
        for n, m, c in ((1, 1, 1), (3, 7, 3), (2, 40, 40), (5, 33, 50), (4, 300, 17), (3, 300, 130), (2, 5000, 64), (1, 70000, 300),
                        (3, 0, 4), (0, 5, 2), (3, 9, 0), (2, 2000, 1), (60, 1024, 128)):
            for kind in ("normal", "ties", "special", "rising", "equal"):
                x = rng.standard_normal((n, m))
                if kind == "ties":
                    x = np.round(x)
                elif kind == "special" and m:
                    x[rng.random((n, m)) < 0.6] = -np.inf
                    x[rng.random((n, m)) < 0.1] = np.nan
                    x[rng.random((n, m)) < 0.1] = np.inf
                    x[rng.random((n, m)) < 0.1] = -0.0
                    x[rng.random((n, m)) < 0.1] = 0.0
                elif kind == "rising":
                    x = np.sort(x, 1)
                elif kind == "equal":
                    x[:] = -np.inf
                x = x.astype(np.float32)
                with self.subTest(f"{kind} n={n} m={m} c={c}"):
                    self.same(self.run_best(program, {"x": x}, "--size", f"c={c}"), best(x, c), kind)

    def test_scores_are_streamed(self):
        """Numbers that are exact, so that ties are ties: keys that a mask hides come in, in order, where others are few."""
        rng = np.random.default_rng(2)
        for condition in ("true", "j <= i", "i - j < 20 and j <= i", "j >= n", "j == i"):
            program = self.write("s.attn", SCORES.replace("CONDITION", condition))
            told = self.attnc("compile", "--explain", program).stdout.splitlines()
            self.assertEqual([line.partition(": ")[2].split(" over")[0] for line in told], ["streamed: topk"], told)
            for n, m, d, c in ((1, 1, 1, 1), (50, 70, 5, 12), (3, 5000, 9, 40), (9, 30, 17, 64), (4, 0, 3, 2), (70, 300, 16, 130)):
                q, k, b = (rng.integers(-3, 4, shape).astype(np.float32) for shape in ((n, d), (m, d), (m,)))
                i, j = np.arange(n)[:, None], np.arange(m)
                seen = eval(condition.replace("and", "&").replace("true", "j >= 0").replace("i - j < 20 &", "(i - j < 20) &").replace("& j <= i", "& (j <= i)"))
                scores = np.where(seen, q.astype(float) @ k.T + b, -np.inf)
                with self.subTest(f"{condition} n={n} m={m} d={d} c={c}"):
                    self.same(self.run_best(program, {"q": q, "k": k, "b": b}, "--size", f"c={c}"), best(scores, c), condition)
        for target in ("x86-64", "x86-64-v3"):
            with self.subTest(target):
                self.same(self.run_best(program, {"q": q, "k": k, "b": b}, "--size", f"c={c}", "--target", target),
                          best(scores, c), target)

    def test_heads_that_share_keys(self):
        program = self.write("h.attn", BATCH)
        for h, n, m, g, d in ((1, 1, 1, 1, 1), (4, 9, 40, 2, 5), (3, 70, 300, 1, 17), (2, 3, 0, 2, 4)):
            with self.subTest(f"h={h} n={n} m={m} g={g} d={d}"):
                self.attnc("run", program, "--in", "q=random:1", "k=random:2", "--check", "--size", f"h={h}", f"n={n}", f"m={m}",
                           f"g={g}", f"d={d}")

    def test_lengths_as_arguments_and_threads(self):
        library = self.folder / "best.so"
        self.attnc("compile", self.write("b.attn", ROWS), "--emit=so", "-o", library)
        kernel, threads = ctypes.CDLL(str(library)).attnc_best, ctypes.CDLL("libomp.so.5")
        rng = np.random.default_rng(3)
        for n, m, c in ((1, 3, 2), (3, 40000, 100), (301, 2500, 33), (5, 100, 64), (5, 100, 65), (2, 0, 3), (2, 8, 0)):
            x = np.round(rng.standard_normal((n, m)) * 100).astype(np.float32)
            want = best(x, c)
            for number in (1, 2, 3):
                threads.omp_set_num_threads(number)
                values, keys = np.full((n, c), np.nan, np.float32), np.full((n, c), -7, np.int64)
                arrays = [a.ctypes.data_as(ctypes.c_void_p) for a in (x, values, keys)]
                self.assertEqual(kernel(*arrays, *(ctypes.c_int64(size) for size in (n, m, c))), 0)
                self.same((values, keys), want, f"n={n} m={m} c={c} threads={number}")


if __name__ == "__main__":
    unittest.main()
