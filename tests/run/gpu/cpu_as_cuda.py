"""Lets a program that asks PyTorch for CUDA run on this machine: devices called cuda are the processor, events are clocks. So that
what is measured on a device can be tried from beginning to end without one; the numbers mean nothing.

    python3 cpu_as_cuda.py PROGRAM ARGUMENT…
"""
import runpy
import sys
import time
import types

import torch
import torch._dynamo  # before torch.cuda is another


def here(function):
    """The function with the device `cuda` taken for the processor."""
    def call(*arguments, **options):
        if options.get("device") == "cuda":
            options["device"] = "cpu"
        return function(*arguments, **options)
    return call


class Event:
    def __init__(self, enable_timing=False):
        assert enable_timing

    def record(self):
        self.at = time.perf_counter()

    def elapsed_time(self, end):
        return (end.at - self.at) * 1e3


class Generator(torch.Generator):
    def __new__(cls, device="cpu"):
        return super().__new__(cls, "cpu" if device == "cuda" else device)


torch.Generator = Generator
for name in ("randn", "full", "empty", "arange", "linspace"):
    setattr(torch, name, here(getattr(torch, name)))
doubles = {
    "Event": Event, "is_available": lambda: True, "synchronize": lambda: None, "get_device_name": lambda number: "a double",
    "_sleep": lambda cycles: None, "get_device_properties": lambda number: types.SimpleNamespace(L2_cache_size=1000),
    "current_stream": lambda: types.SimpleNamespace(cuda_stream=0)}
for name, double in doubles.items():
    setattr(torch.cuda, name, double)
# What compiles is not what is tried.
torch.compile = lambda function, **options: function

sys.argv = sys.argv[1:]
sys.path.insert(0, sys.argv[0])
runpy.run_path(sys.argv[0], run_name="__main__")
