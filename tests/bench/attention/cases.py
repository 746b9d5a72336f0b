"""What is measured, as data. Work is 4 operations a pair of a query and a key and a feature, so that what a mask hides does
not count; of a scan it is 4 a token and an entry of its state, which a step at a time would need."""
from dataclasses import dataclass, field

import truth

HEADS, SCANS = "tests/bench/attention/heads.attn", "tests/bench/attention/scans.attn"
SIMPLICIAL = "taxonomy/two_simplicial_windowed.attn"
QKV = {"q": "b h n d", "k": "b h n d", "v": "b h n d"}
TOKENS = {"q": "h n d", "k": "h n d", "v": "h n d"}
WIDTHS = (64, 128)


@dataclass(frozen=True)
class Family:
    """A diagram at several sizes."""
    name: str
    diagram: str
    truth: object             # of the rows of a head, in float64 (truth.py)
    work: object              # operations, or bytes where `limit` is "read", by sizes
    shapes: tuple             # of sizes
    quick: tuple = ()         # those of a quick run
    inputs: dict = field(default_factory=lambda: QKV)  # axes, and after a colon how they are filled (arrays.py)
    output: str = "b h n d"
    program: str = HEADS
    dtype: str = "f32"
    limit: str = "fma"        # what bounds it: fma, bf16 or read
    aim: dict = field(default_factory=dict)       # the share of the peak to reach, by d
    against: str = ""         # own diagram of the same inputs that it is compared with, at equal rates of work
    aim_against: float = 0
    aim_peers: dict = field(default_factory=dict)  # how many times as fast as each other implementation
    any_length: bool = False  # also with the sizes as arguments
    term: str = ""            # of a recombined mechanism
    tolerance: float = 1e-5   # of the relative error


def shapes(*sizes, widths=WIDTHS, **more):
    """Of (batch, heads, length)."""
    return tuple({"b": b, "h": h, "n": n, "d": d, **more} for b, h, n in sizes for d in widths)


def scans(*sizes, widths=WIDTHS):
    return tuple({"h": h, "n": n, "d": d} for h, n in sizes for d in widths)


def pairs(count):
    return lambda s: 4 * s["b"] * s["h"] * s["d"] * count(s["n"])


def banded(width):
    """Pairs under a causal window."""
    return lambda n: sum(min(i + 1, width) for i in range(n))


def simplicial_work(s):
    return 4 * s["d"] * sum(min(i + 1, s["w1"]) * min(i + 1, s["w2"]) for i in range(s["n"]))


def state_work(s):
    return 4 * s["h"] * s["n"] * s["d"] ** 2


DENSE, CAUSAL = pairs(lambda n: n * n), pairs(lambda n: n * n / 2)
MANY, ONE = (16, 8, 128), (1, 1, 8192)
LENGTHS = [(1, 8, n) for n in (256, 512, 1024, 2048, 4096)]
USUAL = shapes((1, 8, 1024), (1, 8, 4096))
QUICK = shapes((1, 8, 1024))
FLEX = {"Flex": 3.5, "eager": 4}

FAMILIES = [
    Family("full", "full", truth.full, DENSE, shapes(MANY, *LENGTHS, ONE), shapes(MANY, (1, 8, 1024)),
           aim={64: 0.75, 128: 0.80}, aim_peers={"SDPA": {64: 1.3, 128: 1.2}, "Flex": 3.5}, any_length=True),
    Family("causal", "causal", truth.causal, CAUSAL, shapes(MANY, *LENGTHS, ONE), QUICK, against="full", aim_against=0.92,
           aim_peers={"SDPA": {512: 2, 1024: 1.6, 1 << 20: 1.15}, "Flex": 3.5}, any_length=True),
    Family("window of 512", "window", truth.window, pairs(banded(512)), USUAL, QUICK, against="full", aim_against=0.92,
           aim_peers=FLEX),
    # Scores grow to n / 2, whose roundings alone are 10⁻⁵ of a weight at n = 1024.
    Family("ALiBi", "alibi", truth.alibi, DENSE, USUAL, QUICK, against="full", aim_against=0.92, aim_peers=FLEX,
           tolerance=1e-4),
    Family("softcap", "softcap", truth.softcap, DENSE, USUAL, QUICK, against="full", aim_against=0.92, aim_peers=FLEX),
    Family("dense bias", "bias", truth.bias, DENSE, shapes((1, 8, 1024), (1, 8, 2048)), QUICK,
           inputs={**QKV, "w": "h n n"}, against="full", aim_against=0.92, aim_peers={"SDPA": 3}),
    Family("sigmoid", "sigmoid_attention", truth.sigmoid, DENSE, USUAL, QUICK, against="full", aim_against=1,
           aim_peers={"eager": 4}),
    Family("ReLU / n", "relu_attention", truth.relu, DENSE, USUAL, against="full", aim_against=1, aim_peers={"eager": 4}),
    Family("ReLU normalised", "relu_normalised_heads", truth.relu_normalised, DENSE, USUAL, QUICK, against="full",
           aim_against=1, aim_peers={"eager": 4}),
    Family("grouped 4 on 1", "grouped", truth.full, lambda s: 4 * s["g"] * s["r"] * s["d"] * s["n"] ** 2,
           tuple({"g": 2, "r": 4, "n": n, "d": d} for n in (1024, 4096) for d in WIDTHS),
           inputs={"q": "g r n d", "k": "g n d", "v": "g n d"}, output="g r n d", aim={64: 0.75, 128: 0.80},
           aim_peers={"SDPA": {64: 1.3, 128: 1.2}}),
    Family("bf16", "full", truth.full, DENSE, shapes((1, 8, 1024), (1, 8, 4096)), shapes((1, 8, 1024), widths=(64,)),
           dtype="bf16", limit="bf16", tolerance=1e-2, aim_peers={"SDPA": 1.6}),
    Family("bf16 causal", "causal", truth.causal, CAUSAL, shapes((1, 8, 1024), (1, 8, 4096)), dtype="bf16", limit="bf16",
           tolerance=1e-2, aim_peers={"SDPA": 1.6}),
    Family("decode", "decode_heads", truth.full, lambda s: 8 * s["h"] * s["n"] * s["d"],
           tuple({"h": 8, "d": d, "n": 8192} for d in WIDTHS), tuple({"h": 8, "d": d, "n": 8192} for d in (128,)),
           inputs={"q": "h d", "k": "h n d", "v": "h n d"}, output="h d", limit="read", aim_peers={"SDPA": 1}),
    Family("decode 4 on 1", "decode_grouped", truth.full, lambda s: 8 * s["g"] * s["n"] * s["d"],
           tuple({"g": 8, "r": 4, "d": d, "n": 8192} for d in WIDTHS),
           inputs={"q": "g r d", "k": "g n d", "v": "g n d"}, output="g r d", limit="read", aim_peers={"SDPA": 1}),
    Family("linear causal", "linear_scan", truth.linear, state_work, scans((8, 8192)), scans((8, 2048), widths=(64,)),
           inputs=TOKENS, output="h n d", program=SCANS, aim={64: 0.55, 128: 0.55}, aim_peers={"eager": 4}),
    # Powers of a decay near 1 round from chunk to chunk.
    Family("retention", "retention_scan", truth.retention, state_work, scans((8, 8192)), scans((8, 2048), widths=(64,)),
           inputs={**TOKENS, "g": "h: decay"}, output="h n d", program=SCANS, aim={64: 0.55, 128: 0.55},
           aim_peers={"eager": 4}, tolerance=5e-5),
    Family("gated", "gated_scan", truth.gated, state_work, scans((8, 8192)), scans((8, 2048), widths=(64,)),
           inputs={**TOKENS, "g": "h n d: gate"}, output="h n d", program=SCANS, aim={64: 0.55, 128: 0.55},
           aim_peers={"eager": 4}),
    Family("state space", "ssd_scan", truth.ssd, state_work, scans((8, 8192)), inputs={**TOKENS, "g": "h n: gate"},
           output="h n d", program=SCANS, aim={64: 0.55, 128: 0.55}, aim_peers={"eager": 4}),
    Family("2-simplicial 512 by 32", "two_simplicial_windowed", truth.simplicial, simplicial_work,
           tuple({"n": 1024, "d": d, "e": d, "w1": 512, "w2": 32} for d in WIDTHS),
           ({"n": 256, "d": 64, "e": 64, "w1": 512, "w2": 32},),
           inputs={"q": "n d", "k1": "n d", "k2": "n d", "v1": "n d", "v2": "n d"}, output="n d", program=SIMPLICIAL,
           aim={64: 0.60, 128: 0.60}, aim_peers={"eager": 4}),
]
BY_NAME = {family.name: family for family in FAMILIES}


def aim_of(family, sizes):
    """The share of the peak that is to be reached; 0 where there is none."""
    aim = family.aim.get(sizes["d"], 0)
    if family.name == "full" and sizes["n"] <= 512:
        return {64: 0.62, 128: 0.70}[sizes["d"]]
    return aim


def aim_against_peer(family, peer, sizes):
    """How many times as fast as another implementation it is to be; 0 where that is not said."""
    aim = family.aim_peers.get(peer, 0)
    if family.name == "full" and peer == "SDPA" and sizes["n"] == 128:
        return 1.7
    if isinstance(aim, dict):
        return aim[sizes["d"]] if sizes["d"] in aim else next(v for n, v in aim.items() if sizes["n"] <= n)
    return aim
