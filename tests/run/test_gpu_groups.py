"""Streams by warp groups of sm_90a: on the emulated device against the evaluator, and what PTX and `ptxas` say of them."""
import re
import subprocess
import unittest

import support
from support import EXAMPLES, ROOT, Case, needs_compiler
from test_gpu_streams import PTXAS

SDPA, CAUSAL = EXAMPLES / "02_sdpa.attn", EXAMPLES / "06_causal.attn"
HEADS = ROOT / "tests" / "bench" / "attention" / "heads.attn"
BF16 = ("--dtype", "bf16")

MASKED = """diagram f(q: [n d], k: [m d], v: [m e]) -> [n e] {{
  simd n as i (q) {{ sum m (a = {0}, v) {{ a * v }} }}
}}
"""


@needs_compiler
class Emulated(Case):
    def check(self, program, *sizes, diagram=None, inputs=("q", "k", "v"), options=()):
        """Runs on random arrays what the compiler says that warp groups compute; it fails where the evaluator's result is
        another."""
        named = [diagram] if diagram else []
        known = () if "--dynamic" in options else ("--size", *sizes)
        told = self.attnc("compile", program, *named, "--target=cuda-emulated:sm_90a", "--explain", *BF16, *known).stdout
        self.assertIn("by warp groups", told)
        filled = [f"{name}=random:{i + 1}" for i, name in enumerate(inputs)]
        self.attnc("run", program, *named, "--target=cuda-emulated:sm_90a", *BF16, "--in", *filled, "--check", *options, "--size",
                   *sizes)

    def test_sizes_around_tiles(self):
        for n, m, d, e in ((65, 1, 16, 16), (128, 128, 64, 64), (129, 257, 64, 64), (200, 130, 128, 128), (70, 0, 16, 8),
                           (65, 520, 72, 136), (130, 70, 256, 256)):
            for program in (SDPA, CAUSAL):
                with self.subTest(f"{program.name} n={n} m={m} d={d} e={e}"):
                    self.check(program, f"n={n}", f"m={m}", f"d={d}", f"e={e}")

    def test_lengths_as_arguments(self):
        """One kernel for all numbers of queries and keys; more tasks than blocks."""
        program = self.write("f.attn", """diagram f(q: [b n 16], k: [b m 16], v: [b m 16]) -> [b n 16] {
  simd b (q, k, v) {
    simd n as i (q) {
      s = simd m as j (k) { where(j <= i + (m - n) and i - j < 40, dot(q, k), -inf) }
      sum m (a = softmax(s), v) { a * v }
    }
  }
}
""")
        for sizes in (("b=2", "n=270", "m=350"), ("b=1", "n=1", "m=200"), ("b=7", "n=130", "m=5"), ("b=2", "n=0", "m=3"),
                      ("b=0", "n=1", "m=1"), ("b=2", "n=3", "m=0")):
            with self.subTest(sizes):
                self.check(program, *sizes, options=("--dynamic",))

    def test_ranges_of_keys(self):
        for condition in ("i - j < 20 and j <= i", "j + 5 >= i", "i + j <= m", "j >= n"):
            for weight in ("softmax", "sum"):
                masked = f"simd m as j (k) {{ where({condition}, dot(q, k), {'-inf' if weight == 'softmax' else '0'}) }}"
                program = self.write("f.attn", MASKED.format(f"softmax({masked})" if weight == "softmax" else masked))
                with self.subTest(f"{weight} {condition}"):
                    self.check(program, "n=300", "m=290", "d=16", "e=8")

    def test_heads(self):
        for diagram, sizes, inputs in (
                ("causal", ("b=2", "h=3", "n=130"), "qkv"), ("window", ("b=1", "h=2", "n=600"), "qkv"),
                ("alibi", ("b=1", "h=2", "n=140"), "qkv"), ("softcap", ("b=1", "h=1", "n=140"), "qkv"),
                ("bias", ("b=1", "h=2", "n=140"), "qkvw"), ("sigmoid_attention", ("b=1", "h=1", "n=200"), "qkv"),
                ("relu_normalised_heads", ("b=1", "h=2", "n=200"), "qkv"), ("grouped", ("g=2", "r=3", "n=150"), "qkv")):
            with self.subTest(diagram):
                self.check(HEADS, *sizes, "d=32", diagram=diagram, inputs=inputs)

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
        for m in (0, 300):
            self.check(sink, "n=100", f"m={m}", "d=16", "e=8", inputs=("q", "k", "v", "s"))
        self.check(normalised, "n=100", "m=300", "d=16", "e=8")

    def test_explained(self):
        def told(*sizes, real="bf16", program=SDPA):
            return self.attnc("compile", program, "--target=cuda:sm_90a", "--explain", "--dtype", real, "--size", *sizes).stdout
        self.assertIn("by warp groups", told("d=64", "e=64"))
        self.assertIn("by single warps: its queries are not of 16 bits", told("d=64", "e=64", real="f32"))
        self.assertIn("by single warps: its lengths are not multiples of 8 that are compiled in", told("d=60", "e=64"))
        self.assertIn("by single warps: it has no more than 64 queries", told("d=64", "e=64", "n=64"))
        self.assertIn("by single warps: lengths of 64 and 264 do not fit", told("d=64", "e=264"))
        self.assertNotIn("warp groups", self.attnc("compile", SDPA, "--target=cuda", "--explain", *BF16, "--size", "d=64",
                                                   "e=64").stdout)


@needs_compiler
class Assembled(Case):
    def ptx(self, program, *options, diagram=None):
        self.attnc("compile", program, *([diagram] if diagram else []), "--emit=ptx", "--target=cuda:sm_90a", *BF16, *options,
                   "-o", "x.ptx")
        return (self.folder / "x.ptx").read_text()

    def test_instructions(self):
        """Products of the first tile, of a further one with the values of the one before, and of the last values; a box for
        each 64 columns."""
        for d, e, keys, stages in ((64, 64, 112, 4), (128, 128, 96, 4), (256, 256, 48, 2), (72, 40, 128, 4)):
            with self.subTest(f"d={d} e={e}"):
                text = self.ptx(CAUSAL, "--size", f"d={d}", f"e={e}")
                count = lambda what: len(re.findall(what, text))
                self.assertEqual(count(rf"wgmma\.mma_async\S*m64n{keys}k16\.f32\.bf16\.bf16 \{{[^}}]*\}}, a, b"), 2 * -(-d // 16))
                self.assertEqual(count(rf"wgmma\.mma_async\S*m64n{e}k16\.f32\.bf16\.bf16 \{{[^}}]*\}}, \{{"), 2 * keys // 16)
                self.assertEqual(count(r"cp\.async\.bulk\.tensor\.2d"), 2 * -(-d // 64) + -(-e // 64))
                self.assertEqual(count(r"mbarrier\.init"), 2 + 4 * stages)
                self.assertEqual(count(r"mbarrier\.arrive\.expect_tx"), 3)
                self.assertEqual(count(r"mbarrier\.try_wait"), 8)
                self.assertEqual((count(r"setmaxnreg\.dec"), count(r"setmaxnreg\.inc")), (1, 1))
                self.assertEqual((count(r"bar\.sync"), count(r"bar\.arrive")), (2, 2))  # one of all threads
                self.assertEqual(count(r"wgmma\.wait_group"), 4)
                self.assertNotIn("mma.sync", text)
                self.assertEqual(count(r"\.param \.align 64 \.b8 \S+\[128\]"), 3)

    @unittest.skipUnless(PTXAS, "no ptxas here")
    def test_registers(self):
        """No spills, and no product or request for registers that is serialised or ignored."""
        for diagram, d in (("causal", 64), ("causal", 128), ("full", 128), ("alibi", 128), ("softcap", 128), ("window", 256),
                           ("grouped", 128), ("relu_normalised_heads", 128), ("bias", 64)):
            with self.subTest(f"{diagram} {d}"):
                self.ptx(HEADS, "--size", f"d={d}", diagram=diagram)
                said = subprocess.run([PTXAS, "-arch=sm_90a", "-v", "x.ptx", "-o", "x.cubin"], cwd=self.folder, capture_output=True,
                                      text=True)
                self.assertEqual(said.returncode, 0, said.stderr)
                self.assertNotIn("warning", said.stderr)
                self.assertNotRegex(said.stderr, r"C75\d\d")
                self.assertLessEqual(max(map(int, re.findall(r"(\d+) bytes spill", said.stderr))), 0, said.stderr)
                # As many as 384 threads can begin with.
                self.assertLessEqual(max(map(int, re.findall(r"Used (\d+) registers", said.stderr))), 168)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
