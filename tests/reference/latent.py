"""Attention through latents: MLA (DeepSeek-AI 2024), the Set Transformer (Lee et al. 2019), the Perceiver (Jaegle 2021)."""
import numpy as np

from .basic import attention, bottom_right, gelu, layer_norm
from .dot_product import concatenated_heads
from .positional import rope_interleaved


def mla_decode(a, p):
    """Equations 9 to 19, new tokens after cached ones: each head's key is the content beside the shared rotated part."""
    x, old = a["x"], len(a["latents"])

    def norm(y, scale):
        return y / np.sqrt((y**2).mean(1, keepdims=True) + 1e-6) * scale

    def rotated(y):
        padded = np.concatenate([np.zeros((old, y.shape[1])), y])
        return rope_interleaved({"x": padded}, {})[0][old:]

    latent = np.concatenate([a["latents"], norm(x @ p["Wdkv"], p["latent_scale"])])
    shared = np.concatenate([a["keys"], rotated(x @ p["Wkr"])])
    query = norm(x @ p["Wdq"], p["query_scale"])
    y = np.zeros_like(x)
    for h in range(len(p["Wuq"])):
        q = np.concatenate([query @ p["Wuq"][h], rotated(query @ p["Wqr"][h])], 1)
        k = np.concatenate([latent @ p["Wuk"][h], shared], 1)
        y = y + attention(q, k, latent @ p["Wuv"][h], bottom_right(len(q), len(k))) @ p["Wo"][h]
    return [y, latent, shared]


def mla(a, p):
    empty = {"latents": np.zeros((0, len(p["latent_scale"]))), "keys": np.zeros((0, p["Wkr"].shape[1]))}
    return mla_decode(a | empty, p)[:1]


def inducing_points(a, p):
    return [attention(p["I"] @ p["Wq"], a["z"] @ p["Wk"], a["z"] @ p["Wv"])]


def norm(p, name, x):
    return layer_norm(x, p[name + ".scale"], p[name + ".shift"], 1e-5)


def part(p, prefix, index=None):
    """The parameters under a prefix, of one index of their outermost axis where one is given."""
    found = {name[len(prefix) + 1:]: array for name, array in p.items() if name.startswith(prefix + ".")}
    return found if index is None else {name: array[index] for name, array in found.items()}


def heads(p, x, y):
    return concatenated_heads(x, y, p["Wq"], p["Wk"], p["Wv"], p["Wo"], causally=False)


def two_layers(p, x, between):
    return between(x @ p["F1.weight"] + p["F1.bias"]) @ p["F2.weight"] + p["F2.bias"]


def relu(x):
    return np.maximum(x, 0)


def mab(p, x, y):
    """Lee et al. 2019, equations 6 and 7."""
    h = norm(p, "norm1", x + heads(part(p, "attention"), x, y))
    return norm(p, "norm2", h + two_layers(part(p, "feed_forward"), h, relu))


def isab(p, x):
    """Equations 9 and 10."""
    return mab(part(p, "write"), x, mab(part(p, "read"), p["I"], x))


def pma(p, z):
    """Equation 11."""
    return mab(part(p, "mab"), p["S"], two_layers(part(p, "feed_forward"), z, relu))


def set_transformer(a, p):
    """Section 3.3."""
    z = isab(part(p, "second"), isab(part(p, "first"), a["x"]))
    y = pma(part(p, "pma"), z)
    y = mab(part(p, "sab.mab"), y, y)
    return [y @ p["F.weight"] + p["F.bias"]]


def perceiver(a, p):
    """Jaegle et al. 2021, section 3.1 and figure 1, with norms before each block as in its appendix."""

    def dense(p, x):
        return x + two_layers(p, norm(p, "layer_norm", x), gelu)

    def read(p, x, z):
        z = norm(p, "norm2", z)
        y = attention(norm(p, "norm1", x) @ p["Wq"], z @ p["Wk"], z @ p["Wv"])
        return dense(part(p, "dense_block"), x + y @ p["Wo"])

    def latent(p, x):
        y = norm(p, "layer_norm", x)
        return dense(part(p, "dense_block"), x + heads(part(p, "multihead"), y, y))

    x = p["latents"]
    for t in range(len(p["read.Wq"])):
        x = read(part(p, "read", t), x, a["z"])
        for l in range(len(p["latent.layer_norm.scale"])):
            x = latent(part(p, "latent", l), x)
    return [x.sum(0) / len(x) @ p["W.weight"] + p["W.bias"]]
