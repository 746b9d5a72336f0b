"""What is measured on a device, as data: heads of a batch. Lengths of queries and keys are arguments, those of features compiled
in. Work is 4 operations a pair of a query and a key and a feature; what a mask hides does not count."""
import os

HEADS = os.path.join("tests", "bench", "attention", "heads.attn")
WINDOW = 512
PAIRS = {"full": lambda n: n * n, "causal": lambda n: n * (n + 1) // 2,
         "window": lambda n: sum(min(i + 1, WINDOW) for i in range(n))}
LENGTHS = ((8, 16, 1024), (4, 16, 4096), (1, 16, 16384))  # batch, heads, length

# Name, the diagram, the type of its arrays, widths, (batch, heads, length), and what tells which pairs count.
FAMILIES = (
    ("full", "full", "bf16", (64, 128), LENGTHS, "full"),
    ("causal", "causal", "bf16", (64, 128), LENGTHS, "causal"),
    ("window", "window", "bf16", (128,), LENGTHS[1:], "window"),
    ("ALiBi", "alibi", "bf16", (128,), LENGTHS[1:2], "full"),
    ("softcap", "softcap", "bf16", (128,), LENGTHS[1:2], "full"),
    ("sigmoid", "sigmoid_attention", "bf16", (128,), LENGTHS[1:2], "full"),
    ("f32 full", "full", "f32", (64, 128), LENGTHS[:1], "full"),
    ("f32 causal", "causal", "f32", (64,), LENGTHS[:1], "causal"),
)


def build(builder):
    made = []
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
    for name, diagram, dtype, widths, lengths, counted in FAMILIES:
        for d in widths:
            library = builder.library(os.path.join(root, HEADS), diagram, dtype, {"d": d})
            for b, h, n in lengths:
                sizes = {"b": b, "h": h, "n": n, "d": d}
                made.append({**library, "name": name, "diagram": diagram, "shape": [b, h, n, d],
                             "values": [sizes[size] for size in library["sizes"]], "window": WINDOW,
                             "operations": 4 * b * h * d * PAIRS[counted](n)})
    return made
