"""The pieces that several papers share."""
import math

import numpy as np


def softmax(s):
    """Along the last axis; a row of −∞ gives zeros, and an empty row stays empty."""
    if s.shape[-1] == 0:
        return np.zeros_like(s)
    top = s.max(-1, keepdims=True)
    e = np.exp(s - np.where(np.isneginf(top), 0.0, top))
    total = e.sum(-1, keepdims=True)
    return np.divide(e, total, out=np.zeros_like(e), where=total != 0)


def sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def gelu(x):
    """x Φ(x), Φ the normal distribution function (Hendrycks and Gimpel 2016)."""
    return 0.5 * x * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2)))


def layer_norm(x, scale, shift, epsilon):
    """Of the last axis (Ba et al. 2016, equation 4)."""
    if x.shape[-1] == 0:
        return x
    centred = x - x.mean(-1, keepdims=True)
    return scale * centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon) + shift


def attention(q, k, v, keep=True):
    """softmax(q kᵀ / √d + mask) v over the last two axes; `keep` broadcasts against the scores."""
    scores = q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1])
    return softmax(np.where(keep, scores, -np.inf)) @ v


def bottom_right(n, m):
    """Which keys a query may see when both sequences end together."""
    return np.tril(np.ones((n, m), bool), m - n)
