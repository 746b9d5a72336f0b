"""Laws of the first attentions: which are fillings of which."""
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw


class Historical(Laws):
    def test_general_with_the_identity_is_dot(self):
        for seed in DRAWS:
            a = draw(seed, s=(5, 3), h=(7, 3))
            self.assertSame(self.of("luong_general", parameters={"W": np.eye(3)}, **a), self.of("luong_dot", **a))

    def test_concat_is_additive(self):
        for seed in DRAWS:
            a, p = draw(seed, s=(5, 3), h=(7, 4)), draw(seed + 100, W=(3, 6), U=(4, 6), v=(6,))
            concat = {"W.0": p["W"], "W.1": p["U"], "v": p["v"]}
            self.assertSame(self.of("luong_concat", parameters=concat, **a), self.of("bahdanau", parameters=p, **a))
            result = self.attnc("equal", *(support.TAXONOMY / f"{name}.attn" for name in ("bahdanau", "luong_concat")), code=1)
            self.assertIn("differ", result.stdout + result.stderr)  # two learners are no learner of a pair

    def test_bahdanau_is_a_universal_score(self):
        """The perceptron that a universal learner is run as is additive attention, without biases."""
        for seed in DRAWS:
            a, p = draw(seed, s=(5, 3), h=(7, 4)), draw(seed + 100, W=(3, 64), U=(4, 64), v=(64,))
            universal = {"a.hidden.weight.0": p["W"], "a.hidden.weight.1": p["U"], "a.hidden.bias": np.zeros(64),
                         "a.out.weight": p["v"], "a.out.bias": np.array(0.0)}
            self.assertSame(self.of("primordial", "alignment", parameters=universal, **a),
                            self.of("bahdanau", parameters=p, **a))

    def test_a_score_that_is_constant_takes_means(self):
        for seed in DRAWS:
            a, V = draw(seed, x=(5, 3), z=(7, 4)), draw(seed, V=(4, 2))["V"]
            p = {"a.hidden.weight.0": np.zeros((3, 64)), "a.hidden.weight.1": np.zeros((4, 64)),
                 "a.hidden.bias": np.ones(64), "a.out.weight": np.ones(64), "a.out.bias": np.array(2.0), "V": V}
            mean = np.tile((a["z"] @ V).mean(0), (5, 1))
            self.assertSame(self.of("primordial", parameters=p, **a), mean)

    def test_content_is_addressed_by_direction(self):
        for seed in DRAWS:
            a = draw(seed, key=(3, 4), M=(6, 4))
            strength = np.array([0.0, 1.0, 1e4])
            y = self.of("content_addressing", "content_read", **a, strength=strength)
            self.assertSame(self.of("content_addressing", "content_read", key=5 * a["key"], M=a["M"], strength=strength), y)
            self.assertSame(y[0], a["M"].mean(0))
            cosines = a["M"] @ a["key"][2] / np.linalg.norm(a["M"], axis=1)
            self.assertSame(y[2], a["M"][cosines.argmax()])

    def test_summaries_of_a_sentence_do_not_depend_on_the_order_of_its_words(self):
        for seed in DRAWS:
            H, p = draw(seed, H=(7, 3))["H"], draw(seed + 100, W1=(3, 4), W2=(4, 2))
            of = lambda H: self.of("self_attentive", parameters=p, results=["M", "penalty"], H=H)
            for got, want in zip(of(np.random.default_rng(seed).permutation(H)), of(H)):
                self.assertSame(got, want)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
