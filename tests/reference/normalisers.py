"""Other weights than a softmax of scaled products: sigmoid, ReLU, differences, associative memories."""
import numpy as np

from .basic import sigmoid, softmax
from .linear import layer


def scores(a):
    return a["q"] @ a["k"].T / np.sqrt(a["q"].shape[1])


def sigmoid_core(a, p):
    """Ramapuram et al. 2024, section 2, b = −log n for n keys."""
    if not len(a["k"]):
        return [np.zeros((len(a["q"]), a["v"].shape[1]))]
    return [sigmoid(scores(a) - np.log(len(a["k"]))) @ a["v"]]


def relu_core(a, p):
    """Wortsman et al. 2023, section 3: ReLU over the sequence length."""
    return [np.maximum(scores(a), 0) @ a["v"] / max(len(a["k"]), 1)]


def relu_normalised_core(a, p):
    w = np.maximum(scores(a), 0)
    total = w.sum(1, keepdims=True)
    return [np.divide(w, total, out=np.zeros_like(w), where=total != 0) @ a["v"]]


sigmoid_attention, relu_attention, relu_normalised = map(layer, (sigmoid_core, relu_core, relu_normalised_core))


def differential(a, p):
    """Ye et al. 2024, equations 1 to 3, and the heads' norm."""
    x, depth = a["x"], float(a["depth"])
    d = p["lq"].shape[1]
    start = 0.8 - 0.6 * np.exp(-0.3 * depth)
    weight = np.exp(p["lq"][0] @ p["lk"][0]) - np.exp(p["lq"][1] @ p["lk"][1]) + start
    heads = []
    for Wq, Wk, Wv in zip(p["Wq"], p["Wk"], p["Wv"]):
        q, k = (np.tensordot(x, W, 1) for W in (Wq, Wk))
        first, second = (softmax(q[:, i] @ k[:, i].T / np.sqrt(d)) for i in range(2))
        o = (first - weight * second) @ (x @ Wv)
        o = o / np.sqrt((o**2).mean(1, keepdims=True) + 1e-5) * p["scale"]
        heads.append((1 - start) * o)
    if not heads:
        return [np.zeros_like(x)]
    return [np.concatenate(heads, 1) @ p["Wo"].reshape(-1, x.shape[1])]


def hopfield_retrieval(a, p):
    """Ramsauer et al. 2021, equation 3, patterns and states as columns, as in the paper."""
    X, state, states = a["x"].T, a["state"].T, []
    for _ in range(a["t"]):
        state = X @ softmax((a["beta"] * X.T @ state).T).T
        states.append(state.T)
    return [np.array(states).reshape(a["t"], *a["state"].shape)]


def hopfield_energy(a, p):
    """Equation 2."""
    beta = float(a["beta"])
    largest = (a["x"]**2).sum(1).max()
    return [np.array([
        -np.logaddexp.reduce(beta * a["x"] @ state) / beta + state @ state / 2 + np.log(len(a["x"])) / beta + largest / 2
        for state in a["state"]]).reshape(len(a["state"]))]


def hopfield(a, p):
    """Equation 10: Z = softmax(β R W_Q W_Kᵀ Yᵀ) Y W_K W_V."""
    keys = a["z"] @ p["Wk"]
    return [softmax(a["beta"] * (a["x"] @ p["Wq"] @ keys.T)) @ keys @ p["Wv"]]
