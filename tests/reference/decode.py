"""Decoding one token at a time: the cache after the write, and the last row of the mechanism on what is cached.

Each mechanism is the full one of core.py or sparse.py, with the one query at the end of the visible keys.
"""
import math

import numpy as np

from . import core, experts, hashing, higher_order, latent, linear, normalisers, resonant, sparse
from .basic import sigmoid, softmax


def per_head(q, K, V, full, extra=None):
    """Row h of the result: `full` of one query and all keys given, head h on group ⌊h g / heads⌋."""
    heads, groups = len(q), K.shape[1]
    rows = []
    for h in range(heads):
        u = h * groups // heads
        more = extra(h, heads) if extra else {}
        rows.append(full({"q": q[h][None], "k": K[:, u], "v": V[:, u], **more}, {})[0][0])
    return np.array(rows).reshape(heads, V.shape[2])


def write(cache, new, t):
    cache = cache.copy()
    if 0 <= t < len(cache):
        cache[t] = new
    return cache


def contiguous(read):
    """`read(q, K, V, a, p)` sees the rows up to t only."""

    def step(a, p):
        t = int(a["t"])
        K, V = write(a["K"], a["k"], t), write(a["V"], a["v"], t)
        return [read(a["q"], K[: t + 1], V[: t + 1], a, p), K, V]

    return step


def page_write(pool, table, new, t):
    pool, b = pool.copy(), pool.shape[1]
    if t < len(table) * b and 0 <= table[t // b] < len(pool):
        pool[table[t // b], t % b] = new
    return pool


def rows(pool, table, count):
    """The first `count` rows of a sequence; a page that is not there is zeros."""
    b = pool.shape[1]
    found = [pool[table[j // b], j % b] if 0 <= table[j // b] < len(pool) else np.zeros(pool.shape[2:])
             for j in range(min(count, len(table) * b))]
    return np.array(found).reshape(len(found), *pool.shape[2:])


def paged(read):
    def step(a, p):
        t, table = int(a["t"]), a["table"]
        K, V = page_write(a["K"], table, a["k"], t), page_write(a["V"], table, a["v"], t)
        return [read(a["q"], rows(K, table, t + 1), rows(V, table, t + 1), a, p), K, V]

    return step


def decoded(read):
    """All tokens, each from the tokens up to it."""

    def pass_(a, p):
        n = len(a["q"])
        y = [read(a["q"][t], a["k"][: t + 1], a["v"][: t + 1], a, p) for t in range(n)]
        return [np.array(y).reshape(n, a["q"].shape[1], a["v"].shape[2])]

    return pass_


def read_causal(q, K, V, a, p):
    return per_head(q, K, V, core.sdpa)


def read_alibi(q, K, V, a, p):
    group = np.arange(len(q)) * K.shape[1] // max(len(q), 1)
    heads = {"q": q[:, None], "k": K.transpose(1, 0, 2)[group], "v": V.transpose(1, 0, 2)[group]}
    return core.alibi(heads, {})[0][:, 0]


def read_softcap(q, K, V, a, p):
    return per_head(q, K, V, core.softcap, lambda h, heads: {"c": 50.0})


def read_softmax_plus_one(q, K, V, a, p):
    return per_head(q, K, V, core.softmax_plus_one)


def read_rope(q, K, V, a, p):
    return per_head(q, K, V, core.rope)


def read_learned_sink(q, K, V, a, p):
    group = np.arange(len(q)) * K.shape[1] // max(len(q), 1)
    heads = {"q": q[:, None], "k": K.transpose(1, 0, 2)[group], "v": V.transpose(1, 0, 2)[group]}
    return sparse.learned_sink(heads, {"S": p["at.S"]})[0][:, 0]


def sizes(a, names, prefix):
    return {name: a[prefix + name] for name in names}


def read_window(q, K, V, a, p):
    return per_head(q, K, V, sparse.sliding_window, lambda h, heads: sizes(a, "w", "at."))


def read_sinks(q, K, V, a, p):
    return per_head(q, K, V, sparse.attention_sinks, lambda h, heads: sizes(a, "ws", "at."))


def read_streaming_llm(q, K, V, a, p):
    return per_head(q, K, V, sparse.streaming_llm, lambda h, heads: sizes(a, "ws", "at."))


def read_dilated_window(q, K, V, a, p):
    return per_head(q, K, V, sparse.dilated_window, lambda h, heads: {"w": a["at.w"], "g": a["at.r"]})


def read_sigmoid_attention(q, K, V, a, p):
    return per_head(q, K, V, normalisers.sigmoid_core)


def read_relu_attention(q, K, V, a, p):
    return per_head(q, K, V, normalisers.relu_core)


def read_relu_normalised(q, K, V, a, p):
    return per_head(q, K, V, normalisers.relu_normalised_core)


read_flex_attention = read_causal


def read_shaw_relative(q, K, V, a, p):
    return per_head(q, K, V, lambda one, _: core.shaw_relative(one, {name: p["at." + name] for name in ("aK", "aV")}))


def read_relative_bias(q, K, V, a, p):
    group = np.arange(len(q)) * K.shape[1] // max(len(q), 1)
    heads = {"q": q[:, None], "k": K.transpose(1, 0, 2)[group], "v": V.transpose(1, 0, 2)[group]}
    return core.relative_bias_causal(heads, {"bias": p["at.bias"]})[0][:, 0]


def read_qk_norm(q, K, V, a, p):
    return per_head(q, K, V, lambda one, _: core.qk_norm(one, {"g": p["at.scale"]}))


def read_topk(q, K, V, a, p):
    return per_head(q, K, V, sparse.topk_attention, lambda h, heads: {"c": a["at.r"]})


READS = ("causal", "alibi", "softcap", "softmax_plus_one", "rope", "learned_sink", "window", "sinks", "topk",
         "streaming_llm", "dilated_window", "qk_norm", "shaw_relative", "relative_bias", "sigmoid_attention", "relu_attention",
         "relu_normalised", "flex_attention")
for name in READS:
    for form in (contiguous, paged, decoded):
        globals()[f"{form.__name__}_{name}"] = form(globals()[f"read_{name}"])


def turned_halves(step):
    """Black et al. 2022: keys are turned by their place as they come, and read as they lie."""

    def turned(x, first):
        """[h d] at place `first`, or [n h d] at places 0, 1, …: the planes are coordinates l and l + d/2."""
        rows = x if x.ndim == 3 else x[None]
        each = [core.rotated(row[None], first + t, lambda i, half: (i, i + half))[0] for t in range(len(rows))
                for row in rows[t]]
        return np.array(each).reshape(x.shape)

    return lambda a, p: step(a | {name: turned(a[name], int(a.get("t", 0))) for name in "qk"}, p)


for form in (contiguous, paged, decoded):
    globals()[f"{form.__name__}_rope_halves"] = turned_halves(form(read_causal))


def rolling(a, places, read):
    """A cache whose places hold the tokens `places` (None while empty), read in the order of the text.

    The caches of the test hold anything at all, so a row that was written before stands for its token.
    """
    t = int(a["t"])
    K, V = a["K"].copy(), a["V"].copy()
    K[places.index(t)], V[places.index(t)] = a["k"], a["v"]
    order = sorted((token, place) for place, token in enumerate(places) if token is not None)
    held = [place for _, place in order]
    return [read(a["q"], K[held], V[held], a), K, V]


def decode_window(a, p):
    """Jiang et al. 2023, section 2: place i mod W, the window being all that is held."""
    t, w = int(a["t"]), len(a["K"])
    places = [None] * w
    for token in range(t + 1):
        places[token % w] = token
    return rolling(a, places, lambda q, K, V, a: per_head(q, K, V, core.sdpa))


def sink_places(t, s, w):
    """Token by token: the first s stay, the others roll through w places."""
    places = [None] * (s + w)
    for token in range(t + 1):
        places[token if token < s else s + (token - s) % w] = token
    return places


def decode_sinks(a, p):
    places = sink_places(int(a["t"]), a["s"], a["w"])
    return rolling(a, places, lambda q, K, V, a: per_head(q, K, V, core.sdpa))


def decode_streaming_llm(a, p):
    """Xiao et al. 2024, section 3.2: positions are those in the cache, so rotary attention to what is held."""
    places = sink_places(int(a["t"]), a["s"], a["w"])
    return rolling(a, places, lambda q, K, V, a: per_head(q, K, V, core.rope))


def read_indexed(full, q, K, V, a, index):
    """The last row of a mechanism of sparse.py whose keys an index chooses."""
    group = np.arange(len(q)) * K.shape[1] // max(len(q), 1)
    heads = {"q": q[:, None], "k": K.transpose(1, 0, 2)[group], "v": V.transpose(1, 0, 2)[group]}
    return full(heads | index | {"c": a["r"]}, {})[0][:, 0]


def indexer(full):
    """Both caches of a mechanism whose indexer has keys of its own."""

    def read(q, K, V, I, a):
        return read_indexed(full, q, K, V, a, {"q'": a["q'"][None], "k'": I, "w": a["w"][None]})

    def contiguous(a, p):
        t = int(a["t"])
        K, V, I = write(a["K"], a["k"], t), write(a["V"], a["v"], t), write(a["I"], a["k'"], t)
        return [read(a["q"], K[: t + 1], V[: t + 1], I[: t + 1], a), K, V, I]

    def paged(a, p):
        t, table = int(a["t"]), a["table"]
        K, V, I = (page_write(a[cache], table, a[new], t) for cache, new in (("K", "k"), ("V", "v"), ("I", "k'")))
        return [read(a["q"], *(rows(x, table, t + 1) for x in (K, V, I)), a), K, V, I]

    return contiguous, paged


decode_dsa, paged_dsa = indexer(sparse.dsa)
decode_dsa_softmax, paged_dsa_softmax = indexer(sparse.dsa_softmax)


def earlier(a, keys):
    return {"earlierQ": a["earlierQ"][:, None], "earlierK": keys.transpose(1, 0, 2)}


@contiguous
def decode_dsa_reused(q, K, V, a, p):
    return read_indexed(sparse.dsa_reused, q, K, V, a, earlier(a, a["earlierK"][: len(K)]))


@paged
def paged_dsa_reused(q, K, V, a, p):
    return read_indexed(sparse.dsa_reused, q, K, V, a, earlier(a, rows(a["earlierK"], a["table"], len(K))))


def with_projections(step):
    """Vaswani et al. 2017, section 3.2.2, for one token: the heads side by side, then one projection."""

    def layer(a, p):
        q, k, v = (np.einsum("m,hmd->hd", a["x"], p[W]) for W in ("Wq", "Wk", "Wv"))
        z, K, V = step(a | {"q": q, "k": k, "v": v}, p)
        return [z.reshape(-1) @ p["Wo"].reshape(z.size, len(a["x"])), K, V]

    return layer


decode_multihead = with_projections(contiguous(read_causal))
paged_multihead = with_projections(paged(read_causal))


def read_pairs(q, K1, K2, V1, V2, a):
    """The last row of the windowed form on what is cached, head by head; of the queries before only the number counts."""
    n = len(K1)
    keys = {"k1": K1, "k2": K2, "v1": V1, "v2": V2, "w1": a["w1"], "w2": a["w2"]}
    each = [higher_order.two_simplicial_windowed(keys | {"q": np.tile(head, (n, 1))}, {})[0][-1] for head in q]
    return np.reshape(each, (len(q), V1.shape[1]))


NEW = ("k1", "k2", "v1", "v2")


def decode_two_simplicial(a, p):
    t = int(a["t"])
    caches = [write(a[x.upper()], a[x], t) for x in NEW]
    return [read_pairs(a["q"], *(cache[: t + 1] for cache in caches), a), *caches]


def paged_two_simplicial(a, p):
    t, table = int(a["t"]), a["table"]
    pools = [page_write(a[x.upper()], table, a[x], t) for x in NEW]
    return [read_pairs(a["q"], *(rows(pool, table, t + 1) for pool in pools), a), *pools]


def read_talking_heads(q, K, V, a, p):
    return core.talking_heads({"q": q[:, None], "k": K.transpose(1, 0, 2), "v": V.transpose(1, 0, 2)}, p)[0][:, 0]


decode_talking_heads, paged_talking_heads = contiguous(read_talking_heads), paged(read_talking_heads)


def read_differential(q, K, V, a, p):
    """Ye et al. 2024, equations 1 to 3, of one query in its two halves."""
    start = 0.8 - 0.6 * math.exp(-0.3 * float(a["depth"]))
    e = [math.exp(p["lq"][i] @ p["lk"][i]) for i in range(2)]
    y = np.zeros(len(a["x"]))
    for h, Wo in enumerate(p["Wo"]):
        first, second = (softmax(K[:, h, i] @ q[h, i] / math.sqrt(q.shape[2])) for i in range(2))
        o = (first - (e[0] - e[1] + start) * second) @ V[:, h]
        y += (1 - start) * (o / math.sqrt(np.mean(o * o) + 1e-5) * p["scale"]) @ Wo
    return y


def of_token(step):
    """The query, key and value of a token by the projections of each head."""
    return lambda a, p: step(a | {x: np.tensordot(a["x"], p["W" + x], (0, 1)) for x in "qkv"}, p)


decode_differential, paged_differential = (of_token(form(read_differential)) for form in (contiguous, paged))


def cached(full, **new):
    """Both forms of a layer: `new` makes of the token what each cache takes; `full(a, p, held)` reads the rows so far."""

    def contiguous(a, p):
        t = int(a["t"])
        caches = {c: write(a[c], make(a, p), t) for c, make in new.items()}
        return [*full(a, p, {c: x[: t + 1] for c, x in caches.items()}), *caches.values()]

    def paged(a, p):
        t, table = int(a["t"]), a["table"]
        pools = {c: page_write(a[c], table, make(a, p), t) for c, make in new.items()}
        return [*full(a, p, {c: rows(x, table, t + 1) for c, x in pools.items()}), *pools.values()]

    return contiguous, paged


def through(W):
    return lambda a, p: a["x"] @ p[W]


def read_aft(a, p, held):
    t = len(held["K"])
    one = {"q": (a["x"] @ p["Wq"])[None], "k": held["K"], "v": held["V"], "w": p["w"][t - 1 : t, :t]}
    return [linear.aft_full(one, p)[0][0] @ p["Wo"]]


def read_shared_qk(a, p, held):
    return core.sdpa({"q": (a["x"] @ p["W"])[None], "k": held["K"], "v": held["V"]}, p)[0]


def normed(x):
    return x / (np.linalg.norm(x) or 1)


def buckets(a, p):
    return hashing.lsh_buckets({"x": (a["x"] @ p["W"])[None], "R": p["R"]}, p)[0][:, 0]


def read_reformer(a, p, held):
    """Kitaev et al. 2020, equation 5: the own place only if no other shares a bucket."""
    q, own, last = a["x"] @ p["W"], buckets(a, p), len(held["K"]) - 1
    near = [j for j, other in enumerate(held["H"]) if (own == other).any()]
    others = [j for j in near if j != last] or near
    return core.sdpa({"q": q[None], "k": held["K"][others], "v": held["V"][others]}, p)[0]


def read_moa(a, p, held):
    """Zhang et al. 2022, equations 3 to 6, of one token."""
    gates = softmax(a["x"] @ p["Wg"])
    picks = np.array(experts.best(gates, a["k"]), int)
    y, picked = np.zeros(len(a["x"])), picks[picks >= 0]
    for e in picked:
        o = core.sdpa({"q": (a["x"] @ p["Wq"][e])[None], "k": held["K"], "v": held["V"]}, p)[0][0]
        y += gates[e] / gates[picked].sum() * (o @ p["Wo"][e])
    return [y, picks]


def best_maps(x, gates, maps, k):
    """Csordás et al. 2023, equations 7 to 10: the best maps of a vector, and which they are."""
    picks = np.array(experts.best(gates, k), int)
    return sum((gates[e] * (x @ maps[e]) for e in picks if e >= 0), np.zeros(maps.shape[2])), picks


def mixed_values(a, p):
    return [best_maps(a["x"], sigmoid(a["x"] @ Ws), Wv, a["k"]) for Ws, Wv in zip(p["Ws"], p["Wv"])]


def read_switchhead(a, p, held):
    y, targets = np.zeros(len(a["x"])), np.zeros((len(p["Wq"]), a["k"]), int)
    for h, Wq in enumerate(p["Wq"]):
        o = core.sdpa({"q": (a["x"] @ Wq)[None], "k": held["K"][:, h], "v": held["V"][:, h]}, p)[0][0]
        out, targets[h] = best_maps(o, sigmoid(a["x"] @ p["Wr"][h]), p["Wo"][h], a["k"])
        y += out
    sources = np.array([picks for _, picks in mixed_values(a, p)], int).reshape(targets.shape)
    return [y, sources, targets]


decode_aft, paged_aft = cached(read_aft, K=through("Wk"), V=through("Wv"))
decode_shared_qk, paged_shared_qk = cached(read_shared_qk, K=through("W"), V=through("Wv"))
decode_reformer, paged_reformer = cached(read_reformer, K=lambda a, p: normed(a["x"] @ p["W"]), V=through("Wv"), H=buckets)
decode_moa, paged_moa = cached(read_moa, K=through("Wk"), V=through("Wv"))
decode_switchhead, paged_switchhead = cached(
    read_switchhead, K=lambda a, p: np.tensordot(a["x"], p["Wk"], (0, 1)),
    V=lambda a, p: np.array([v for v, _ in mixed_values(a, p)]).reshape(len(p["Wv"]), p["Wv"].shape[3]))


def decode_retnet(a, p):
    """Sun et al. 2023, equations 6 and 8; the rotation as a product with exp(i t θ)."""
    x, t, S, y = a["x"], int(a["t"]), a["S"].copy(), np.zeros(len(a["x"]))

    def turned(v):
        half = len(v) // 2
        z = (v[::2] + 1j * v[1::2]) * np.exp(1j * t * 10000.0 ** (-np.arange(half) / max(half, 1)))
        return np.stack([z.real, z.imag], 1).reshape(-1)

    for h in range(len(S)):
        S[h] = (1 - 2.0 ** (-5 - h)) * S[h] + np.outer(turned(x @ p["Wk"][h]), x @ p["Wv"][h])
        o, gate = turned(x @ p["Wq"][h]) @ S[h], x @ p["Wg"][h]
        y += (gate * sigmoid(gate) * (o - o.mean()) / np.sqrt(o.var() + 1e-5)) @ p["Wo"][h]
    return [y, S]


STATE = {"P": "p", "A": "active", "X": "re", "Y": "im", "Q": "q"}  # caches, and what a token adds to them


def resonant_step(full, write_to, read_from):
    """`full` of the token's state and the states up to it; the arrays of the result go on with zeros."""

    def step(a, p):
        t = int(a["t"])
        caches = {c: write_to(a, c, a[x], t) for c, x in STATE.items()}
        held = {c: read_from(a, cache, t + 1) for c, cache in caches.items()}
        query = {x: np.asarray(a[x])[None] for x in STATE.values()}
        given = {"weights": p.get("at.weights"), "tau": p["at.tau"], "h": a.get("at.h")}
        state = full(query | {x + "'": held[c].astype(caches[c].dtype) for c, x in STATE.items()} | given, p)
        primes, count, *rest = state
        most = (len(a["table"]) * a["P"].shape[1] if "table" in a else len(a["P"])) * a["P"].shape[-1]
        longer = []
        for x in (primes, *(r[0] for r in rest)):
            longer.append(np.pad(x, ((0, most - len(x)), *((0, 0) for _ in x.shape[1:]))))
        return [longer[0], count, *longer[1:], *caches.values()]

    return step


for name in ("resonant", "resonant_fold", "resonant_multihead"):
    full = getattr(resonant, name)
    globals()["decode_" + name] = resonant_step(full, lambda a, c, x, t: write(a[c], x, t),
                                                lambda a, cache, n: cache[:n])
    globals()["paged_" + name] = resonant_step(full, lambda a, c, x, t: page_write(a[c], a["table"], x, t),
                                               lambda a, cache, n: rows(cache, a["table"], n))


def latent_step(a, p, L, R):
    """DeepSeek-AI 2024, equations 9 to 19, of one token after those of which the latents and rotated keys are given."""
    y, latents, keys = latent.mla_decode({"x": a["x"][None], "latents": L, "keys": R}, p)
    return y[0], latents[-1], keys[-1]


def decode_mla(a, p):
    t = int(a["t"])
    y, new, key = latent_step(a, p, a["L"][:t], a["R"][:t])
    return [y, write(a["L"], new, t), write(a["R"], key, t)]


def paged_mla(a, p):
    t, table = int(a["t"]), a["table"]
    _, new, key = latent_step(a, p, rows(a["L"], table, t), rows(a["R"], table, t))
    L, R = page_write(a["L"], table, new, t), page_write(a["R"], table, key, t)
    return [latent_step(a, p, rows(L, table, t), rows(R, table, t))[0], L, R]
