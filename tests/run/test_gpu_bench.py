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
        self.assertLessEqual({"full", "causal", "window", "f32 full"}, names)
        for measure in manifest["measures"]:
            b, h, n, d = measure["shape"]
            self.assertEqual(measure["values"], [b, h, n])
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
shape = tuple(case["shape"])
Library({str(self.folder / 'made')!r}, case).on_device([(4096 * i, shape) for i in range(1, 5)], case["values"], 0xabc)()
"""
        subprocess.run([sys.executable, "-c", program], check=True, env=dict(os.environ, **driver))
        launches = [line.split() for line in log.read_text().splitlines() if line.startswith("launch")]
        self.assertIn("0xabc", {line[4] for line in launches})
        b, h, n, _ = manifest["measures"][0]["shape"]
        self.assertIn(str(b * h * -(-n // 64)), [line[2] for line in launches])


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
