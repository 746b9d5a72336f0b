"""Streams: sizes around those of tiles, masks, huge and missing numbers, threads, memory, and what is told about them."""
import ctypes
import unittest

import numpy as np

import support
from support import EXAMPLES, Case, needs_compiler, reference

SDPA, CAUSAL = EXAMPLES / "02_sdpa.attn", EXAMPLES / "06_causal.attn"


@needs_compiler
class Streams(Case):
    def run_random(self, program, *sizes, options=()):
        """`run --check` on random arrays fails where the result is not that of the evaluator."""
        return self.attnc("run", program, "--in", "q=random:1", "k=random:2", "v=random:3", "--check", *options,
                          "--size", *sizes)

    def test_sizes_around_tiles(self):
        for n, m, d, e in ((1, 1, 1, 1), (1, 300, 64, 64), (15, 7, 3, 5), (16, 8, 8, 8), (17, 9, 16, 17), (33, 127, 15, 1),
                           (47, 128, 17, 16), (48, 129, 32, 31), (49, 5, 1, 33), (97, 257, 40, 24), (0, 3, 2, 2),
                           (3, 0, 2, 2), (3, 2, 0, 2), (3, 2, 2, 0), (1, 2049, 64, 64), (3, 5000, 17, 5), (70, 2100, 8, 9)):
            for program in (SDPA, CAUSAL):
                with self.subTest(f"{program.name} n={n} m={m} d={d} e={e}"):
                    self.run_random(program, f"n={n}", f"m={m}", f"d={d}", f"e={e}")

    def test_ranges_of_keys(self):
        """Where a comparison of indices leaves no weight, keys are not looked at; the rest of a tile is masked."""
        for condition in ("j <= i", "i - j < 20 and j <= i", "j < 37", "j + 5 >= i", "not (j < i)", "i + j <= m", "j > 2 * i",
                          "j == i", "j <= i + size0", "j >= n"):
            for weight in ("softmax", "sum"):
                score = "dot(q, k) / sqrt(d)"
                condition = condition.replace("size0", "(m - n)")
                masked = f"simd m as j (k) {{ where({condition}, {score}, {'-inf' if weight == 'softmax' else '0'}) }}"
                weights = f"softmax({masked})" if weight == "softmax" else masked
                program = self.write("f.attn", "diagram f(q: [n d], k: [m d], v: [m e]) -> [n e] {\n"
                                     f"  simd n as i (q) {{ sum m (a = {weights}, v) {{ a * v }} }}\n}}\n")
                sizes = ("n=50", "m=150") if weight == "softmax" else ("n=301", "m=140")
                with self.subTest(f"{weight} {condition}"):
                    self.run_random(program, *sizes, "d=4", "e=3")

    def test_numbers_that_are_compared(self):
        """Tiles of keys that no query of a tile sees are left out: sorted, mixed, and extreme numbers, in every comparison."""
        rng = np.random.default_rng(4)
        for condition in ("f == o", "o == f and j <= i", "f <= o", "o < f", "f + 1 >= o and j <= i + 20", "i > o", "f == j"):
            for weight in ("softmax", "sum"):
                masked = f"simd m as j (k, o) {{ where({condition}, dot(q, k), {'-inf' if weight == 'softmax' else '0'}) }}"
                weights = f"softmax({masked})" if weight == "softmax" else masked
                program = self.write("f.attn", "diagram f(q: [n d], k: [m d], v: [m e], f: int[n], o: int[m]) -> [n e] {\n"
                                     f"  simd n as i (q, f) {{ sum m (a = {weights}, v) {{ a * v }} }}\n}}\n")
                for n, m in ((1, 1), (0, 5), (5, 0), (130, 300), (301, 140)):
                    for kind in ("sorted", "mixed", "extreme"):
                        f, o = rng.integers(0, 9, n), rng.integers(0, 9, m)
                        if kind == "sorted":
                            f, o = np.sort(f), np.sort(o)
                        elif kind == "extreme":
                            f, o = (np.where(x > 6, 2**63 - 1, np.where(x < 2, -2**63, x)) for x in (f, o))
                            if "1" in condition:
                                continue
                        with self.subTest(f"{weight} {condition} n={n} m={m} {kind}"):
                            self.run_random(program, "d=4", "e=3",
                                            options=("--in", f"f={self.save('f.npy', f.astype(np.int64))}",
                                                     f"o={self.save('o.npy', o.astype(np.int64))}"))

    def test_hidden_tiles_are_not_read(self):
        """NaN in the values of another document does not show; nor do threads."""
        program = self.write("f.attn", "diagram f(q: [n d], k: [m d], v: [m e], f: int[n], o: int[m]) -> [n e] {\n"
                             "  simd n (q, f) { sum m (a = softmax(simd m (k, o) { where(f == o, dot(q, k), -inf) }), v) { a * v } }\n}\n")
        rng = np.random.default_rng(6)
        n = 1000
        q, k, v = (rng.standard_normal((n, 8)).astype(np.float32) for _ in range(3))
        document = np.arange(n) // 500
        v[600:] = np.nan
        (y,) = self.result("run", program, "f", {"q": q, "k": k, "v": v, "f": document, "o": document})
        weights = np.exp(q[:480].astype(float) @ k[:500].T.astype(float))
        self.assertNear(y[:480], weights / weights.sum(1, keepdims=True) @ v[:500], 1e-5)

    def test_biases(self):
        program = self.write("g.attn", support.GROUPS_AND_BIASES)
        for n, m in ((1, 1), (3, 0), (50, 149), (65, 16)):
            with self.subTest(f"n={n} m={m}"):
                self.run_random(program, "g=2", f"n={n}", f"m={m}", "d=4", "e=3",
                                options=("--in", "b=random:4"))

    def test_sinks(self):
        """A sink beside the keys, of each query or the same for all, with keys in parts and none at all."""
        program = self.write("k.attn", """diagram k(q: [n d], k: [m d], v: [m e], s: [n], t: []) -> (
  given: [n e],
  none: [n e]
) {
  (simd n (q, s) {
    a = softmax(simd m (k) { dot(q, k) }, sink = s)
    sum m (a, v) { a * v }
  }, simd n (q) {
    a = softmax(simd m (k) { dot(q, k) }, sink = t)
    sum m (a, v) { a * v }
  })
}
""")
        rng = np.random.default_rng(3)
        for n, m in ((1, 1), (3, 0), (50, 149), (2, 5000)):
            q, k, v = (rng.standard_normal(shape).astype(np.float32) for shape in ((n, 6), (m, 6), (m, 4)))
            s, t = (3 * rng.standard_normal(n)).astype(np.float32), np.float32(-np.inf)
            s[::2] = -np.inf
            with self.subTest(f"n={n} m={m}"):
                given, none = self.result("run", program, "k", {"q": q, "k": k, "v": v, "s": s, "t": t},
                                          results=("given", "none"))
                for got, sink in ((given, s.astype(float)), (none, np.full(n, -np.inf))):
                    scores = np.concatenate([q.astype(float) @ k.T, sink[:, None]], 1)
                    most = scores.max(1, keepdims=True)
                    weights = np.exp(scores - np.where(np.isinf(most), 0, most))[:, :-1]
                    total = weights.sum(1) + np.exp(sink - np.where(np.isinf(most), 0, most)[:, 0])
                    self.assertNear(got, weights @ v / np.where(total == 0, 1, total)[:, None], 1e-5)

    def test_normalisers(self):
        """Weights over something made of their sum are one fold; so is a sum of something else."""
        for weight, normal in (("w", "z"), ("w", "(z + 1)"), ("w", "maximum(z, sqrt(z))"), ("where(z == 0, 0.0, w", "z)"),
                               ("-w", "(z * g)")):
            for summed in ("w", "abs(w) + j / m"):
                program = self.write("n.attn", "diagram f(q: [n d], k: [m d], v: [m e], g: [n]) -> [n e] {\n"
                                     "  simd n (q, g) {\n"
                                     "    w = simd m as j (k) { where(j == 0, 1.0, relu(dot(q, k))) }\n"
                                     f"    z = sum m as j (w) {{ {summed} }}\n"
                                     f"    a = simd m (w) {{ {weight} / {normal} }}\n"
                                     "    sum m (a, v) { a * v }\n  }\n}\n")
                for n, m in ((1, 1), (50, 149), (2, 5000)):
                    with self.subTest(f"{weight} / {normal}, of {summed}, n={n} m={m}"):
                        self.run_random(program, f"n={n}", f"m={m}", "d=6", "e=4", options=("--in", "g=random:4"))
                told = self.attnc("compile", "--explain", program).stdout.splitlines()
                self.assertEqual([line.partition(": ")[2].split(" over")[0] for line in told], ["streamed: sum"], told)

    def test_rows(self):
        """Queries with keys of their own: lists of keys, some of none and some of no key at all, heads that share keys, one query
        alone; with sinks, normalisers and given scores; of every width."""
        lists = "l = simd w as o { floordiv(i * 7 + o * o * 3, 2) - 4 }\n"
        for body in ("s = simd w (l) { dot(q, k[l]) }\n    sum w (a = softmax(s), l) { a * v[l] }",
                     "s = simd w (l) { where(0 <= l and l < m, dot(q, k[l]), -inf) }\n    sum w (a = softmax(s, sink = 0.5), l) { a * v[l] }",
                     "s = simd w (l) { relu(dot(q, k[l])) }\n    z = sum w (s) { s }\n    sum w (s, l) { s / (z + 1) * v[l] }",
                     "s = simd w as o (l) { cos(real(o + i)) }\n    sum w (a = softmax(s), l) { a * v[l] }"):
            program = self.write("r.attn", "diagram r(q: [n d], k: [m d], v: [m e]) -> [n e] where w >= 0 {\n"
                                 f"  simd n as i (q) {{\n    {lists}    {body}\n  }}\n}}\n")
            told = self.attnc("compile", "--explain", program).stdout
            self.assertIn("keys for each query", told)
            for n, m, d, e, w in ((1, 1, 1, 1, 1), (5, 30, 7, 19, 40), (9, 70, 16, 64, 16), (3, 40, 33, 80, 130), (2, 8, 4, 3, 5000),
                                  (4, 0, 3, 2, 9), (4, 5, 3, 2, 0), (4, 5, 0, 2, 3), (0, 5, 3, 2, 3)):
                with self.subTest(f"{body} n={n} m={m} d={d} e={e} w={w}"):
                    self.run_random(program, f"n={n}", f"m={m}", f"d={d}", f"e={e}", f"w={w}")
        for target in ("x86-64", "x86-64-v3"):
            with self.subTest(target):
                self.run_random(program, "n=9", "m=70", "d=19", "e=37", "w=50", options=("--target", target))

    def test_one_query_and_heads_that_share_keys(self):
        program = self.write("o.attn", """diagram o(q: [h d], k: [m g d], v: [m g e], t: int[]) -> [h e] {
  simd h as u (q) {
    group = floordiv(u * g, h)
    s = simd m as j (k) { where(j <= t + 40, dot(q, k[group]) / sqrt(d), -inf) }
    sum m (a = softmax(s), v) { a * v[group] }
  }
}
""")
        for h, g, m, d, e in ((1, 1, 1, 1, 1), (8, 2, 300, 64, 64), (3, 2, 50, 17, 33), (4, 4, 5000, 8, 8), (4, 2, 0, 3, 3), (3, 0, 5, 2, 2)):
            with self.subTest(f"h={h} g={g} m={m} d={d} e={e}"):
                self.attnc("run", program, "--in", "q=random:1", "k=random:2", "v=random:3", "t=random:4", "--check", "--size",
                           f"h={h}", f"g={g}", f"m={m}", f"d={d}", f"e={e}")
        for n in (1, 2, 3):  # few queries of the usual form, and a matrix of keys that is turned
            self.run_random(SDPA, f"n={n}", "m=301", "d=20", "e=35")
        turned = self.write("t.attn", "diagram t(q: [n d], k: [d m], v: [m e]) -> [n e] {\n"
                            "  simd n (q) { dot(softmax(dot(q, k)), v) }\n}\n")
        self.run_random(turned, "n=2", "m=31", "d=5", "e=7")

    def test_a_softmax_over_two_axes_is_none_along_one(self):
        program = self.write("s.attn", """diagram s(p: [n d], l: [m d], k: [r d], v: [r e]) -> [n m e] {
  simd n (p) {
    a = softmax(simd m (l) { simd r (k) { dot(p, l) * dot(p, k) } }, axes = 2)
    simd m (a) { sum r (a, v) { a * v } }
  }
}
""")
        self.attnc("run", program, "--in", "p=random:1", "l=random:2", "k=random:3", "v=random:4", "--check", "--size",
                   "n=3", "m=5", "r=20", "d=3", "e=2")

    def test_lengths_as_arguments(self):
        """One kernel for all lengths: its last tile may have any number of queries."""
        library = self.folder / "sdpa.so"
        self.attnc("compile", SDPA, "--emit=so", "-o", library)
        kernel = ctypes.CDLL(str(library)).attnc_sdpa
        rng = np.random.default_rng(1)
        for n in range(1, 70, 3):
            q, k, v = (rng.standard_normal(shape).astype(np.float32) for shape in ((n, 5), (21, 5), (21, 3)))
            out = np.full((n, 3), np.nan, np.float32)
            arrays = [a.ctypes.data_as(ctypes.c_void_p) for a in (q, k, v, out)]
            self.assertEqual(kernel(*arrays, *(ctypes.c_int64(size) for size in (n, 5, 21, 3))), 0)
            expected = reference("dot_product.sdpa")({"q": q.astype(float), "k": k.astype(float), "v": v.astype(float)}, {})
            self.assertNear(out, expected[0], 1e-5, f"n = {n}")

    def test_threads_with_lengths_as_arguments(self):
        """Whether work is shared out is known only when it is called, and does not show; nor do the parts of many keys."""
        library = self.folder / "causal.so"
        self.attnc("compile", CAUSAL, "--emit=so", "-o", library)
        kernel = ctypes.CDLL(str(library)).attnc_causal
        threads = ctypes.CDLL("libomp.so.5")
        rng = np.random.default_rng(2)
        for n, m in ((3, 40), (2, 9000), (301, 333), (97, 2100)):
            q, k, v = (rng.standard_normal(shape).astype(np.float32) for shape in ((n, 24), (m, 24), (m, 40)))
            results = []
            for number in (1, 2, 3):
                threads.omp_set_num_threads(number)
                out = np.full((n, 40), np.nan, np.float32)
                arrays = [a.ctypes.data_as(ctypes.c_void_p) for a in (q, k, v, out)]
                self.assertEqual(kernel(*arrays, *(ctypes.c_int64(size) for size in (n, 24, m, 40))), 0)
                results.append(out)
            scores = q.astype(float) @ k.T.astype(float) / np.sqrt(24)
            scores[np.arange(m) > np.arange(n)[:, None] + m - n] = -np.inf
            weights = np.exp(scores - scores.max(1, keepdims=True))
            self.assertNear(results[0], weights / weights.sum(1, keepdims=True) @ v, 1e-5, f"n = {n}, m = {m}")
            self.assertTrue((results[0] == results[1]).all() and (results[0] == results[2]).all(), f"n = {n}, m = {m}")

    def test_other_machines(self):
        for target in ("x86-64", "x86-64-v3"):
            with self.subTest(target):
                self.run_random(CAUSAL, "n=53", "m=71", "d=9", "e=11", options=("--target", target))

    def test_a_row_of_nan_stays_alone(self):
        rng = np.random.default_rng(5)
        q, k, v = (rng.standard_normal(shape).astype(np.float32) for shape in ((40, 8), (150, 8), (150, 5)))
        want = reference("dot_product.sdpa")({"q": q, "k": k, "v": v}, {})[0]
        q[17, 3] = np.nan
        (y,) = self.result("run", SDPA, "sdpa", {"q": q, "k": k, "v": v})
        self.assertTrue(np.isnan(y[17]).all())
        self.assertNear(np.delete(y, 17, 0), np.delete(want, 17, 0), 1e-5)

    def test_threads_do_not_show(self):
        results = set()
        for threads in ("1", "2", "3"):
            self.attnc("run", CAUSAL, "--in", "q=random:1", "k=random:2", "v=random:3", "--size", "n=333", "m=401",
                       "d=24", "e=40", "--out", "y.npy", OMP_NUM_THREADS=threads)
            results.add((self.folder / "y.npy").read_bytes())
        self.assertEqual(len(results), 1)

    def test_memory_grows_as_the_lengths(self):
        # The scores of one head would take 1.6 GB.
        self.attnc("run", SDPA, "--in", "q=random:1", "k=random:2", "v=random:3", "--size", "n=20000", "m=20000", "d=4",
                   "e=4", "--max-memory", "100MB", "--threads", "1")

    def test_explain(self):
        told = self.attnc("compile", "--explain", SDPA, "--size", "n=1024", "m=1024", "d=64", "e=64").stdout
        self.assertIn("02_sdpa.attn:9:5: streamed: softmax over 1024 keys for 1024 queries", told)
        self.assertIn("268.435 MFLOP", told)
        told = self.attnc("compile", "--explain", SDPA).stdout
        self.assertIn("streamed: softmax over any number of keys", told)
        program = self.write("f.attn", "diagram f(s: [n m], v: [m e]) -> [n e] {\n"
                             "  simd n (s) { dot(softmax(s), v) }\n}\n")
        told = self.attnc("compile", "--explain", program).stdout
        self.assertIn("prelude.attn:34:3: streamed: softmax over any number of keys", told)
        program = self.write("h.attn", "diagram h(s: [n m], v: [m e]) -> [n e] {\n"
                             "  simd n (s) { sum m (s, v) { relu(s) * v } }\n}\n")
        told = self.attnc("compile", "--explain", program).stdout
        self.assertIn("not streamed: no score is a contraction of queries and keys", told)
        program = self.write("g.attn", "diagram g(x: [n]) -> [n] { x + 1 }\n")
        self.assertIn("nothing is streamed", self.attnc("compile", "--explain", program).stdout)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
