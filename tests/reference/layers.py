"""Layers with learned maps around cores of other modules."""
import numpy as np

from . import core, higher_order, sparse
from .basic import softmax
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


def two_simplicial(a, p):
    legs = ("q", "k1", "k2", "v1", "v2")
    return higher_order.two_simplicial({leg: a["x"] @ p["W" + leg] for leg in legs}, p)


def n_simplicial(a, p):
    """One softmax over all tuples, which grow by one key an order."""
    x = a["x"]
    q, keys, values = x @ p["Wq"], [x @ W for W in p["Wk"]], [x @ W for W in p["Wv"]]
    scores, products = q[:, None] / np.sqrt(q.shape[1]), np.ones((1, p["Wv"].shape[2]))
    for k, v in zip(keys, values):  # one more order: each tuple with each further key
        scores = (scores[:, :, None] * k[None, None]).reshape(len(x), scores.shape[1] * len(k), q.shape[1])
        products = (products[:, None] * v[None]).reshape(len(products) * len(v), v.shape[1])
    return [softmax(scores.sum(2)) @ products]
