"""Laws of decoding: step by step is all at once, however the cache lies; parts merge to the whole in any order."""
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw

N, D, E = 8, 4, 3
RESULTS = ["y", "K'", "V'"]


def single(seed, n=N):
    return draw(seed, q=(n, D), k=(n, D), v=(n, E))


def tokens(seed, h=4, g=2):
    """A sequence as a decoder meets it, token by token: [n h d], [n g d], [n g e]."""
    return draw(seed, q=(N, h, D), k=(N, g, D), v=(N, g, E))


def per_head(a):
    """The same as [h n d] of each head, groups repeated."""
    group = np.arange(a["q"].shape[1]) * a["k"].shape[1] // a["q"].shape[1]
    return {"q": a["q"].transpose(1, 0, 2), "k": a["k"][:, group].transpose(1, 0, 2),
            "v": a["v"][:, group].transpose(1, 0, 2)}


class Decode(Laws):
    def whole(self, file, a, **options):
        """A mechanism of one head, for each head: [n h e]."""
        h = per_head(a)
        each = [self.of(file, **{name: x[t] for name, x in h.items()}, **options) for t in range(len(h["q"]))]
        return np.array(each).transpose(1, 0, 2)

    def step_by_step(self, file, a, K, V, **options):
        y = []
        for t in range(N):
            now = {name: a[name][t] for name in "qkv"}
            got, K, V = self.of(file, results=RESULTS, K=K, V=V, t=np.array(t), **now, **options)
            y.append(got)
        return np.array(y)

    def test_token_by_token_is_the_whole(self):
        for seed in DRAWS:
            a = tokens(seed)
            sink = draw(seed, S=(4,))["S"]
            self.assertSame(self.of("decoded", **a), self.whole("causal", a))
            capped = self.whole("softcap", a, c=np.array(50.0))
            self.assertSame(self.of("decode_softcap", "decoded_softcap", **a), capped)
            self.assertSame(self.of("decode_rope", "decoded_rope", **a), self.whole("rope", a))
            self.assertSame(self.of("decode_window", "decoded_window", sizes={"at.w": 3}, **a),
                            self.whole("sliding_window", a, sizes={"w": 3}))
            self.assertSame(self.of("decode_sinks", "decoded_sinks", sizes={"at.w": 3, "at.s": 2}, **a),
                            self.whole("attention_sinks", a, sizes={"w": 3, "s": 2}))
            self.assertSame(self.of("decode_streaming_llm", "decoded_streaming_llm", sizes={"at.w": 3, "at.s": 2}, **a),
                            self.whole("streaming_llm", a, sizes={"w": 3, "s": 2}))
            dilated = self.whole("dilated_window", a, sizes={"w": 3, "g": 2})
            stepped = self.of("decode_dilated_window", "decoded_dilated_window", sizes={"at.w": 3, "at.r": 2}, **a)
            self.assertSame(stepped, dilated)
            alibi = self.of("alibi", **per_head(a)).transpose(1, 0, 2)
            self.assertSame(self.of("decode_alibi", "decoded_alibi", **a), alibi)
            learned = self.of("learned_sink", parameters={"S": sink}, **per_head(a)).transpose(1, 0, 2)
            stepped = self.of("decode_learned_sink", "decoded_learned_sink", parameters={"at.S": sink}, **a)
            self.assertSame(stepped, learned)
            zero = self.of("learned_sink", parameters={"S": np.zeros(4)}, **per_head(a)).transpose(1, 0, 2)
            self.assertSame(self.of("decode_softmax_plus_one", "decoded_softmax_plus_one", **a), zero)
            self.assertSame(self.of("decode_topk", "decoded_topk", sizes={"at.r": N}, **a), self.whole("causal", a))

    def test_a_layer_token_by_token_is_the_layer(self):
        for seed in DRAWS:
            x = draw(seed, x=(N, 5))["x"]
            weights = draw(seed + 9, Wq=(3, 5, D), Wk=(3, 5, D), Wv=(3, 5, E), Wo=(3, E, 5))
            K, V, y = np.zeros((N, 3, D)), np.zeros((N, 3, E)), []
            for t in range(N):
                now = {"x": x[t], "K": K, "V": V, "t": np.array(t)}
                got, K, V = self.of("decode_multihead", results=RESULTS, parameters=weights, **now)
                y.append(got)
            self.assertSame(np.array(y), self.of("causal_multihead", parameters=weights, x=x, z=x))

    def test_pairs_and_latents_token_by_token_are_the_whole(self):
        letters = ("k1", "k2", "v1", "v2")
        for seed in DRAWS[:2]:
            a = draw(seed, q=(N, 2, D), k1=(N, D), k2=(N, D), v1=(N, E), v2=(N, E))
            caches, y, sizes = {x.upper(): np.zeros_like(a[x]) for x in letters}, [], {"w1": 5, "w2": 2}
            for t in range(N):
                now = {name: array[t] for name, array in a.items()}
                got, *after = self.of("decode_two_simplicial", results=["y", "K1'", "K2'", "V1'", "V2'"], sizes=sizes,
                                      t=np.array(t), **now, **caches)
                caches = dict(zip(caches, after))
                y.append(got)
            for u in range(2):
                head = a | {"q": a["q"][:, u]}
                self.assertSame(np.array(y)[:, u], self.of("two_simplicial_windowed", sizes=sizes, **head))

            x = draw(seed, x=(N, 6))["x"]
            p = draw(seed + 9, Wdq=(6, 5), Wdkv=(6, 3), Wkr=(6, 4), Wuq=(2, 5, D), Wqr=(2, 5, 4), Wuk=(2, 3, D),
                     Wuv=(2, 3, E), Wo=(2, E, 6), query_scale=(5,), latent_scale=(3,))
            L, R, y = np.zeros((N, 3)), np.zeros((N, 4)), []
            for t in range(N):
                got, L, R = self.of("decode_mla", results=["y", "L'", "R'"], parameters=p, x=x[t], L=L, R=R, t=np.array(t))
                y.append(got)
            self.assertSame(np.array(y), self.of("mla", parameters=p, x=x))

    def test_rolling_caches_forget_nothing_that_is_seen(self):
        for seed in DRAWS[:2]:
            a = tokens(seed)
            cache = draw(seed + 9, K=(5, 2, D), V=(5, 2, E))  # whatever lies there before is not read
            self.assertSame(self.step_by_step("decode_window", a, cache["K"][:3], cache["V"][:3]),
                            self.whole("sliding_window", a, sizes={"w": 3}))
            sizes = {"s": 2, "w": 3}
            self.assertSame(self.step_by_step("decode_sinks", a, **cache, sizes=sizes),
                            self.whole("attention_sinks", a, sizes=sizes))
            self.assertSame(self.step_by_step("decode_streaming_llm", a, **cache, sizes=sizes),
                            self.whole("streaming_llm", a, sizes=sizes))

    def test_pages_may_lie_anywhere(self):
        for seed in DRAWS:
            rng = np.random.default_rng(seed)
            a = draw(seed, q=(4, D), k=(2, D), v=(2, E), K=(6, 2, D), V=(6, 2, E))
            table, t = rng.permutation(5)[:3], np.array(4)
            pools = draw(seed + 9, K=(5, 2, 2, D), V=(5, 2, 2, E))
            for name in "KV":
                pools[name][table] = a[name].reshape(3, 2, 2, -1)
            for stem, options in (("decode", {}), ("decode_alibi", {}), ("decode_softcap", {}), ("decode_rope", {}),
                                  ("decode_topk", {"sizes": {"at.r": 2}})):
                paged = "paged_decode" if stem == "decode" else stem.replace("decode_", "paged_")
                y, K, V = self.of(stem, results=RESULTS, **a, t=t, **options)
                y2, K2, V2 = self.of("paged_decode" if stem == "decode" else stem, paged, results=RESULTS, **a | pools,
                                     table=table, t=t, **options)
                self.assertSame(y2, y)
                self.assertSame(K2[table].reshape(K.shape), K)
                self.assertSame(V2[table].reshape(V.shape), V)
                others = np.setdiff1d(np.arange(5), table)  # pages of other sequences stay as they are
                self.assertSame(K2[others], pools["K"][others])

    def test_sparse_decoding_of_all_keys_is_full(self):
        for seed in DRAWS:
            a = draw(seed, q=(4, D), k=(2, D), v=(2, E), K=(6, 2, D), V=(6, 2, E))
            index = draw(seed, **{"q'": (3, 2), "k'": (2,), "w": (3,), "I": (6, 2)})
            y = self.of("decode", results=RESULTS, **a, t=np.array(4))[0]
            for r in (5, 9):
                for file in ("decode_dsa", "decode_dsa_softmax"):
                    sparse = self.of(file, results=[*RESULTS, "I'"], sizes={"r": r}, t=np.array(4), **a, **index)
                    self.assertSame(sparse[0], y)
                earlier = draw(seed, earlierQ=(3, 2), earlierK=(6, 3, 2))
                reused = self.of("decode_dsa_reused", results=RESULTS, sizes={"r": r}, t=np.array(4), **a, **earlier)
                self.assertSame(reused[0], y)

    def test_parts_merge_to_the_whole_in_any_order(self):
        for seed in DRAWS:
            a = single(seed, 12)
            order = np.random.default_rng(seed).permutation(12)
            full = self.of("sdpa", **a)
            for places in (np.arange(12), np.arange(12).reshape(3, 4).T.reshape(-1), order):
                for p in (1, 3, 4, 12):
                    parts = {name: a[name][places].reshape(p, 12 // p, -1) for name in "kv"}
                    keep = np.ones((p, 12 // p), bool)
                    y, lse = self.of("merged_attention", results=["y", "lse"], q=a["q"], keep=keep, **parts)
                    self.assertSame(y, full)
            logits = a["q"] @ a["k"].T / np.sqrt(D)
            self.assertSame(lse, np.logaddexp.reduce(logits, axis=1))

    def test_blocks_of_any_size_give_the_same(self):
        for seed in DRAWS:
            a = single(seed, 12)
            for b in (1, 3, 12):
                self.assertSame(self.of("online_softmax", sizes={"b": b}, **a), self.of("sdpa", **a))

    def test_rings_of_any_size_and_order_are_causal_attention(self):
        for seed in DRAWS:
            a = single(seed, 12)
            causal = self.of("causal", **a)
            for p in (1, 2, 3, 6):
                for file in ("ring_attention", "striped_attention", "zigzag_attention"):
                    self.assertSame(self.of(file, sizes={"p": p}, **a), causal)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
