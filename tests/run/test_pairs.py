"""Streams in bf16 that are multiplied in pairs: by tile registers (AMX), emulated by loops where the processor has none, and by
dot products where it has those. Sizes around those of tiles, masks, huge and missing numbers, threads; and the code for AMX."""
import ctypes
import pathlib
import re
import unittest

import numpy as np

import support
from support import EXAMPLES, Case, needs_compiler

SDPA, CAUSAL = EXAMPLES / "02_sdpa.attn", EXAMPLES / "06_causal.attn"
FLAGS = pathlib.Path("/proc/cpuinfo").read_text().split()
X86 = "sse2" in FLAGS
# Each way to multiply pairs that runs on this machine.
TARGETS = [*(["native+amx-emulated"] if X86 else []), *(["native+bf16-dot"] if "avx512_bf16" in FLAGS else []),
           *(["native"] if "amx_bf16" in FLAGS else [])]
SIZES = ((1, 1, 1, 1), (4, 300, 64, 64), (15, 7, 3, 5), (16, 8, 8, 8), (17, 31, 16, 17), (33, 127, 33, 1), (31, 128, 32, 32),
         (32, 129, 31, 31), (49, 33, 1, 33), (97, 257, 40, 24), (0, 3, 2, 2), (5, 0, 2, 2), (5, 2, 0, 2), (5, 2, 2, 0),
         (5, 5000, 17, 5), (70, 2100, 8, 9))


def rounded(array):
    """To the nearest bf16, as f32."""
    bits = np.asarray(array, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def inner_loops(text):
    """The loops without another inside: from a label to the first branch back to it."""
    return [body for _, body in re.findall(r"^(\.LBB\S+):((?:(?!^\.LBB)[^\n]*\n)*?\s+\S+\s+(?:\S+, )?\1\b)", text, re.M)]


def halves(array):
    return (rounded(array).view(np.uint32) >> 16).astype(np.uint16)


@needs_compiler
@unittest.skipUnless(TARGETS, "pairs are multiplied on x86")
class Pairs(Case):
    def run_random(self, program, *sizes, options=(), inputs=("q", "k", "v")):
        """`run --check` on random arrays fails where the result is not within 1e-2 of the evaluator's."""
        filled = [f"{name}=random:{number}" for number, name in enumerate(inputs)]
        for target in TARGETS:
            with self.subTest(target):
                self.attnc("run", program, "--dtype", "bf16", "--target", target, "--in", *filled, "--check", *options,
                           "--size", *sizes)

    def test_sizes_around_tiles(self):
        for n, m, d, e in SIZES:
            for program in (SDPA, CAUSAL):
                with self.subTest(f"{program.name} n={n} m={m} d={d} e={e}"):
                    self.run_random(program, f"n={n}", f"m={m}", f"d={d}", f"e={e}")

    def test_lengths_as_arguments(self):
        for n, m, d, e in SIZES[3:]:
            with self.subTest(f"n={n} m={m} d={d} e={e}"):
                self.run_random(CAUSAL, f"n={n}", f"m={m}", f"d={d}", f"e={e}", options=("--dynamic",))

    def test_scores(self):
        """Ranges of keys, plain sums, arrays over queries and keys, sinks, normalisers."""
        for body in ("a = softmax(simd m as j (k) { where(i - j < 20 and j <= i, dot(q, k) / sqrt(d), -inf) })",
                     "a = softmax(simd m as j (k) { where(j + 5 >= i, dot(q, k), -inf) }, sink = 0.5)",
                     "a = simd m as j (k) { where(j <= i, dot(q, k) / sqrt(d), 0) }",
                     "a = simd m as j (k) { sigmoid(tanh(dot(q, k)) - log(real(m))) }",
                     "w = simd m as j (k) { where(j == 0, 1.0, relu(dot(q, k))) }\n    z = sum m (w) { w }\n"
                     "    a = simd m (w) { w / (z + 1) }"):
            program = self.write("f.attn", "diagram f(q: [n d], k: [m d], v: [m e]) -> [n e] {\n"
                                 f"  simd n as i (q) {{\n    {body}\n    sum m (a, v) {{ a * v }}\n  }}\n}}\n")
            self.assertIn("streamed", self.attnc("compile", "--explain", program).stdout)
            for n, m, d, e in ((50, 149, 4, 3), (129, 65, 16, 33)):
                with self.subTest(f"{body} n={n} m={m}"):
                    self.run_random(program, f"n={n}", f"m={m}", f"d={d}", f"e={e}")

    def test_heads(self):
        program = self.write("g.attn", support.GROUPS_AND_BIASES)
        for n, m in ((1, 1), (5, 0), (50, 149), (65, 16)):
            with self.subTest(f"n={n} m={m}"):
                self.run_random(program, "g=2", f"n={n}", f"m={m}", "d=4", "e=3", inputs=("q", "k", "v", "b"))
        grouped = self.write("r.attn", """diagram r(q: [g r n d], k: [g m d], v: [g m e]) -> [g r n e] {
  simd g (q, k, v) { simd r (q) { simd n (q) { sum m (a = softmax(simd m (k) { dot(q, k) / sqrt(d) }), v) { a * v } } } }
}
""")
        self.run_random(grouped, "g=2", "r=3", "n=50", "m=149", "d=14", "e=30")
        many = self.write("h.attn", """diagram h(q: [b n d], k: [b m d], v: [b m e]) -> [b n e] {
  simd b (q, k, v) { simd n (q) { sum m (a = softmax(simd m (k) { dot(q, k) / sqrt(d) }), v) { a * v } } }
}
""")
        for n, m, d, e in ((100, 90, 13, 21), (33, 65, 64, 64)):  # a thread packs a head for itself
            with self.subTest(f"many heads n={n} m={m}"):
                self.run_random(many, "b=20", f"n={n}", f"m={m}", f"d={d}", f"e={e}")

    def test_layouts(self):
        """Axes that do not run along memory."""
        one = "simd n (q) { sum m (a = softmax(simd m (k) { dot(q, k) / sqrt(d) }), v) { a * v } }"
        for q, k, v in (("n d", "d m", "m e"), ("n d", "m d", "e m"), ("d n", "m d", "m e"), ("d n", "d m", "e m")):
            with self.subTest(f"{q}, {k}, {v}"):
                seen = [f"{name} = transpose({name})" if axes[0] != first else name
                        for name, axes, first in (("q", q, "n"), ("k", k, "m"), ("v", v, "m"))]
                program = self.write("l.attn", f"diagram l(q: [{q}], k: [{k}], v: [{v}]) -> [n e] {{\n"
                                     f"  simd n ({seen[0]}) {{ sum m (a = softmax(simd m ({seen[1]}) {{ dot(q, k) / sqrt(d) }}), {seen[2]}) "
                                     "{ a * v } }\n}\n")
                self.run_random(program, "n=37", "m=75", "d=19", "e=21")
        heads = self.write("l.attn", "diagram l(q: [n h d], k: [m h d], v: [m h e]) -> [h n e] {\n"
                           "  simd h (q = transpose(q), k = transpose(k), v = transpose(v)) {\n    " + one + "\n  }\n}\n")
        self.run_random(heads, "n=37", "m=75", "d=19", "e=21", "h=3")

    def test_large_logits_and_masked_rows(self):
        """What is kept in bf16 is multiplied exactly, so that logits of ±10⁴ weigh as they do in float64; a query that sees nothing
        gives 0, a row of NaN stays alone."""
        rng = np.random.default_rng(7)
        n, m, d, e = 41, 150, 4, 7
        q, k = (np.round(50 * rng.standard_normal(shape)).astype(np.float32) for shape in ((n, d), (m, d)))
        v = rounded(rng.standard_normal((m, e)))
        program = self.write("m.attn", "diagram m(q: [n d], k: [m d], v: [m e]) -> [n e] {\n  simd n as i (q) {\n"
                             "    a = softmax(simd m as j (k) { where(j < i * 3 - 5, dot(q, k), -inf) })\n"
                             "    sum m (a, v) { a * v }\n  }\n}\n")
        scores = q.astype(float) @ k.T
        self.assertGreater(np.abs(scores).max(), 1e4)
        scores[np.arange(m) >= 3 * np.arange(n)[:, None] - 5] = -np.inf
        most = scores.max(1, keepdims=True)
        weights = np.exp(scores - np.where(np.isinf(most), 0, most))
        total = weights.sum(1, keepdims=True)
        want = weights @ v.astype(float) / np.where(total == 0, 1, total)
        for target in TARGETS:
            with self.subTest(target):
                options = ("--dtype", "bf16", "--target", target)
                (y,) = self.result("run", program, "m", {"q": q, "k": k, "v": v}, options=options)
                self.assertNear(y, want, 1e-2)
                self.assertTrue((y[:2] == 0).all())
                odd = q.copy()
                odd[17, 3] = np.nan
                (y,) = self.result("run", program, "m", {"q": odd, "k": k, "v": v}, options=options)
                self.assertTrue(np.isnan(y[17]).all())
                self.assertNear(np.delete(y, 17, 0), np.delete(want, 17, 0), 1e-2)

    def test_growing_maxima(self):
        """Keys whose scores grow: accumulators are multiplied again and again, or not."""
        for step in (0.01, 1, 40):
            rng = np.random.default_rng(8)
            n, m, d, e = 33, 1000, 3, 5
            q, k = np.ones((n, d), np.float32), np.zeros((m, d), np.float32)
            k[:, 0] = rounded(step * np.arange(m))
            v = rounded(rng.standard_normal((m, e)))
            weights = np.exp((k[:, 0] - k[:, 0].max()).astype(float) / np.sqrt(d))
            want = np.tile(weights @ v / weights.sum(), (n, 1))
            for target in TARGETS:
                with self.subTest(f"{step} {target}"):
                    (y,) = self.result("run", SDPA, "sdpa", {"q": q, "k": k, "v": v}, options=("--dtype", "bf16", "--target", target))
                    self.assertNear(y, want, 1e-2)

    def test_threads_do_not_show(self):
        for target in TARGETS:
            results = set()
            for threads in ("1", "2", "3"):
                self.attnc("run", CAUSAL, "--in", "q=random:1", "k=random:2", "v=random:3", "--size", "n=333", "m=401", "d=24",
                           "e=40", "--dtype", "bf16", "--target", target, "--out", "y.npy", OMP_NUM_THREADS=threads)
                results.add((self.folder / "y.npy").read_bytes())
            self.assertEqual(len(results), 1, target)

    def test_a_shared_object(self):
        for target in TARGETS:
            with self.subTest(target):
                library = self.folder / f"{target}.so"
                self.attnc("compile", SDPA, "--emit=so", "--dtype", "bf16", "--target", target, "-o", library)
                kernel = ctypes.CDLL(str(library)).attnc_sdpa
                rng = np.random.default_rng(1)
                for n in range(1, 70, 11):
                    q, k, v = (rounded(rng.standard_normal(shape)) for shape in ((n, 5), (21, 5), (21, 3)))
                    out = np.full((n, 3), 0x7FC0, np.uint16)  # NaN
                    arrays = [halves(q), halves(k), halves(v), out]
                    self.assertEqual(kernel(*(a.ctypes.data_as(ctypes.c_void_p) for a in arrays),
                                            *(ctypes.c_int64(size) for size in (n, 5, 21, 3))), 0)
                    scores = q.astype(float) @ k.T / np.sqrt(5)
                    weights = np.exp(scores - scores.max(1, keepdims=True))
                    want = weights / weights.sum(1, keepdims=True) @ v
                    self.assertNear((out.astype(np.uint32) << 16).view(np.float32), want, 1e-2, f"n = {n}")


@needs_compiler
class Code(Case):
    AMX, DOT = "x86-64-v4+amx-bf16+avx512bf16", "x86-64-v4+bf16-dot"

    def assembly(self, target, *options):
        self.attnc("compile", CAUSAL, "--emit=asm", f"--target={target}", "-o", "k.s", *options)
        return (self.folder / "k.s").read_text()

    def test_tile_registers(self):
        """2 × 2 tiles are summed in an inner loop of four loads and four products; no tile goes anywhere else."""
        text = self.assembly(self.AMX, "--dtype", "bf16", "--size", "n=1024", "m=1024", "d=64", "e=64")
        products = re.findall(r"^\s+tdpbf16ps\s.*", text, re.M)
        self.assertEqual(len(products), 4)
        (inner,) = [body for body in inner_loops(text) if "tdpbf16ps" in body]
        self.assertEqual([inner.count(word) for word in ("tileloadd", "tdpbf16ps", "tilestored", "tilezero")], [4, 4, 0, 0])
        self.assertEqual([len(re.findall(rf"^\s+{word}\b", text, re.M)) for word in ("tilezero", "tilestored", "tileloadd")], [4, 4, 8])
        self.assertEqual(re.findall(r"tile(?:loadd|stored)\s.*\(%rsp.*", text), [], "a tile on the stack")
        # A tile of queries configures once, and each kernel asks the system once.
        self.assertEqual(len(re.findall(r"^\s+ldtilecfg\b", text, re.M)), len(re.findall(r"^\s+tilerelease\b", text, re.M)))
        self.assertTrue("syscall" in text)

    def test_one_vector_of_queries(self):
        text = self.assembly(self.AMX, "--dtype", "bf16", "--size", "n=16", "m=1024", "d=64", "e=64")
        self.assertEqual(len(re.findall(r"^\s+tdpbf16ps\s", text, re.M)), 2)

    def test_dot_products(self):
        text = self.assembly(self.DOT, "--dtype", "bf16", "--size", "n=1024", "m=1024", "d=64", "e=64")
        loops = [body for body in inner_loops(text) if "vdpbf16ps" in body]
        self.assertEqual(sorted(body.count("vdpbf16ps") for body in loops), [8, 24], "48 queries, and the last 16")
        for body in loops:
            self.assertEqual(re.findall(r"vmov\w+\s%zmm\d+, \S*\(%rsp.*", body), [])

    def test_only_where_arrays_are_in_bf16(self):
        for options in (("--dtype", "f32"), ("--dtype", "f64")):
            text = self.assembly(self.AMX, *options)
            self.assertEqual(re.findall("tdpbf16ps|syscall", text), [])
        self.assertEqual(re.findall("dpbf16ps", self.assembly("x86-64-v4+avx512bf16", "--dtype", "bf16")), [])

    @unittest.skipUnless(X86 and "amx_bf16" not in FLAGS, "this machine has tile registers")
    def test_a_machine_without(self):
        said = self.attnc("run", SDPA, "--dtype", "bf16", "--target=x86-64-v4+amx-bf16", "--in", "q=random:1", "k=random:2",
                          "v=random:3", "--size", "n=5", "m=5", "d=5", "e=5", code=None)
        self.assertNotEqual(said.returncode, 0)
        self.assertRegex(said.stderr, "this machine has no (amx-|avx512)")
        library = self.folder / "amx.so"
        self.attnc("compile", SDPA, "--emit=so", "--dtype", "bf16", "--target", self.AMX, "-o", library)
        arrays = [np.zeros((5, 5), np.uint16) for _ in range(4)]
        status = ctypes.CDLL(str(library)).attnc_sdpa(*(a.ctypes.data_as(ctypes.c_void_p) for a in arrays),
                                                      *(ctypes.c_int64(5) for _ in range(4)))
        self.assertEqual(status, 5, "refused, and told, before any instruction of AMX")

    def test_the_header_tells(self):
        self.attnc("compile", SDPA, "--emit=header", "--dtype", "bf16", "-o", "k.h")
        self.assertIn("Also 5 where", (self.folder / "k.h").read_text())


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
