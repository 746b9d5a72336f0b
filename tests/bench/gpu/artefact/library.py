"""Shared objects of attnc: their functions on arrays of this machine, and on those of a device."""
import ctypes
import os

import numpy as np

DONE, NO_MEMORY, NO_DEVICE, BAD_ARGUMENT, DEVICE_ERROR = range(5)


class NoDevice(Exception):
    """There is no driver, or no device."""


class DeviceError(Exception):
    """What a call reports; `status` says what kind of error it is."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32), ("id", ctypes.c_int32), ("ndim", ctypes.c_int32),
                ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("offset", ctypes.c_uint64)]


CODES = {"f32": (2, 32), "f64": (2, 64), "bf16": (4, 16)}


class Library:
    """`described` is an entry of the manifest; `target` is the manifest's."""

    def __init__(self, folder, described, target="cuda"):
        self.described = described
        self.device = 1 if target == "cuda-emulated" else 2  # as DLPack numbers them
        loaded = ctypes.CDLL(os.path.join(folder, described["library"]))
        self.function = getattr(loaded, described["symbol"])
        self.packed = getattr(loaded, described["symbol"] + "_packed")
        self.error = getattr(loaded, described["symbol"] + "_error")
        self.error.restype = ctypes.c_char_p
        self.reals = {"f32": np.float32, "f64": np.float64}.get(described["dtype"])

    def dtype(self, array):
        return {"int": np.int64, "bool": np.uint8}.get(array["kind"], self.reals)

    def answer(self, status):
        if status == NO_DEVICE:
            raise NoDevice(self.error().decode())
        if status:
            raise DeviceError(status, self.error().decode())

    def on_host(self, inputs, shapes, sizes):
        """The results on arrays of this machine, where nothing is left of what they held before."""
        arrays = self.described["arrays"]
        given = [np.ascontiguousarray(value, self.dtype(array)) for array, value in zip(arrays, inputs)]
        results = []
        for array, shape in zip(arrays[len(given):], shapes, strict=True):
            result = np.empty(shape, self.dtype(array))
            result.reshape(-1).view(np.uint8).fill(0xff if array["kind"] == "real" else 0x7f)
            results.append(result)
        values = [a.ctypes.data for a in (*given, *results)] + list(sizes)
        slots = (ctypes.c_void_p * len(values))(*values)
        self.answer(self.packed(slots))
        return results

    def on_device(self, tensors, sizes, stream):
        """A call without arguments, on addresses and shapes of a device's arrays."""
        code, bits = CODES[self.described["dtype"]]
        held = []
        for address, shape in tensors:
            lengths = (ctypes.c_int64 * len(shape))(*shape)
            held.append(Tensor(address, self.device, 0, len(shape), code, bits, 1, lengths, None, 0))
        arguments = [*map(ctypes.byref, held), *map(ctypes.c_int64, sizes), ctypes.c_void_p(stream)]

        def call(_held=held):
            self.answer(self.function(*arguments))
        return call


def error_of(got, wanted):
    """The norm of the difference over that of what was wanted; infinite where one is not finite and the other differs."""
    got, wanted = np.asarray(got, float), np.asarray(wanted, float)
    if got.shape != wanted.shape:
        return float("inf")
    finite = np.isfinite(wanted)
    if not np.array_equal(got[~finite], wanted[~finite], equal_nan=True):
        return float("inf")
    difference, size = np.linalg.norm(got[finite] - wanted[finite]), np.linalg.norm(wanted[finite])
    if not np.isfinite(difference):
        return float("inf")
    return float(difference / size) if size else float(difference)
