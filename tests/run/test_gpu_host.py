"""The host's side of a shared object for CUDA: what it asks of the driver, against a double that executes nothing
(gpu/fake_cuda.c). What kernels compute is test_gpu's."""
import os
import shutil
import subprocess
import sys
import unittest

import support
from support import EXAMPLES, ROOT, Case, needs_compiler

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang-22")

# Calls attnc_sdpa in a process of its own, since a driver is looked for once, and prints the status and the error.
CALL = """
import ctypes, sys
class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32), ("id", ctypes.c_int32), ("ndim", ctypes.c_int32),
                ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("offset", ctypes.c_uint64)]
n, d, m, e = 300, 4, 5, 6
def tensor(address, *shape, device=2, bits=32, strides=None):
    numbers = lambda values: (ctypes.c_int64 * len(values))(*values)
    return Tensor(address, device, 0, len(shape), 2, bits, 1, numbers(shape), strides and numbers(strides), 0)
q, k, v, out = tensor(1 << 20, n, d), tensor(2 << 20, m, d), tensor(3 << 20, m, e), tensor(4 << 20, n, e)
exec(sys.argv[2])
library = ctypes.CDLL(sys.argv[1])
library.attnc_sdpa_error.restype = ctypes.c_char_p
for _ in range(int(sys.argv[3])):
    status = library.attnc_sdpa(*map(ctypes.byref, (q, k, v, out)), *map(ctypes.c_int64, (n, d, m, e)),
                                ctypes.c_void_p(0xabc))
print(status, library.attnc_sdpa_error().decode())
"""


@needs_compiler
class Host(Case):
    def setUp(self):
        super().setUp()
        self.attnc("compile", EXAMPLES / "02_sdpa.attn", "--emit=so", "--target=cuda:sm_90a", "-o", "sdpa.so")
        subprocess.run([COMPILER, "-shared", "-fPIC", "-Wall", "-Werror", ROOT / "tests/run/gpu/fake_cuda.c", "-o",
                        self.folder / "libcuda.so.1"], check=True)

    def call(self, change="", times=1, driver=True, **environment):
        """What a call answers, and what the driver was asked."""
        log = self.write("log", "")
        env = dict(os.environ, FAKE_CUDA_LOG=str(log), **environment)
        if driver:
            env["LD_LIBRARY_PATH"] = str(self.folder)
        said = subprocess.run([sys.executable, "-c", CALL, self.folder / "sdpa.so", change, str(times)],
                              capture_output=True, text=True, env=env, check=True).stdout
        status, _, error = said.strip().partition(" ")
        return int(status), error, [line.split() for line in log.read_text().splitlines()]

    def assertFreed(self, asked):
        given = [line[2] for line in asked if line[0] == "allocate"]
        self.assertEqual(sorted(given), sorted(line[2] for line in asked if line[0] == "free"))
        self.assertNotIn("unknown", [line[1] for line in asked])

    def test_a_call(self):
        status, error, asked = self.call(times=2)
        self.assertEqual((status, error), (0, ""))
        self.assertEqual([line[0] for line in asked].count("load"), 1)
        launches = [line for line in asked if line[0] == "launch"]
        self.assertGreater(len(launches), 2)
        self.assertEqual(launches[:len(launches) // 2], launches[len(launches) // 2:])
        self.assertEqual({line[4] for line in asked if line[0] != "load"}, {"0xabc"}, "all on the stream that was given")
        blocks = {-(-300 * 5 // 256), -(-300 * 6 // 256), -(-300 // 256), 1}
        self.assertLessEqual({int(line[2]) for line in launches}, blocks)
        self.assertIn(str(300 * 5 * 4), [line[3] for line in asked if line[0] == "allocate"])
        self.assertFreed(asked)

    def test_nothing_to_do(self):
        status, _, asked = self.call("n = 0; q = tensor(1 << 20, 0, d); out = tensor(4 << 20, 0, e)")
        self.assertEqual(status, 0)
        self.assertFreed(asked)

    def test_arrays_that_do_not_fit(self):
        for change, message in (("q = tensor(1, n, d, device=1)", "'q' lies on a device of type 1, not 2"),
                                ("k = tensor(1, m, d, bits=64)", "64 bits"),
                                ("v = tensor(1, m, e, 1)", "'v' has 3 axes where 2 are needed"),
                                ("v = tensor(1, m, e, strides=(1, m))", "'v' is not dense and row-major"),
                                ("k = tensor(1, m + 1, d)", "axis 0 of 'k' has length 6 where 5 is needed")):
            with self.subTest(change):
                status, error, asked = self.call(change)
                self.assertEqual(status, 3)
                self.assertIn(message, error)
                self.assertNotIn("launch", [line[0] for line in asked])

    def test_errors_of_the_driver(self):
        for function, at, wanted in (("cuMemAllocAsync", 0, 1), ("cuMemAllocAsync", 2, 1), ("cuLaunchKernel", 0, 4),
                                     ("cuLaunchKernel", 3, 4), ("cuModuleGetFunction", 1, 4)):
            with self.subTest(f"{function} {at}"):
                status, error, asked = self.call(FAKE_CUDA_FAIL=function, FAKE_CUDA_AT=str(at))
                self.assertEqual(status, wanted)
                self.assertTrue(error)
                self.assertFreed(asked)

    def test_without_a_device(self):
        status, error, _ = self.call(FAKE_CUDA_NO_CONTEXT="1")
        self.assertEqual((status, error), (2, "no context of the device is current on this thread"))
        if subprocess.run([sys.executable, "-c", "import ctypes; ctypes.CDLL('libcuda.so.1')"],
                          capture_output=True).returncode:
            status, error, _ = self.call(driver=False)
            self.assertEqual(status, 2)
            self.assertIn("libcuda.so.1", error)

    def test_tensor_maps(self):
        """Warp groups read arrays through maps, which the host makes and launches give by value, behind everything else."""
        self.attnc("compile", EXAMPLES / "02_sdpa.attn", "--emit=so", "--target=cuda:sm_90a", "--dtype", "bf16", "--size", "d=64", "e=64",
                   "-o", "sdpa.so")
        shapes = "; ".join(f"{name} = tensor({at} << 20, {rows}, 64, bits=16); {name}.code = 4" for name, at, rows in
                           (("q", 1, "n"), ("k", 2, "m"), ("v", 3, "m"), ("out", 4, "n")))
        call = CALL.replace("(n, d, m, e)),", "(n, m)),")
        given = shapes.replace("; ", "\n")

        def asked(change="", **environment):
            log = self.write("log", "")
            env = dict(os.environ, FAKE_CUDA_LOG=str(log), LD_LIBRARY_PATH=str(self.folder), **environment)
            said = subprocess.run([sys.executable, "-c", call, self.folder / "sdpa.so", given + "\n" + change, "1"], env=env,
                                  capture_output=True, text=True, check=True).stdout.strip().partition(" ")
            return int(said[0]), said[2], [line.split() for line in log.read_text().splitlines()]

        arguments = 6  # the result, q, k, v, n and m
        status, error, lines = asked(FAKE_CUDA_MAP=str(arguments))
        self.assertEqual((status, error), (0, ""))
        self.assertEqual([line[2:4] for line in lines if line[0] == "map"],
                         [[str(at << 20), str(rows)] for at, rows in ((1, 300), (2, 5), (3, 5))])
        self.assertEqual([line[2:4] for line in lines if line[0] == "launch"], [["3", "384"]])
        status, error, lines = asked("k.offset = 8")
        self.assertEqual((status, error), (3, "'k' does not begin at a multiple of 16 bytes, as sm_90a's kernels need"))
        self.assertNotIn("launch", [line[0] for line in lines])
        self.assertEqual(asked("m = 0; k.shape[0] = 0; v.shape[0] = 0")[0], 0)
        for function in ("cuTensorMapEncodeTiled", "cuDeviceGetAttribute"):
            self.assertEqual(asked(FAKE_CUDA_FAIL=function, FAKE_CUDA_AT="0")[0], 4)
        subprocess.run([COMPILER, "-shared", "-fPIC", "-DFAKE_CUDA_OLD", ROOT / "tests/run/gpu/fake_cuda.c", "-o",
                        self.folder / "libcuda.so.1"], check=True)
        self.assertEqual(asked()[:2], (2, "the driver of NVIDIA's devices is older than CUDA 12.0"))

    RUN = ["run", EXAMPLES / "02_sdpa.attn", "--in", "q=random:1", "k=random:2", "v=random:3", "--size", "n=2", "m=3", "d=4",
           "e=5", "--target"]

    def test_run(self):
        """Arrays of this machine go to the device and results come back; what is asked for has been freed, whatever fails."""
        for sizes, context in (((), False), (("--dynamic",), True)):
            log = self.write("log", "")
            environment = {"FAKE_CUDA_LOG": str(log), "LD_LIBRARY_PATH": str(self.folder)}
            if context:
                environment["FAKE_CUDA_NO_CONTEXT"] = "1"
            said = self.attnc(*self.RUN, "cuda:sm_90a", *sizes, "--dtype", "bf16", "--out", "y.npy", **environment)
            asked = [line.split() for line in log.read_text().splitlines()]
            self.assertEqual([int(line[3]) for line in asked if line[0] == "upload"], [2 * n for n in (8, 12, 15, 10)], said)
            self.assertEqual([int(line[3]) for line in asked if line[0] == "download"], [20])
            self.assertEqual("context" in [line[0] for line in asked], context)
            kinds = [line[0] for line in asked if line[0] in ("upload", "launch", "download", "wait")]
            self.assertEqual(kinds, sorted(kinds, key=["upload", "launch", "download", "wait"].index))
            self.assertIn("launch", kinds)
            self.assertFreed(asked)
        # A stream's block shares more than launches give it freely.
        self.attnc(*self.RUN[:-5], "d=128", "e=128", "n=2", "m=3", "--target", "cuda", "--dtype", "bf16",
                   LD_LIBRARY_PATH=str(self.folder), FAKE_CUDA_LOG=str(self.write("log", "")))
        for function, at in (("cuMemAllocAsync", 1), ("cuMemcpyHtoDAsync_v2", 2), ("cuLaunchKernel", 0),
                             ("cuMemcpyDtoHAsync_v2", 0), ("cuStreamSynchronize", 0)):
            log = self.write("log", "")
            said = self.attnc(*self.RUN, "cuda", code=1, LD_LIBRARY_PATH=str(self.folder), FAKE_CUDA_LOG=str(log),
                              FAKE_CUDA_FAIL=function, FAKE_CUDA_AT=str(at))
            self.assertRegex(said.stderr, r"out of memory|invalid value|launch failed")
            self.assertFreed([line.split() for line in log.read_text().splitlines()])

    def test_commands(self):
        run = self.RUN
        if subprocess.run([sys.executable, "-c", "import ctypes; ctypes.CDLL('libcuda.so.1')"],
                          capture_output=True).returncode:
            self.assertIn("libcuda.so.1, the driver of NVIDIA's devices, is not installed",
                          self.attnc(*run, "cuda", code=1).stderr)
        self.assertIn("sm_90a", self.attnc(*run, "cuda:sm_1", code=1).stderr)
        self.assertIn("device", self.attnc("compile", EXAMPLES / "02_sdpa.attn", "--emit=ptx", code=1).stderr)
        self.attnc("compile", EXAMPLES / "02_sdpa.attn", "--emit=header", "--target=cuda", "-o", "sdpa.h")
        subprocess.run([COMPILER, "-std=c11", "-Wall", "-Werror", "-fsyntax-only", "sdpa.h"], cwd=self.folder, check=True)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
