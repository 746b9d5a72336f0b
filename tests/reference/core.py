"""Softmax attention, its masks and its score modifiers; the sequences are aligned at their ends."""
from .basic import attention, bottom_right


def sdpa(a, p):
    """Vaswani et al. 2017, equation 1."""
    return [attention(a["q"], a["k"], a["v"])]


def causal(a, p):
    return [attention(a["q"], a["k"], a["v"], bottom_right(len(a["q"]), len(a["k"])))]
