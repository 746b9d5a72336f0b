"""The fourteen mechanisms recombined from linear attention L and dot-product attention D.

M0 = L(x, x, x), M1 = D(x, x, x); M2 to M4 are L with L at the place of the query, the key, the value; M5 to M7 L with D,
M8 to M10 D with L, M11 to M13 D with D. Everything that is attended with goes through a weight of its own, in the order
of reading.
"""
import numpy as np


def dot_product(q, k, v, causal=False):
    """softmax(q kᵀ / √d) v."""
    scores = q @ k.T / np.sqrt(k.shape[1])
    if causal:
        scores = np.where(np.tri(len(q), dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True)) if scores.size else scores
    return weights / weights.sum(axis=1, keepdims=True) @ v


def linear(q, k, v, causal=False):
    """The quadratic form of linear attention: weights φ(q)·φ(k), normalised, with φ = elu + 1."""

    def phi(x):
        return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))

    weights = phi(q) @ phi(k).T
    if causal:
        weights = np.tril(weights)
    return weights @ v / weights.sum(axis=1, keepdims=True)


def bare(q, k, v, causal=False):
    """Neither φ nor normaliser."""
    return q @ k.T @ v


def recombined(index, x, weights, causal=False, linear=linear):
    """M`index` of x [n d]; `weights` [d d] in the order of reading."""
    left = iter(weights)

    def attend(kind, inner=None, place=None):
        """kind(x, x, x), with inner(x, x, x) at one place."""
        operands = [(attend(inner) if i == place else x) @ next(left) for i in range(3)]
        return kind(*operands, causal)

    if index < 2:
        return attend((linear, dot_product)[index])
    outer, rest = divmod(index - 2, 6)
    inner, place = divmod(rest, 3)
    kinds = (linear, dot_product)
    # L with L, L with D, D with L, D with D
    return attend(kinds[outer], kinds[inner], place)
