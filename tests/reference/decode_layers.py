"""Decoding steps of layers that are more than one attention: recurrent, content-free, and the Transformer's decoder."""
import numpy as np

from .basic import attention, sigmoid, softmax
from .content_free import affine
from .decode import cached, page_write, rows, write
from .transformer import Layer, positions


def contiguous(step):
    return lambda a, p: step(a, p, lambda c, x: write(c, x, int(a["t"])), lambda c, n: c[:n])


def paged(step):
    return lambda a, p: step(a, p, lambda c, x: page_write(c, a["table"], x, int(a["t"])),
                             lambda c, n: rows(c, a["table"], n))


def intra_attention(a, p, put, held):
    """Cheng et al. 2016, equations 5 to 10, of one token."""
    x, t = a["x"], int(a["t"])
    H, C = held(a["H"], t), held(a["C"], t)
    w = softmax(np.array([np.tanh(h @ p["Wh"] + x @ p["Wx"] + a["last"] @ p["Ws"]) @ p["u"] for h in H], float))
    summary, memory = w @ H, w @ C

    def gate(g):
        return summary @ p[g + ".weight.0"] + x @ p[g + ".weight.1"] + p[g + ".bias"]

    c = sigmoid(gate("F")) * memory + sigmoid(gate("I")) * np.tanh(gate("G"))
    h = sigmoid(gate("O")) * np.tanh(c)
    return [h, put(a["H"], h), put(a["C"], c), summary]


decode_intra_attention, paged_intra_attention = contiguous(intra_attention), paged(intra_attention)


def synthesizer(scores):
    """Tay et al. 2021, section 3: the scores of the places up to t weigh their values."""

    def read(a, p, held):
        n = len(held["V"])
        return [softmax(scores(a, p)[:n]) @ held["V"]]

    return cached(read, V=lambda a, p: a["x"] @ p["G"])


def dense(a, p):
    return affine(p, "W2", np.maximum(affine(p, "W1", a["x"]), 0))


def universal(a, p):
    return np.tanh(affine(p, "F.hidden", a["x"])) @ p["F.out.weight"] + p["F.out.bias"]


def factorised(a, p):
    return np.array([u * w for u in affine(p, "A", a["x"]) for w in affine(p, "B", a["x"])], float)


decode_synthesizer, paged_synthesizer = synthesizer(universal)
decode_synthesizer_dense, paged_synthesizer_dense = synthesizer(dense)
decode_synthesizer_factorised, paged_synthesizer_factorised = synthesizer(factorised)
decode_synthesizer_random, paged_synthesizer_random = synthesizer(lambda a, p: p["R"][int(a["t"])])


def layer_step(layer, y, memory, K, V, t, put, held):
    """Vaswani et al. 2017, section 3.1, of one row; its key and value join those that are cached."""
    q, k, v = (np.einsum("c,hcd->hd", y, layer["attention." + W]) for W in ("Wq", "Wk", "Wv"))
    K, V = put(K, k), put(V, v)
    keys, values = held(K, t + 1), held(V, t + 1)
    s = np.zeros_like(y)
    for h, Wo in enumerate(layer["attention.Wo"]):
        s = s + attention(q[h][None], keys[:, h], values[:, h])[0] @ Wo
    x = layer.norm("norm1", (y + s)[None])
    x = layer.norm("norm2", x + layer.attend("cross", x, memory, causally=False))
    return layer.norm("norm3", x + layer.feed_forward(x))[0], K, V


def decoder_layer(a, p, put, held):
    return [*layer_step(Layer(p), a["y"], a["memory"], a["K"], a["V"], int(a["t"]), put, held)]


decode_decoder_layer, paged_decoder_layer = contiguous(decoder_layer), paged(decoder_layer)


def transformer(a, p, put, held):
    E, t = p["E"], int(a["t"])
    token = int(a["token"])
    y = (E[token] if 0 <= token < len(E) else 0) * np.sqrt(E.shape[1]) + positions(t + 1, E.shape[1])[t]
    K, V = a["K"].copy(), a["V"].copy()
    for l in range(len(K)):
        y, K[l], V[l] = layer_step(Layer(p, "decoder.", l), y, a["memory"], K[l], V[l], t, put, held)
    return [softmax(E @ y), K, V]


decode_transformer, paged_transformer = contiguous(transformer), paged(transformer)
