"""2-simplicial attention (Clift et al. 2019, Roy et al. 2025), summed over pairs one by one."""
import math

import numpy as np

from .basic import softmax


def over_pairs(a, seen):
    q, k1, k2, v1, v2 = (a[name] for name in ("q", "k1", "k2", "v1", "v2"))
    n, d = q.shape
    y = np.zeros((n, v1.shape[1]))
    for i in range(n):
        pairs = [(j, k) for j in range(len(k1)) for k in range(len(k2)) if seen(i, j, k)]
        scores = np.array([sum(q[i] * k1[j] * k2[k]) / math.sqrt(d) for j, k in pairs], float)
        for w, (j, k) in zip(softmax(scores), pairs):
            y[i] += w * v1[j] * v2[k]
    return [y]


def two_simplicial(a, p):
    return over_pairs(a, lambda i, j, k: True)


def two_simplicial_window(a, p):
    w1, w2 = int(a["w1"]), int(a["w2"])
    return over_pairs(a, lambda i, j, k: i - w1 < j <= i and i - w2 < k <= i)
