"""Mixing of tokens without comparing them: Synthesizers, gMLP, the MLP-Mixer, FNet."""
import numpy as np

from .basic import gelu, layer_norm, softmax


def norm(p, name, x):
    return layer_norm(x, p[name + ".scale"], p[name + ".shift"], 1e-5)


def affine(p, name, x):
    return x @ p[name + ".weight"] + p[name + ".bias"]


def layer_norm_rows(a, p):
    return [layer_norm(a["x"], p["scale"], p["shift"], 1e-5)]


def synthesizer_dense(a, p):
    """Tay et al. 2021, section 3."""
    return [softmax(affine(p, "W2", np.maximum(affine(p, "W1", a["x"]), 0))) @ (a["z"] @ p["G"])]


def synthesizer(a, p):
    """With a universal function in place of the perceptron, as it is run."""
    scores = np.tanh(a["x"] @ p["F.hidden.weight"] + p["F.hidden.bias"]) @ p["F.out.weight"] + p["F.out.bias"]
    return [softmax(scores) @ (a["z"] @ p["G"])]


def synthesizer_random(a, p):
    return [softmax(p["R"]) @ (a["z"] @ p["G"])]


def synthesizer_factorised_random(a, p):
    return [softmax(p["R1"] @ p["R2"].T) @ (a["z"] @ p["G"])]


def synthesizer_factorised(a, p):
    """Section 3: entry u of A and w of B make score u t + w."""
    A, B = affine(p, "A", a["x"]), affine(p, "B", a["x"])
    scores = np.array([np.outer(u, w).ravel() for u, w in zip(A, B)]).reshape(len(a["x"]), len(a["z"]))
    return [softmax(scores) @ (a["z"] @ p["G"])]


def gmlp(a, p):
    """Liu et al. 2021, section 2."""
    x = a["x"]
    z = gelu(affine(p, "U", norm(p, "norm", x)))
    left, right = np.split(z, 2, axis=1)
    right = norm(p, "spatial_gating.layer_norm", right)
    gate = p["spatial_gating.S.weight"].T @ right + p["spatial_gating.S.bias"][:, None]
    return [x + affine(p, "V", left * gate)]


def mlp_mixer(a, p):
    """Tolstikhin et al. 2021, equation 1."""
    x = a["x"]

    def mlp(name, y):
        return affine(p, name + ".W2", gelu(affine(p, name + ".W1", y)))

    u = x + mlp("token_mixing", norm(p, "norm1", x).T).T
    return [u + mlp("channel_mixing", norm(p, "norm2", u))]


def fourier(a, p):
    """By NumPy's fast transform."""
    x = a["x"]
    return [np.fft.fft2(x).real if x.size else x]


def fnet(a, p):
    """Lee-Thorp et al. 2022, section 3.2."""
    x = a["x"]
    y = norm(p, "norm1", x + fourier(a, p)[0])
    return [norm(p, "norm2", y + affine(p, "W2", gelu(affine(p, "W1", y))))]
