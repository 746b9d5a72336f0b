"""Shared queries and keys, and hashing of them (Reformer, Kitaev et al. 2020)."""
import numpy as np

from .basic import attention, softmax


def shared_qk(a, p):
    q = a["x"] @ p["W"]
    return [attention(q, q, a["x"] @ p["Wv"])]


def lsh_buckets(a, p):
    """Section 2: h(x) = argmax([xR; −xR])."""
    return [np.array([
        [int(np.argmax(np.concatenate([R @ x, -(R @ x)]))) for x in a["x"]] for R in a["R"]], int).reshape(len(a["R"]), len(a["x"]))]


def reformer(a, p):
    """Equation 6 and appendix A: a softmax over the union of the rounds' sets, the own place left out unless alone."""
    q, v = a["x"] @ p["W"], a["x"] @ p["Wv"]
    (buckets,) = lsh_buckets({"x": q, "R": p["R"]}, p)
    y = np.zeros_like(v)
    for i in range(len(q)):
        near = [j for j in range(i + 1) if (buckets[:, i] == buckets[:, j]).any()]
        others = [j for j in near if j != i] or near
        if not others:
            continue
        norms = [np.linalg.norm(q[j]) or 1.0 for j in others]
        y[i] = softmax(np.array([q[i] @ q[j] / norm / np.sqrt(len(q[i])) for j, norm in zip(others, norms)])) @ v[others]
    return [y]


def reformer_chunked(a, p):
    """The same softmax over the keys that the sorted chunks of some round show."""
    q, v, size = a["q"], a["v"], a["b"]
    (buckets,) = lsh_buckets({"x": q, "R": a["R"]}, p)
    met = np.zeros((len(q), len(q)), bool)
    for row in buckets:
        order = sorted(range(len(q)), key=lambda i: (row[i], i))
        for place, i in enumerate(order):
            start = max(place // size - 1, 0) * size
            for j in order[start:place + 1]:
                met[i, j] |= row[i] == row[j]
    y = np.zeros_like(v)
    for i in range(len(q)):
        others = [j for j in range(i) if met[i, j]] or ([i] if met[i, i] else [])
        if others:
            scores = [q[i] @ q[j] / (np.linalg.norm(q[j]) or 1.0) / np.sqrt(len(q[i])) for j in others]
            y[i] = softmax(np.array(scores)) @ v[others]
    return [y]
