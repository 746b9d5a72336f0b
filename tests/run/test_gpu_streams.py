"""Streams and scans in blocks of threads: on the emulated device against the evaluator, and what PTX and `ptxas` say of them."""
import json
import os
import re
import shutil
import subprocess
import unittest

import numpy as np

import support
import test_scans
from support import EXAMPLES, ROOT, TAXONOMY, Case, needs_compiler

SDPA, CAUSAL = EXAMPLES / "02_sdpa.attn", EXAMPLES / "06_causal.attn"
PTXAS = shutil.which("ptxas") or next(
    (path for folder in (os.environ.get("CUDA_HOME"), "/usr/local/cuda") if folder
     and os.access(path := f"{folder}/bin/ptxas", os.X_OK)), None)


@needs_compiler
class Emulated(Case):
    def run_random(self, program, *sizes, options=(), inputs=("q", "k", "v")):
        """`run --check` on random arrays fails where the result is not that of the evaluator."""
        filled = [f"{name}=random:{i + 1}" for i, name in enumerate(inputs)]
        return self.attnc("run", program, "--target=cuda-emulated", "--in", *filled, "--check", *options, "--size", *sizes)

    def test_sizes_around_tiles(self):
        for real, n, m, d, e in (("f32", 1, 1, 1, 1), ("f32", 65, 129, 7, 9), ("f32", 64, 64, 8, 8), ("f32", 63, 65, 5, 16),
                                 ("f32", 3, 0, 2, 2), ("f32", 0, 3, 2, 2), ("f32", 3, 2, 0, 2), ("f32", 70, 70, 130, 3),
                                 ("bf16", 1, 1, 1, 1), ("bf16", 65, 129, 8, 24), ("bf16", 64, 64, 16, 16),
                                 ("bf16", 17, 63, 33, 7),
                                 # Few queries: keys in parts.
                                 ("f32", 1, 3000, 9, 5), ("f32", 64, 515, 4, 8), ("bf16", 40, 1100, 16, 8)):
            for program in (SDPA, CAUSAL):
                with self.subTest(f"{program.name} {real} n={n} m={m} d={d} e={e}"):
                    self.run_random(program, f"n={n}", f"m={m}", f"d={d}", f"e={e}", options=("--dtype", real))

    def test_tf32(self):
        """Factors of products are rounded to 10 bits of mantissa: far from f32, and near."""
        for n, m, d, e in ((1, 1, 1, 1), (65, 129, 7, 9), (64, 64, 64, 64), (40, 1100, 16, 8), (17, 63, 33, 7), (3, 0, 2, 2)):
            for program in (SDPA, CAUSAL):
                with self.subTest(f"{program.name} n={n} m={m} d={d} e={e}"):
                    said = json.loads(self.run_random(program, f"n={n}", f"m={m}", f"d={d}", f"e={e}",
                                                      options=("--f32", "tf32", "--json")).stdout)
                    self.assertEqual(said["check"][0]["limit"], 2e-3)
                    if d > 1 and m:
                        self.assertGreater(said["check"][0]["error"], 1e-4, "nothing was rounded")
        # A row of 1 + 2^-11 (a tie) and 1 - 2^-12 (the next below 1 of tf32 is 1 - 2^-11) is seen as 1 + 2^-10 and 1.
        q = np.array([[1 + 2.0 ** -11, 1 - 2.0 ** -12]], np.float32)
        v = np.array([[1 + 2.0 ** -11, np.float32(np.inf), -3.0]], np.float32)
        self.attnc("run", SDPA, "--target=cuda-emulated", "--f32", "tf32", *self.inputs({"q": q, "k": q, "v": v}), "--out", "y.npy")
        self.assertEqual(np.load(self.folder / "y.npy").tolist(), [[1 + 2.0 ** -10, np.inf, -3.0]])
        for options, problem in ((("--target=native",), "tf32 is what a device multiplies"),
                                 (("--target=cuda", "--dtype=f64"), "no products of f32 to round to tf32: reals are f64")):
            for command in (("compile",), ("run", "--in", "q=random:1", "k=random:2", "v=random:3", "--size", "n=2", "m=2", "d=2", "e=2")):
                with self.subTest(f"{command[0]} {options}"):
                    said = self.attnc(command[0], SDPA, "--f32=tf32", *options, *command[1:], code=1)
                    self.assertIn(problem, said.stderr)

    def test_lengths_as_arguments(self):
        """One kernel for all numbers of queries and keys."""
        library = self.write("f.attn", """diagram f(q: [b n 8], k: [b m 8], v: [b m 8]) -> [b n 8] {
  simd b (q, k, v) {
    simd n as i (q) {
      s = simd m as j (k) { where(j <= i + (m - n) and i - j < 40, dot(q, k), -inf) }
      sum m (a = softmax(s), v) { a * v }
    }
  }
}
""")
        for real in ("f32", "bf16"):
            for sizes in (("b=2", "n=70", "m=150"), ("b=1", "n=1", "m=200"), ("b=3", "n=130", "m=5"), ("b=0", "n=1", "m=1")):
                with self.subTest(f"{real} {sizes}"):
                    self.run_random(library, *sizes, options=("--dynamic", "--dtype", real))

    def test_ranges_of_keys(self):
        for condition in ("i - j < 20 and j <= i", "j + 5 >= i", "i + j <= m", "j >= n"):
            for weight in ("softmax", "sum"):
                masked = f"simd m as j (k) {{ where({condition}, dot(q, k), {'-inf' if weight == 'softmax' else '0'}) }}"
                weights = f"softmax({masked})" if weight == "softmax" else masked
                program = self.write("f.attn", "diagram f(q: [n d], k: [m d], v: [m e]) -> [n e] {\n"
                                     f"  simd n as i (q) {{ sum m (a = {weights}, v) {{ a * v }} }}\n}}\n")
                with self.subTest(f"{weight} {condition}"):
                    self.run_random(program, "n=150", "m=140", "d=4", "e=3")

    def test_groups_and_biases(self):
        program = self.write("g.attn", support.GROUPS_AND_BIASES)
        for real, n, m in (("f32", 50, 149), ("bf16", 65, 16)):
            with self.subTest(f"{real} n={n} m={m}"):
                self.run_random(program, "g=2", f"n={n}", f"m={m}", "d=8", "e=8", options=("--dtype", real),
                                inputs=("q", "k", "v", "b"))

    def test_decoding(self):
        """One query a head, or some for each head of keys: keys in parts, merged."""
        heads = ROOT / "tests" / "bench" / "attention" / "heads.attn"
        for diagram, sizes in (("decode_heads", ("h=3",)), ("decode_grouped", ("g=2", "r=4"))):
            for real, n, options in (("f32", 1100, ()), ("bf16", 600, ()), ("f32", 70, ("--dynamic",))):
                with self.subTest(f"{diagram} {real} n={n}"):
                    self.attnc("run", heads, diagram, "--target=cuda-emulated", "--in", "q=random:1", "k=random:2",
                               "v=random:3", "--check", "--dtype", real, *options, "--size", *sizes, f"n={n}", "d=16")
        told = self.attnc("compile", heads, "decode_heads", "--target=cuda", "--explain", "--size", "d=64").stdout
        self.assertIn("streamed: softmax over any number of keys for each query", told)

    def test_pages(self):
        """Rows of keys and values where a table says; some of its entries are of no page."""
        rng = np.random.default_rng(1)
        table = rng.permutation(40)[:33]
        table[[5, 32]] = 40, -1
        arrays = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in (
            ("q", (4, 16)), ("k", (2, 16)), ("v", (2, 8)), ("K", (40, 16, 2, 16)), ("V", (40, 16, 2, 8)))}
        inputs = self.inputs(arrays | {"table": table, "t": np.array(501)})
        for real, options in (("f32", ()), ("bf16", ("--dynamic", "--size", "d=16", "e=8"))):
            with self.subTest(real):
                self.attnc("run", TAXONOMY / "paged_decode.attn", "paged_decode", "--target=cuda-emulated", *inputs, "--check",
                           "--dtype", real, *options)
        told = self.attnc("compile", TAXONOMY / "paged_decode.attn", "paged_decode", "--target=cuda", "--explain", "--size",
                          "d=16", "e=8").stdout
        self.assertIn("streamed: softmax over any number of keys for each query", told)

    def test_lists(self):
        """Many queries, each with keys of its own: lists, some of whose entries are of no key, and windows by index."""
        for body in ("s = simd w (l) { dot(q, k[l]) }\n    sum w (a = softmax(s), l) { a * v[l] }",
                     "s = simd w (l) { where(0 <= l and l < m, dot(q, k[l]), -inf) }\n    sum w (a = softmax(s, sink = 0.5), l) { a * v[l] }"):
            program = self.write("r.attn", "diagram r(q: [n d], k: [m d], v: [m e]) -> [n e] where w >= 0 {\n"
                                 "  simd n as i (q) {\n    l = simd w as o { floordiv(i * 7 + o * o * 3, 2) - 4 }\n"
                                 f"    {body}\n  }}\n}}\n")
            told = self.attnc("compile", "--target=cuda", "--explain", program, "--size", "d=8", "e=8").stdout
            self.assertIn("streamed: softmax over any number of keys for each query", told)
            for real, n, m, d, e, w in (("f32", 1, 1, 1, 1, 1), ("f32", 5, 30, 7, 19, 40), ("bf16", 9, 70, 16, 64, 70),
                                        ("f32", 2, 8, 4, 3, 1500), ("f32", 4, 0, 3, 2, 9), ("f32", 4, 5, 3, 2, 0), ("f32", 0, 5, 3, 2, 3)):
                with self.subTest(f"{body} {real} n={n} m={m} d={d} e={e} w={w}"):
                    self.run_random(program, f"n={n}", f"m={m}", f"d={d}", f"e={e}", f"w={w}", options=("--dtype", real))
            self.run_random(program, "n=5", "m=30", "d=8", "e=8", "w=40", options=("--dynamic",))

    def test_sinks_and_normalisers(self):
        sink = self.write("k.attn", """diagram k(q: [n d], k: [m d], v: [m e], s: [n]) -> [n e] {
  simd n (q, s) {
    a = softmax(simd m (k) { dot(q, k) }, sink = s)
    sum m (a, v) { a * v }
  }
}
""")
        normalised = self.write("n.attn", """diagram f(q: [n d], k: [m d], v: [m e]) -> [n e] {
  simd n (q) {
    w = simd m as j (k) { where(j == 0, 1.0, relu(dot(q, k))) }
    z = sum m as j (w) { abs(w) + j / m }
    a = simd m (w) { w / z }
    sum m (a, v) { a * v }
  }
}
""")
        self.run_random(sink, "n=50", "m=149", "d=6", "e=4", inputs=("q", "k", "v", "s"))
        self.run_random(sink, "n=3", "m=0", "d=6", "e=4", inputs=("q", "k", "v", "s"))
        self.run_random(sink, "n=3", "m=2000", "d=6", "e=4", inputs=("q", "k", "v", "s"))
        self.run_random(normalised, "n=3", "m=2000", "d=6", "e=4")
        self.run_random(normalised, "n=50", "m=149", "d=6", "e=4")


class Scans(test_scans.Scans):
    """The checks of scans, on the emulated device."""
    kept = "test_heads", "test_heads_inside_of_a_state", "test_lengths_as_arguments", "test_mechanisms"
    for name in dir(test_scans.Scans):
        if name.startswith("test_") and name not in kept:
            locals()[name] = None

    def attnc(self, command, *arguments, **options):
        device = ["--target=cuda-emulated"] if command == "run" else []
        return super().attnc(command, *device, *arguments, **options)

    def test_lengths(self):
        """Around those of chunks and of blocks of columns; a normaliser is a column of its own."""
        program = ROOT / "tests" / "bench" / "attention" / "scans.attn"
        for n, d in ((8, 4), (33, 31), (64, 32), (65, 20)):
            for diagram, gates in (("linear_scan", ()), ("gated_scan", ("--in", "g=random:4"))):
                with self.subTest(f"{diagram} n={n} d={d}"):
                    self.attnc("run", program, diagram, "--in", "q=random:1", "k=random:2", "v=random:3", *gates, "--check",
                               "--size", "h=2", f"n={n}", f"d={d}")


    def test_by_matrices(self):
        """Chunks as products of the matrix unit: lengths around those of chunks and of blocks of columns; reads before the update;
        gates that leave their range within a chunk."""
        sizes = (1, 1, 1), (64, 16, 65), (65, 33, 7), (150, 9, 20), (0, 8, 8), (31, 70, 64)
        for number, (name, parts) in enumerate(test_scans.SCANS.items()):
            for options in [("--f32", "tf32")] + [("--dtype", "bf16")] * (name in ("before", "each step", "diagonal", "logarithms")):
                with self.subTest(f"{options} {name}"):
                    arrays = self.arrays(sizes[number % len(sizes)], parts[0], "near 1")
                    self.check(test_scans.program(*parts), arrays, *options, chunked=None)
        for name in ("each step before", "diagonal", "diagonal before"):
            for gates in ("tiny", "zeros", "signs"):
                with self.subTest(f"{name}, {gates}"):
                    parts = test_scans.SCANS[name]
                    self.check(test_scans.program(*parts), self.arrays((150, 10, 20), parts[0], gates), "--f32", "tf32", chunked=None)
        program = ROOT / "tests" / "bench" / "attention" / "scans.attn"
        for diagram, gates, options in (("linear_scan", (), ("--f32", "tf32")),  # with a normaliser
                                        ("gated_scan", ("g=random:4",), ("--dtype", "bf16"))):
            with self.subTest(f"{diagram} {options}"):
                self.attnc("run", program, diagram, "--in", "q=random:1", "k=random:2", "v=random:3", *gates, "--check",
                           *options, "--size", "h=2", "n=70", "d=32")


@needs_compiler
class Assembled(Case):
    def ptx(self, program, architecture, *options, diagram=None):
        self.attnc("compile", program, *([diagram] if diagram else []), "--emit=ptx", f"--target=cuda:{architecture}", *options, "-o", "x.ptx")
        return (self.folder / "x.ptx").read_text()

    def test_instructions(self):
        """Tiles of 64 keys for 16 queries of a warp: d / 16 by 8 products for scores, 4 by e / 8 for results."""
        for architecture, d, e in (("sm_80", 64, 64), ("sm_86", 128, 128), ("sm_80", 72, 40)):
            with self.subTest(f"{architecture} d={d} e={e}"):
                text = self.ptx(CAUSAL, architecture, "--dtype", "bf16", "--size", f"d={d}", f"e={e}")
                scores, results = -(-d // 16) * 8, 4 * 2 * -(-e // 16)
                self.assertEqual(len(re.findall(r"mma\.sync\.aligned\.m16n8k16\S*bf16", text)), scores + results)
                self.assertEqual(len(re.findall(r"ldmatrix\S*x4\.shared", text)), -(-d // 16) * 5)
                self.assertEqual(len(re.findall(r"ldmatrix\S*x4\.trans", text)), 4 * -(-e // 16))
                self.assertIn("cp.async.cg.shared.global", text)
                self.assertIn("ex2.approx.ftz.f32", text)
                self.assertNotIn("cvt.rn.f64", text)
        text = self.ptx(CAUSAL, "sm_80", "--f32=tf32", "--size", "d=64", "e=64")
        self.assertEqual(len(re.findall(r"mma\.sync\.aligned\.m16n8k8\S*tf32", text)), 64 // 8 * 8 + 8 * 64 // 8)
        self.assertIn("cvt.rna.tf32.f32", text)
        # Chunks of 32 steps: P; of Y the state's part, and values for later steps; S: each by tiles of 16 × 8, of a warp.
        scans = ROOT / "tests" / "bench" / "attention" / "scans.attn"
        text = self.ptx(scans, "sm_80", "--dtype", "bf16", "--size", "d=64", diagram="ssd_scan")
        self.assertEqual(len(re.findall(r"mma\.sync\.aligned\.m16n8k16\S*bf16", text)), 4 * 2 + 4 * 4 + (4 + 2) + 2 * 8)
        text = self.ptx(scans, "sm_90a", "--size", "d=64", diagram="linear_scan")
        self.assertNotIn("mma.sync", text)
        text = self.ptx(SDPA, "sm_80", "--size", "d=64", "e=64")
        self.assertNotIn("mma.sync", text)
        self.assertIn("fma.rn.f32", text)

    @unittest.skipUnless(PTXAS, "no ptxas here")
    def test_registers(self):
        """No spills up to lengths of 256; registers for two blocks on a multiprocessor at 64."""
        heads, scans = (ROOT / "tests" / "bench" / "attention" / f"{name}.attn" for name in ("heads", "scans"))
        for program, diagram, real, architecture, d, most in (
                (heads, "causal", "bf16", "sm_80", 64, 210), (heads, "causal", "bf16", "sm_90a", 128, 255),
                (heads, "causal", "bf16", "sm_90a", 256, 255), (heads, "causal", "tf32", "sm_80", 64, 210),
                (heads, "causal", "tf32", "sm_90a", 256, 255), (heads, "alibi", "f32", "sm_80", 64, 200),
                (heads, "causal", "f32", "sm_90a", 128, 255), (scans, "gated_scan", "f32", "sm_80", 128, 200),
                (scans, "linear_scan", "f32", "sm_90a", 256, 255), (scans, "linear_scan", "tf32", "sm_80", 64, 255),
                (scans, "ssd_scan", "bf16", "sm_90a", 128, 255), (scans, "gated_scan", "tf32", "sm_80", 128, 255),
                (scans, "gated_scan", "bf16", "sm_80", 128, 255)):
            with self.subTest(f"{diagram} {real} {architecture} {d}"):
                options = ("--f32", "tf32") if real == "tf32" else ("--dtype", real)
                self.ptx(program, architecture, *options, "--size", f"d={d}", diagram=diagram)
                said = subprocess.run([PTXAS, f"-arch={architecture}", "-v", "x.ptx", "-o", "x.cubin"], cwd=self.folder,
                                      capture_output=True, text=True)
                self.assertEqual(said.returncode, 0, said.stderr)
                self.assertNotRegex(said.stderr, r"C75(08|11|15)")
                self.assertEqual(set(re.findall(r"(\d+) bytes spill", said.stderr)), {"0"}, said.stderr)
                self.assertLessEqual(max(map(int, re.findall(r"Used (\d+) registers", said.stderr))), most)

    def test_explained(self):
        def told(*sizes):
            return self.attnc("compile", SDPA, "--target=cuda", "--explain", *sizes).stdout
        self.assertIn("streamed: softmax over any number of keys", told("--size", "d=64", "e=64"))
        self.assertIn("not streamed: the length of its queries and keys is not compiled in", told())
        self.assertIn("not streamed: the length of its values is not compiled in", told("--size", "d=64"))
        self.assertIn("do not fit in the registers", told("--size", "d=64", "e=600"))


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
