"""Laws of decoding: step by step is all at once; parts merge to the whole in any order."""
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw
from paged import (AFT, D, DIFFERENTIAL, E, FIRST, INTRA, LATENT, LAYER, MOA, MULTIHEAD, REFORMER, RETNET, SWITCHHEAD,
                   counts, drawn, primes)
from reference.transformer import Layer, encode, positions
from support import TAXONOMY

N = 8
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
            self.assertSame(self.of("decode_rope_halves", "decoded_rope_halves", **a), self.whole("rope_halves", a))
            bias = draw(seed, bias=(4, 32))["bias"]
            stepped = self.of("decode_relative_bias", "decoded_relative_bias", parameters={"at.bias": bias}, **a)
            whole = self.of("relative_bias", "relative_bias_causal", parameters={"bias": bias}, **per_head(a))
            self.assertSame(stepped, whole.transpose(1, 0, 2))

    def test_a_step_is_the_last_row_of_what_is_there(self):
        """For mechanisms without a mask: token t reads what its row has in the whole of the tokens up to it."""
        for seed in DRAWS[:2]:
            a = tokens(seed)
            p = draw(seed + 9, aK=(5, D), aV=(5, E))
            stepped = self.of("decode_shaw_relative", "decoded_shaw_relative",
                              parameters={"at." + name: array for name, array in p.items()}, **a)
            for t in range(N):
                now = {name: array[: t + 1] for name, array in a.items()}
                self.assertSame(stepped[t], self.whole("shaw_relative", now, parameters=p)[-1])
            for file, core in (("sigmoid_attention", "sigmoid_core"), ("relu_attention", "relu_core"),
                               ("relu_normalised", "relu_normalised_core")):
                stepped = self.of(f"decode_{file}", f"decoded_{file}", **a)
                for t in range(N):
                    now = {name: array[: t + 1] for name, array in a.items()}
                    self.assertSame(stepped[t], self.whole(file, now, diagram=core)[-1])

            a = draw(seed, q=(N, 2, D), k=(N, 2, D), v=(N, 3, E))
            p = draw(seed + 9, P=(2, 4)) | {"P'": draw(seed + 8, P=(4, 3))["P"]}
            stepped = self.step_by_step("decode_talking_heads", a, np.zeros((N, 2, D)), np.zeros((N, 3, E)), parameters=p)
            for t in range(N):
                now = {name: array[: t + 1].transpose(1, 0, 2) for name, array in a.items()}
                self.assertSame(stepped[t], self.of("talking_heads", parameters=p, **now)[:, -1])

            x, depth, p = draw(seed, x=(N, 5))["x"], np.array(seed), draw(seed + 9, **DIFFERENTIAL)
            K, V = np.zeros((N, 3, 2, 2)), np.zeros((N, 3, 4))
            for t in range(N):
                y, K, V = self.of("decode_differential", results=RESULTS, parameters=p, x=x[t], depth=depth, K=K, V=V,
                                  t=np.array(t))
                self.assertSame(y, self.of("differential", parameters=p, x=x[: t + 1], depth=depth)[-1])

    def test_layers_step_by_step(self):
        """Layers that take a token: step t is the last row of the layer on the tokens up to it."""
        cut = lambda p, t: p | {"w": p["w"][: t + 1, : t + 1]} if "w" in p else p
        layers = {"aft": (AFT | {"w": (N, N)}, {"K": (N, D), "V": (N, D)}, {}),
                  "shared_qk": ({"W": (5, D), "Wv": (5, E)}, {"K": (N, D), "V": (N, E)}, {}),
                  "reformer": (REFORMER, {"K": (N, D), "V": (N, E), "H": counts(N, 2)}, {}),
                  "moa": (MOA, {"K": (N, D), "V": (N, E)}, {"k": 2}),
                  "switchhead": (SWITCHHEAD, {"K": (N, 2, D), "V": (N, 2, E)}, {"k": 2}),
                  "retnet": (RETNET, {"S": (2, D, E)}, {})}
        for name, (shapes, caches, sizes) in layers.items():
            for seed in DRAWS[:2]:
                x, p = draw(seed, x=(N, 5))["x"], draw(seed + 9, **shapes)
                held = drawn(seed + 8, caches)  # whatever lies there before is not read, but for a state
                held = {c: np.zeros_like(array) if name == "retnet" else array for c, array in held.items()}
                results = FIRST.get(name, ["y"])
                for t in range(N):
                    got = self.of("decode_" + name, parameters=p, sizes=sizes, results=results + [c + "'" for c in held],
                                  x=x[t], t=np.array(t), **held)
                    held = dict(zip(held, got[len(results):]))
                    full = self.of(name, parameters=cut(p, t), sizes=sizes, x=x[: t + 1],
                                   **({"results": results} if len(results) > 1 else {}))
                    for result, one, whole in zip(results, got, full if len(results) > 1 else [full]):
                        with self.subTest(f"{name} {seed} {t} {result}"):
                            self.assertSame(one, whole[:, -1] if whole.ndim == 3 else whole[-1])

    def test_tuples_step_by_step(self):
        """The step of a token is the last row of the mechanism on what is up to it."""
        sizes, o = {"r": 3}, 2
        keys = {"q": (N, D), "k": (N, o, D), "v": (N, o, E)}
        index = {"q'": (N, 3, 2), "k'": (N, 2), "w": (N, 3)}
        mlp = {"hidden.weight": (o, E, 5), "hidden.bias": (5,), "out.weight": (5, E), "out.bias": (E,)}
        for name in ("", "_or", "_outside", "_learned", "_windowed", "_topk", "_topk_each", "_dsa", "_dsa_softmax"):
            name = "n_simplicial" + name
            a, p = draw(3, **keys), draw(4, **mlp) if name.endswith("learned") else {}
            s = draw(5, s=(o, N, N) if name.endswith("each") else (N, N))["s"]
            few = {"w": np.array([3, 5]), "best": np.array([2, 3])}
            new, caches = dict(a), {"K": np.zeros((N, o, D)), "V": np.zeros((N, o, E))}
            if "dsa" in name:
                new |= draw(6, **index)
                caches["I"] = np.zeros((N, 2))
            given = sizes if "topk" in name or "dsa" in name else {}
            for t in range(N):
                now = {x: array[t] for x, array in new.items()} | caches | {"t": np.array(t)}
                whole = {x: new[x][: t + 1] for x in new}
                whole |= {x: whole[x].transpose(1, 0, 2) for x in "kv"}
                if "topk" in name:
                    now["s"], whole["s"] = s[..., t, :], s[..., : t + 1, : t + 1]
                if name.endswith("each"):
                    now["best"] = whole["c"] = few["best"]
                if name.endswith("windowed"):
                    now["w"] = whole["w"] = few["w"]
                got, *after = self.of("decode_" + name, sizes=given, results=["y"] + [c + "'" for c in caches],
                                      parameters={"read.combine." + x: array for x, array in p.items()}, **now)
                caches = dict(zip(caches, after))
                full = self.of(name, sizes=given, parameters={"learned.combine." + x: y for x, y in p.items()}, **whole)
                with self.subTest(f"{name} {t}"):
                    self.assertSame(got, full[-1])

        a = draw(7, q=(N, 6), k1=(N, 6), k2=(N, 6), v1=(N, E), v2=(N, E))
        caches = {x.upper(): np.zeros_like(a[x]) for x in ("k1", "k2", "v1", "v2")}
        for t in range(N):
            now = {x: array[t] for x, array in a.items()}
            got, *after = self.of("decode_two_simplicial_determinant", results=["y"] + [c + "'" for c in caches],
                                  t=np.array(t), **now, **caches)
            caches = dict(zip(caches, after))
            full = self.of("two_simplicial_determinant", **{x: array[: t + 1] for x, array in a.items()})
            self.assertSame(got, full[-1])

    def test_a_recurrence_over_its_past(self):
        for seed in DRAWS[:2]:
            x, p = draw(seed, x=(N, 5))["x"], draw(seed + 9, **INTRA)
            held, whole = draw(seed + 8, H=(N, D), C=(N, D)) | {"last": np.zeros(D)}, self.of("intra_attention", parameters=p, x=x)
            for t in range(N):
                y, *after = self.of("decode_intra_attention", parameters=p, results=["y", "H'", "C'", "last'"], x=x[t],
                                    t=np.array(t), **held)
                held = dict(zip(("H", "C", "last"), after))
                self.assertSame(y, whole[t])
            self.assertSame(held["H"], whole)

    def test_weights_without_keys_step_by_step(self):
        """Scores for places: those up to t count, so the last step is the last row, and an earlier one that of fewer."""
        x = draw(3, x=(6, 5))["x"]
        steps = ("dense", {"W1.weight": (5, 4), "W1.bias": (4,), "W2.weight": (4, 6), "W2.bias": (6,)}), (
            "random", {"R": (6, 6)}), ("factorised", {"A.weight": (5, 3), "A.bias": (3,), "B.weight": (5, 2), "B.bias": (2,)})
        for name, shapes in steps:
            p, V = draw(4, G=(5, E), **shapes), draw(5, V=(6, E))["V"]
            given = {"z": x} | ({} if name == "random" else {"x": x})
            for t in range(6):
                y, V = self.of(f"decode_synthesizer_{name}", parameters=p, results=["y", "V'"], x=x[t], V=V, t=np.array(t))
                fewer = {"W2.weight": p["W2.weight"][:, : t + 1], "W2.bias": p["W2.bias"][: t + 1]} if name == "dense" else {
                    "R": p["R"][: t + 1, : t + 1]} if name == "random" else {}
                if fewer or t == 5:
                    now = {key: array[: t + 1] for key, array in given.items()}
                    whole = self.of(f"synthesizer_{name}", parameters=p | fewer, **now)
                    self.assertSame(y, whole[-1])
            self.assertSame(V, x @ p["G"])

    def test_the_transformer_token_by_token(self):
        layers, words = 2, 7
        for seed in DRAWS[:2]:
            p = draw(seed, **{"decoder." + name: (layers, *shape) for name, shape in LAYER.items()})
            p |= {name.replace("decoder", "encoder"): array for name, array in p.items()
                  if "cross" not in name and "norm3" not in name}
            p["E"] = draw(seed + 9, E=(words, 5))["E"]
            source, target = np.random.default_rng(seed).integers(0, words, (2, N))
            memory = p["E"][source] * np.sqrt(5) + positions(N, 5)
            for l in range(layers):
                memory = encode(Layer(p, "encoder.", l), memory)
            whole = self.of("transformer", parameters=p, source=source, target=target)
            decoder = {name: array for name, array in p.items() if not name.startswith("encoder")}
            K, V = draw(seed + 8, K=(layers, N, 2, D), V=(layers, N, 2, E)).values()
            for t in range(N):
                y, K, V = self.of("decode_transformer", results=["next", "K'", "V'"], parameters=decoder, memory=memory,
                                  token=np.array(target[t]), K=K, V=V, t=np.array(t))
                self.assertSame(y, whole[t])

            one, y = {name: array[0] for name, array in draw(seed, **{n: (1, *s) for n, s in LAYER.items()}).items()}, []
            a, K, V = draw(seed + 7, y=(N, 5), memory=(3, 5)), np.zeros((N, 2, D)), np.zeros((N, 2, E))
            for t in range(N):
                got, K, V = self.of("decode_decoder_layer", results=["z", "K'", "V'"], parameters=one, y=a["y"][t],
                                    memory=a["memory"], K=K, V=V, t=np.array(t))
                y.append(got)
            self.assertSame(np.array(y), self.of("decoder_layer", parameters=one, **a))

    def test_a_mechanism_with_a_mask_of_its_own_is_its_own_step(self):
        """One query on a cache, where what hides keys hides those past t."""
        for seed in DRAWS:
            a, t = draw(seed, q=(1, D), k=(7, D), v=(7, E)), 4
            seen = np.arange(7) <= t
            wanted = self.of("decode", results=RESULTS, t=np.array(t), q=a["q"], k=a["k"][t][None], v=a["v"][t][None],
                             K=a["k"][:, None], V=a["v"][:, None])[0]
            self.assertSame(self.of("masked_attention", keep=seen[None], **a), wanted)
            self.assertSame(self.of("biased_attention", bias=np.where(seen, 0, -np.inf)[None], **a), wanted)
            self.assertSame(self.of("gathered_attention", keys=np.where(seen, np.arange(7), -1)[None], **a), wanted)
            documents = {"ofQuery": np.array([1]), "ofKey": np.where(seen, 1, 0)}
            self.assertSame(self.of("packed_documents", **documents, **a), wanted)
            batch = {name: array[None] for name, array in a.items()}
            self.assertSame(self.of("key_padding", lengths=np.array([t + 1]), **batch)[0], wanted)
            told = self.of("attention_statistics", results=["y", "lse", "entropy"], keep=seen, **a)
            self.assertSame(told[0], wanted)
            shards = {name: a[name][None] for name in "kv"}
            self.assertSame(self.of("merged_attention", results=["y", "lse"], keep=seen[None], q=a["q"], **shards)[0], wanted)

    def test_modifiers_of_scores_masks_and_weights(self):
        imports = [f'import "{TAXONOMY}/{name}.attn"\n' for name in ("decode_flex_attention", "decoded", "flex_attention")]
        program = self.write("filled.attn", "".join(imports) + """
            diagram bent(s: [], i: int[], j: int[]) -> [] { tanh(s) - 0.1 * (i - j) }
            diagram near(i: int[], j: int[]) -> bool[] { j <= i and i - j < 3 }
            diagram halved(a: [], i: int[], j: int[]) -> [] { where((i + j) % 2 == 0, a, a / 2) }
            mine = flex_at with (score = bent, seen = near, weight = halved)
            full = flex_attention with (score = bent, seen = near, weight = halved)
            stepped = decoded with (at = mine)
            """)
        a = tokens(5)
        heads = per_head(a)
        stepped = self.result("eval", program, "stepped", a)[0]
        for u in range(4):
            head = {name: array[u] for name, array in heads.items()}
            self.assertSame(stepped[:, u], self.result("eval", program, "full", head)[0])

    def test_states_step_by_step(self):
        sides, after = ["p", "active", "re", "im", "q"], ["P'", "A'", "X'", "Y'", "Q'"]
        for name in ("resonant", "resonant_fold", "resonant_multihead"):
            one = name == "resonant_multihead"
            a = drawn(3, {"p": primes(N, 4), "active": counts(N), "re": (N, 4), "im": (N, 4), "q": (N, 4, 4)})
            given = {"tau": np.array(0.7)} | ({} if one else {"weights": np.array([0.4, 0.3, 0.3])})
            cache = [np.zeros_like(a[x]) for x in sides]
            for t in range(N):
                now = {x: a[x][t] for x in sides} | dict(zip("PAXYQ", cache)) | {"t": np.array(t)}
                got = self.of("decode_" + name, parameters={"at." + x: array for x, array in given.items()},
                              sizes={"at.h": 3} if one else {}, results=sides + after, **now)
                cache = got[5:]
                seen = {x: a[x][: t + 1] for x in sides}
                full = self.of(name, sizes={"h": 3} if one else {}, results=sides, **seen,
                               **{x + "'": array for x, array in seen.items()}, **given)
                for x, stepped, whole in zip(sides, got, full):
                    whole = whole if x in ("p", "active") else whole[-1]
                    self.assertSame(stepped[: len(whole)] if whole.ndim else stepped, whole)
                    self.assertFalse(whole.ndim and stepped[len(whole):].any())
            for x, held in zip(sides, cache):
                self.assertSame(held, a[x])

    def test_a_layer_token_by_token_is_the_layer(self):
        for seed in DRAWS:
            x = draw(seed, x=(N, 5))["x"]
            weights = draw(seed + 9, **MULTIHEAD)
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
            p = draw(seed + 9, **LATENT)
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
