"""Attention to some of the keys: each mechanism as the set of keys that a query sees, and softmax attention to it."""
import math

import numpy as np

from .basic import attention, softmax
from .core import positions, scores
from .positional import turn


def over_sets(a, sees):
    """Attention of each query to the keys j with sees(i, j), i counted as the keys are, aligned at the ends."""
    n, m = len(a["q"]), len(a["k"])
    keep = np.array([[bool(sees(r + m - n, j)) for j in range(m)] for r in range(n)], bool).reshape(n, m)
    return [attention(a["q"], a["k"], a["v"], keep)]


def gathered_attention(a, p):
    """Key by key, in the order of the lists; a key may stand there twice."""
    q, k, v = a["q"], a["k"], a["v"]
    y = np.zeros((len(q), v.shape[1]))
    for i, listed in enumerate(a["keys"]):
        listed = [j for j in listed if 0 <= j < len(k)]
        weights = softmax(np.array([q[i] @ k[j] / math.sqrt(q.shape[1]) for j in listed], float))
        for w, j in zip(weights, listed):
            y[i] += w * v[j]
    return [y]


def sliding_window(a, p):
    """Jiang et al. 2023, section 2: w keys, the query's own among them."""
    return over_sets(a, lambda i, j: i - a["w"] < j <= i)


def attention_sinks(a, p):
    return over_sets(a, lambda i, j: j <= i and (j < a["s"] or i - a["w"] < j))


def streaming_llm(a, p):
    """Xiao et al. 2024, section 3.2: the cache as a list, whose places are the positions."""
    q, k, v, s, w = (a[name] for name in "qkvsw")
    n, m, half = len(q), len(k), q.shape[1] // 2
    y = np.zeros((n, v.shape[1]))

    def at(x, position):
        turned = [turn((x[2 * i], x[2 * i + 1]), position, i, half) for i in range(half)]
        return np.array([z for plane in turned for z in plane])

    for r in range(n):
        i = r + m - n
        cache = [j for j in range(i + 1) if j < s or j > i - w]
        here = at(q[r], len(cache) - 1)
        logits = [here @ at(k[j], place) / math.sqrt(2 * half) for place, j in enumerate(cache)]
        y[r] = sum((weight * v[j] for weight, j in zip(softmax(np.array(logits, float)), cache)), np.zeros(v.shape[1]))
    return [y]


def learned_sink(a, p):
    """Agarwal et al. 2025: softmax of the scores and S_h side by side, the last column dropped."""
    q, k, v = a["q"], a["k"], a["v"]
    i, j = positions(q.shape[1], k.shape[1])
    s = np.where(j <= i, scores(q, k), -np.inf)
    sink = np.broadcast_to(p["S"][:, None, None], (*s.shape[:2], 1))
    return [softmax(np.concatenate([s, sink], -1))[..., :-1] @ v]


def dilated_window(a, p):
    return over_sets(a, lambda i, j: 0 <= i - j < a["g"] * a["w"] and (i - j) % a["g"] == 0)


def longformer(a, p):
    """Beltagy et al. 2020, section 3.1."""
    G, w = {int(i) for i in a["G"]}, a["w"]
    (y,) = over_sets(a, lambda i, j: abs(i - j) <= w or j in G)
    wide = attention(a["q'"], a["k'"], a["v'"])
    for i in G:
        if 0 <= i < len(y):
            y[i] = wide[i]
    return [y]


def block_sparse(a, p):
    blocks, b = a["blocks"], a["b"]
    keep = np.zeros((len(a["q"]), len(a["k"])), bool)
    for i in range(len(a["q"])):
        for j in range(len(a["k"])):
            keep[i, j] = j // b in blocks[i // b]
    return [attention(a["q"], a["k"], a["v"], keep)]


def bigbird(a, p):
    """Zaheer et al. 2020, section 2: window, global and random blocks; the first g blocks are global."""
    R, b, g = a["R"], a["b"], a["g"]

    def sees(i, j):
        row, column = i // b, j // b
        return row < g or column < g or abs(row - column) <= 1 or column in R[row]

    return over_sets(a, sees)


def best(values, count):
    """The indices of the greatest, the lowest first among equals."""
    return sorted(range(len(values)), key=lambda j: (-values[j], j))[:count]


def topk_attention(a, p):
    s = scores(a["q"], a["k"])
    kept = [set(best(row, a["c"])) for row in s]
    return over_sets(a, lambda i, j: j in kept[i - len(a["k"]) + len(a["q"])])


def selected(a, index):
    """Every head attends to the c keys up to i of the greatest index scores."""
    n, m = index.shape
    keep = np.zeros((n, m), bool)
    for r in range(n):
        seen = max(r + m - n + 1, 0)
        keep[r, best(index[r, :seen], a["c"])] = True
    return [attention(a["q"], a["k"], a["v"], keep)]


def dsa(a, p):
    """DeepSeek-V3.2, equation 1, with their scale of the weights by 1/√heads and 1/√width."""
    G, r = a["q'"].shape[1:]
    index = np.einsum("ng,ngm->nm", a["w"], np.maximum(np.einsum("ngr,mr->ngm", a["q'"], a["k'"]), 0))
    return selected(a, index / math.sqrt(G * r))


def dsa_softmax(a, p):
    n, m = len(a["q'"]), len(a["k'"])
    i, j = positions(n, m)
    logits = np.einsum("ngr,mr->gnm", a["q'"], a["k'"]) / math.sqrt(a["q'"].shape[2])
    return selected(a, np.einsum("ng,gnm->nm", a["w"], softmax(np.where(j <= i, logits, -np.inf))))


def dsa_reused(a, p):
    return selected(a, np.einsum("gnb,gmb->nm", a["earlierQ"], a["earlierK"]))
