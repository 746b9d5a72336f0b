"""The fourteen recombined mechanisms (taxonomy/recombined), by head with shared learners: their formulas are read from the
term that names them, and carried out by NumPy in float64 or by PyTorch one operation after the other."""
import ast
import math
import os

import numpy as np

from cases import Family

HERE = os.path.dirname(os.path.realpath(__file__))
PROGRAM = "tests/bench/attention/recombined.attn"
TERMS = [
    "read(x, mem(x, x))",
    "mix(score(x, x), x)",
    "read(read(x, mem(x, x)), mem(x, x))",
    "read(x, mem(read(x, mem(x, x)), x))",
    "read(x, mem(x, read(x, mem(x, x))))",
    "read(mix(score(x, x), x), mem(x, x))",
    "read(x, mem(mix(score(x, x), x), x))",
    "read(x, mem(x, mix(score(x, x), x)))",
    "mix(score(read(x, mem(x, x)), x), x)",
    "mix(score(x, read(x, mem(x, x))), x)",
    "mix(score(x, x), read(x, mem(x, x)))",
    "mix(score(mix(score(x, x), x), x), x)",
    "mix(score(x, mix(score(x, x), x)), x)",
    "mix(score(x, x), mix(score(x, x), x))",
]


class Numpy:
    @staticmethod
    def phi(x):
        return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))

    @staticmethod
    def softmax(s):
        e = np.exp(s - s.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    @staticmethod
    def turned(x):
        return np.swapaxes(x, -1, -2)


def carried_out(term, ops, x, weights):
    """Learners are numbered from left to right, those inside a leg before that of the leg."""
    weights = iter(weights)

    def leg(node):
        """A token operand, through its learner."""
        inner = x if isinstance(node, ast.Name) else tokens(node)
        return inner @ next(weights)

    def tokens(node):
        first, second = node.args
        if node.func.id == "read":
            q = ops.phi(leg(first))
            k, v = map(leg, second.args)
            k = ops.phi(k)
            return q @ (ops.turned(k) @ v) / (q @ ops.turned(k).sum(-1)[..., None])
        q, k = map(leg, first.args)
        scores = q @ ops.turned(k) / math.sqrt(q.shape[-1])
        return ops.softmax(scores) @ leg(second)

    return tokens(ast.parse(term, mode="eval").body)


def learners(term):
    return 3 * (term.count("read") + term.count("mix"))


def family(number):
    term = TERMS[number]
    linear, dot = term.count("read"), term.count("mix")
    weights = {f"W{i + 1}": "d d: learner" for i in range(learners(term))}

    def work(s):
        return s["h"] * s["n"] * s["d"] * (2 * s["d"] * len(weights) + 4 * s["d"] * linear + 4 * s["n"] * dot)

    def truth(arrays, rows, head, sizes):
        return carried_out(term, Numpy, arrays["x"], [arrays[name] for name in weights])[rows]

    sizes = {"h": 8, "n": 2048, "d": 64}
    return Family(f"M{number}", f"M{number}_heads", truth, work, (sizes,), ({**sizes, "n": 512},) if number in (5, 11) else (),
                  inputs={"x": "h n d", **weights}, output="h n d", program=PROGRAM, aim_peers={"eager": 4}, term=term)


FAMILIES = [family(number) for number in range(len(TERMS))]
