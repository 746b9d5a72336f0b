"""Kernels for 64-bit Arm, run by qemu-user: the machine they are made for need not be there."""
import os
import pathlib
import shutil
import subprocess

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
LIBC = pathlib.Path("/usr/aarch64-linux-gnu")  # of the package libc6-dev-arm64-cross
EMULATOR = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
CLANG, LINKER = shutil.which("clang-22"), shutil.which("ld.lld-22")
PRESENT = bool(EMULATOR and CLANG and LINKER and (LIBC / "lib" / "crt1.o").exists())


def compiled(source, output, *options):
    subprocess.run([CLANG, "--target=aarch64-linux-gnu", f"--ld-path={LINKER}", "-std=gnu11", "-O1", "-Wall", "-Werror",
                    "-nostdlibinc", "-isystem", LIBC / "include", "-nostartfiles", "-nodefaultlibs", *options, source,
                    f"-L{LIBC / 'lib'}", "-lc", "-o", output], check=True)


class ArmHost:
    """A program for 64-bit Arm, made in a folder, that calls kernels."""

    def __init__(self, folder):
        self.folder = folder
        compiled(HERE / "host.c", folder / "host", *(LIBC / "lib" / name for name in ("crt1.o", "crti.o", "crtn.o")))
        compiled(HERE / "openmp.c", folder / "libomp.so.5", "-shared", "-fPIC", "-Wl,-soname,libomp.so.5")

    def call(self, library, symbol, inputs, shapes, sizes=(), threads=1, dtype=np.float32):
        """The outputs, of these shapes, of a kernel on arrays in the order of its signature."""
        arguments = []
        for i, array in enumerate(inputs):
            np.ascontiguousarray(array).tofile(self.folder / f"in{i}")
            arguments.append(f"in:{self.folder / f'in{i}'}")
        for i, shape in enumerate(shapes):
            size = int(np.prod(shape)) * np.dtype(dtype).itemsize
            arguments.append(f"out:{self.folder / f'out{i}'}:{size}")
        arguments += [f"size:{size}" for size in sizes]
        subprocess.run([EMULATOR, "-L", LIBC, "-E", f"LD_LIBRARY_PATH={self.folder}", "-E", f"OMP_NUM_THREADS={threads}",
                        self.folder / "host", library, symbol, *arguments], check=True, timeout=300,
                       env={name: value for name, value in os.environ.items() if name != "LD_PRELOAD"})
        return [np.fromfile(self.folder / f"out{i}", dtype).reshape(shape) for i, shape in enumerate(shapes)]
