"""Attention inside and beside recurrent networks: Bahdanau, Luong, Cheng, Lin."""
import numpy as np

from .basic import sigmoid, softmax


def bahdanau(a, p):
    """Bahdanau et al. 2015, appendix A.1.2: e_ij = vᵀ tanh(W s_i + U h_j)."""
    s, h = a["s"], a["h"]
    e = np.tanh((s @ p["W"])[:, None, :] + (h @ p["U"])[None, :, :]) @ p["v"]
    return [softmax(e) @ h]


def luong_dot(a, p):
    return [softmax(a["s"] @ a["h"].T) @ a["h"]]


def luong_general(a, p):
    """Luong et al. 2015, section 3.1: s · W h, the matrix here acting on rows from the right."""
    return [softmax(a["s"] @ (a["h"] @ p["W"]).T) @ a["h"]]


def luong_concat(a, p):
    """Score vᵀ tanh(W [s; h]); W of the pair is the two parts one above the other."""
    s, h = a["s"], a["h"]
    W = np.concatenate([p["W.0"], p["W.1"]])
    e = np.zeros((len(s), len(h)))
    for i in range(len(s)):
        for j in range(len(h)):
            e[i, j] = np.tanh(np.concatenate([s[i], h[j]]) @ W) @ p["v"]
    return [softmax(e) @ h]


def primordial(a, p):
    """The universal score as the two-layer perceptron it is run as."""
    s, h = a["s"], a["h"]
    pre = (s @ p["a.hidden.weight.0"])[:, None, :] + (h @ p["a.hidden.weight.1"])[None, :, :] + p["a.hidden.bias"]
    return [softmax(np.tanh(pre) @ p["a.out.weight"] + p["a.out.bias"]) @ h]


def intra_attention(a, p):
    """Cheng et al. 2016, section 3, with tapes as lists."""
    x = a["x"]
    d = p["Wh"].shape[0]
    hs, cs, last = [], [], np.zeros(d)
    for t in range(len(x)):
        scores = [np.tanh(h @ p["Wh"] + x[t] @ p["Wx"] + last @ p["Ws"]) @ p["u"] for h in hs]
        w = softmax(np.array(scores, float))
        summary = sum((wi * h for wi, h in zip(w, hs)), np.zeros(d))
        memory = sum((wi * c for wi, c in zip(w, cs)), np.zeros(d))

        def gate(g):
            return summary @ p[g + ".weight.0"] + x[t] @ p[g + ".weight.1"] + p[g + ".bias"]

        c = sigmoid(gate("F")) * memory + sigmoid(gate("I")) * np.tanh(gate("G"))
        hs.append(sigmoid(gate("O")) * np.tanh(c))
        cs.append(c)
        last = summary
    return [np.array(hs).reshape(len(x), d)]


def self_attentive(a, p):
    """Lin et al. 2017, equations 6 to 8."""
    A = softmax((np.tanh(a["H"] @ p["W1"]) @ p["W2"]).T)
    return [A @ a["H"], np.sum((A @ A.T - np.eye(len(A))) ** 2)]


def primordial_layer(a, p):
    """A universal positive form of target and source, normalised, over values that are linear in the source."""
    x, z = a["x"], a["z"]
    y = np.zeros((len(x), p["V"].shape[1]))
    for i in range(len(x) if len(z) else 0):
        scores = np.array([
            np.tanh(x[i] @ p["a.hidden.weight.0"] + source @ p["a.hidden.weight.1"] + p["a.hidden.bias"])
            @ p["a.out.weight"] + p["a.out.bias"] for source in z])
        form = np.exp(scores - scores.max())  # positive; any common factor cancels
        y[i] = form / form.sum() @ (z @ p["V"])
    return [y]


def content_addressing(a, p):
    """Graves et al. 2014, equations 2, 5 and 6."""
    M, keys = a["M"], a["x"] @ p["K"]
    strength = np.logaddexp(0, a["x"] @ p["B.weight"] + p["B.bias"])

    def cosine(u, v):
        norm = np.linalg.norm(u) * np.linalg.norm(v)
        return u @ v / norm if norm else 0.0

    w = softmax(np.array([[b * cosine(key, row) for row in M] for key, b in zip(keys, strength)]).reshape(len(keys), len(M)))
    return [w @ M]
