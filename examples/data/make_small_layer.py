#!/usr/bin/env python3
"""Makes `layer0_small.npz`: the arrays of `layer0.npz` by name and structure, 48 wide instead of 384, with
random weights, and the layer's output by NumPy in float64. Run from anywhere; it writes beside itself."""
import pathlib
import sys

import numpy as np

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent.parent / "tests"))
from reference.dot_product import first_layer  # noqa: E402

n, c, f = 24, 48, 192
rng = np.random.default_rng(0)
shapes = {"x": (n, c), "W1": (c, f), "b1": (f,), "W2": (f, c), "b2": (c,)}
shapes |= {"W" + s: (c, c) for s in "qkvo"} | {"b" + s: (c,) for s in "qkvo"}
shapes |= {f"ln{i}_{part}": (c,) for i in (1, 2) for part in ("scale", "shift")}
arrays = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
for name in arrays:
    if name.startswith("W"):
        arrays[name] /= np.sqrt(arrays[name].shape[0])
arrays = {name: a.astype(np.float32) for name, a in arrays.items()}
exact = {name: a.astype(float) for name, a in arrays.items()}
arrays["y"] = first_layer(exact, exact)[0].astype(np.float32)
np.savez_compressed(here / "layer0_small.npz", **arrays)
