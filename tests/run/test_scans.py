"""Scans a chunk of steps at a time: what is recognised and what is not, sizes around those of chunks, decays, last states."""
import ctypes
import unittest

import numpy as np

import support
from support import TAXONOMY, Case, needs_compiler

HEAD = "diagram f(q: [n d], k: [n d], v: [n e]{more}) -> (y: [n e], S: [d e]) {{\n  {body}\n}}\n"

# name: further inputs, what is carried from where, the body
SCANS = {
    "linear": ("", "S: [d e] = 0", "S' = S + outer(k, v)", "dot(q, S')"),
    "before": ("", "S: [d e] = 0", "S' = S + outer(k, v)", "dot(q, S)"),
    "constant": (", g: []", "S: [d e] = 0", "S' = g * S + outer(k, v)", "dot(q, S')"),
    "each step": (", a: [n]", "S: [d e] = 0", "S' = a * S + outer(k, v)", "dot(q, S')"),
    "each step before": (", a: [n]", "S: [d e] = 0", "S' = a * S + outer(k, v)", "dot(q, S)"),
    "diagonal": (", A: [n d]", "S: [d e] = 0", "S' = simd d (S, A, k) { A * S + k * v }", "dot(q, S')"),
    "diagonal before": (", A: [n d]", "S: [d e] = 0", "S' = simd d (S, A, k) { k * v + S * A }", "dot(q, S)"),
    "logarithms": (", A: [n d]", "S: [d e] = 0", "S' = simd d (S, A, k) { exp(A - 2) * S + k * v }", "dot(q, S')"),
    "from a state": (", a: [n], B: [d e]", "S: [d e] = B", "S' = a * S + outer(k, v)", "dot(q, S')"),
    "taken away": (", a: [n]", "S: [d e] = 0", "S' = a * S - outer(a * k, v)", "2 * dot(q / 2, S')"),
    "indexed": ("", "S: [d e] = 0", "S' = S + outer(cos(t / 3) * k, v)", "dot(q, S') / (t + 1)"),
    "summed": (", a: [n]", "S: [d e] = 0", "S' = a * S + outer(k, v)", "sum(S')"),
    "read twice": (", a: [n]", "S: [d e] = 0", "S' = a * S + outer(k, v)", "dot(q, S') - dot(k, S)"),
    "normalised keys": ("", "S: [d e] = 0", "S' = S + outer(l2norm(k), tanh(v))", "tanh(dot(softmax(q), S'))"),
}


def program(more, state, update, read):
    extra = [name.split(":")[0].strip() for name in more.split("[")[0].split(",")[1:]] if more else []
    stepped = [w for w in extra if w in ("a", "A")]
    wires = ", ".join(["q", "k", "v", *stepped])
    body = f"scan n as t ({wires}) from {state} {{\n    {update}\n    (S', {read})\n  }}"
    return HEAD.format(more=more, body=body)


def decays(kind, shape, rng):
    """Gates in a row of steps."""
    if kind == "zeros":
        return np.where(rng.random(shape) < 0.2, 0, rng.uniform(0, 1, shape))
    return {"0": np.zeros(shape), "1": np.ones(shape), "near 1": rng.uniform(0.9, 1, shape), "small": rng.uniform(0, 1e-3, shape),
            "tiny": np.full(shape, 1e-30), "signs": rng.uniform(-1.2, 1.2, shape)}[kind].astype(np.float32)


@needs_compiler
class Scans(Case):
    def arrays(self, sizes, more, gates, seed=1):
        rng = np.random.default_rng(seed)
        n, d, e = sizes
        arrays = {"q": rng.standard_normal((n, d)), "k": rng.standard_normal((n, d)), "v": rng.standard_normal((n, e))}
        shapes = {"g": (), "a": (n,), "A": (n, d)}
        for name, shape in shapes.items():
            if f" {name}:" in more:
                arrays[name] = decays(gates, shape, rng)
        if " B:" in more:
            arrays["B"] = rng.standard_normal((d, e))
        return {name: np.asarray(array, np.float32) for name, array in arrays.items()}

    def check(self, text, arrays, *options, chunked=True):
        """The compiled scan against the evaluator in float64."""
        file = self.write("f.attn", text)
        if chunked is not None:
            told = self.attnc("compile", "--explain", file).stdout
            self.assertIn(": chunked: any number of steps" if chunked else ": not chunked: ", told)
        self.attnc("run", file, *self.inputs(arrays), "--check", *options)

    def test_sizes_around_chunks(self):
        for name, parts in SCANS.items():
            for n, d, e in ((1, 1, 1), (8, 8, 8), (63, 16, 17), (64, 33, 15), (65, 9, 64), (129, 40, 100), (70, 65, 1), (0, 8, 8),
                            (9, 8, 0)):
                with self.subTest(f"{name} n={n} d={d} e={e}"):
                    self.check(program(*parts), self.arrays((n, d, e), parts[0], "near 1"), chunked=None)

    def test_all_are_chunked(self):
        for name, parts in SCANS.items():
            with self.subTest(name):
                self.check(program(*parts), self.arrays((80, 9, 11), parts[0], "near 1"))

    def test_decays(self):
        """Also gates that forget all, and products of gates that leave the range of floats within a chunk."""
        for name, parts in SCANS.items():
            for gates in ("0", "1", "small", "tiny", "zeros", "signs") if parts[0] else ():
                with self.subTest(f"{name}, {gates}"):
                    self.check(program(*parts), self.arrays((150, 10, 20), parts[0], gates), chunked=None)

    def test_heads(self):
        """Heads with decays of their own that share keys; states whose axes lie otherwise; a normaliser."""
        self.check("""diagram f(q: [h n d], k: [n d], v: [h n e], g: [h]) -> (y: [h n e], S: [h e d], z: [h d]) {
  simd h (q, v, g) {
    scan n (q, k, v) from S: [e d] = 0, z: [d] = 0 {
      S' = g * S + outer(v, k)
      z' = g * z + k
      (S', z', simd e (S') { dot(S', q) } / (1 + abs(dot(z', q))))
    }
  }
}
""", {name: np.random.default_rng(i).uniform(0.5, 1, shape).astype(np.float32) for i, (name, shape) in enumerate(
            {"q": (3, 130, 9), "k": (130, 9), "v": (3, 130, 5), "g": (3,)}.items())})

    def test_heads_inside_of_a_state(self):
        self.check("""diagram f(q: [n h d], k: [n h d], v: [n h e], a: [n h]) -> (y: [n h e], S: [h d e]) {
  scan n (q, k, v, a) from S: [h d e] = 0 {
    S' = simd h (S, k, v, a) { a * S + outer(k, v) }
    (S', simd h (q, S') { dot(q, S') })
  }
}
""", {name: np.random.default_rng(i).uniform(-1, 1, shape).astype(np.float32) for i, (name, shape) in enumerate(
            {"q": (90, 3, 9), "k": (90, 3, 9), "v": (90, 3, 18), "a": (90, 3)}.items())})

    def test_mechanisms(self):
        rng = np.random.default_rng(7)
        n, d, e = 150, 24, 20
        base = {"q": rng.standard_normal((n, d)), "k": rng.standard_normal((n, d)), "v": rng.standard_normal((n, e))}
        ssd = dict(zip("CBx", base.values()))
        for file, diagram, arrays in (
                ("linear_attention_causal", "linear_attention_recurrent", base), ("cosformer", "cosformer_causal", base),
                ("retention", "retention_recurrent", {**base, "g": np.array(0.97)}),
                ("gla", "gla_recurrent", {**base, "g": np.log(rng.uniform(0, 1, (n, d)))}),
                ("gla", "gla_recurrent", {**base, "g": np.where(rng.random((n, d)) < 0.01, -np.inf, -0.05)}),
                ("mamba2", "ssd_recurrent", {**ssd, "g": -rng.uniform(0, 20, n)})):
            with self.subTest(diagram):
                program = TAXONOMY / f"{file}.attn"
                self.assertIn(": chunked: ", self.attnc("compile", "--explain", program, diagram).stdout)
                arrays = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
                self.attnc("run", program, diagram, *self.inputs(arrays), "--check")

    def test_layers(self):
        for layer, sizes in (("retnet", ("n=70", "c=12", "h=3", "p=4", "e=9")), ("mamba2", ("n=70", "c=12", "d=9", "e=16")),
                             ("gla", ("n=70", "c=12", "d=9", "e=16", "r=3"))):
            with self.subTest(layer):
                name = "u" if layer == "mamba2" else "x"
                self.attnc("run", TAXONOMY / f"{layer}.attn", layer, "--in", f"{name}=random:1", "--params", "random:2", "--check",
                           "--size", *sizes)

    def test_what_is_not_chunked(self):
        """The result is right all the same; it is told why."""
        for why, text, shapes in (
                ("a state goes into what is added", """diagram f(q: [n d], k: [n d], v: [n e]) -> [n e] {
  scan n (q, k, v) from S: [d e] = 0 {
    S' = S + outer(k / 9, v - dot(k, S))
    (S', dot(q, S'))
  }
}
""", {"q": (70, 9), "k": (70, 9), "v": (70, 8)}),
                ("the next state is not affine", """diagram f(q: [n d], k: [n d], v: [n e]) -> [n e] {
  scan n (q, k, v) from S: [d e] = 0 {
    S' = tanh(S) + outer(k, v)
    (S', dot(q, S'))
  }
}
""", {"q": (70, 9), "k": (70, 9), "v": (70, 8)}),
                ("no contraction with a query reads a state", """diagram f(x: [n d]) -> [n d] {
  scan n (x) from s: [d] = 0 { (s + x, s) }
}
""", {"x": (70, 9)}),
                ("more than one thing is added", """diagram f(q: [n d], k: [n d], v: [n e]) -> [n e] {
  scan n (q, k, v) from S: [d e] = 0 {
    S' = S + outer(k, v) + outer(q, v)
    (S', dot(q, S'))
  }
}
""", {"q": (70, 9), "k": (70, 9), "v": (70, 8)}),
                ("no product of a key and values", """diagram f(q: [n d], u: [n d e]) -> [n e] {
  scan n (q, u) from S: [d e] = 0 {
    S' = S + u
    (S', dot(q, S'))
  }
}
""", {"q": (70, 9), "u": (70, 9, 8)}),
                ("more than once", """diagram f(q: [n d], k: [n d], v: [n e]) -> [n e] {
  scan n (q, k, v) from S: [d e] = 0 {
    S' = 0.1 * S + (outer(k, v) + 0.2 * S)
    (S', dot(q, S'))
  }
}
""", {"q": (70, 9), "k": (70, 9), "v": (70, 8)}),
                ("other than by a contraction", """diagram f(q: [n d], k: [n d], v: [n e]) -> (y: [n e], s: [n e], S: [d e]) {
  scan n (q, k, v) from S: [d e] = 0 {
    S' = S + outer(k, v)
    (S', dot(q, S'), max d (S') { S' })
  }
}
""", {"q": (70, 9), "k": (70, 9), "v": (70, 8)})):
            with self.subTest(why):
                file = self.write("f.attn", text)
                self.assertIn(": not chunked: ", told := self.attnc("compile", "--explain", file).stdout)
                self.assertIn(why, told)
                arrays = {name: np.random.default_rng(i).uniform(-0.3, 0.3, shape) for i, (name, shape) in enumerate(shapes.items())}
                self.attnc("run", file, *self.inputs(arrays), "--check")

    def test_small_ones_go_step_by_step(self):
        file = self.write("f.attn", program(*SCANS["linear"]))
        for sizes in ("n=4", "d=8", "e=8"), ("n=900", "d=3", "e=4"):
            told = self.attnc("compile", "--explain", file, "--size", *sizes).stdout
            self.assertIn("not chunked: one step after the other costs less at these sizes", told)
        told = self.attnc("compile", "--explain", file, "--size", "n=8192", "d=64", "e=64").stdout
        self.assertIn("f.attn:2:3: chunked: 8192 steps, 64 at a time, of a state of 64 × 64, 1 times; 201.327 MFLOP, "
                      "134.218 step by step", told)

    def test_other_reals(self):
        """In f64 a scan goes step by step; in bf16 all is f32 inside."""
        file = self.write("f.attn", program(*SCANS["each step"]))
        arrays = self.arrays((100, 9, 10), SCANS["each step"][0], "near 1")
        self.assertIn("not chunked: a state is no array of f32", self.attnc("compile", "--explain", file, "--dtype=f64").stdout)
        for real in ("f64", "bf16"):
            self.attnc("run", file, *self.inputs(arrays), "--check", f"--dtype={real}")

    def test_other_machines(self):
        for target in ("x86-64", "x86-64-v3"):
            for name in ("before", "diagonal", "each step"):
                with self.subTest(f"{target} {name}"):
                    self.check(program(*SCANS[name]), self.arrays((100, 13, 21), SCANS[name][0], "near 1"), "--target", target,
                               chunked=None)

    def test_lengths_as_arguments(self):
        file = self.write("f.attn", program(*SCANS["diagonal before"]))
        library = self.folder / "f.so"
        self.attnc("compile", file, "--emit=so", "-o", library)
        kernel = ctypes.CDLL(str(library)).attnc_f
        for n, d, e in ((0, 4, 4), (1, 1, 1), (5, 3, 2), (64, 16, 48), (65, 17, 49), (200, 40, 33)):
            arrays = self.arrays((n, d, e), SCANS["diagonal before"][0], "near 1")
            y, last = np.full((n, e), np.nan, np.float32), np.full((d, e), np.nan, np.float32)
            pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (*arrays.values(), y, last)]
            self.assertEqual(kernel(*pointers, *(ctypes.c_int64(size) for size in (n, d, e))), 0)
            S, expected = np.zeros((d, e)), np.zeros((n, e))
            for t in range(n):
                expected[t] = arrays["q"][t] @ S
                S = arrays["A"][t][:, None] * S + np.outer(arrays["k"][t], arrays["v"][t])
            self.assertNear(y, expected, 1e-5, f"n = {n}")
            self.assertNear(last, S, 1e-5, f"n = {n}")

    def test_nothing_comes_back_from_later_steps(self):
        """NaN in a query stays in its step; in a key, a value or a gate it shows from its step on."""
        for name in ("linear", "each step", "diagonal", "diagonal before"):
            more = SCANS[name][0]
            arrays = self.arrays((100, 8, 9), more, "near 1")
            file = self.write("f.attn", program(*SCANS[name]))
            (want, _) = self.result("run", file, "f", arrays, results=["y", "S"])
            for spoilt in arrays:
                with self.subTest(f"{name}, {spoilt}"):
                    changed = {key: array.copy() for key, array in arrays.items()}
                    changed[spoilt][43] = np.nan
                    (y, last) = self.result("run", file, "f", changed, results=["y", "S"])
                    before = "before" in name and spoilt != "q"
                    np.testing.assert_array_equal(np.isnan(y).all(1), [
                        t == 43 if spoilt == "q" else t > 43 if before else t >= 43 for t in range(100)])
                    kept = ~np.isnan(y).any(1)
                    self.assertNear(y[kept], want[kept], 1e-5)
                    self.assertEqual(np.isnan(last).any(), spoilt != "q")

    def test_threads_do_not_show(self):
        file = self.write("f.attn", """diagram f(q: [h n d], k: [h n d], v: [h n e], a: [h n]) -> [h n e] {
  simd h (q, k, v, a) {
    scan n (q, k, v, a) from S: [d e] = 0 {
      S' = a * S + outer(k, v)
      (S', dot(q, S'))
    }
  }
}
""")
        for heads in ("1", "3"):
            results = set()
            for threads in ("1", "2", "3"):
                self.attnc("run", file, "--in", "q=random:1", "k=random:2", "v=random:3", "a=random:4", "--size", f"h={heads}",
                           "n=999", "d=24", "e=80", "--out", "y.npy", OMP_NUM_THREADS=threads)
                results.add((self.folder / "y.npy").read_bytes())
            self.assertEqual(len(results), 1)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
