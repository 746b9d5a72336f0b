"""The Transformer (Vaswani et al. 2017), layer by layer."""
import numpy as np

from .basic import layer_norm, softmax
from .dot_product import concatenated_heads


class Layer:
    """The parameters of one layer: those under `prefix`, at index `l` of the layers where there are several."""

    def __init__(self, parameters, prefix="", l=None):
        self.parameters, self.prefix, self.l = parameters, prefix, l

    def __getitem__(self, name):
        array = self.parameters[self.prefix + name]
        return array if self.l is None else array[self.l]

    def attend(self, name, x, z, causally):
        weights = (self[f"{name}.{w}"] for w in ("Wq", "Wk", "Wv", "Wo"))
        return concatenated_heads(x, z, *weights, causally)

    def norm(self, name, x):
        return layer_norm(x, self[name + ".scale"], self[name + ".shift"], 1e-5)

    def feed_forward(self, x):
        hidden = np.maximum(0, x @ self["feed_forward.F1.weight"] + self["feed_forward.F1.bias"])
        return hidden @ self["feed_forward.F2.weight"] + self["feed_forward.F2.bias"]


def encode(layer, x):
    a = layer.norm("norm1", x + layer.attend("attention", x, x, causally=False))
    return layer.norm("norm2", a + layer.feed_forward(a))


def decode(layer, y, memory):
    a = layer.norm("norm1", y + layer.attend("attention", y, y, causally=True))
    b = layer.norm("norm2", a + layer.attend("cross", a, memory, causally=False))
    return layer.norm("norm3", b + layer.feed_forward(b))


def positions(n, c):
    """Section 3.5."""
    table = np.zeros((n, c))
    for t in range(n):
        for j in range(c):
            angle = t / 10000 ** (2 * (j // 2) / c)
            table[t, j] = np.sin(angle) if j % 2 == 0 else np.cos(angle)
    return table


def encoder_layer(a, p):
    return [encode(Layer(p), a["x"])]


def decoder_layer(a, p):
    return [decode(Layer(p), a["y"], a["memory"])]


def transformer(a, p):
    """One matrix E embeds both sequences and makes the logits (section 3.4)."""
    E = p["E"]
    c = E.shape[1]

    def embed(tokens):
        return E[tokens] * np.sqrt(c) + positions(len(tokens), c)

    x, y = embed(a["source"]), embed(a["target"])
    for l in range(len(p["encoder.norm1.scale"])):
        x = encode(Layer(p, "encoder.", l), x)
    for l in range(len(p["decoder.norm1.scale"])):
        y = decode(Layer(p, "decoder.", l), y, x)
    return [softmax(y @ E.T)]
