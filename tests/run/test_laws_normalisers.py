"""Laws of weights that are no softmax, and of associative memories."""
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw
from reference.basic import attention


class Normalisers(Laws):
    def test_permuting_keys_changes_nothing(self):
        for seed in DRAWS:
            a = draw(seed, q=(5, 3), k=(7, 3), v=(7, 2))
            order = np.random.default_rng(seed).permutation(7)
            moved = a | {"k": a["k"][order], "v": a["v"][order]}
            for file, core in [("sigmoid_attention", "sigmoid_core"), ("relu_attention", "relu_core"),
                               ("relu_normalised", "relu_normalised_core")]:
                with self.subTest(file):
                    self.assertSame(self.of(file, core, **moved), self.of(file, core, **a))

    def test_sigmoid_attention_ignores_a_key_of_score_minus_infinity(self):
        # q · k = −∞ is a weight of 0; only the bias counts the key.
        q, k, v = np.ones((2, 1)), np.array([[0.5], [-np.inf]]), np.array([[3.0], [5.0]])
        y = self.of("sigmoid_attention", "sigmoid_core", q=q, k=k, v=v)
        self.assertSame(y, np.full((2, 1), 3 / (1 + 2 * np.exp(-0.5))))

    def test_relu_normalised_weights_are_a_distribution_or_nothing(self):
        for seed in DRAWS:
            a = draw(seed, q=(30, 3), k=(2, 3)) | {"v": np.ones((2, 1))}
            some = (a["q"] @ a["k"].T > 0).any(1, keepdims=True)
            self.assertTrue(some.any() and not some.all())
            self.assertSame(self.of("relu_normalised", "relu_normalised_core", **a), some.astype(float))

    def test_differential_attention_without_its_second_half_is_attention(self):
        for seed in DRAWS:
            a = draw(seed, q=(2, 5, 3), k=(2, 7, 3), v=(7, 2))
            first, second = (attention(a["q"][i], a["k"][i], a["v"]) for i in range(2))
            of = lambda weight: self.of("differential", "differential_core", **a, **{"lambda": np.array(weight)})
            self.assertSame(of(0.0), first)
            self.assertSame(of(0.3), first - 0.3 * second)
            same = {name: np.stack([a[name][0]] * 2) for name in "qk"}
            cancelled = self.of("differential", "differential_core", **a | same, **{"lambda": np.array(1.0)})
            self.assertLess(np.abs(cancelled).max(), 1e-15)

    def test_one_retrieval_is_attention_whose_values_are_its_keys(self):
        for seed in DRAWS:
            a = draw(seed, state=(5, 3), x=(7, 3))
            y = self.of("hopfield", "hopfield_retrieval", sizes={"t": 1}, **a, beta=np.array(1 / np.sqrt(3)))
            self.assertSame(y[0], attention(a["state"], a["x"], a["x"]))

    def test_retrieval_never_raises_the_energy(self):
        for seed in DRAWS:
            a = draw(seed, state=(5, 3), x=(7, 3))
            beta = np.array([0.3, 1.0, 4.0][seed])
            states = self.of("hopfield", "hopfield_retrieval", sizes={"t": 8}, **a, beta=beta)
            energies = [self.of("hopfield", "hopfield_energy", state=state, x=a["x"], beta=beta)
                        for state in [a["state"], *states]]
            self.assertTrue((np.diff(energies, axis=0) <= 1e-12).all())
            self.assertTrue((np.array(energies) >= -1e-12).all())

    def test_a_pattern_far_from_the_others_is_retrieved(self):
        for seed in DRAWS:
            x = np.linalg.qr(draw(seed, x=(6, 6))["x"])[0]
            state = x + 0.1 * draw(seed + 100, s=(6, 6))["s"]
            y = self.of("hopfield", "hopfield_retrieval", sizes={"t": 2}, state=state, x=x, beta=np.array(60.0))
            self.assertSame(y[-1], x, 1e-9)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
