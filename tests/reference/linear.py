"""Attention with a state of fixed size: Katharopoulos et al. 2020, Sun et al. 2023."""
import numpy as np


def elu_plus_one(x):
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def linear_attention(a, p):
    """Equation 4, the quadratic form."""
    w = elu_plus_one(a["q"]) @ elu_plus_one(a["k"]).T
    return [w @ a["v"] / (w.sum(-1, keepdims=True) + 1e-6)]


def retention(a, p):
    """Sun et al. 2023, equation 5: (Q Kᵀ ∘ D) V with D_ij = g^(i−j) for j ≤ i."""
    n = len(a["q"])
    decay = np.array([[float(a["g"]) ** (i - j) if j <= i else 0.0 for j in range(n)] for i in range(n)]).reshape(n, n)
    return [(a["q"] @ a["k"].T * decay) @ a["v"]]
