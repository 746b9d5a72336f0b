"""Positions: ALiBi (Press et al. 2022) and rotary embeddings (Su et al. 2021)."""
import math

import numpy as np

from .basic import attention, bottom_right, softmax


def slopes(heads):
    """The authors' get_slopes."""

    def of_power(n):
        start = 2 ** (-(2 ** -(math.log2(n) - 3)))
        return [start * start**i for i in range(n)]

    if heads == 0:
        return []
    below = 2 ** int(math.floor(math.log2(heads)))
    return of_power(below) + of_power(2 * below)[0::2][: heads - below]


def alibi(a, p):
    q, k, v = a["q"], a["k"], a["v"]
    h, n, d = q.shape
    distance = np.arange(n)[:, None] - np.arange(n)[None, :]
    s = q @ k.transpose(0, 2, 1) / math.sqrt(d) - np.array(slopes(h)).reshape(h, 1, 1) * distance
    return [softmax(np.where(bottom_right(n, n), s, -np.inf)) @ v]


def turn(plane, t, i, p):
    """The complex number (x, y) multiplied by exp(i t θ_i), θ_i = 10000^(−2i/d), d = 2p."""
    z = complex(*plane) * np.exp(1j * t * 10000.0 ** (-2 * i / (2 * p)))
    return z.real, z.imag


def rotated(x, first, second):
    y = x.copy()
    n, p = x.shape[0], x.shape[1] // 2
    for t in range(n):
        for i in range(p):
            a, b = first(i, p), second(i, p)
            y[t, a], y[t, b] = turn((x[t, a], x[t, b]), t, i, p)
    return y


def rope_interleaved(a, p):
    return [rotated(a["x"], lambda i, p: 2 * i, lambda i, p: 2 * i + 1)]


def rope_halves(a, p):
    return [rotated(a["x"], lambda i, p: i, lambda i, p: i + p)]


def rope_attention(a, p):
    q, k = (rope_interleaved({"x": a[name]}, p)[0] for name in "qk")
    return [attention(q, k, a["v"])]
