"""Diagrams as functions: compiled by attnc, called through the C interface."""
import ctypes
import os
import subprocess
import time

import numpy as np


class Kernel:
    """A diagram for arrays of these sizes. With `fixed`, they are compiled in; else they are arguments."""

    def __init__(self, attnc, folder, program, diagram, sizes, shapes, dtype="f32", fixed=True, target="native"):
        name = "-".join([diagram, *(f"{v}" for v in sizes.values() if fixed), dtype, target])
        library = os.path.join(folder, f"{os.path.basename(program)}-{name}.so")
        command = [attnc, "compile", program, diagram, "--emit=so", "-o", library, "--dtype", dtype,
                   "--target", target]
        if fixed and sizes:
            command += ["--size", *(f"{k}={v}" for k, v in sizes.items())]
        begin = time.perf_counter()
        if not os.path.exists(library):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(done.stderr.strip())
        self.compiled = time.perf_counter() - begin
        self.function = getattr(ctypes.CDLL(library), "attnc_" + diagram)
        element = {"f32": np.float32, "bf16": np.uint16, "f64": np.float64}[dtype]
        self.outputs = [np.empty(shape, element) for shape in shapes]
        self.sizes = [] if fixed else [ctypes.c_int64(v) for v in sizes.values()]
        self.arguments = []

    def on(self, arrays):
        """The kernel as a function without arguments, which gives its first output."""
        self.arrays = [np.ascontiguousarray(a) for a in arrays]
        self.arguments = [ctypes.c_void_p(a.ctypes.data) for a in (*self.arrays, *self.outputs)] + self.sizes
        return self

    def __call__(self):
        if self.function(*self.arguments):
            raise MemoryError("not enough memory")
        return self.outputs[0]


def within(seconds, call):
    """Whether the call comes to an end in that time, tried out in another process; or what goes wrong."""
    child = os.fork()
    if child == 0:
        try:
            call()
            os._exit(0)
        except MemoryError:
            os._exit(3)
        except BaseException:
            os._exit(4)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return {0: None, 3: "not enough memory"}.get(os.waitstatus_to_exitcode(status), "it failed")
        time.sleep(0.002)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return f"not done in {seconds} s"
