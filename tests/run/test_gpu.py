"""Kernels for GPUs, without one: run on this machine against NumPy, and assembled where NVIDIA's assembler is found.

`python3 -m unittest test_gpu.core` runs a family of mechanisms, `test_gpu.examples` the examples. Each example meets one of the
checks and each third mechanism, and each family all of them; with ATTNC_SWEEP=1 every program meets all, at all its sizes and edges.
"""
import itertools
import json
import os
import re
import shutil
import subprocess
import unittest
import zlib

import support
from comparison import Comparison, cases
from support import EXAMPLES, ROOT, TAXONOMY, Case, examples as example_entries, needs_compiler

PTXAS = shutil.which("ptxas") or next(
    (path for folder in (os.environ.get("CUDA_HOME"), "/usr/local/cuda") if folder
     and os.access(path := f"{folder}/bin/ptxas", os.X_OK)), None)


SWEEP = os.environ.get("ATTNC_SWEEP") == "1"
CHECKS = "dynamic", "double", "streams", "ptx"


class Kernels(Comparison):
    """Each program of a table. Sizes are arguments, and compiled in at the first ones."""
    test_check_is_quiet = test_eval = test_golden = test_run_f32 = test_run_f64 = test_run_bf16 = None
    every = 12  # the program in so many that meets a check, if not all do

    def taken(self, check):
        """The entries of the table that meet a check."""
        if SWEEP:
            return self.table
        every = min(self.every, len(self.table))
        offset = zlib.crc32(type(self).__name__.encode()) + CHECKS.index(check) * every // len(CHECKS)
        return [entry for number, entry in enumerate(self.table) if (number + offset) % every == 0]

    def cases(self, check, most=None):
        """The cases of an entry, the first `most` of them, where it meets the check."""
        taken = self.taken(check)
        return lambda entry: itertools.islice(cases(entry), most if entry in taken else 0)

    @needs_compiler
    def test_emulated(self):
        self.compare("run", 1e-5, "--target", "cuda-emulated", "--dynamic", of=self.cases("dynamic", None if SWEEP else 2))

    @needs_compiler
    def test_emulated_with_sizes(self):
        self.compare("run", 1e-12, "--target", "cuda-emulated", "--dtype", "f64", of=self.cases("double", 1))

    @needs_compiler
    def test_streams(self):
        """Streams in blocks, since the lengths of keys and values are compiled in; the sizes at which tiles end are
        test_gpu_streams's."""
        self.compare("run", 1e-5, "--target", "cuda-emulated", of=self.cases("streams", 1))

    @needs_compiler
    def test_ptx(self):
        for number, entry in enumerate(self.taken("ptx")):
            for architecture in ("sm_80", "sm_90a") if SWEEP else [("sm_80", "sm_90a")[number % 2]]:
                self.assemble(number, entry, architecture)

    def sizes(self, entry):
        """The options for the first sizes of an entry: those that the program names, of the reference's."""
        self.attnc("compile", self.programs / entry["file"], entry["diagram"], "--emit=header", "-o", "x.h")
        named = re.findall(r"^ \*   (\w+) +size$", (self.folder / "x.h").read_text(), re.M)
        return [f"--size={name}={entry['sizes'][0][name]}" for name in named if name in entry["sizes"][0]]

    def assemble(self, number, entry, architecture):
        for sizes in ([], self.sizes(entry)): # streams need some of them
            with self.subTest(f"{entry['file']} {entry['diagram']} {architecture} {sizes}"):
                self.attnc("compile", self.programs / entry["file"], entry["diagram"], "--emit=ptx",
                           f"--target=cuda:{architecture}", "--dtype", ("f32", "bf16", "f64")[number % 3], *sizes,
                           "-o", "x.ptx")
                text = (self.folder / "x.ptx").read_text()
                self.assertIn(f".target {architecture}", text)
                self.assertNotRegex(text, r"\.extern \.func", "a function that is nowhere")
                if not PTXAS:
                    continue
                said = subprocess.run([PTXAS, f"-arch={architecture}", "-v", "x.ptx", "-o", "x.cubin"],
                                      cwd=self.folder, capture_output=True, text=True)
                self.assertEqual(said.returncode, 0, said.stderr)
                self.assertNotRegex(said.stderr, r"C75(08|11|15)", "a request that is ignored")
                spilled = re.findall(r"(\d+) bytes spill stores", said.stderr)
                self.assertTrue(spilled)
                self.assertEqual(set(spilled), {"0"}, said.stderr)


for path in sorted((ROOT / "tests" / "mechanisms").glob("*.json")):
    globals()[path.stem] = type(path.stem, (Kernels, Case), {
        "programs": TAXONOMY, "table": json.loads(path.read_text()), "__module__": __name__})


class examples(Kernels, Case):
    programs, table, every = EXAMPLES, example_entries(), 4


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
