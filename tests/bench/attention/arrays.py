"""Arrays for a case, and how far its output is from float64."""
import itertools
import math

import numpy as np


def filled(axes, sizes, rng):
    """Of axes such as "h n d"; after a colon what else than standard normal numbers."""
    axes, _, how = axes.partition(":")
    shape = tuple(sizes[axis] for axis in axes.split())
    if how.strip() == "decay":
        return (1 - 2.0 ** -(5 + np.arange(shape[0]) % 8)).astype(np.float32)
    array = rng.standard_normal(shape, np.float32)
    if how.strip() == "learner":
        return array / np.float32(math.sqrt(shape[0]))
    return -np.log1p(np.exp(array)) / 16 if how.strip() == "gate" else array


def bf16(array):
    """The bits of the nearest bfloat16s."""
    bits = array.view(np.uint32)
    return (bits + 0x7FFF + (bits >> 16 & 1) >> 16).astype(np.uint16)


def widened(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def arrays_of(family, sizes):
    """As the kernel takes them."""
    rng = np.random.default_rng(1)
    arrays = {name: filled(axes, sizes, rng) for name, axes in family.inputs.items()}
    return {name: bf16(a) for name, a in arrays.items()} if family.dtype == "bf16" else arrays


def error(family, sizes, arrays, output):
    """The relative error of some rows of some heads, in the Frobenius norm."""
    output = np.asarray(output)
    if family.dtype == "bf16":
        arrays = {name: widened(a) for name, a in arrays.items()}
        output = widened(output) if output.dtype == np.uint16 else output
    *leading, last = family.output.split()
    if "n" in leading:
        leading.remove("n")
    n = sizes["n"]
    rows = sorted({0, 1, n // 3, n // 2, n - 2, n - 1} & set(range(n))) if "n" in family.output.split() else [0]
    every = list(itertools.product(*(range(sizes[axis]) for axis in leading)))
    wrong = right = 0.0
    for index in {every[0], every[len(every) // 2], every[-1]}:
        head = dict(zip(leading, index))
        own = {}
        for name, axes in family.inputs.items():
            axes = axes.partition(":")[0].split()
            own[name] = arrays[name][tuple(head[axis] for axis in axes if axis in head)].astype(float)
        want = family.truth(own, rows, head, sizes)
        got = output.reshape([sizes[axis] for axis in family.output.split()])[index].astype(float)
        got = got[rows] if got.ndim == 2 else got[None]
        wrong += ((got - want) ** 2).sum()
        right += (want ** 2).sum()
    return math.sqrt(wrong / right)
