"""Attention to tuples of keys, summed over the tuples one by one (Clift et al. 2019, Roy et al. 2025, Pappone 2025)."""
import itertools
import math

import numpy as np

from .basic import softmax


def over_tuples(q, keys, values, e, score, seen=lambda i, j: True, combine=lambda v: np.prod(v, 0), scale=1.0):
    """y_i = Σ_j softmax_j(score) combine(values at j), over the tuples j of one key from each list that are seen.

    A value has e numbers."""
    rows = []
    for i in range(len(q)):
        tuples = [j for j in itertools.product(*map(range, map(len, keys))) if seen(i, j)]
        weights = softmax(np.array([score(q[i], *(k[a] for k, a in zip(keys, j))) for j in tuples], float))
        chosen = [combine(np.reshape([v[a] for v, a in zip(values, j)], (len(j), e))) for j in tuples]
        rows.append(scale * sum((w * c for w, c in zip(weights, chosen)), np.zeros(e)))
    return [np.reshape(rows, (len(q), e))]


def multilinear(d):
    return lambda q, *keys: math.fsum(np.prod([q, *keys], 0)) / math.sqrt(d)


def pairs(a, score, seen=lambda i, j: True):
    return over_tuples(a["q"], [a["k1"], a["k2"]], [a["v1"], a["v2"]], a["v1"].shape[1], score, seen)


def two_simplicial(a, p):
    return pairs(a, multilinear(a["q"].shape[1]))


def two_simplicial_windowed(a, p):
    w1, w2 = int(a["w1"]), int(a["w2"])
    return pairs(a, multilinear(a["q"].shape[1]), lambda i, j: i - w1 < j[0] <= i and i - w2 < j[1] <= i)


def two_simplicial_gqa(a, p):
    heads, group = len(a["q"]), len(a["q"]) // max(len(a["k1"]), 1)
    each = [two_simplicial_windowed(
        a | {"q": a["q"][h]} | {name: a[name][h // group] for name in ("k1", "k2", "v1", "v2")}, p)[0] for h in range(heads)]
    return [np.reshape(each, (heads, a["q"].shape[1], a["v1"].shape[2]))]


def determinants(q, k1, k2):
    chunks = (np.reshape(x, (-1, 3)) for x in (q, k1, k2))
    return sum(np.linalg.det(np.array(triple)) for triple in zip(*chunks)) / math.sqrt(len(q))


def two_simplicial_determinant(a, p):
    return pairs(a, determinants)


def triple_norm(a, b, c):
    return np.linalg.norm((a @ b) * c - (a @ c) * b + (b @ c) * a)


def clift_simplicial(a, p):
    rows = []
    for query in a["p"]:
        scores = np.array([[triple_norm(query, l1, l2) for l2 in a["l2"]] for l1 in a["l1"]])
        weights = softmax(scores.reshape(-1)).reshape(len(a["l1"]), len(a["l2"]))
        rows.append(sum(
            (w * np.einsum("ef,efc->c", np.outer(u1, u2), p["B"])
             for u1, row in zip(a["u1"], weights) for u2, w in zip(a["u2"], row)), np.zeros(p["B"].shape[2])))
    return [np.reshape(rows, (len(a["p"]), p["B"].shape[2]))]


def two_simplicial_sum(a, p):
    """Over pairs, as if the softmax did not fall apart."""
    return pairs(a, lambda q, k1, k2: (q @ k1 + q @ k2) / math.sqrt(len(q)))


def n_simplicial(a, p, score=None, **options):
    return over_tuples(a["q"], list(a["k"]), list(a["v"]), a["v"].shape[2], score or multilinear(a["q"].shape[1]), **options)


def n_simplicial_outside(a, p):
    d = a["q"].shape[1]
    return n_simplicial(a, p, multilinear(1), scale=1 / math.sqrt(d) if d else 0)


def n_simplicial_or(a, p):
    return n_simplicial(a, p, combine=lambda v: np.sum(v, 0))


def n_simplicial_learned(a, p):
    def perceptron(v):
        hidden = np.einsum("oe,oer->r", v, p["learned.combine.hidden.weight"]) + p["learned.combine.hidden.bias"]
        return np.maximum(hidden, 0) @ p["learned.combine.out.weight"] + p["learned.combine.out.bias"]

    return n_simplicial(a, p, combine=perceptron)


def n_simplicial_windowed(a, p):
    return n_simplicial(a, p, seen=lambda i, j: all(i - w < key <= i for w, key in zip(a["w"], j)))


def n_simplicial_topk(a, p):
    best = [sorted(range(i + 1), key=lambda j: -a["s"][i, j])[:int(a["r"])] for i in range(len(a["q"]))]
    return n_simplicial(a, p, seen=lambda i, j: all(key in best[i] for key in j))


def n_simplicial_topk_each(a, p):
    best = [[sorted(range(i + 1), key=lambda j: -s[i, j])[:min(int(a["r"]), c)] for s, c in zip(a["s"], a["c"])]
            for i in range(len(a["q"]))]
    return n_simplicial(a, p, seen=lambda i, j: all(key in b for key, b in zip(j, best[i])))


def indexed(a, f):
    """Scores of the indexer: f of the dot products of each small head with the keys j ≤ i, weighted; 0 elsewhere."""
    s = np.zeros((len(a["q'"]), len(a["k'"])))
    for i, heads in enumerate(a["q'"]):
        for h, head in enumerate(heads):
            s[i, :i + 1] += a["w"][i, h] * f(a["k'"][:i + 1] @ head)
    return a | {"s": s}


def n_simplicial_dsa(a, p):
    return n_simplicial_topk(indexed(a, lambda s: np.maximum(s, 0)), p)


def n_simplicial_dsa_softmax(a, p):
    return n_simplicial_topk(indexed(a, lambda s: softmax(s / math.sqrt(a["k'"].shape[1]))), p)


def sinks_absorbing(a, p):
    n, d = a["q"].shape
    scores = a["q"] @ a["k"].T / math.sqrt(d) if d else np.zeros((n, n))
    chain = softmax(np.where(np.tril(np.ones((n, n), bool)), scores, -np.inf))
    return [np.linalg.matrix_power(chain, int(a["s"]))]
