"""What is measured on a device, as data. Lengths of queries and keys are arguments, those of features compiled in. Work is 4
operations a pair of a query and a key and a feature (of 2-simplicial attention: a pair of pairs); what a mask hides does not
count. Bytes are those of all arrays, once."""
import math
import os
from typing import NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
HEADS = os.path.join("tests", "bench", "attention", "heads.attn")
SIMPLICIAL = os.path.join("taxonomy", "two_simplicial_windowed.attn")
WINDOW = 512


class Family(NamedTuple):
    name: str
    diagram: str
    kind: str  # bf16, f32, tf32: f32 whose factors are rounded
    widths: tuple
    sizes: tuple
    pairs: object  # of one head, from the sizes
    program: str = HEADS


def full(s):
    return s["n"] * s["n"]


def causal(s):
    return s["n"] * (s["n"] + 1) // 2


def window(s):
    return sum(min(i + 1, WINDOW) for i in range(s["n"]))


def one(s):
    return s["n"]


def windows(s):
    return sum(min(i + 1, s["w1"]) * min(i + 1, s["w2"]) for i in range(s["n"]))


LENGTHS = tuple({"b": b, "h": h, "n": n} for b, h, n in ((8, 16, 1024), (4, 16, 4096), (1, 16, 16384)))
FAMILIES = (
    Family("causal", "causal", "bf16", (128, 64), LENGTHS, causal),
    Family("full", "full", "bf16", (128, 64), LENGTHS[:2], full),
    Family("decode", "decode_heads", "bf16", (128,), ({"h": 128, "n": 8192}, {"h": 16, "n": 65536}), one),
    Family("decode, groups", "decode_grouped", "bf16", (128,), ({"g": 64, "r": 8, "n": 8192}, {"g": 8, "r": 4, "n": 65536}), one),
    Family("groups", "grouped", "bf16", (128,), ({"g": 8, "r": 4, "n": 4096},), full),
    Family("window", "window", "bf16", (128,), LENGTHS[1:], window),
    Family("f32", "causal", "f32", (64,), LENGTHS[:1], causal),
    Family("tf32", "causal", "tf32", (64,), LENGTHS[:1], causal),
    Family("ALiBi", "alibi", "bf16", (128,), LENGTHS[1:2], full),
    Family("softcap", "softcap", "bf16", (128,), LENGTHS[1:2], full),
    Family("sigmoid", "sigmoid_attention", "bf16", (128,), LENGTHS[1:2], full),
    Family("2-simplicial", "two_simplicial_windowed", "bf16", (64,), ({"n": 2048, "w1": 512, "w2": 32},), windows, SIMPLICIAL),
)
SMALL = {"b": 2, "h": 3, "n": 70, "g": 2, "r": 3, "w1": 5, "w2": 3}  # to try all of it without a device


def build(builder, small=False):
    made = []
    for family in FAMILIES:
        for d in family.widths[:1] if small else family.widths:
            d = 16 if small else d
            inner = {"d": d, "e": d, **{key: n for key, n in family.sizes[0].items() if key.startswith("w")}}
            if small:
                inner = {key: min(n, SMALL.get(key, n)) for key, n in inner.items()}
            library = builder.library(os.path.join(ROOT, family.program), family.diagram, family.kind, inner)
            for sizes in family.sizes[:1] if small else family.sizes:
                made.append(case(family, library, {**sizes, **inner} if not small else
                                 {**{key: SMALL[key] for key in sizes}, **inner}))
    return made


def case(family, library, sizes):
    shapes = [[sizes[axis] for axis in array["axes"]] for array in library["arrays"]]
    groups = sizes.get("g", sizes.get("h", 1))
    heads = groups * sizes.get("r", 1)
    batch = sizes.get("b", 1)
    bytes_of = 2 if family.kind == "bf16" else 4
    return {**library, "name": family.name, "kind": family.kind, "diagram": family.diagram, "shapes": shapes, "named": sizes,
            "values": [sizes[size] for size in library["sizes"]], "window": WINDOW,
            "heads": [batch, heads, groups], "bytes": bytes_of * sum(map(math.prod, shapes)),
            "operations": 4 * batch * heads * sizes["d"] * family.pairs(sizes)}
