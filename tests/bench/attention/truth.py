"""What the rows of a head are in float64, written from the formulas. Each takes the head's arrays by name, the rows that are
wanted, which head it is, and all sizes."""
import math

import numpy as np


def scores(a, rows):
    q = a["q"][rows] if a["q"].ndim == 2 else a["q"][None]  # one query where there is no axis of them
    return q @ a["k"].T / math.sqrt(q.shape[-1])


def places(a, rows):
    """Those of the queries, and of the keys."""
    return np.asarray(rows)[:, None], np.arange(len(a["k"]))[None]


def softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def full(a, rows, head, sizes):
    return softmax(scores(a, rows)) @ a["v"]


def causal(a, rows, head, sizes):
    i, j = places(a, rows)
    return softmax(np.where(j <= i, scores(a, rows), -np.inf)) @ a["v"]


def window(a, rows, head, sizes):
    i, j = places(a, rows)
    return softmax(np.where((j <= i) & (i - j < 512), scores(a, rows), -np.inf)) @ a["v"]


def alibi(a, rows, head, sizes):
    i, j = places(a, rows)
    return softmax(scores(a, rows) + 2.0 ** -(head["h"] + 1) * (j - i)) @ a["v"]


def softcap(a, rows, head, sizes):
    return softmax(50 * np.tanh(scores(a, rows) / 50)) @ a["v"]


def bias(a, rows, head, sizes):
    return softmax(scores(a, rows) + a["w"][rows]) @ a["v"]


def sigmoid(a, rows, head, sizes):
    return 1 / (1 + np.exp(math.log(sizes["n"]) - scores(a, rows))) @ a["v"]


def relu(a, rows, head, sizes):
    return np.maximum(scores(a, rows), 0) / sizes["n"] @ a["v"]


def relu_normalised(a, rows, head, sizes):
    w = np.maximum(scores(a, rows), 0)
    return w / w.sum(-1, keepdims=True) @ a["v"]


def phi(x):
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def linear(a, rows, head, sizes):
    i, j = places(a, rows)
    w = np.where(j <= i, phi(a["q"][rows]) @ phi(a["k"]).T, 0)
    return w @ a["v"] / (w.sum(-1, keepdims=True) + 1e-6)


def retention(a, rows, head, sizes):
    i, j = places(a, rows)
    return np.where(j <= i, a["g"] ** np.maximum(i - j, 0) * (a["q"][rows] @ a["k"].T), 0) @ a["v"]


def gated(a, rows, head, sizes):
    gone = np.cumsum(a["g"], 0)
    return np.stack([np.exp(gone[i] - gone[:i + 1]) * a["k"][:i + 1] @ a["q"][i] @ a["v"][:i + 1] for i in rows])


def ssd(a, rows, head, sizes):
    return gated({**a, "g": a["g"][:, None]}, rows, head, sizes)


def simplicial(a, rows, head, sizes):
    out = []
    for i in rows:
        j, k = (slice(max(0, i + 1 - sizes[w]), i + 1) for w in ("w1", "w2"))
        s = a["q"][i] * a["k1"][j] @ a["k2"][k].T / math.sqrt(sizes["d"])
        w = softmax(s.ravel()).reshape(s.shape)
        out.append((a["v1"][j] * (w @ a["v2"][k])).sum(0))
    return np.stack(out)
