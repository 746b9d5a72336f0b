"""Laws of sparse attention: what sees everything is full attention, and which supports contain which."""
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw

N = 9


def single(seed, n=N, d=4, e=3):
    return draw(seed, q=(n, d), k=(n, d), v=(n, e))


def heads(seed, h=2, n=N, d=4, e=3):
    return draw(seed, q=(h, n, d), k=(h, n, d), v=(h, n, e))


def indexer(seed):
    return draw(seed + 50, **{"q'": (N, 3, 2), "k'": (N, 2), "w": (N, 3)})


class Sparse(Laws):
    def weights(self, file, sizes, **arrays):
        """The weights themselves: what values that are the unit vectors give."""
        return self.of(file, sizes=sizes, **arrays | {"v": np.eye(N)})

    def test_what_sees_everything_is_full(self):
        for seed in DRAWS:
            a, h = single(seed), heads(seed)
            full, causal = self.of("sdpa", **a), self.of("causal", **a)
            for w in (N, N + 3):
                self.assertSame(self.of("sliding_window", sizes={"w": w}, **a), causal)
            self.assertSame(self.of("attention_sinks", sizes={"w": 4, "s": N - 4}, **a), causal)
            self.assertSame(self.of("streaming_llm", sizes={"w": 4, "s": N - 4}, **a), self.of("rope", **a))
            self.assertSame(self.of("topk_attention", sizes={"c": N + 1}, **a), full)
            every = np.tile(np.arange(3), (3, 1))
            self.assertSame(self.of("block_sparse", sizes={"b": 3}, blocks=every, **a), full)
            self.assertSame(self.of("bigbird", sizes={"b": 3, "g": 2}, R=np.zeros((3, 1), int), **a), full)
            own = {name + "'": a[name] for name in "qkv"}
            self.assertSame(self.of("longformer", sizes={"w": N}, G=np.array([2]), **a, **own), full)
            self.assertSame(self.of("longformer", sizes={"w": 0}, G=np.arange(N), **a, **own), full)
            each = np.array([self.of("causal", **{name: x[t] for name, x in h.items()}) for t in range(2)])
            earlier = draw(seed, earlierQ=(3, N, 2), earlierK=(3, N, 2))
            for file, index in (("dsa", indexer(seed)), ("dsa_softmax", indexer(seed)), ("dsa_reused", earlier)):
                self.assertSame(self.of(file, sizes={"c": N}, **h, **index), each)

    def test_sinks_contain_the_window_and_are_contained_in_what_is_before(self):
        for seed in DRAWS:
            a = single(seed)
            window = self.weights("sliding_window", {"w": 3}, **a) > 0
            sinks = self.weights("attention_sinks", {"w": 3, "s": 2}, **a) > 0
            causal = self.weights("causal", {}, **a) > 0
            self.assertTrue((window <= sinks).all() and (sinks <= causal).all())
            self.assertTrue((window < sinks).any() and (sinks < causal).any())
            self.assertSame(self.of("attention_sinks", sizes={"w": 3, "s": 0}, **a),
                            self.of("sliding_window", sizes={"w": 3}, **a))

    def test_a_window_of_one_is_the_value_and_gaps_of_one_are_none(self):
        for seed in DRAWS:
            a = single(seed)
            self.assertSame(self.of("sliding_window", sizes={"w": 1}, **a), a["v"])
            self.assertSame(self.of("topk_attention", sizes={"c": 1}, **a),
                            a["v"][np.argmax(a["q"] @ a["k"].T, axis=1)])
            self.assertSame(self.of("dilated_window", sizes={"w": 4, "g": 1}, **a),
                            self.of("sliding_window", sizes={"w": 4}, **a))

    def test_layers_of_windows_reach_further(self):
        # Through l layers of windows of w a token reaches l (w − 1) back.
        w, moved = 3, 1
        for layers in (1, 2, 3):
            x = single(4, d=2)["k"]
            other = x.copy()
            other[moved] += 1
            for _ in range(layers):
                x, other = (self.of("sliding_window", sizes={"w": w}, q=y, k=y, v=y) for y in (x, other))
            reached = np.flatnonzero(np.abs(x - other).max(1) > 0)
            self.assertEqual([reached.min(), reached.max()], [moved, min(N - 1, moved + layers * (w - 1))])

    def test_attention_to_earlier_tokens_alone_ends_in_the_first(self):
        """Token 0 is an absorbing state of causal attention: all mass ends there."""
        for seed in DRAWS:
            flow = np.linalg.matrix_power(self.weights("causal", {}, **single(seed)), 200)
            self.assertSame(flow, np.eye(N)[np.zeros(N, int)], 1e-6)

    def test_lists(self):
        for seed in DRAWS:
            a = single(seed)
            rng = np.random.default_rng(seed)
            keys = np.array([rng.permutation(N)[:4] for _ in range(N)])
            first = self.of("gathered_attention", keys=keys, **a)
            self.assertSame(self.of("gathered_attention", keys=keys[:, ::-1], **a), first)
            keep = np.zeros((N, N), bool)
            np.put_along_axis(keep, keys, True, 1)
            self.assertSame(self.of("masked_attention", keep=keep, **a), first)
            blocks = np.array([[0, 2, 2], [1, -1, 1], [2, 1, 0]])
            self.assertSame(self.of("block_sparse", sizes={"b": 3}, blocks=blocks[:, ::-1], **a),
                            self.of("block_sparse", sizes={"b": 3}, blocks=blocks, **a))

    def test_top_k_of_equal_scores_is_the_first(self):
        a = single(1) | {"k": np.ones((N, 4))}
        self.assertSame(self.of("topk_attention", sizes={"c": 3}, **a), np.tile(a["v"][:3].mean(0), (N, 1)))
        h, index = heads(1) | {"q": np.zeros((2, N, 4))}, indexer(1) | {"w": np.zeros((N, 3))}
        y = self.of("dsa", sizes={"c": 3}, **h, **index)
        for i in range(N):
            self.assertSame(y[:, i], h["v"][:, : min(3, i + 1)].mean(1))

    def test_the_scale_of_the_indexer_does_not_matter(self):
        for seed in DRAWS:
            h, index = heads(seed), indexer(seed)
            for file in ("dsa", "dsa_softmax"):
                self.assertSame(self.of(file, sizes={"c": 3}, **h, **index | {"w": 5 * index["w"]}),
                                self.of(file, sizes={"c": 3}, **h, **index))

    def test_sinks_that_are_learned(self):
        for seed in DRAWS:
            h = heads(seed)
            heads_apart = [{name: x[t] for name, x in h.items()} for t in range(2)]
            without = self.of("learned_sink", parameters={"S": np.full(2, -np.inf)}, **h)
            zero = self.of("learned_sink", parameters={"S": np.zeros(2)}, **h)
            for t, a in enumerate(heads_apart):
                self.assertSame(without[t], self.of("causal", **a))
                self.assertSame(zero[t][-1], self.of("softmax_plus_one", **a)[-1])


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
