"""Attention over a web of tokens, as taxonomy/rhizomatic.attn reads its source; paths are walked one by one."""
import itertools
import math

import numpy as np

from .basic import softmax


def powers(w, decay, m):
    """Σ_t decay_t Ŵ^t, shared among the merged."""
    totals = w.sum(1, keepdims=True)
    share = np.divide(w, totals, out=np.zeros_like(w), where=totals != 0)
    reached = sum((d * np.linalg.matrix_power(share, t) for t, d in enumerate(decay, 1)), np.zeros_like(w))
    return np.divide(reached, m, out=np.zeros_like(w), where=np.broadcast_to(m != 0, w.shape))


def strongest(w, decay, m):
    """The best path of t links, over all tokens it may pass, decayed."""
    n = len(w)
    best = np.zeros_like(w)
    for i, j in itertools.product(range(n), repeat=2):
        for t, d in enumerate(decay, 1):
            for between in itertools.product(range(n), repeat=t - 1):
                path = [i, *between, j]
                worth = math.prod(min(w[a, b], 1) for a, b in zip(path, path[1:]))
                best[i, j] = max(best[i, j], d * worth)
    return best


def rhizome(a, p, paths=powers):
    x, m, r = a["x"], a["m"], int(a["r"])
    n = len(x)
    y = np.zeros_like(x)
    reached = paths(a["w"], a["decay"], m)
    for i in range(n):
        cosines = np.array([x[i] @ x[j] / max(np.linalg.norm(x[i]) * np.linalg.norm(x[j]), 1e-8) for j in range(n)])
        similar = sorted(range(n), key=lambda j: -cosines[j])[:r]
        scores = np.full(n, -np.inf)
        for j in range(n):
            if m[j] > 0 and (j == i or reached[i, j] > 0 or j in similar):
                kind = a["type"][i, j]
                bias = a["bias"][kind] if 0 <= kind < len(a["bias"]) else 0
                scores[j] = (a["alpha"] * cosines[j] + a["beta"] * reached[i, j] + bias) / a["tau"] + math.log(m[j])
        y[i] = softmax(scores) @ x
    return [y]


DEFAULTS = {"decay": [0.5, 0.25, 0.125], "alpha": 0.5, "beta": 0.5, "tau": 1, "r": 16}


def rhizomatic(a, p):
    return rhizome(a | DEFAULTS, p)


def rhizomatic_best(a, p):
    return rhizome(a | DEFAULTS, p, strongest)


def rhizomatic_edges(a, p):
    n = len(a["x"])
    w, kinds = np.zeros((n, n)), np.full((n, n), -1)
    for i, j, weight, kind in zip(a["source"], a["target"], a["weight"], a["link_type"]):
        w[i, j] += weight
        kinds[i, j] = kind
    return rhizomatic(a | {"w": w, "type": kinds}, p)


def merged(a, join, size):
    groups = [np.flatnonzero(a["group"] == g) for g in range(size)]
    x, m = a["x"], a["m"]
    m_ = np.array([m[g].sum() for g in groups])
    x_ = np.array([m[g] @ x[g] / m[g].sum() if m[g].sum() else np.zeros(x.shape[1]) for g in groups])
    between = [[np.ix_(g, h) for h in groups] for g in groups]
    w_ = np.array([[join(a["w"][part]) if a["w"][part].size else 0 for part in row] for row in between])
    kinds = np.array([[a["type"][part].max(initial=-1) for part in row] for row in between])
    return [x_.reshape(size, x.shape[1]), w_.reshape(size, size), kinds.reshape(size, size), m_]


def rhizomatic_merge(a, p):
    return merged(a, np.sum, int(a["g"]))


def rhizomatic_merge_best(a, p):
    return merged(a, lambda links: max(links.max(), 0), int(a["g"]))


def rhizomatic_subgraph(a, p):
    keep = a["keep"]
    return [a["x"][keep], a["w"][np.ix_(keep, keep)], a["type"][np.ix_(keep, keep)], a["m"][keep], a["meta"][keep]]


def rhizomatic_around(a, p):
    steps = np.full(len(a["w"]), -1)
    if len(steps):
        steps[a["token"]] = 0
    for t in range(int(a["h"])):
        for i in np.flatnonzero(steps == t):
            steps[(steps < 0) & (a["w"][i] > 0)] = t + 1
    return [steps]


def rhizomatic_path(a, p):
    """Every walk of at most h links, in the order of its tokens; the first of the best stays."""
    w, h, source, goal = np.minimum(a["w"], 1), int(a["h"]), int(a["source"]), int(a["goal"])
    best, weight = [], 0.0

    def walk(path, worth):
        nonlocal best, weight
        if path[-1] == goal:
            if worth > weight:
                best, weight = list(path), worth
        elif len(path) <= h:
            for after in range(len(w)):
                if w[path[-1], after] > 0:
                    walk([*path, after], worth * w[path[-1], after])

    if len(w):
        walk([source], 1.0)
    return [np.array(best + [-1] * (h + 1 - len(best))), weight]
