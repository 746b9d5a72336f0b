"""Attention in parts: what the parts merge to is attention to all keys, whose form is that of the whole."""
import numpy as np

from . import core
from .basic import attention
from .core import causal, sdpa  # noqa: F401


def merged_attention(a, p):
    q, k, v = a["q"], a["k"].reshape(-1, a["q"].shape[1]), a["v"].reshape(-1, a["v"].shape[2])
    s = np.where(a["keep"].reshape(-1), core.scores(q, k), -np.inf)
    return [attention(q, k, v, a["keep"].reshape(-1)), np.logaddexp.reduce(s, axis=-1, initial=-np.inf)]
