"""What attention to tuples of keys must keep: its order 1 and 2, windows, top-k, rotations, permutations, sinks."""
import unittest

import numpy as np

import support
from reference.basic import attention
from support import TAXONOMY, Case

LETTERS = ("q", "k1", "k2", "v1", "v2")


class Laws(Case):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(17)

    def normal(self, *shape):
        return self.random.standard_normal(shape)

    def mechanism(self, name, arrays, parameters=None, **sizes):
        options = [f"--size={size}={value}" for size, value in sizes.items()]
        return self.result("eval", TAXONOMY / f"{name}.attn", name, arrays, parameters, options)[0]

    def tuples(self, order, n=5, m=4, d=3, e=2):
        return {"q": self.normal(n, d), "k": self.normal(order, m, d), "v": self.normal(order, m, e)}

    def pairs(self, n=7, d=6, e=2):
        return {name: self.normal(n, d if name in "qk1k2" else e) for name in LETTERS}

    def test_order_1_is_ordinary_attention(self):
        a = self.tuples(1)
        y = self.mechanism("n_simplicial", a)
        self.assertNear(y, attention(a["q"], a["k"][0], a["v"][0]), 1e-12)
        self.assertNear(y, self.mechanism("sdpa", {"q": a["q"], "k": a["k"][0], "v": a["v"][0]}), 1e-12)
        self.assertNear(self.mechanism("n_simplicial_or", a), y, 1e-12)

    def test_order_2_is_two_simplicial(self):
        a = self.tuples(2)
        pairs = {"q": a["q"]} | {f"{x}{i + 1}": a[x][i] for x in "kv" for i in (0, 1)}
        self.assertNear(self.mechanism("n_simplicial", a), self.mechanism("two_simplicial", pairs), 1e-12)

    def test_order_2_with_windows(self):
        a = self.pairs()
        stacked = {"q": a["q"], "k": np.stack([a["k1"], a["k2"]]), "v": np.stack([a["v1"], a["v2"]])}
        for w1, w2 in ((3, 5), (1, 7), (0, 2)):
            with self.subTest(f"{w1} {w2}"):
                y = self.mechanism("two_simplicial_windowed", a, w1=w1, w2=w2)
                self.assertNear(self.mechanism("n_simplicial_windowed", stacked | {"w": np.array([w1, w2])}), y, 1e-12)

    def test_windows_beyond_the_sequence_are_causal_and_begin_with_the_first_values(self):
        a = self.pairs()
        y = self.mechanism("two_simplicial_windowed", a, w1=7, w2=7)
        self.assertNear(self.mechanism("two_simplicial_windowed", a, w1=70, w2=19), y, 1e-12)
        self.assertNear(y[0], a["v1"][0] * a["v2"][0], 1e-12)
        for i in range(7):  # the row of a query is attention to all pairs of the tokens up to it
            seen = {name: a[name][:i + 1] for name in LETTERS} | {"q": a["q"][i:i + 1]}
            self.assertNear(y[i:i + 1], self.mechanism("two_simplicial", seen), 1e-12)

    def test_top_k_of_all_is_the_causal_form(self):
        a = {"q": self.normal(5, 3), "k": self.normal(2, 5, 3), "v": self.normal(2, 5, 2)}
        dense = self.mechanism("n_simplicial_windowed", a | {"w": np.array([5, 5])})
        for r in (5, 8):
            self.assertNear(self.mechanism("n_simplicial_topk", a | {"s": self.normal(5, 5)}, r=r), dense, 1e-12)
        indexer = {"q'": self.normal(5, 2, 4), "k'": self.normal(5, 4), "w": self.normal(5, 2)}
        for name in ("n_simplicial_dsa", "n_simplicial_dsa_softmax"):
            self.assertNear(self.mechanism(name, a | indexer, r=5), dense, 1e-12)

    def test_each_order_may_have_its_own_keys(self):
        a = {"q": self.normal(5, 3), "k": self.normal(2, 5, 3), "v": self.normal(2, 5, 2)}
        s = self.normal(2, 5, 5)
        for count in (1, 3, 5):
            shared = self.mechanism("n_simplicial_topk", a | {"s": s[0]}, r=count)
            each = a | {"s": np.stack([s[0], s[0]]), "c": np.array([count, count])}
            self.assertNear(self.mechanism("n_simplicial_topk_each", each, r=5), shared, 1e-12)
        nearest = np.arange(5) - np.abs(np.arange(5)[:, None] - np.arange(5))  # the nearest keys: windows
        windows = self.mechanism("n_simplicial_windowed", a | {"w": np.array([4, 2])})
        each = a | {"s": np.stack([nearest, nearest]).astype(float), "c": np.array([4, 2])}
        self.assertNear(self.mechanism("n_simplicial_topk_each", each, r=4), windows, 1e-12)
        differ = self.mechanism("n_simplicial_topk_each", a | {"s": s, "c": np.array([2, 2])}, r=2)
        self.assertGreater(support.distance(differ, self.mechanism("n_simplicial_topk", a | {"s": s[0]}, r=2)), 1e-3)

    def test_a_query_among_equal_scores_takes_the_lowest_keys(self):
        a = {"q": self.normal(5, 3), "k": self.normal(1, 5, 3), "v": self.normal(1, 5, 2)}
        y = self.mechanism("n_simplicial_topk", a | {"s": np.zeros((5, 5))}, r=2)
        self.assertNear(y[4], attention(a["q"][4:], a["k"][0, :2], a["v"][0, :2])[0], 1e-12)

    def test_permuting_keys_changes_nothing(self):
        a = self.tuples(3)
        permuted = dict(a)
        for order in range(3):
            p = self.random.permutation(4)
            permuted = permuted | {x: np.concatenate([permuted[x][:order], permuted[x][order:order + 1, p],
                                                      permuted[x][order + 1:]]) for x in "kv"}
        for name in ("n_simplicial", "n_simplicial_or", "n_simplicial_outside"):
            self.assertNear(self.mechanism(name, permuted), self.mechanism(name, a), 1e-12)

    def test_outside_the_softmax_the_weights_sum_to_less(self):
        a = self.tuples(2, d=4) | {"v": np.ones((2, 4, 2))}
        self.assertNear(self.mechanism("n_simplicial_outside", a), np.full((5, 2), 0.5), 1e-12)
        self.assertNear(self.mechanism("n_simplicial", a), np.ones((5, 2)), 1e-12)

    def rotated(self, x, positions):
        """Each chunk of three turned about its last axis by the angle of its position and place."""
        y = x.copy()
        for chunk in range(x.shape[1] // 3):
            angle = positions * 0.7**chunk
            a, b = x[:, 3 * chunk], x[:, 3 * chunk + 1]
            y[:, 3 * chunk] = np.cos(angle) * a - np.sin(angle) * b
            y[:, 3 * chunk + 1] = np.sin(angle) * a + np.cos(angle) * b
        return y

    def test_rotary_positions_are_relative_for_determinants_alone(self):
        a = self.pairs()
        results = {}
        for name in ("two_simplicial_determinant", "two_simplicial"):
            for shift in (0, 11):
                turned = {k: self.rotated(a[k], np.arange(7.0) + shift) for k in ("q", "k1", "k2")}
                results[name, shift] = self.mechanism(name, a | turned)
        kept, lost = (support.distance(results[name, 11], results[name, 0])
                      for name in ("two_simplicial_determinant", "two_simplicial"))
        self.assertLess(kept, 1e-12)
        self.assertGreater(lost, 1e-3)

    def test_the_length_of_a_triple_does_not_see_rotations_and_right_angles_give_0(self):
        a = {"p": self.normal(3, 4), "l1": self.normal(5, 4), "l2": self.normal(6, 4), "u1": self.normal(5, 2),
             "u2": self.normal(6, 2)}
        parameters = {"B": self.normal(2, 2, 3)}
        turn, _ = np.linalg.qr(self.normal(4, 4))
        turned = a | {name: a[name] @ turn for name in ("p", "l1", "l2")}
        self.assertNear(self.mechanism("clift_simplicial", turned, parameters),
                        self.mechanism("clift_simplicial", a, parameters), 1e-12)
        square = a | {"p": np.eye(4)[:1], "l1": np.eye(4)[[1]], "l2": np.eye(4)[[2, 3]], "u1": a["u1"][:1], "u2": a["u2"][:2]}
        evenly = np.einsum("e,f,efc->c", square["u1"][0], square["u2"].mean(0), parameters["B"])
        self.assertNear(self.mechanism("clift_simplicial", square, parameters)[0], evenly, 1e-12)

    def test_shared_heads_are_heads_repeated(self):
        a = {name: self.normal(6 if name == "q" else 2, 5, 3) for name in LETTERS}
        y = self.mechanism("two_simplicial_gqa", a, w1=3, w2=4)
        repeated = {name: a[name] if name == "q" else np.repeat(a[name], 3, 0) for name in LETTERS}
        self.assertNear(self.mechanism("two_simplicial_gqa", repeated, w1=3, w2=4), y, 1e-12)

    def test_a_causal_chain_ends_in_the_first_token(self):
        a = {"q": self.normal(9, 4), "k": self.normal(9, 4)}
        powers = {s: self.mechanism("sinks_absorbing", a, s=s) for s in (1, 20, 200)}
        for chain in powers.values():
            self.assertNear(chain.sum(1), np.ones(9), 1e-12)
        self.assertNear(powers[200], np.outer(np.ones(9), np.eye(9)[0]), 1e-6)
        self.assertTrue((np.diff([chain[:, 0] for chain in powers.values()], axis=0) >= -1e-12).all())


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
