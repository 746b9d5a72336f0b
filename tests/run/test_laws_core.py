"""Laws of softmax attention: what is invariant, modifiers without effect, what is a special case of what."""
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw
from support import EXAMPLES, TAXONOMY


def single(seed, n=5, m=7, d=4, e=3):
    return draw(seed, q=(n, d), k=(m, d), v=(m, e))


def heads(seed, h=3, n=5, m=7, d=4, e=3):
    return draw(seed, q=(h, n, d), k=(h, m, d), v=(h, m, e))


class Core(Laws):
    def test_permuting_keys_changes_nothing(self):
        for seed in DRAWS:
            a = single(seed)
            order = np.random.default_rng(seed).permutation(7)
            moved = a | {"k": a["k"][order], "v": a["v"][order]}
            for file in ("sdpa", "softmax_plus_one"):
                self.assertSame(self.of(file, **moved), self.of(file, **a))
            bias = draw(seed, bias=(5, 7))["bias"]
            self.assertSame(self.of("biased_attention", **moved, bias=bias[:, order]),
                            self.of("biased_attention", **a, bias=bias))

    def test_permuting_queries_permutes_results(self):
        for seed in DRAWS:
            a = single(seed)
            order = np.random.default_rng(seed).permutation(5)
            self.assertSame(self.of("sdpa", **a | {"q": a["q"][order]}), self.of("sdpa", **a)[order])

    def test_weights_sum_to_one_and_with_a_sink_to_less(self):
        for seed in DRAWS:
            a = single(seed) | {"v": np.ones((7, 1))}
            for file in ("sdpa", "flex_attention"):
                self.assertSame(self.of(file, **a), np.ones((5, 1)))
            total = self.of("softmax_plus_one", **a)
            self.assertTrue((total > 0).all() and (total < 1).all())

    def test_adding_to_all_scores_of_a_row_changes_nothing(self):
        for seed in DRAWS:
            a, row = single(seed), draw(seed, row=(5, 1))["row"]
            self.assertSame(self.of("biased_attention", **a, bias=np.tile(row, 7)), self.of("sdpa", **a))

    def test_later_keys_do_not_matter_to_earlier_queries(self):
        for seed in DRAWS:
            a = single(seed, n=7)
            later = a | {name: np.concatenate([a[name][:4], draw(seed + 9, x=a[name][4:].shape)["x"]]) for name in "kv"}
            self.assertSame(self.of("causal", **later)[:4], self.of("causal", **a)[:4])
            self.assertSame(self.of("causal", **a)[-1], self.of("sdpa", **a)[-1])

    def test_a_mask_is_the_keys_that_are_left(self):
        for seed in DRAWS:
            a = single(seed)
            keep = np.random.default_rng(seed).random(7) < 0.5
            left = a | {"k": a["k"][keep], "v": a["v"][keep]}
            self.assertSame(self.of("masked_attention", **a, keep=np.tile(keep, (5, 1))), self.of("sdpa", **left))
            padded = {name: x[None] for name, x in a.items()}
            short = a | {"k": a["k"][:3], "v": a["v"][:3]}
            self.assertSame(self.of("key_padding", **padded, lengths=np.array([3]))[0], self.of("sdpa", **short))

    def test_each_document_is_by_itself(self):
        """Documents that do not lie together and are not in order; one document is causal attention."""
        for seed in DRAWS:
            a = single(seed, n=7)
            of = np.array([3, 1, 3, 3, 1, 2, 3])
            packed = self.of("packed_documents", **a, ofQuery=of, ofKey=of)
            for document in (1, 2, 3):
                alone = {name: x[of == document] for name, x in a.items()}
                self.assertSame(packed[of == document], self.of("causal", **alone))
            self.assertSame(self.of("packed_documents", **a, ofQuery=0 * of, ofKey=0 * of), self.of("causal", **a))

    def test_modifiers_without_effect(self):
        for seed in DRAWS:
            a, h = single(seed), heads(seed)
            plain = self.of("sdpa", **a)
            self.assertSame(self.of("softcap", **a, c=np.array(1e7)), self.of("causal", **a), 1e-11)
            self.assertSame(self.of("attention_dropout", **a, p=np.array(0.0), seed=np.array(seed)), plain)
            none = {"aK": np.zeros((5, 4)), "aV": np.zeros((5, 3))}
            self.assertSame(self.of("shaw_relative", parameters=none, **a), plain)
            grid = single(seed, n=6, m=6)
            self.assertSame(self.of("learned_bias", parameters={"B": np.ones((3, 5))}, sizes={"a": 2, "b": 3}, **grid),
                            self.of("sdpa", **grid))
            scaled = h | {"q": h["q"] / 2}
            for t, head in enumerate(self.of("relative_bias", parameters={"bias": np.full((3, 32), 0.7)}, **scaled)):
                self.assertSame(head, self.of("sdpa", **{name: x[t] for name, x in h.items()}))
            talking = self.of("talking_heads", parameters={"P": np.eye(3) / 2, "P'": np.eye(3)}, **h)
            self.assertSame(talking[1], self.of("sdpa", **{name: x[1] for name, x in h.items()}))

    def test_dropout_is_a_function_of_its_seed_and_keeps_the_mean(self):
        a = single(1, n=64, m=32, d=2) | {"q": np.zeros((64, 2)), "v": np.ones((32, 1)), "p": np.array(0.25)}
        first, again, other = (self.of("attention_dropout", **a, seed=np.array(s)) for s in (1, 1, 2))
        self.assertTrue(np.array_equal(first, again))
        self.assertFalse(np.array_equal(first, other))
        self.assertAlmostEqual(first.mean(), 1, delta=0.05)  # 2048 weights: a deviation of 0.013

    def test_groups(self):
        for seed in DRAWS:
            h = heads(seed)
            self.assertSame(self.of("gqa", **h)[2], self.of("sdpa", **{name: x[2] for name, x in h.items()}))
            one = h | {"k": h["k"][:1], "v": h["v"][:1]}
            self.assertSame(self.of("gqa", **one), self.of("mqa", q=h["q"], k=h["k"][0], v=h["v"][0]))

    def test_rotary_layouts_are_one_up_to_the_order_of_coordinates(self):
        order = np.array([0, 2, 4, 1, 3, 5])
        for seed in DRAWS:
            a = single(seed, n=7, d=6)
            self.assertSame(self.of("rope_halves", **a | {"q": a["q"][:, order], "k": a["k"][:, order]}),
                            self.of("rope", **a))

    def test_rotary_scores_depend_on_the_distance(self):
        # Of equal queries and keys, the weights of a row are those of the row before moved by one, up to their sum.
        for seed in DRAWS:
            a = single(seed, n=7)
            a |= {name: np.tile(a[name][:1], (7, 1)) for name in "qk"}
            weights = self.of("rope", **a | {"v": np.eye(7)})
            for i in range(1, 7):
                moved = weights[i, 1 : i + 1] / weights[i, i], weights[i - 1, :i] / weights[i - 1, i - 1]
                self.assertSame(*moved, 1e-10)

    def test_statistics(self):
        for seed in DRAWS:
            a = single(seed)
            keep = np.ones(7, bool)
            _, lse, entropy = self.of("attention_statistics", results=["y", "lse", "entropy"], **a, keep=keep)
            self.assertTrue((entropy >= 0).all() and (entropy <= np.log(7)).all())
            even = np.arange(7) % 2 == 0
            parts = [self.of("attention_statistics", results=["y", "lse", "entropy"], **a, keep=k)[1]
                     for k in (even, ~even)]
            self.assertSame(np.logaddexp(*parts), lse)
            flat = a | {"q": np.zeros((5, 4))}
            _, lse, entropy = self.of("attention_statistics", results=["y", "lse", "entropy"], **flat, keep=keep)
            self.assertSame(entropy, np.full(5, np.log(7)))
            self.assertSame(lse, np.full(5, np.log(7)))

    def test_flexible_attention_filled(self):
        program = self.write("filled.attn", f'import "{TAXONOMY}/flex_attention.attn"\n' + """
            diagram upto(i: int[], j: int[]) -> bool[] { j <= i }
            causal = flex_attention with (seen = upto)
            capped = specialise flex_attention {
              seen = upto
              score(s, i, j) = 20 * tanh(s / 20)
            }
            halved = specialise flex_attention { weight(a, i, j) = a / 2 }
            """)
        for seed in DRAWS:
            a = single(seed)
            expectations = {"causal": self.of("causal", **a), "capped": self.of("softcap", **a, c=np.array(20.0)),
                            "halved": self.of("sdpa", **a) / 2}
            for diagram, expected in expectations.items():
                self.assertSame(self.result("eval", program, diagram, a)[0], expected)

    def test_a_mask_that_multiplies_scores_leaks(self):
        program = self.write("leak.attn", f'import "{TAXONOMY}/flex_attention.attn"\n' + """
            multiplied = specialise flex_attention { score(s, i, j) = where(j <= i, s, 0 * s) }
            """)
        q, k = np.ones((4, 1)), np.full((4, 1), -0.8)
        weights = self.result("eval", program, "multiplied", {"q": q, "k": k, "v": np.eye(4)})[0]
        self.assertSame(weights[0], np.array([np.exp(-0.8), 1, 1, 1]) / (np.exp(-0.8) + 3))
        self.assertSame(weights[0], [0.13, 0.29, 0.29, 0.29], 5e-3 / 0.29)  # as published
        self.assertSame(self.of("causal", q=q, k=k, v=np.eye(4))[0], np.eye(4)[0])

    def test_examples_are_the_mechanisms(self):
        for example, name in (("02_sdpa", "sdpa"), ("06_causal", "causal"), ("07_cross_attention", "cross_attention")):
            self.attnc("equal", EXAMPLES / f"{example}.attn", TAXONOMY / f"{name}.attn")


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
