"""The machine: what it is, and probes of its peaks."""
import ctypes
import math
import os
import platform
import subprocess

import numpy as np

HERE = os.path.dirname(os.path.realpath(__file__))
FEATURES = ("avx2", "fma", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "asimd", "sve", "bf16")
MILLISECONDS = 1.5  # of a probe, about


def about():
    """The processor's name and what it can do."""
    told = {}
    for line in open("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        told.setdefault(name.strip(), value.strip())
    flags = (told.get("flags") or told.get("Features") or "").split()
    name = " ".join(told.get("model name", platform.machine()).split())
    if "cpu family" in told:
        name += f" (family {told['cpu family']} model {told['model']})"
    if "hypervisor" in flags:
        name += ", a virtual machine"
    return {"cpu": name, "cores": os.cpu_count(), "features": [f for f in FEATURES if f in flags]}


class Probes:
    """Rates of this core: GFLOP/s of `fma`, `block`, `bf16 dot` and `bf16 tiles`, 0 where there is no such thing; GB/s of
    `read`, of an array of so many bytes. Each takes some milliseconds."""

    NAMES = {"fma": "multiply_adds", "block": "block", "bf16 dot": "dot_products", "bf16 tiles": "tiles"}

    def __init__(self, folder, wall=False):
        library = os.path.join(folder, "probes.so")
        subprocess.run(["cc", "-O3", "-march=native", "-shared", "-fPIC", os.path.join(HERE, "probes.c"), "-o", library],
                       check=True)
        self.library, self.wall, self.data = ctypes.CDLL(library), int(wall), np.zeros(0, np.float32)
        self.library.reading.restype = ctypes.c_double
        self.rounds = {}
        for name, symbol in self.NAMES.items():
            function, work = getattr(self.library, symbol), getattr(self.library, symbol + "_work")
            function.restype = work.restype = ctypes.c_double
            function.argtypes = [ctypes.c_long, ctypes.c_int]
            if work():
                rounds = 1000
                while (seconds := function(rounds, self.wall)) < MILLISECONDS / 4e3:
                    rounds *= 2
                self.rounds[name] = (function, math.ceil(rounds * MILLISECONDS / 1e3 / seconds), work())

    def rate(self, name, size=1 << 28):
        """`size` is the number of bytes to read."""
        if name == "read":
            count = max(size // 4 // 64, 1) * 64
            if self.data.size != count:
                self.data = np.ones(count + 16, np.float32)
                self.data = self.data[-self.data.ctypes.data % 64 // 4:][:count]
            again = max(1, (1 << 24) // (4 * count))
            pointer = ctypes.c_void_p(self.data.ctypes.data)
            seconds = sum(self.library.reading(pointer, ctypes.c_long(count), self.wall) for _ in range(again))
            return again * 4 * count / seconds / 1e9
        if name not in self.rounds:
            return 0.0
        function, rounds, work = self.rounds[name]
        return rounds * work / function(rounds, self.wall) / 1e9

    def bf16(self):
        """The name of the fastest way to multiply bf16."""
        return max(("bf16 tiles", "bf16 dot", "fma"), key=lambda name: max(self.rate(name) for _ in range(3)))

    def dots_pay(self):
        """Whether dot products of bf16 do twice the operations of multiply-adds, or more."""
        return max(self.rate("bf16 dot") for _ in range(3)) >= 1.9 * max(self.rate("fma") for _ in range(3))

    def peaks(self):
        names = [*self.rounds, "read"]
        rates = {name: [self.rate(name) for _ in range(9)] for name in names}
        self.data = np.zeros(0, np.float32)
        return {name: {"median": float(np.median(r)), "most": max(r)} for name, r in rates.items()}
