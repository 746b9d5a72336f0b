"""`attnc compile`: every artefact, and that objects from it compute the same outside attnc."""
import ctypes
import os
import shutil
import subprocess
import time
import unittest

import numpy as np

import support
from support import DATA, EXAMPLES, SANITIZED, Case, examples, needs_compiler, reference

SDPA = EXAMPLES / "02_sdpa.attn"
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang-22")


@needs_compiler
class Compile(Case):
    def emit(self, kind, output, *options):
        self.attnc("compile", SDPA, f"--emit={kind}", "-o", output, *options)
        return (self.folder / output).read_bytes()

    def test_texts(self):
        self.assertIn(b"attnc.", self.emit("mlir", "x.mlir"))
        self.assertIn(b"linalg.", self.emit("linalg", "x.mlir"))
        self.assertIn(b"define", self.emit("llvm", "x.ll"))
        self.assertIn(b"attnc_sdpa", self.emit("asm", "x.s"))
        self.assertIn(b"attnc_sdpa", self.emit("header", "sdpa.h"))
        self.assertTrue(self.emit("diagram", "x.txt"))

    def test_objects(self):
        for kind in ("obj", "so"):
            self.assertTrue(self.emit(kind, f"x.{kind}").startswith(b"\x7fELF"))

    def test_targets(self):
        machine = {"x86-64-v3": 62, "x86-64-v4": 62, "aarch64": 183}  # e_machine of ELF
        for target, number in machine.items():
            with self.subTest(target):
                self.assertEqual(self.emit("obj", "x.o", f"--target={target}")[18], number)
        self.attnc("compile", SDPA, "--emit=obj", "--target=pdp11", "-o", "x.o", code=1)

    def test_same_text_every_time(self):
        self.assertEqual(self.emit("llvm", "a.ll"), self.emit("llvm", "b.ll"))

    def test_a_c_program_calls_it(self):
        self.emit("so", "libattnc_sdpa.so")
        self.emit("header", "sdpa.h")
        subprocess.run([COMPILER, "-std=c99", "-Wall", "-Werror", EXAMPLES / "call.c", "-I.", "-L.", "-lattnc_sdpa",
                        "-Wl,-rpath,$ORIGIN", "-o", "call"], cwd=self.folder, check=True)
        said = subprocess.run([self.folder / "call"], capture_output=True, text=True, check=True).stdout
        arrays = {"q": [[1, 0], [0, 2]], "k": [[1, 0], [0, 1], [1, 1]], "v": [[1], [2], [3]]}
        want = reference("dot_product.sdpa")({name: np.array(a, float) for name, a in arrays.items()}, {})[0]
        self.assertNear(np.array([float(x) for x in said.split()]), want.ravel(), 1e-5)

    def test_static_and_dynamic_sizes_give_the_same(self):
        q, k, v, out = (np.load(DATA / f"{name}.npy") for name in ("q", "k", "v", "out"))
        n, d, m, e = 24, 32, 24, 32
        sizes = [a for size in (f"n={n}", f"d={d}", f"m={m}", f"e={e}") for a in ("--size", size)]
        self.emit("so", "fixed.so", *sizes)
        self.emit("so", "any.so")
        pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (q, k, v)]
        for library, extra in (("fixed.so", ()), ("any.so", map(ctypes.c_int64, (n, d, m, e)))):
            y = np.full_like(out, np.nan)
            function = ctypes.CDLL(str(self.folder / library)).attnc_sdpa
            self.assertEqual(function(*pointers, y.ctypes.data_as(ctypes.c_void_p), *extra), 0)
            self.assertNear(y, out, 1e-5)

    def test_threads_of_sizes_that_are_arguments_do_not_show(self):
        """Of small arrays nothing is shared out, of large ones some; threads show in neither."""
        self.attnc("compile", EXAMPLES / "09_bahdanau.attn", "--emit=so", "-o", "any.so")
        function = ctypes.CDLL(str(self.folder / "any.so")).attnc_bahdanau
        threads = ctypes.CDLL("libomp.so.5").omp_set_num_threads
        rng = np.random.default_rng(4)
        for sizes in ({"n": 3, "p": 4, "m": 5, "c": 6, "r": 7}, {"n": 40, "p": 80, "m": 90, "c": 33, "r": 50}):
            shape = [[sizes[axis] for axis in axes] for axes in ("np", "mc", "pr", "cr", "r")]
            arrays = s, h, w, u, v = [rng.standard_normal(axes).astype(np.float32) for axes in shape]
            weights = np.exp(np.tanh((s @ w)[:, None] + (h @ u)[None]) @ v)
            want = weights / weights.sum(1, keepdims=True) @ h
            results = set()
            before = len(os.listdir("/proc/self/task"))
            for count in (1, 2, os.cpu_count() + 4):  # more than any test before has started
                threads(count)
                y = np.full(want.shape, np.nan, np.float32)
                pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (*arrays, y)]
                self.assertEqual(function(*pointers, *map(ctypes.c_int64, sizes.values())), 0)
                self.assertNear(y, want, 1e-5)
                results.add(y.tobytes())
            self.assertEqual(len(results), 1)
            self.assertEqual(len(os.listdir("/proc/self/task")) > before, sizes["n"] == 40)

    def test_every_example_has_a_header_that_c_takes(self):
        for entry in examples():
            with self.subTest(f"{entry['file']} {entry['diagram']}"):
                self.attnc("compile", EXAMPLES / entry["file"], entry["diagram"], "--emit=header", "-o", "x.h")
                subprocess.run([COMPILER, "-std=c99", "-Wall", "-Werror", "-fsyntax-only", "x.h"], cwd=self.folder,
                               check=True)


@needs_compiler
class Run(Case):
    def test_a_second_run_starts_from_the_cache(self):
        inputs = [a for name in "qkv" for a in ("--in", f"{name}={DATA / name}.npy")]
        seconds = []
        for _ in range(4):
            start = time.monotonic()
            self.attnc("run", SDPA, *inputs, "--out", "y.npy")
            seconds.append(time.monotonic() - start)
        self.assertLess(min(seconds[1:]), seconds[0])

    def test_time(self):
        inputs = [a for name in "qkv" for a in ("--in", f"{name}={DATA / name}.npy")]
        result = self.attnc("run", SDPA, *inputs, "--time")
        self.assertRegex(result.stdout + result.stderr, r"\d+(\.\d+)? ?[mµun]?s")

    def test_bf16(self):
        inputs = [a for name in "qkv" for a in ("--in", f"{name}={DATA / name}.npy")]
        self.attnc("run", SDPA, *inputs, "--dtype", "bf16", "--out", "y.npy")
        y, out = np.load(self.folder / "y.npy"), np.load(DATA / "out.npy")
        self.assertNear(np.asarray(y, float), out, 2e-2)

    def test_what_takes_too_much_memory_is_refused(self):
        program = self.write("f.attn", "diagram f(x: [n]) -> [] {\n  s = outer(x, x)\n"
                             "  sum(sum(simd n (s) { softmax(s) }))\n}\n")
        # The sanitizers need all addresses for themselves, so that no limit can be set while a program runs.
        for size in (3_000_000_000,) if SANITIZED else (30_000, 3_000_000_000):
            result = self.attnc("run", program, "--in", "x=random:1", "--size", f"n={size}", "--max-memory", "100MB", code=1)
            self.assertIn("memory", result.stderr)

    def test_the_number_of_threads_does_not_show(self):
        inputs = [a for name in "qkv" for a in ("--in", f"{name}={DATA / 'sentence.npz'}:{name}")]
        results = set()
        for threads in ("1", "2", "5"):
            self.attnc("run", EXAMPLES / "03_sentence.attn", "sentence", *inputs, "--out", "y.npy",
                       OMP_NUM_THREADS=threads)
            results.add((self.folder / "y.npy").read_bytes())
        self.assertEqual(len(results), 1)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
