"""Softmax attention, its masks and its score modifiers; the sequences are aligned at their ends."""
import math

import numpy as np

from .basic import attention, bottom_right, softmax
from .dot_product import cross_attention, concatenated_heads  # noqa: F401
from .positional import slopes, turn


def sdpa(a, p):
    """Vaswani et al. 2017, equation 1."""
    return [attention(a["q"], a["k"], a["v"])]


def causal(a, p):
    return [attention(a["q"], a["k"], a["v"], bottom_right(len(a["q"]), len(a["k"])))]


def positions(n, m):
    """Of queries as a column, of keys as a row."""
    return np.arange(n)[:, None] + (m - n), np.arange(m)[None, :]


def scores(q, k):
    return q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1])


def self_attention(a, p):
    x = a["x"]
    return [attention(x @ p["Wq"], x @ p["Wk"], x @ p["Wv"])]


def multihead(a, p):
    return [concatenated_heads(a["x"], a["z"], p["Wq"], p["Wk"], p["Wv"], p["Wo"], False)]


def causal_multihead(a, p):
    return [concatenated_heads(a["x"], a["z"], p["Wq"], p["Wk"], p["Wv"], p["Wo"], True)]


def masked_attention(a, p):
    return [attention(a["q"], a["k"], a["v"], a["keep"])]


def packed_documents(a, p):
    seen = (a["ofQuery"][:, None] == a["ofKey"]) & bottom_right(len(a["q"]), len(a["k"]))
    return [attention(a["q"], a["k"], a["v"], seen)]


def key_padding(a, p):
    m = a["k"].shape[1]
    keep = np.arange(m) < a["lengths"][:, None]
    return [attention(a["q"], a["k"], a["v"], keep[:, None, :])]


def biased_attention(a, p):
    return [softmax(scores(a["q"], a["k"]) + a["bias"]) @ a["v"]]


def alibi(a, p):
    """Press et al. 2022, section 3."""
    q, k, v = a["q"], a["k"], a["v"]
    i, j = positions(q.shape[1], k.shape[1])
    s = scores(q, k) - np.array(slopes(len(q))).reshape(-1, 1, 1) * (i - j)
    return [softmax(np.where(j <= i, s, -np.inf)) @ v]


def relative_bucket(distance):
    """Raffel et al. 2020, `_relative_position_bucket` of their code with 32 buckets and a largest distance of 128.

    8 + ⌊8 log(a/8) / log(128/8)⌋ = 8 + ⌊log₂(a²/64)⌋, here in whole numbers.
    """
    half = 16 if distance > 0 else 0
    a = abs(distance)
    return half + (a if a < 8 else min(15, 7 + (a * a // 64).bit_length()))


def relative_bias(a, p):
    q, k, v = a["q"], a["k"], a["v"]
    i, j = positions(q.shape[1], k.shape[1])
    buckets = np.array([[relative_bucket(int(d)) for d in row] for row in j - i], int).reshape(q.shape[1], k.shape[1])
    return [softmax(q @ k.transpose(0, 2, 1) + p["bias"][:, buckets]) @ v]


def bucket_back(distance):
    """The same function of their code as T5's decoder calls it, with `bidirectional=False`."""
    n = max(distance, 0)
    return n if n < 16 else min(31, 16 + int(math.log(n / 16) / math.log(128 / 16) * 16))


def relative_bias_causal(a, p):
    q, k, v = a["q"], a["k"], a["v"]
    i, j = positions(q.shape[1], k.shape[1])
    buckets = np.array([[bucket_back(int(d)) for d in row] for row in i - j], int).reshape(q.shape[1], k.shape[1])
    s = q @ k.transpose(0, 2, 1) + p["bias"][:, buckets]
    return [softmax(np.where(j <= i, s, -np.inf)) @ v]


def learned_bias(a, p):
    """Liu et al. 2021, equation 4, with relative_position_index as in their code."""
    table = p["B"]
    rows, columns = (np.array(table.shape) + 1) // 2
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    bias = [[table[r - r2 + rows - 1, c - c2 + columns - 1] for r2, c2 in cells] for r, c in cells]
    return [softmax(scores(a["q"], a["k"]) + np.array(bias)) @ a["v"]]


def softcap(a, p):
    """Gemma Team 2024, section 2: soft_cap tanh(logits / soft_cap)."""
    i, j = positions(len(a["q"]), len(a["k"]))
    s = a["c"] * np.tanh(scores(a["q"], a["k"]) / a["c"])
    return [softmax(np.where(j <= i, s, -np.inf)) @ a["v"]]


def softmax_plus_one(a, p):
    """Miller 2023: exp(x_i) / (1 + Σ exp(x_j)), as softmax with a further logit of 0."""
    s = scores(a["q"], a["k"])
    return [softmax(np.concatenate([s, np.zeros((len(s), 1))], 1))[:, :-1] @ a["v"]]


def normalised(x):
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.divide(x, length, out=np.zeros_like(x), where=length != 0)


def qk_norm(a, p):
    """Henry et al. 2020: cosines by a learned factor."""
    return [softmax(p["g"] * (normalised(a["q"]) @ normalised(a["k"]).T)) @ a["v"]]


def talking_heads(a, p):
    """Shazeer et al. 2020, section 4, in their own einsums."""
    J = np.einsum("hnd,hmd->nmh", a["q"], a["k"])
    W = softmax(np.einsum("nmh,hg->gnm", J, p["P"]))
    return [np.einsum("gnm,gf,fme->fne", W, p["P'"], a["v"])]


def uniform(seed, counter):
    """The top 23 bits of a hash: SplitMix64's finaliser (Steele et al. 2014), two steps from seed · γ + counter."""
    mask, gamma = 2**64 - 1, 0x9E3779B97F4A7C15
    z = seed * gamma + counter - gamma
    for _ in range(2):
        z = (z + gamma) & mask
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
        z ^= z >> 31
    return ((z >> 41) + 0.5) / 2**23


def attention_dropout(a, p):
    """Srivastava et al. 2014, inverted: what stays is scaled."""
    w = softmax(scores(a["q"], a["k"]))
    seed, rate = int(a["seed"]), float(a["p"])
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            w[i, j] = 0 if uniform(seed, i * w.shape[1] + j) < rate else w[i, j] / (1 - rate)
    return [w @ a["v"]]


def attention_statistics(a, p):
    s = np.where(a["keep"], scores(a["q"], a["k"]), -np.inf)
    w = softmax(s)
    with np.errstate(divide="ignore"):
        lse = np.logaddexp.reduce(s, axis=-1, initial=-np.inf)
    entropy = np.array([-sum(x * math.log(x) for x in row if x > 0) for row in w], float)
    return [w @ a["v"], lse, entropy]


def mqa(a, p):
    return [attention(a["q"], a["k"][None], a["v"][None])]


def gqa(a, p):
    """Ainslie et al. 2023: head t reads group ⌊t g / h⌋."""
    group = np.arange(len(a["q"])) * len(a["k"]) // max(len(a["q"]), 1)
    return [attention(a["q"], a["k"][group], a["v"][group])]


def rotated(x, offset, plane):
    """Su et al. 2021, equation 34, as complex numbers; `plane(i, p)` are the coordinates of plane i."""
    y = x.copy()
    half = x.shape[-1] // 2
    for t in range(len(x)):
        for i in range(half):
            first, second = plane(i, half)
            y[t, first], y[t, second] = turn((x[t, first], x[t, second]), t + offset, i, half)
    return y


def with_rope(a, plane):
    n, m = len(a["q"]), len(a["k"])
    q, k = rotated(a["q"], m - n, plane), rotated(a["k"], 0, plane)
    return [softmax(np.where(bottom_right(n, m), scores(q, k), -np.inf)) @ a["v"]]


def rope(a, p):
    return with_rope(a, lambda i, half: (2 * i, 2 * i + 1))


def rope_halves(a, p):
    return with_rope(a, lambda i, half: (i, i + half))


def shaw_relative(a, p):
    """Shaw et al. 2018, equations 3 and 4, key by key."""
    q, k, v = a["q"], a["k"], a["v"]
    c = (len(p["aK"]) - 1) // 2
    y = np.zeros((len(q), v.shape[1]))
    for r in range(len(q)):
        i = r + len(k) - len(q)
        clip = [max(-c, min(c, j - i)) + c for j in range(len(k))]
        s = [q[r] @ (k[j] + p["aK"][clip[j]]) / math.sqrt(q.shape[1]) for j in range(len(k))]
        for j, w in enumerate(softmax(np.array(s, float))):
            y[r] += w * (v[j] + p["aV"][clip[j]])
    return [y]
