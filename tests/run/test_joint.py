"""Streams over pairs of keys: a softmax over two axes at once, whole and in windows that slide with the queries."""
import ctypes
import unittest

import numpy as np

import support
from support import TAXONOMY, Case, needs_compiler


WHOLE, WINDOWED = TAXONOMY / "two_simplicial.attn", TAXONOMY / "two_simplicial_windowed.attn"
NAMES = ("q", "k1", "k2", "v1", "v2")
INPUTS = [f"{name}=random:{seed}" for seed, name in enumerate(NAMES, 1)]


def pairs(arrays, score=lambda s, i: s, sink=None):
    """Σ_jk softmax(score(s, i))_jk v1_j ∘ v2_k in float64; the sink is dropped."""
    q, k1, k2, v1, v2 = (a.astype(float) for a in arrays)
    out = np.zeros((len(q), v1.shape[1]))
    for i in range(len(q)):
        s = score(np.einsum("d,jd,kd->jk", q[i], k1, k2) / np.sqrt(q.shape[1]), i)
        greatest = np.max(s, initial=-np.inf if sink is None else sink)
        weights = np.exp(s - (greatest if np.isfinite(greatest) else 0))
        total = weights.sum() + (0 if sink is None else np.exp(sink - greatest))
        if total:
            out[i] = np.einsum("jk,je,ke->e", weights / total, v1, v2)
    return out


def windows(w1, w2):
    """Scores of which only those in windows that end at the query are seen."""
    def seen(s, i):
        j, k = np.arange(s.shape[0])[:, None], np.arange(s.shape[1])
        return np.where((i - w1 < j) & (j <= i) & (i - w2 < k) & (k <= i), s, -np.inf)
    return seen


def random(n, m, p, d, e, scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return [(scale * rng.standard_normal(shape)).astype(np.float32) for shape in ((n, d), (m, d), (p, d))] + \
        [rng.standard_normal(shape).astype(np.float32) for shape in ((m, e), (p, e))]


@needs_compiler
class Pairs(Case):
    def check(self, program, *sizes, options=()):
        self.attnc("run", program, "--in", *INPUTS, "--check", *options, "--size", *sizes)

    def streamed(self, program, *options):
        told = self.attnc("compile", "--explain", program, *options).stdout
        self.assertIn("pairs of keys for each query", told)
        self.assertNotIn("not streamed", told)
        return told

    def test_sizes_around_tiles(self):
        self.streamed(WHOLE)
        for n, m, p, d, e in ((1, 1, 1, 1, 1), (2, 7, 16, 3, 5), (3, 9, 17, 16, 17), (2, 127, 33, 15, 1), (2, 128, 48, 17, 16),
                              (3, 129, 49, 8, 33), (2, 40, 100, 5, 9), (1, 300, 31, 64, 64), (5, 3, 2, 2, 70), (0, 3, 2, 2, 2),
                              (3, 0, 2, 2, 2), (3, 2, 0, 2, 2), (3, 2, 4, 0, 2), (3, 2, 4, 2, 0)):
            sizes = (f"n={n}", f"m={m}", f"p={p}", f"d={d}", f"e={e}")
            with self.subTest(" ".join(sizes)):
                self.check(WHOLE, *sizes)

    def test_windows(self):
        """Of one key, of none, longer than the tokens, and with their last block anywhere."""
        self.streamed(WINDOWED)
        for n, w1, w2, d, e in ((1, 1, 1, 1, 1), (20, 5, 3, 4, 6), (33, 1, 20, 7, 3), (30, 20, 1, 7, 3), (9, 40, 33, 5, 16),
                                (70, 50, 16, 16, 17), (150, 140, 32, 8, 8), (40, 64, 50, 3, 5), (1, 16, 9, 2, 2), (0, 4, 4, 2, 2),
                                (5, 0, 4, 2, 2), (5, 4, 0, 2, 2)):
            sizes = (f"n={n}", f"w1={w1}", f"w2={w2}", f"d={d}", f"e={e}")
            with self.subTest(" ".join(sizes)):
                self.check(WINDOWED, *sizes)

    def test_sizes_as_arguments(self):
        """One kernel for all sizes, and the same bits for any number of threads."""
        library = self.folder / "pairs.so"
        self.attnc("compile", WINDOWED, "--emit=so", "-o", library)
        kernel = ctypes.CDLL(str(library)).attnc_two_simplicial_windowed
        threads = ctypes.CDLL("libomp.so.5")
        for n, w1, w2, d, e in ((5, 3, 2, 3, 4), (50, 40, 20, 16, 16), (130, 100, 47, 24, 40), (64, 200, 49, 9, 5)):
            arrays = random(n, n, n, d, e)
            results = []
            for number in (1, 2, 3):
                threads.omp_set_num_threads(number)
                out = np.full((n, e), np.nan, np.float32)
                given = [a.ctypes.data_as(ctypes.c_void_p) for a in (*arrays, out)]
                self.assertEqual(kernel(*given, *(ctypes.c_int64(size) for size in (n, d, e, w1, w2))), 0)
                results.append(out)
            with self.subTest(f"n={n} w1={w1} w2={w2}"):
                self.assertNear(results[0], pairs(arrays, windows(w1, w2)), 1e-5)
                self.assertTrue((results[0] == results[1]).all() and (results[0] == results[2]).all())

    def test_masks(self):
        """Conditions on either key or on both, a bias, a sink, a factor, and rows where nothing is seen."""
        program = self.write("m.attn", """diagram m(q: [n d], k1: [m d], k2: [p d], v1: [m e], v2: [p e], b: [m p]) -> [n e] {
  simd n as i (q) {
    s = simd m as j (k1, b) {
      simd p as k (k2, b) {
        where(i > 2 and j + k < 4 * i and k != i and j >= i - 30, sum(q * k1 * k2) / sqrt(d) + b, -inf)
      }
    }
    sum m (a = softmax(s, sink = 0.5, axes = 2), v1) { sum p (a, v2) { a * v1 * v2 } }
  }
}
""")
        self.streamed(program)
        for n, m, p in ((5, 40, 20), (20, 70, 50), (12, 1, 1), (4, 33, 7)):
            arrays, bias = random(n, m, p, 6, 7), np.random.default_rng(1).standard_normal((m, p)).astype(np.float32)
            j, k = np.arange(m)[:, None], np.arange(p)

            def score(s, i):
                return np.where((i > 2) & (j + k < 4 * i) & (k != i) & (j >= i - 30), s + bias, -np.inf)

            with self.subTest(f"n={n} m={m} p={p}"):
                (got,) = self.result("run", program, "m", {**dict(zip(NAMES, arrays)), "b": bias})
                self.assertNear(got, pairs(arrays, score, sink=0.5), 1e-5)
                self.assertTrue((got[:3] == 0).all())

    def test_large_and_missing_numbers(self):
        arrays = random(9, 60, 40, 16, 8, scale=30)
        (got,) = self.result("run", WHOLE, "two_simplicial", dict(zip(NAMES, arrays)))
        self.assertNear(got, pairs(arrays), 1e-4)  # of scores in the thousands
        arrays = random(9, 60, 40, 16, 8)
        want = pairs(arrays)
        arrays[0][4, 3] = np.nan
        (got,) = self.result("run", WHOLE, "two_simplicial", dict(zip(NAMES, arrays)))
        self.assertTrue(np.isnan(got[4]).all())
        self.assertNear(np.delete(got, 4, 0), np.delete(want, 4, 0), 1e-5)
        arrays = random(30, 30, 30, 6, 5)
        want = pairs(arrays, windows(7, 4))
        for array in arrays[1:]:
            array[20] = np.nan  # is seen by queries 20 to 26
        (got,) = self.result("run", WINDOWED, "two_simplicial_windowed", dict(zip(NAMES, arrays)),
                             options=("--size", "w1=7", "w2=4"))
        unseen = [i for i in range(30) if not 20 <= i < 27]
        self.assertNear(got[unseen], want[unseen], 1e-5)
        self.assertTrue(np.isnan(got[20:24]).all())

    def test_windows_without_a_mask(self):
        """What a window meets outside the array is 0, and has a weight."""
        for first, second in ((-5, 0), (-40, -9), (3, 30), (-(10**9), 2), (10**9, -1)):
            program = self.write("w.attn", f"""diagram w(q: [n d], k1: [m d], k2: [p d], v1: [m e], v2: [p e]) -> [n e]
    where a >= 0, b >= 0 {{
  simd n as i (q) {{
    s = simd a (x = slice(k1, i + {first}, len = a)) {{ simd b (y = slice(k2, i + {second}, len = b)) {{ sum(q * x * y) }} }}
    sum a (w = softmax(s, axes = 2), x = slice(v1, i + {first}, len = a)) {{
      sum b (w, y = slice(v2, i + {second}, len = b)) {{ w * x * y }}
    }}
  }}
}}
""")
            self.streamed(program)
            for n, m, p, a, b in ((12, 9, 20, 30, 7), (3, 40, 2, 8, 60), (1, 1, 1, 1, 1), (7, 0, 3, 4, 4)):
                with self.subTest(f"{first} {second} n={n} m={m} p={p} a={a} b={b}"):
                    self.check(program, f"n={n}", f"m={m}", f"p={p}", f"a={a}", f"b={b}", "d=5", "e=3")

    def test_heads_and_types(self):
        shared = TAXONOMY / "two_simplicial_gqa.attn"
        self.streamed(shared)
        self.check(shared, "h=2", "g=3", "n=20", "d=5", "e=9", "w1=12", "w2=5")
        self.check(WINDOWED, "n=30", "d=8", "e=5", "w1=17", "w2=9", options=("--dtype", "bf16"))
        self.check(WINDOWED, "n=30", "d=8", "e=5", "w1=17", "w2=9", options=("--dtype", "f64"))
        for target in ("x86-64", "x86-64-v3"):
            with self.subTest(target):
                self.check(WINDOWED, "n=40", "d=9", "e=11", "w1=25", "w2=30", options=("--target", target))

    def test_memory_grows_as_the_lengths(self):
        # The scores of one query would take 256 MB.
        self.attnc("run", WHOLE, "--in", *INPUTS, "--size", "n=2", "m=8000", "p=8000", "d=4", "e=4", "--max-memory", "20MB",
                   "--threads", "1")

    def test_explain(self):
        told = self.streamed(WINDOWED, "--size", "n=1024", "w1=512", "w2=32", "d=64", "e=64")
        self.assertIn("streamed: softmax over 512 by 32 pairs of keys for each query", told)
        self.assertIn("4294.967 MFLOP", told)
        told = self.streamed(WHOLE, "--size", "n=8", "m=32", "p=500", "d=64", "e=64")
        self.assertIn("over 500 by 32 pairs of keys", told)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
