"""Layers with learned maps around cores of other modules."""
import numpy as np

from . import core, sparse
from .linear import layer

causal, sliding_window, attention_sinks, block_sparse = map(
    layer, (core.causal, sparse.sliding_window, sparse.attention_sinks, sparse.block_sparse))


def mqa(a, p):
    """Shazeer 2019, section 3: P_k and P_v without the axis of heads."""
    x, z = a["x"], a["z"]
    y = np.zeros_like(x)
    for Wq, Wo in zip(p["Wq"], p["Wo"]):
        y = y + core.sdpa({"q": x @ Wq, "k": z @ p["Wk"], "v": z @ p["Wv"]}, p)[0] @ Wo
    return [y]


def gqa(a, p):
    """Ainslie et al. 2023: each group of heads is multi-query attention."""
    groups = zip(*(p[name] for name in ("Wq", "Wk", "Wv", "Wo")))
    return [sum((mqa(a, dict(zip(("Wq", "Wk", "Wv", "Wo"), group)))[0] for group in groups), np.zeros_like(a["x"]))]
