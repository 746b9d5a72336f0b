"""Attention through latents: MLA (DeepSeek-AI 2024), the Set Transformer (Lee et al. 2019), the Perceiver (Jaegle 2021)."""
import numpy as np

from .basic import attention, bottom_right, softmax
from .positional import rope_interleaved


def mla(a, p):
    """Equations 9 to 19: each head's key is the content beside the shared rotated part."""
    x = a["x"]

    def norm(y, scale):
        return y / np.sqrt((y**2).mean(1, keepdims=True) + 1e-6) * scale

    def rotated(y):
        return rope_interleaved({"x": y}, {})[0]

    latent, query = norm(x @ p["Wdkv"], p["latent_scale"]), norm(x @ p["Wdq"], p["query_scale"])
    shared = rotated(x @ p["Wkr"])
    y = np.zeros_like(x)
    for h in range(len(p["Wuq"])):
        q = np.concatenate([query @ p["Wuq"][h], rotated(query @ p["Wqr"][h])], 1)
        k = np.concatenate([latent @ p["Wuk"][h], shared], 1)
        y = y + attention(q, k, latent @ p["Wuv"][h], bottom_right(len(x), len(x))) @ p["Wo"][h]
    return [y]


def inducing_points(a, p):
    return [attention(p["I"] @ p["Wq"], a["z"] @ p["Wk"], a["z"] @ p["Wv"])]
