"""Kernels for machines with other vectors: 64-bit Arm under an emulator, x86 without AVX-512; and the tiles of each."""
import json
import re
import shutil
import unittest
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

import cross
import support
from comparison import cases
from support import EXAMPLES, ROOT, TAXONOMY, Case, needs_compiler, parsed, reference

SDPA, CAUSAL = EXAMPLES / "02_sdpa.attn", EXAMPLES / "06_causal.attn"
HEADS = """diagram heads(q: [h n d], k: [h m d], v: [h m e]) -> [h n e] {
  simd h (q, k, v) {
    simd n (q) {
      s = simd m (k) { dot(q, k) / sqrt(d) }
      sum m (a = softmax(s), v) { a * v }
    }
  }
}
"""


def as_kernels_take(array):
    kind = {"f": np.float32, "i": np.int64, "b": np.uint8}
    return np.asarray(array).astype(kind[np.asarray(array).dtype.kind])


def solved(types, shapes, sizes):
    """Adds the sizes that follow from the shapes of arrays: of an axis such as `n` or `3*p`."""
    for (_, _, axes), shape in zip(map(parsed, types), shapes, strict=True):
        for axis, length in zip(axes.split(), shape, strict=True):
            if found := re.fullmatch(r"(?:(\d+)\*)?([\w.]+)", axis):
                sizes.setdefault(found[2], length // int(found[1] or 1))
    return sizes


def attention(rng, *sizes):
    """Random q, k and v, and the result in float64, of n queries and m keys of d with values of e; heads may come first."""
    *heads, n, d, m, e = sizes
    q, k, v = (rng.standard_normal((*heads, *shape)).astype(np.float32) for shape in ((n, d), (m, d), (m, e)))
    s = q.astype(float) @ np.swapaxes(k.astype(float), -1, -2) / np.sqrt(d)
    a = np.exp(s - s.max(-1, keepdims=True))
    return (q, k, v), a / a.sum(-1, keepdims=True) @ v


@needs_compiler
@unittest.skipUnless(cross.PRESENT, "no emulator or no C library for 64-bit Arm")
class Arm(Case):
    @classmethod
    def setUpClass(cls):
        cls.where = Path(mkdtemp(prefix="attnc-arm-"))
        cls.addClassCleanup(shutil.rmtree, cls.where)
        cls.host = cross.ArmHost(cls.where)

    def kernel(self, program, diagram, sizes, *options):
        library = self.folder / f"{diagram}.so"
        size = ["--size", *(f"{name}={value}" for name, value in sizes.items())] if sizes else []
        self.attnc("compile", program, diagram, "--emit=so", "--target=aarch64", "-o", library, *options, *size)
        return library

    def test_sizes_around_tiles(self):
        """One kernel for all sizes; tiles are of 12 queries by 8 keys."""
        library = self.kernel(SDPA, "sdpa", {})
        rng = np.random.default_rng(1)
        for n, d, m, e in ((1, 1, 1, 1), (11, 3, 7, 5), (12, 8, 8, 8), (13, 16, 9, 17), (25, 15, 129, 1), (37, 40, 257, 24)):
            with self.subTest(f"n={n} d={d} m={m} e={e}"):
                arrays, want = attention(rng, n, d, m, e)
                (out,) = self.host.call(library, "attnc_sdpa", arrays, [(n, e)], (n, d, m, e))
                self.assertNear(out, want, 1e-5)

    def test_masked(self):
        rng = np.random.default_rng(2)
        for n, m, d, e in ((1, 1, 1, 1), (13, 13, 8, 8), (50, 71, 9, 11)):
            with self.subTest(f"n={n} m={m}"):
                (q, k, v), _ = attention(rng, n, d, m, e)
                library = self.kernel(CAUSAL, "causal", {"n": n, "m": m, "d": d, "e": e})
                (out,) = self.host.call(library, "attnc_causal", (q, k, v), [(n, e)])
                (want,) = reference("dot_product.causal")({name: array.astype(float) for name, array in
                                                           zip("qkv", (q, k, v))}, {})
                self.assertNear(out, want, 1e-5)

    def test_threads_do_not_show(self):
        arrays, want = attention(np.random.default_rng(3), 5, 70, 16, 90, 24)
        program = self.write("heads.attn", HEADS)
        library = self.kernel(program, "heads", {"h": 5, "n": 70, "m": 90, "d": 16, "e": 24})
        outs = [self.host.call(library, "attnc_heads", arrays, [want.shape], threads=threads)[0] for threads in (1, 2, 3)]
        self.assertNear(outs[0], want, 1e-5)
        for out in outs[1:]:
            self.assertEqual(out.tobytes(), outs[0].tobytes())

    def test_threads_of_sizes_that_are_arguments(self):
        library = self.kernel(EXAMPLES / "09_bahdanau.attn", "bahdanau", {})
        for sizes in ({"n": 3, "p": 4, "m": 5, "c": 6, "r": 7}, {"n": 40, "p": 80, "m": 90, "c": 33, "r": 50}):
            with self.subTest(sizes):
                shape = lambda axes: [sizes[axis] for axis in axes]
                rng = np.random.default_rng(4)
                s, h, w, u, v = (rng.standard_normal(shape(axes)).astype(np.float32) for axes in ("np", "mc", "pr", "cr", "r"))
                weights = np.exp(np.tanh((s @ w)[:, None] + (h @ u)[None]) @ v)
                want = weights / weights.sum(1, keepdims=True) @ h
                outs = [self.host.call(library, "attnc_bahdanau", (s, h, w, u, v), [want.shape], tuple(sizes.values()),
                                       threads=threads)[0] for threads in (1, 2, 3)]
                self.assertNear(outs[0], want, 1e-5)
                for out in outs[1:]:
                    self.assertEqual(out.tobytes(), outs[0].tobytes())

    def test_mechanisms(self):
        """Those whose kernels differ most: other normalisers, gathers, scans, higher order."""
        checked = 0
        for family in ("normalisers", "linear", "sparse", "higher_order"):
            for entry in json.loads((ROOT / "tests" / "mechanisms" / f"{family}.json").read_text()):
                with self.subTest(f"{entry['file']} {entry['diagram']}"):
                    checked += self.check(entry)
        self.assertGreater(checked, 40)

    def check(self, entry):
        """Whether the sizes follow from the shapes, and then the result."""
        what, inputs, parameters, given, expected = next(iter(cases(entry)))
        program, diagram = TAXONOMY / entry["file"], entry["diagram"]
        told = json.loads(self.attnc("check", "--json", program).stdout)["diagrams"]
        (signature,) = [d for d in told if d["name"] == diagram and Path(d["file"]) == program]
        names = {called: name for name, called in entry.get("names", {}).items()}
        arrays = [inputs[names.get(i["name"], i["name"])] for i in signature["inputs"]]
        arrays += [parameters[p["name"]] for p in signature["parameters"]]
        types = [i["type"] for i in signature["inputs"] + signature["parameters"]]
        sizes = solved(types, [a.shape for a in arrays], dict(given))
        if set(sizes) != set(signature["sizes"]):
            return False
        library = self.kernel(program, diagram, sizes)
        outs = self.host.call(library, "attnc_" + diagram, map(as_kernels_take, arrays), [np.shape(e) for e in expected])
        for out, want in zip(outs, expected, strict=True):
            self.assertNear(out, want, 1e-5, what)
        return True

    def test_bf16(self):
        arrays, want = attention(np.random.default_rng(4), 20, 16, 40, 8)
        library = self.kernel(SDPA, "sdpa", {}, "--dtype", "bf16")
        halves = [(array.view(np.uint32) + 0x8000 >> 16).astype(np.uint16) for array in arrays]
        (out,) = self.host.call(library, "attnc_sdpa", halves, [(20, 8)], (20, 16, 40, 8), dtype=np.uint16)
        self.assertNear((out.astype(np.uint32) << 16).view(np.float32), want, 2e-2)


@needs_compiler
class Tiles(Case):
    """The register tile of a machine fills its registers and spills none of them."""

    # target: multiply-adds in a tile (rows × vectors), how one is written, how a vector is written to the stack
    MACHINES = {"x86-64-v4": (24, r"vfmadd231ps\t.*%zmm", r"vmov[ua]ps\t%zmm\d+, \S*\(%r[sb]p\)"),
                "x86-64-v3": (12, r"vfmadd231ps\t.*%ymm", r"vmov[ua]ps\t%ymm\d+, \S*\(%r[sb]p\)"),
                "aarch64": (24, r"fmla\tv\d+\.4s", r"st[rp]\tq\d+.*\[sp")}

    def test_inner_loops(self):
        for target, (count, multiply, spill) in self.MACHINES.items():
            with self.subTest(target):
                self.attnc("compile", SDPA, "--emit=asm", f"--target={target}", "-o", "k.s", "--size", "n=1024", "m=1024",
                           "d=64", "e=64")
                # A loop without another inside: from its label to the first branch back to it.
                loops = re.findall(r"^(\.LBB\S+):((?:(?!^\.LBB)[^\n]*\n)*?\s+\S+\s+(?:\S+, )?\1\b)",
                                   (self.folder / "k.s").read_text(), re.M)
                tiles = [body for _, body in loops if len(re.findall(multiply, body)) >= count]
                self.assertGreaterEqual(len(tiles), 1, "the block of registers, for scores and values alike")
                for body in tiles:
                    self.assertEqual(len(re.findall(multiply, body)) % count, 0)
                    self.assertEqual(re.findall(spill, body), [])

    def test_sizes_around_tiles(self):
        """On AVX2 tiles are of 24 queries by 4 keys, on SSE of 12 by 4."""
        for target in ("x86-64-v3", "x86-64"):
            for n, m, d, e in ((1, 1, 1, 1), (11, 3, 4, 5), (12, 4, 8, 8), (13, 5, 3, 9), (24, 128, 16, 16), (25, 129, 17, 3),
                               (47, 127, 2, 4), (73, 300, 24, 12)):
                for program in (SDPA, CAUSAL):
                    with self.subTest(f"{target} {program.name} n={n} m={m} d={d} e={e}"):
                        self.attnc("run", program, "--in", "q=random:1", "k=random:2", "v=random:3", "--check", "--target",
                                   target, "--size", f"n={n}", f"m={m}", f"d={d}", f"e={e}")


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
