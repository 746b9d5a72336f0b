"""Scaled dot-product attention and what is built around it (Vaswani et al. 2017)."""
import math

import numpy as np

from .basic import attention, bottom_right, gelu, layer_norm, softmax


def softmax_rows(a, p):
    return [softmax(a["s"])]


def attention_weights(a, p):
    return [softmax(a["q"] @ a["k"].T / math.sqrt(a["q"].shape[-1]))]


def sdpa(a, p):
    """Equation 1; any axes before the last two are batched."""
    return [attention(a["q"], a["k"], a["v"])]


def masked_sdpa(a, p):
    return [attention(a["q"], a["k"], a["v"], a["keep"])]


def batch(a, p):
    """Arrays [l b h n d]; the mask [b m] is true for real tokens."""
    return [attention(a["q"], a["k"], a["v"], a["mask"][None, :, None, None, :])]


def causal(a, p):
    return [attention(a["q"], a["k"], a["v"], bottom_right(len(a["q"]), len(a["k"])))]


def cross_attention(a, p):
    x, z = a["x"], a["z"]
    return [attention(x @ p["Wq"], z @ p["Wk"], z @ p["Wv"]) @ p["Wo"]]


def concatenated_heads(x, z, Wq, Wk, Wv, Wo, causally):
    """Section 3.2.2 as it stands there: the heads side by side, then one projection. Weights are [h in out]."""
    keep = bottom_right(len(x), len(z)) if causally else True
    heads = [attention(x @ q, z @ k, z @ v, keep) for q, k, v in zip(Wq, Wk, Wv)]
    if not heads:
        return np.zeros_like(x)
    return np.concatenate(heads, -1) @ Wo.reshape(-1, x.shape[-1])


def multihead(a, p, causally=False):
    return [concatenated_heads(a["x"], a["z"], p["Wq"], p["Wk"], p["Wv"], p["Wo"], causally)]


def causal_multihead(a, p):
    return multihead(a, p, causally=True)


def first_layer(a, p):
    """A layer of BERT (Devlin et al. 2019) with twelve heads, the layer norms after the sums."""
    x, heads = a["x"], 12
    n, c = x.shape

    def split(t):
        return t.reshape(n, heads, c // heads).transpose(1, 0, 2)

    q, k, v = (split(x @ p["W" + s] + p["b" + s]) for s in "qkv")
    o = attention(q, k, v).transpose(1, 0, 2).reshape(n, c)
    y = layer_norm(x + o @ p["Wo"] + p["bo"], p["ln1_scale"], p["ln1_shift"], 1e-12)
    z = gelu(y @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    return [layer_norm(y + z, p["ln2_scale"], p["ln2_shift"], 1e-12)]
