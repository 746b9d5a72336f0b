"""Mixtures of experts inside attention: MoA (Zhang et al. 2022), SwitchHead (Csordás et al. 2023)."""
import numpy as np

from .basic import sigmoid, softmax


def best(scores, k):
    """The k greatest, ties by the lowest index, filled up with −1."""
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:k]
    return order + [-1] * (k - len(order))


def moa(a, p):
    """The attention of each picked expert by itself."""
    x, k = a["x"], a["k"]
    keys, values = x @ p["Wk"], x @ p["Wv"]
    y, experts = np.zeros_like(x), np.zeros((len(x), k), int)
    for t in range(len(x)):
        gates = softmax(x[t] @ p["Wg"])
        experts[t] = best(gates, k)
        picked = [e for e in experts[t] if e >= 0]
        for e in picked:
            weights = softmax(x[t] @ p["Wq"][e] @ keys.T / np.sqrt(keys.shape[1]))
            y[t] += gates[e] / gates[picked].sum() * (weights @ values @ p["Wo"][e])
    return [y, experts]


def switchhead(a, p):
    """Equations 7 to 10: expert values and outputs, head by head."""
    x, k = a["x"], a["k"]
    heads, n = len(p["Wq"]), len(x)
    y, sources, targets = np.zeros_like(x), np.zeros((heads, n, k), int), np.zeros((heads, n, k), int)

    def mixed(inputs, gates, weights, picks):
        out = np.zeros((n, weights.shape[2]))
        for t in range(n):
            picks[t] = best(gates[t], k)
            for e in picks[t]:
                if e >= 0:
                    out[t] += gates[t, e] * (inputs[t] @ weights[e])
        return out

    for h in range(heads):
        v = mixed(x, sigmoid(x @ p["Ws"][h]), p["Wv"][h], sources[h])
        q, keys = x @ p["Wq"][h], x @ p["Wk"][h]
        o = softmax(q @ keys.T / np.sqrt(q.shape[1])) @ v
        y = y + mixed(o, sigmoid(x @ p["Wr"][h]), p["Wo"][h], targets[h])
    return [y, sources, targets]
