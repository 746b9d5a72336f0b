"""Laws of mixtures of experts."""
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw
from reference.basic import attention, softmax

SHAPES = {"Wg": (4, 3), "Wk": (4, 2), "Wv": (4, 5), "Wq": (3, 4, 2), "Wo": (3, 5, 4)}


class Experts(Laws):
    def moa(self, x, p, k):
        return self.of("moa", parameters=p, sizes={"k": k}, results=["y", "experts"], x=x)[0]

    def test_more_picks_than_experts_are_all_experts(self):
        for seed in DRAWS:
            x, p = draw(seed, x=(6, 4))["x"], draw(seed + 100, **SHAPES)
            gates = softmax(x @ p["Wg"])
            mixed = sum(gates[:, e, None] * (attention(x @ p["Wq"][e], x @ p["Wk"], x @ p["Wv"]) @ p["Wo"][e])
                        for e in range(3))
            self.assertSame(self.moa(x, p, 3), mixed)
            self.assertSame(self.moa(x, p, 8), mixed)

    def test_one_pick_is_the_best_expert_alone(self):
        for seed in DRAWS:
            x, p = draw(seed, x=(6, 4))["x"], draw(seed + 100, **SHAPES)
            best = (x @ p["Wg"]).argmax(1)
            alone = np.stack([attention(x @ p["Wq"][e], x @ p["Wk"], x @ p["Wv"]) @ p["Wo"][e] for e in range(3)])
            self.assertSame(self.moa(x, p, 1), alone[best, np.arange(6)])

    def test_permuting_the_experts_changes_nothing(self):
        for seed in DRAWS:
            x, p = draw(seed, x=(6, 4))["x"], draw(seed + 100, **SHAPES)
            order = np.random.default_rng(seed).permutation(3)
            moved = p | {"Wg": p["Wg"][:, order], "Wq": p["Wq"][order], "Wo": p["Wo"][order]}
            self.assertSame(self.moa(x, moved, 2), self.moa(x, p, 2))

    def test_one_expert_a_head_is_multihead_attention_under_gates(self):
        for seed in DRAWS:
            x = draw(seed, x=(6, 4))["x"]
            p = draw(seed + 100, Wq=(2, 4, 3), Wk=(2, 4, 3), Wv=(2, 1, 4, 5), Wo=(2, 1, 5, 4))
            p |= {"Ws": np.zeros((2, 4, 1)), "Wr": np.zeros((2, 4, 1))}  # every gate is ½
            y, _, _ = self.of("switchhead", parameters=p, sizes={"k": 2}, results=["y", "sources", "targets"], x=x)
            plain = sum(attention(x @ p["Wq"][h], x @ p["Wk"][h], x @ p["Wv"][h, 0]) @ p["Wo"][h, 0] for h in range(2))
            self.assertSame(y, plain / 4)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
