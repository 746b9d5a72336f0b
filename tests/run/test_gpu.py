"""Kernels for GPUs, without one: run on this machine against NumPy, and assembled where NVIDIA's assembler is found.

`python3 -m unittest test_gpu.core` runs a family of mechanisms, `test_gpu.examples` the examples.
"""
import json
import os
import re
import shutil
import subprocess
import unittest

import support
from comparison import Comparison, cases
from support import EXAMPLES, ROOT, TAXONOMY, Case, examples as example_entries, needs_compiler

PTXAS = shutil.which("ptxas") or next(
    (path for folder in (os.environ.get("CUDA_HOME"), "/usr/local/cuda") if folder
     and os.access(path := f"{folder}/bin/ptxas", os.X_OK)), None)


def first(entry):
    """The first case of an entry alone."""
    yield next(cases(entry))


class Kernels(Comparison):
    """Each program of a table. Sizes are arguments at all sizes and edges, and compiled in at the first ones."""
    test_check_is_quiet = test_eval = test_golden = test_run_f32 = test_run_f64 = None

    @needs_compiler
    def test_emulated(self):
        self.compare("run", 1e-5, "--target", "cuda-emulated", "--dynamic")

    @needs_compiler
    def test_emulated_with_sizes(self):
        self.compare("run", 1e-12, "--target", "cuda-emulated", "--dtype", "f64", of=first)

    @needs_compiler
    def test_streams(self):
        """Streams in blocks, since the lengths of keys and values are compiled in; the sizes at which tiles end are
        test_gpu_streams's."""
        self.compare("run", 1e-5, "--target", "cuda-emulated", of=first)

    @needs_compiler
    def test_ptx(self):
        for number, entry in enumerate(self.table):
            with self.subTest(f"{entry['file']} {entry['diagram']}"):
                architecture = ("sm_80", "sm_90a")[number % 2]
                self.attnc("compile", self.programs / entry["file"], entry["diagram"], "--emit=ptx",
                           f"--target=cuda:{architecture}", "--dtype", ("f32", "bf16", "f64")[number % 3], "-o", "x.ptx")
                text = (self.folder / "x.ptx").read_text()
                self.assertIn(f".target {architecture}", text)
                self.assertNotRegex(text, r"\.extern", "a function that is nowhere")
                if not PTXAS:
                    continue
                said = subprocess.run([PTXAS, f"-arch={architecture}", "-v", "x.ptx", "-o", "x.cubin"],
                                      cwd=self.folder, capture_output=True, text=True)
                self.assertEqual(said.returncode, 0, said.stderr)
                spilled = re.findall(r"(\d+) bytes spill stores", said.stderr)
                self.assertTrue(spilled)
                self.assertEqual(set(spilled), {"0"}, said.stderr)


for path in sorted((ROOT / "tests" / "mechanisms").glob("*.json")):
    globals()[path.stem] = type(path.stem, (Kernels, Case), {
        "programs": TAXONOMY, "table": json.loads(path.read_text()), "__module__": __name__})


class examples(Kernels, Case):
    programs, table = EXAMPLES, example_entries()


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
