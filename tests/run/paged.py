"""Every paged decoding step of the taxonomy, by name: what it takes, for the laws of decoding."""
import numpy as np

D, E = 4, 3

HEADS = {"q": (4, D), "k": (2, D), "v": (2, E), "K": (6, 2, D), "V": (6, 2, E)}
TUPLES = {"q": (D,), "k": (2, D), "v": (2, E), "K": (6, 2, D), "V": (6, 2, E)}
PERCEPTRON = {"hidden.weight": (2, E, 5), "hidden.bias": (5,), "out.weight": (5, E), "out.bias": (E,)}
INDEX = {"q'": (3, 2), "k'": (2,), "w": (3,), "I": (6, 2)}
LATENT = {"Wdq": (6, 5), "Wdkv": (6, 3), "Wkr": (6, 4), "Wuq": (2, 5, D), "Wqr": (2, 5, 4), "Wuk": (2, 3, D),
          "Wuv": (2, 3, E), "Wo": (2, E, 6), "query_scale": (5,), "latent_scale": (3,)}
MULTIHEAD = {"Wq": (3, 5, D), "Wk": (3, 5, D), "Wv": (3, 5, E), "Wo": (3, E, 5)}
DIFFERENTIAL = {"Wq": (3, 5, 2, 2), "Wk": (3, 5, 2, 2), "Wv": (3, 5, 4), "Wo": (3, 4, 5), "lq": (2, 2), "lk": (2, 2),
                "scale": (4,)}
AFT = {"Wq": (5, D), "Wk": (5, D), "Wv": (5, D), "Wo": (D, 5)}
REFORMER = {"W": (5, D), "Wv": (5, E), "R": (2, 3, D)}
MOA = {"Wg": (5, 3), "Wk": (5, D), "Wv": (5, E), "Wq": (3, 5, D), "Wo": (3, E, 5)}
SWITCHHEAD = {"Wq": (2, 5, D), "Wk": (2, 5, D), "Ws": (2, 5, 3), "Wr": (2, 5, 3), "Wv": (2, 3, 5, E),
              "Wo": (2, 3, E, 5)}
RETNET = {"Wq": (2, 5, D), "Wk": (2, 5, D), "Wv": (2, 5, E), "Wg": (2, 5, E), "Wo": (2, E, 5)}
GATES = {f"{gate}.{part}": shape for gate in "FIOG"
         for part, shape in (("weight.0", (D, D)), ("weight.1", (5, D)), ("bias", (D,)))}
INTRA = {"Wh": (D, 3), "Wx": (5, 3), "Ws": (D, 3), "u": (3,)} | GATES
LAYER = {"attention.Wq": (2, 5, D), "attention.Wk": (2, 5, D), "attention.Wv": (2, 5, E), "attention.Wo": (2, E, 5),
         "cross.Wq": (2, 5, D), "cross.Wk": (2, 5, D), "cross.Wv": (2, 5, E), "cross.Wo": (2, E, 5),
         "norm1.scale": (5,), "norm1.shift": (5,), "norm2.scale": (5,), "norm2.shift": (5,), "norm3.scale": (5,),
         "norm3.shift": (5,), "feed_forward.F1.weight": (5, 7), "feed_forward.F1.bias": (7,),
         "feed_forward.F2.weight": (7, 5), "feed_forward.F2.bias": (5,)}


def primes(*shape):
    """Rows of different numbers in ascending order."""
    return lambda rng: np.sort(rng.permuted(np.tile(np.arange(9), (*shape[:-1], 1)), axis=-1)[..., : shape[-1]], -1)


def counts(*shape):
    return lambda rng: rng.integers(1, 4, shape)


STATES = {"p": primes(4), "active": counts(), "re": (4,), "im": (4,), "q": (4, 4), "P": primes(6, 4), "A": counts(6),
          "X": (6, 4), "Y": (6, 4), "Q": (6, 4, 4)}
# Every paged step: its inputs with caches of 6 places, which of them are caches, its parameters and its sizes.
PAGED = {
    "decode": (HEADS, "KV", {}, {}),
    "alibi": (HEADS, "KV", {}, {}),
    "softcap": (HEADS, "KV", {}, {}),
    "softmax_plus_one": (HEADS, "KV", {}, {}),
    "learned_sink": (HEADS, "KV", {"at.S": (4,)}, {}),
    "rope": (HEADS, "KV", {}, {}),
    "rope_halves": (HEADS, "KV", {}, {}),
    "shaw_relative": (HEADS, "KV", {"at.aK": (5, D), "at.aV": (5, E)}, {}),
    "relative_bias": (HEADS, "KV", {"at.bias": (4, 32)}, {}),
    "window": (HEADS, "KV", {}, {"at.w": 3}),
    "sinks": (HEADS, "KV", {}, {"at.w": 2, "at.s": 1}),
    "streaming_llm": (HEADS, "KV", {}, {"at.w": 2, "at.s": 1}),
    "dilated_window": (HEADS, "KV", {}, {"at.w": 2, "at.r": 3}),
    "qk_norm": (HEADS, "KV", {"at.scale": ()}, {}),
    "topk": (HEADS, "KV", {}, {"at.r": 2}),
    "sigmoid_attention": (HEADS, "KV", {}, {}),
    "relu_attention": (HEADS, "KV", {}, {}),
    "relu_normalised": (HEADS, "KV", {}, {}),
    "flex_attention": (HEADS, "KV", {}, {}),
    "dsa": (HEADS | INDEX, "KVI", {}, {"r": 2}),
    "dsa_softmax": (HEADS | INDEX, "KVI", {}, {"r": 2}),
    "dsa_reused": (HEADS | {"earlierQ": (3, 2), "earlierK": (6, 3, 2)}, ["K", "V", "earlierK"], {}, {"r": 2}),
    "multihead": ({"x": (5,), "K": (6, 3, D), "V": (6, 3, E)}, "KV", MULTIHEAD, {}),
    "talking_heads": (HEADS | {"q": (2, D), "v": (3, E), "V": (6, 3, E)}, "KV", {"P": (2, 4), "P'": (4, 3)}, {}),
    "differential": ({"x": (5,), "depth": (), "K": (6, 3, 2, 2), "V": (6, 3, 4)}, "KV", DIFFERENTIAL, {}),
    "two_simplicial": ({"q": (3, D), "k1": (D,), "k2": (D,), "v1": (E,), "v2": (E,), "K1": (6, D), "K2": (6, D),
                        "V1": (6, E), "V2": (6, E)}, ["K1", "K2", "V1", "V2"], {}, {"w1": 4, "w2": 2}),
    "two_simplicial_determinant": ({"q": (6,), "k1": (6,), "k2": (6,), "v1": (E,), "v2": (E,), "K1": (6, 6), "K2": (6, 6),
                                    "V1": (6, E), "V2": (6, E)}, ["K1", "K2", "V1", "V2"], {}, {}),
    "n_simplicial": (TUPLES, "KV", {}, {}),
    "n_simplicial_or": (TUPLES, "KV", {}, {}),
    "n_simplicial_learned": (TUPLES, "KV", {"read.combine." + name: shape for name, shape in PERCEPTRON.items()}, {}),
    "n_simplicial_outside": (TUPLES, "KV", {}, {}),
    "n_simplicial_windowed": (TUPLES | {"w": counts(2)}, "KV", {}, {}),
    "n_simplicial_topk": (TUPLES | {"s": (6,)}, "KV", {}, {"r": 3}),
    "n_simplicial_topk_each": (TUPLES | {"s": (2, 6), "best": counts(2)}, "KV", {}, {"r": 3}),
    "n_simplicial_dsa": (TUPLES | INDEX, "KVI", {}, {"r": 3}),
    "n_simplicial_dsa_softmax": (TUPLES | INDEX, "KVI", {}, {"r": 3}),
    "mla": ({"x": (6,), "L": (6, 3), "R": (6, 4)}, "LR", LATENT, {}),
    "aft": ({"x": (5,), "K": (6, D), "V": (6, D)}, "KV", AFT | {"w": (6, 6)}, {}),
    "shared_qk": ({"x": (5,), "K": (6, D), "V": (6, E)}, "KV", {"W": (5, D), "Wv": (5, E)}, {}),
    "reformer": ({"x": (5,), "K": (6, D), "V": (6, E), "H": counts(6, 2)}, "KVH", REFORMER, {}),
    "moa": ({"x": (5,), "K": (6, D), "V": (6, E)}, "KV", MOA, {"k": 2}),
    "switchhead": ({"x": (5,), "K": (6, 2, D), "V": (6, 2, E)}, "KV", SWITCHHEAD, {"k": 2}),
    "intra_attention": ({"x": (5,), "last": (D,), "H": (6, D), "C": (6, D)}, "HC", INTRA, {}),
    "synthesizer": ({"x": (5,), "V": (6, E)}, "V", {"F.hidden.weight": (5, 64), "F.hidden.bias": (64,),
                    "F.out.weight": (64, 6), "F.out.bias": (6,), "G": (5, E)}, {}),
    "synthesizer_dense": ({"x": (5,), "V": (6, E)}, "V", {"W1.weight": (5, 4), "W1.bias": (4,), "W2.weight": (4, 6),
                                                          "W2.bias": (6,), "G": (5, E)}, {}),
    "synthesizer_random": ({"x": (5,), "V": (6, E)}, "V", {"R": (6, 6), "G": (5, E)}, {}),
    "synthesizer_factorised": ({"x": (5,), "V": (6, E)}, "V", {"A.weight": (5, 3), "A.bias": (3,), "B.weight": (5, 2),
                                                               "B.bias": (2,), "G": (5, E)}, {}),
    "decoder_layer": ({"y": (5,), "memory": (4, 5), "K": (6, 2, D), "V": (6, 2, E)}, "KV", LAYER, {}),
    "resonant": (STATES, "PAXYQ", {"at.weights": (3,), "at.tau": ()}, {}),
    "resonant_fold": (STATES, "PAXYQ", {"at.weights": (3,), "at.tau": ()}, {}),
    "resonant_multihead": (STATES, "PAXYQ", {"at.tau": ()}, {"at.h": 3}),
}
FIRST = {"moa": ["y", "experts"], "switchhead": ["y", "sources", "targets"], "decoder_layer": ["z"]}  # what comes before the caches
ROLLING = ("window", "sinks", "streaming_llm")  # without pages their caches hold no more than what is seen


def drawn(seed, shapes):
    """Normal arrays, or what a function of the generator gives."""
    rng = np.random.default_rng(seed)
    return {name: shape(rng) if callable(shape) else rng.standard_normal(shape) for name, shape in shapes.items()}
