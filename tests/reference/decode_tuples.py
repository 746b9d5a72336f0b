"""Decoding with attention to tuples: the cache after the write, and the last row of the mechanism on what is cached."""
import numpy as np

from . import higher_order
from .decode import cached


def token(name):
    return lambda a, p: a[name]


def tuples(full, caches="KV", **more):
    """Both forms of a mechanism of higher_order.py; `more` makes its further inputs of a and the number of rows."""

    def read(a, p, held):
        n = len(held["K"])
        one = {"q": np.tile(a["q"], (n, 1)), "k": held["K"].transpose(1, 0, 2), "v": held["V"].transpose(1, 0, 2)}
        extra = {name: make(a, n) for name, make in more.items() if name != "I"}
        if "I" in caches:
            extra["k'"] = held["I"]
        return [full(one | extra, p)[0][-1]]

    return cached(read, **{c: token({"K": "k", "V": "v", "I": "k'"}[c]) for c in caches})


def tiled(name):
    return lambda a, n: np.tile(a[name], (n, *(1 for _ in a[name].shape)))


def plain(name):
    return lambda a, n: a[name]


def learned(a, p):
    return higher_order.n_simplicial_learned(a, {"learned." + name.removeprefix("read."): x for name, x in p.items()})


scores = {"s": lambda a, n: np.tile(a["s"][..., None, :n], (n, 1)), "r": plain("r")}
indexer = {"q'": tiled("q'"), "w": tiled("w"), "r": plain("r")}
FORMS = {
    "n_simplicial": tuples(higher_order.n_simplicial),
    "n_simplicial_or": tuples(higher_order.n_simplicial_or),
    "n_simplicial_learned": tuples(learned),
    "n_simplicial_outside": tuples(higher_order.n_simplicial_outside),
    "n_simplicial_windowed": tuples(higher_order.n_simplicial_windowed, w=plain("w")),
    "n_simplicial_topk": tuples(higher_order.n_simplicial_topk, **scores),
    "n_simplicial_topk_each": tuples(higher_order.n_simplicial_topk_each, **scores, c=plain("best")),
    "n_simplicial_dsa": tuples(higher_order.n_simplicial_dsa, "KVI", **indexer),
    "n_simplicial_dsa_softmax": tuples(higher_order.n_simplicial_dsa_softmax, "KVI", **indexer),
}
for name, (contiguous, paged) in FORMS.items():
    globals()["decode_" + name], globals()["paged_" + name] = contiguous, paged


def read_determinants(a, p, held):
    keys = {name: held[name.upper()] for name in ("k1", "k2", "v1", "v2")}
    return [higher_order.two_simplicial_determinant(keys | {"q": a["q"][None]}, p)[0][0]]


decode_two_simplicial_determinant, paged_two_simplicial_determinant = cached(
    read_determinants, K1=token("k1"), K2=token("k2"), V1=token("v1"), V2=token("v2"))
