"""What goes to a machine with a GPU (tools/bench gpu): made here, checked on the emulated device, and what it says without one."""
import json
import os
import subprocess
import sys
import unittest

import numpy as np

import support
from support import ATTNC, ROOT, Case, needs_compiler
from test_gpu_host import COMPILER

SCRIPT = ROOT / "tests" / "bench" / "gpu"
PYTHON = os.environ.get("ATTNC_TORCH", sys.executable)  # one that has PyTorch
HAS_TORCH = not subprocess.run([PYTHON, "-c", "import torch"], capture_output=True).returncode
HAS_DRIVER = not subprocess.run([sys.executable, "-c", "import ctypes; ctypes.CDLL('libcuda.so.1')"],
                                capture_output=True).returncode


@needs_compiler
class Bench(Case):
    def make(self, *options):
        subprocess.run([sys.executable, SCRIPT, self.folder / "made", "--attnc", ATTNC, "--only", "core", "--every", "14",
                        *options], check=True, capture_output=True, text=True)
        return json.loads((self.folder / "made" / "manifest.json").read_text())

    def call(self, *arguments, **environment):
        return subprocess.run([sys.executable, self.folder / "made", *arguments], capture_output=True, text=True,
                              env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **environment))

    def test_check(self):
        manifest = self.make("--target", "cuda-emulated", "--no-measures")
        said = self.call("check", "--json", self.folder / "found.json")
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)
        found = json.loads((self.folder / "found.json").read_text())
        self.assertEqual(len(found["cases"]), sum(len(check["cases"]) for check in manifest["checks"]))
        self.assertGreater(len(found["cases"]), 10)
        self.assertLess(0, max(case["error"] for case in found["cases"]))

        # A result that is not as it should be is seen, and told.
        data = self.folder / "made" / manifest["checks"][0]["cases"][0]["data"]
        with np.load(data) as archive:
            arrays = dict(archive)
        arrays["out_0"] = arrays["out_0"] * 1.001
        np.savez(data, **arrays)
        said = self.call("check")
        self.assertEqual(said.returncode, 1)
        self.assertIn(manifest["checks"][0]["library"], said.stdout)

    def test_without_a_device(self):
        manifest = self.make("--target", "cuda:sm_90a")
        names = {measure["name"] for measure in manifest["measures"]}
        self.assertLessEqual({"full", "causal", "window", "groups", "decode", "f32", "tf32", "2-simplicial"}, names)
        for measure in manifest["measures"]:
            b, h, groups = measure["heads"]
            n, d = measure["named"]["n"], measure["named"]["d"]
            self.assertIn(n, measure["values"])
            self.assertEqual(h % groups, 0)
            self.assertEqual(measure["shapes"][0][-1], d)
            if "simplicial" not in measure["diagram"]:
                self.assertLessEqual(measure["operations"], 4 * b * h * n * n * d)
        if not HAS_DRIVER:
            said = self.call("check")
            self.assertEqual((said.returncode, said.stdout), (2, ""))
            self.assertIn("no device: libcuda.so.1, the driver of NVIDIA's devices, is not installed", said.stderr)
        said = self.call("measure", CUDA_VISIBLE_DEVICES="")
        self.assertEqual(said.returncode, 2)
        self.assertIn("no device: PyTorch", said.stderr)

        # A double of the driver computes nothing: zeros are no results. Calls on a device's arrays go to the stream.
        subprocess.run([COMPILER, "-shared", "-fPIC", ROOT / "tests/run/gpu/fake_cuda.c", "-o",
                        self.folder / "libcuda.so.1"], check=True)
        log = self.write("log", "")
        driver = {"LD_LIBRARY_PATH": str(self.folder), "FAKE_CUDA_LOG": str(log)}
        self.assertEqual(self.call("check", **driver).returncode, 1)
        log.write_text("")
        program = f"""
import json, sys
sys.path.insert(0, {str(self.folder / 'made')!r})
from library import Library
case = json.load(open({str(self.folder / 'made' / 'manifest.json')!r}))["measures"][0]
tensors = [(4096 * (i + 1), tuple(shape)) for i, shape in enumerate(case["shapes"])]
Library({str(self.folder / 'made')!r}, case).on_device(tensors, case["values"], 0xabc)()
"""
        subprocess.run([sys.executable, "-c", program], check=True, env=dict(os.environ, **driver))
        launches = [line.split() for line in log.read_text().splitlines() if line.startswith("launch")]
        self.assertIn("0xabc", {line[4] for line in launches})
        b, h, n, _ = manifest["measures"][0]["shapes"][0]
        # Blocks that stay, of 128 queries a task: one for each multiprocessor of the double, if there are tasks enough.
        self.assertIn(str(min(132, b * h * -(-n // 128))), [line[2] for line in launches])


    @unittest.skipUnless(HAS_TORCH, "no PyTorch here")
    def test_measure(self):
        """From beginning to end on the emulated device, with the processor for PyTorch's; times mean nothing."""
        manifest = self.make("--target", "cuda-emulated", "--small")
        found = self.folder / "measured.json"
        said = subprocess.run([PYTHON, ROOT / "tests/run/gpu/cpu_as_cuda.py", self.folder / "made", "measure", "--json", found],
                              capture_output=True, text=True, env=dict(os.environ, TRITON_INTERPRET="1"))
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)
        measured = json.loads(found.read_text())
        self.assertEqual(len(measured["rows"]), len(manifest["measures"]))
        for row, case in zip(measured["rows"], manifest["measures"]):
            with self.subTest(row["name"]):
                self.assertEqual(set(row["milliseconds"]), set(row["errors"]))
                for name, error in row["errors"].items():
                    if name == "Triton" and row["kind"] == "bf16":
                        continue  # its interpreter multiplies the bits of bf16 as whole numbers
                    self.assertLess(error, {"bf16": 1e-2, "f32": 1e-5, "tf32": 2e-3}[row["kind"]], name)
                # What no back end of the processor takes is told.
                for name, problem in row["problems"].items():
                    self.assertIn(name, ("SDPA cuDNN", "SDPA efficient", "Triton"))
                    self.assertRegex(problem, "No viable backend|No module named 'triton'")
                self.assertEqual("FlexAttention" in row["errors"], case["diagram"] not in ("sigmoid_attention", "two_simplicial_windowed"))
                self.assertEqual("SDPA flash" in row["errors"], case["diagram"] in (
                    "full", "causal", "grouped", "decode_heads", "decode_grouped"))


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
