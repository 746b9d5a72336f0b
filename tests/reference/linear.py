"""Attention of linear cost: by features, by a state of fixed size, by low rank."""
import numpy as np

from .basic import attention, sigmoid, softmax
from .positional import rope_interleaved


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


def projected(a, p):
    """Queries of x, keys and values of z, or of x where there is no z."""
    z = a.get("z", a["x"])
    return {"q": a["x"] @ p["Wq"], "k": z @ p["Wk"], "v": z @ p["Wv"]}


def layer(core):
    """The reference of a layer with the maps Wq, Wk and Wv around a core."""
    return lambda a, p: core(projected(a, p) | {name: a[name] for name in a if name not in ("x", "z")}, p)


linear_attention_layer = layer(linear_attention)


def linear_attention_causal(a, p):
    """Katharopoulos et al. 2020, equations 18 to 20, the recurrence as the paper numbers it."""
    s, z = np.zeros((a["k"].shape[1], a["v"].shape[1])), np.zeros(a["k"].shape[1])
    y = np.zeros_like(a["v"])
    for i, (q, k, v) in enumerate(zip(elu_plus_one(a["q"]), elu_plus_one(a["k"]), a["v"])):
        s, z = s + np.outer(k, v), z + k
        y[i] = q @ s / (q @ z + 1e-6)
    return [y]


linear_attention_causal_layer = layer(linear_attention_causal)


def performer(a, p):
    """Choromanski et al. 2021, algorithm 1, with the features as the authors' program stabilises them."""
    q, k, v, w = a["q"], a["k"], a["v"], a["omega"]
    if not len(k):
        return [np.zeros((len(q), v.shape[1]))]

    def features(x, top):
        x = x * x.shape[1] ** -0.25
        u = x @ w.T
        return w.shape[0] ** -0.5 * (np.exp(u - (x**2).sum(1, keepdims=True) / 2 - top(u)) + 1e-4)

    fq, fk = features(q, lambda u: u.max(1, keepdims=True)), features(k, np.max)
    weights = fq @ fk.T
    return [weights / weights.sum(1, keepdims=True) @ v]


def performer_layer(a, p):
    return performer(projected(a, p) | {"omega": p["omega"]}, p)


def performer_causal(a, p):
    """Appendix B.1: row i is the mechanism on the keys up to i."""
    rows = [performer({"q": a["q"][i:i + 1], "k": a["k"][:i + 1], "v": a["v"][:i + 1], "omega": a["omega"]}, p)[0]
            for i in range(len(a["q"]))]
    return [np.reshape(rows, a["v"].shape)]


def performer_causal_layer(a, p):
    return performer_causal(projected(a, p) | {"omega": p["omega"]}, p)


def cosformer(a, p):
    """Qin et al. 2022: each weight by itself."""
    q, k, v = np.maximum(a["q"], 0), np.maximum(a["k"], 0), a["v"]
    i, j = np.indices((len(q), len(k)))
    w = q @ k.T * np.cos(np.pi / 2 * (i - j) / max(len(q), len(k), 1))
    return [w @ v / np.maximum(w.sum(1, keepdims=True), 1e-6)]


cosformer_layer = layer(cosformer)


def cosformer_causal(a, p):
    """The same weights, row by row, over the keys that are not later."""
    q, k, v, n = np.maximum(a["q"], 0), np.maximum(a["k"], 0), a["v"], len(a["q"])
    y = np.zeros_like(v)
    for i in range(n):
        w = np.array([q[i] @ k[j] * np.cos(np.pi / 2 * (i - j) / n) for j in range(i + 1)])
        y[i] = w @ v[:i + 1] / max(w.sum(), 1e-6)
    return [y]


def efficient_attention(a, p):
    """Shen et al. 2021, section 3."""
    return [softmax(a["q"]) @ (softmax(a["k"].T) @ a["v"])]


efficient_attention_layer = layer(efficient_attention)


def retention_layer(a, p):
    return retention(projected(a, p) | {"g": p["g"]}, p)


def retnet(a, p):
    """Sun et al. 2023, equations 5 and 8; positions as complex rotations, as in the paper's xPos without its scale."""
    x = a["x"]
    y = np.zeros_like(x)
    for h in range(len(p["Wq"])):
        gamma = 1 - 2.0 ** (-5 - h)
        q, k = (rope_interleaved({"x": x @ p[w][h]}, {})[0] for w in ("Wq", "Wk"))
        (o,) = retention({"q": q, "k": k, "v": x @ p["Wv"][h], "g": gamma}, {})
        o = (o - o.mean(1, keepdims=True)) / np.sqrt(o.var(1, keepdims=True) + 1e-5)
        gate = x @ p["Wg"][h]
        y = y + (gate * sigmoid(gate) * o) @ p["Wo"][h]
    return [y]


def segment_sums(a, p):
    """Dao and Gu 2024, listing 1, entry by entry."""
    g = a["g"]
    return [np.array([[g[j + 1:i + 1].sum() if j <= i else -np.inf for j in range(len(g))] for i in range(len(g))])
            .reshape(len(g), len(g))]


def gla(a, p):
    """Yang et al. 2024a, equation 4: queries times products of gates times keys."""
    q, k, v, alpha = a["q"], a["k"], a["v"], np.exp(a["g"])
    y = np.zeros_like(v)
    for i in range(len(q)):
        for j in range(i + 1):
            y[i] += (q[i] * k[j] * np.prod(alpha[j + 1:i + 1], axis=0)).sum() * v[j]
    return [y]


def gla_layer(a, p):
    """Section 4.4: the gate is a sigmoid to the power 1/16."""
    gate = (1 + np.exp(-(a["x"] @ p["Wa"] @ p["Wb.weight"] + p["Wb.bias"]))) ** (-1 / 16)
    return gla(projected(a, p) | {"g": np.log(gate)}, p)


def ssd(a, p):
    """Dao and Gu 2024, section 5.1: M ∘ L with L of products."""
    C, B, x, decay = a["C"], a["B"], a["x"], np.exp(a["g"])
    n = len(x)
    L = np.array([[np.prod(decay[j + 1:i + 1]) if j <= i else 0.0 for j in range(n)] for i in range(n)]).reshape(n, n)
    return [(L * (C @ B.T)) @ x]


def mamba2(a, p):
    u = a["u"]
    step = np.logaddexp(0, u @ p["Wt.weight"] + p["Wt.bias"])
    x = u @ p["Wx"]
    heads = {"C": u @ p["Wc"], "B": u @ p["Wb"], "x": step[:, None] * x, "g": -np.exp(p["A"]) * step}
    return [ssd(heads, p)[0] + p["D"] * x]


def aft_full(a, p):
    """Zhai et al. 2021, equation 2, feature by feature."""
    q, k, v, w = a["q"], a["k"], a["v"], a["w"]
    y = np.zeros_like(q)
    for f in range(q.shape[1]):
        y[:, f] = sigmoid(q[:, f]) * (softmax(k[:, f] + w) @ v[:, f])
    return [y]


def aft_simple(a, p):
    return aft_full(a | {"w": np.zeros((len(a["q"]), len(a["k"])))}, p)


def aft_local(a, p):
    i, j = np.indices(a["w"].shape)
    return aft_full(a | {"w": np.where(abs(i - j) < a["window"], a["w"], 0)}, p)


def aft(a, p):
    return [aft_full(projected(a, p) | {"w": p["w"]}, p)[0] @ p["Wo"]]


def delta_rule(a, p):
    """Yang et al. 2024b, section 2.2: S ← (I − β k kᵀ) S + β k vᵀ, with the matrices written out."""
    S = np.zeros((a["k"].shape[1], a["v"].shape[1]))
    y = np.zeros_like(a["v"])
    for t, (q, k, v, beta) in enumerate(zip(a["q"], a["k"], a["v"], a["beta"])):
        S = (np.eye(len(k)) - beta * np.outer(k, k)) @ S + beta * np.outer(k, v)
        y[t] = q @ S
    return [y]


def delta_layer(a, p):
    def unit(x):
        x = x * sigmoid(x)
        norm = np.linalg.norm(x, axis=1, keepdims=True)
        return np.divide(x, norm, out=np.zeros_like(x), where=norm != 0)

    heads = projected(a, p)
    return delta_rule({"q": unit(heads["q"]), "k": unit(heads["k"]), "v": heads["v"],
                       "beta": sigmoid(a["x"] @ p["Wb"])}, p)


def linformer(a, p):
    """Wang et al. 2020, equation 7; learners act on rows from the right, so E and F of the paper are transposed."""
    heads = projected(a, p)
    return [attention(heads["q"], p["E"].T @ heads["k"], p["F"].T @ heads["v"])]


def nystrom(a, p):
    """Xiong et al. 2021, algorithm 1."""
    heads, r, s = projected(a, p), a["r"], a["s"]
    q, k = (heads[name].reshape(r, s, -1).sum(1) / s for name in "qk")
    A = softmax(q @ k.T / np.sqrt(k.shape[1]))
    one = np.eye(r)
    Z = A.T / (np.linalg.norm(A, 1) * np.linalg.norm(A, np.inf))
    for _ in range(6):
        Z = Z @ (13 * one - A @ Z @ (15 * one - A @ Z @ (7 * one - A @ Z))) / 4
    F = softmax(heads["q"] @ k.T / np.sqrt(k.shape[1]))
    B = softmax(q @ heads["k"].T / np.sqrt(k.shape[1]))
    return [F @ Z @ B @ heads["v"]]


def projected_attention(a, p):
    heads = projected(a, p)
    return [attention(heads["q"], heads["k"], heads["v"])]
