"""Laws of attention of linear cost: recurrent = parallel = chunked, what generalises what, what ranks and features do."""
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw
from reference.basic import attention

CHUNKS = [(1, 12), (3, 4), (12, 1)]


def heads(seed, n=12, d=3, e=4):
    return draw(seed, q=(n, d), k=(n, d), v=(n, e))


class Linear(Laws):
    def test_linear_attention_associates(self):
        for seed in DRAWS:
            a = heads(seed)
            self.assertSame(self.of("linear_attention", "linear_attention_core", **a),
                            self.of("linear_attention", "linear_attention_quadratic", **a))
            self.assertSame(self.of("linear_attention_causal", "linear_attention_recurrent", **a),
                            self.of("linear_attention_causal", "linear_attention_causal_quadratic", **a))

    def test_the_last_query_of_the_causal_form_sees_every_key(self):
        for seed in DRAWS:
            a = heads(seed)
            causal = self.of("linear_attention_causal", "linear_attention_recurrent", **a)
            self.assertSame(causal[-1], self.of("linear_attention", "linear_attention_core", **a)[-1])

    def test_permuting_keys_changes_nothing(self):
        cores = [("linear_attention", "linear_attention_core"), ("efficient_attention", "efficient_attention_core"),
                 ("performer", "performer_core")]
        for seed in DRAWS:
            a = heads(seed)
            order = np.random.default_rng(seed).permutation(12)
            moved = a | {"k": a["k"][order], "v": a["v"][order]}
            for file, core in cores:
                omega = draw(seed, omega=(7, 3)) if file == "performer" else {}
                with self.subTest(file):
                    self.assertSame(self.of(file, core, **moved, **omega), self.of(file, core, **a, **omega))

    def test_cosines_part(self):
        for seed in DRAWS:
            a = draw(seed, q=(9, 3), k=(12, 3), v=(12, 2))
            self.assertSame(self.of("cosformer", "cosformer_core", **a), self.of("cosformer", "cosformer_quadratic", **a))

    def test_efficient_attention_associates_and_its_weights_sum_to_one(self):
        for seed in DRAWS:
            a = heads(seed)
            self.assertSame(self.of("efficient_attention", "efficient_attention_core", **a),
                            self.of("efficient_attention", "efficient_attention_quadratic", **a))
            ones = self.of("efficient_attention", "efficient_attention_core", **a | {"v": np.ones((12, 1))})
            self.assertSame(ones, np.ones((12, 1)))

    def test_retention_has_three_forms(self):
        for seed in DRAWS:
            a = heads(seed) | {"g": np.array([0.9, 1.0, 0.5][seed])}
            parallel = self.of("retention", "retention_parallel", **a)
            self.assertSame(self.of("retention", "retention_recurrent", **a), parallel)
            for n, b in CHUNKS:
                self.assertSame(self.of("retention", "retention_chunked", sizes={"a": n, "b": b}, **a), parallel)

    def test_retnet_has_three_forms_and_its_norm_takes_scales_out(self):
        for seed in DRAWS:
            x = draw(seed, x=(9, 4))["x"]
            p = draw(seed + 100, Wq=(3, 4, 6), Wk=(3, 4, 6), Wv=(3, 4, 5), Wg=(3, 4, 5), Wo=(3, 5, 4))
            y = self.of("retnet", parameters=p, x=x)
            self.assertSame(self.of("retnet", "retnet_parallel", parameters=p, x=x), y)
            for n, b in ((1, 9), (3, 3), (9, 1)):
                self.assertSame(self.of("retnet", "retnet_chunked", parameters=p, sizes={"a": n, "b": b}, x=x), y)
            self.assertSame(self.of("retnet", parameters=p | {"Wq": 1e3 * p["Wq"]}, x=x), y, 1e-3)  # but for the ε

    def test_gated_linear_attention_has_three_forms(self):
        for seed in DRAWS:
            a = heads(seed)
            a["g"] = -np.abs(draw(seed + 100, g=(12, 3))["g"])
            a["g"][5, 1] = -np.inf
            parallel = self.of("gla", "gla_parallel", **a)
            self.assertSame(self.of("gla", "gla_recurrent", **a), parallel)
            for n, b in CHUNKS:
                self.assertSame(self.of("gla", "gla_chunked", sizes={"a": n, "b": b}, **a), parallel)

    def test_tokens_one_by_one_carry_all_in_a_state_of_fixed_size(self):
        decay = -np.abs(draw(0, g=(6, 3))["g"])
        tokens = heads(0, n=6)
        S, z = {"S": np.zeros((3, 4))}, {"z": np.zeros(3)}
        running = {"E": np.zeros((5, 4)), "z": np.zeros(5), "total": np.zeros(4), "count": np.array(0.0),
                   "top": np.array(-np.inf)}
        renamed = {"C": tokens["q"], "B": tokens["k"], "x": tokens["v"], "g": decay[:, 0]}
        for file, step, whole, each, fixed, state in (
                ("retention", "retention_step", "retention_recurrent", tokens, {"g": np.array(0.9)}, S),
                ("gla", "gla_step", "gla_recurrent", tokens | {"g": decay}, {}, S),
                ("mamba2", "ssd_step", "ssd_recurrent", renamed, {}, {"h": S["S"]}),
                ("delta_rule", "delta_step", "delta_recurrent", tokens | {"beta": np.exp(decay[:, 0])}, {}, S),
                ("linear_attention_causal", "linear_attention_step", "linear_attention_recurrent", tokens, {}, S | z),
                ("performer_causal", "performer_step", "performer_recurrent", tokens, draw(1, omega=(5, 3)), running)):
            with self.subTest(step):
                results = {"performer_step": ["E'", "z'", "total'", "count'", "top'", "y"],
                           "linear_attention_step": ["state", "norm", "y"]}.get(step, ["state", "y"])
                y = []
                for t in range(6):
                    arrays = {name: array[t] for name, array in each.items()}
                    *after, last = self.of(file, step, results=results, **arrays, **fixed, **state)
                    state = dict(zip(state, after))
                    y.append(last)
                self.assertSame(np.array(y), self.of(file, whole, **each, **fixed))

    def test_state_space_duality(self):
        for seed in DRAWS:
            a = draw(seed, C=(12, 3), B=(12, 3), x=(12, 4), g=(12,))
            a["g"] = -np.abs(a["g"])
            a["g"][7] = -np.inf
            quadratic = self.of("mamba2", "ssd_quadratic", **a)
            self.assertSame(self.of("mamba2", "ssd_recurrent", **a), quadratic)
            for n, b in CHUNKS:
                self.assertSame(self.of("mamba2", "ssd_chunked", sizes={"a": n, "b": b}, **a), quadratic)

    def test_one_gate_for_all_features_is_a_state_space_and_a_constant_one_retention(self):
        for seed in DRAWS:
            a = heads(seed)
            g = -np.abs(draw(seed + 100, g=(12,))["g"])
            gated = self.of("gla", "gla_recurrent", **a, g=np.repeat(g[:, None], 3, 1))
            self.assertSame(gated, self.of("mamba2", "ssd_recurrent", C=a["q"], B=a["k"], x=a["v"], g=g))
            constant = self.of("mamba2", "ssd_recurrent", C=a["q"], B=a["k"], x=a["v"], g=np.full(12, np.log(0.9)))
            self.assertSame(constant, self.of("retention", "retention_recurrent", **a, g=np.array(0.9)))

    def test_the_delta_rule_by_chunks(self):
        for seed in DRAWS:
            a = heads(seed)
            a["k"] /= np.linalg.norm(a["k"], axis=1, keepdims=True)
            a["beta"] = np.random.default_rng(seed).random(12)
            recurrent = self.of("delta_rule", "delta_recurrent", **a)
            for n, b in CHUNKS:
                self.assertSame(self.of("delta_rule", "delta_chunked", sizes={"a": n, "b": b}, **a), recurrent)

    def test_the_delta_rule_recalls_the_last_value_of_a_key(self):
        for seed in DRAWS:
            keys = np.linalg.qr(draw(seed, k=(4, 4))["k"])[0]
            order = np.array([0, 1, 2, 3, 1, 0, 1])
            a = {"q": keys[order], "k": keys[order]} | draw(seed, v=(7, 5))
            self.assertSame(self.of("delta_rule", "delta_recurrent", **a, beta=np.ones(7)), a["v"])
            orthogonal = {name: array[:4] for name, array in a.items()}
            q = draw(seed, q=(4, 4))
            self.assertSame(self.of("delta_rule", "delta_recurrent", **orthogonal | q, beta=np.ones(4)),
                            self.of("retention", "retention_recurrent", **orthogonal | q, g=np.array(1.0)))

    def test_attention_free_transformers(self):
        for seed in DRAWS:
            a = draw(seed, q=(6, 3), k=(6, 3), v=(6, 3))
            w = draw(seed, w=(6, 6))["w"]
            full = self.of("aft", "aft_full", **a, w=w)
            self.assertSame(self.of("aft", "aft_local", **a, w=w, window=np.array(6)), full)
            simple = self.of("aft", "aft_simple", **a)
            self.assertSame(self.of("aft", "aft_full", **a, w=np.zeros((6, 6))), simple)
            self.assertSame(self.of("aft", "aft_local", **a, w=w, window=np.array(0)), simple)

    def test_linformer_of_full_rank_is_attention(self):
        for seed in DRAWS:
            a = heads(seed)
            expected = attention(a["q"], a["k"], a["v"])
            P = np.eye(12)[np.random.default_rng(seed).permutation(12)]
            for E in (np.eye(12), P):
                self.assertSame(self.of("linformer", "linformer_core", **a, E=E, F=E), expected)

    def test_nystrom_with_every_token_a_landmark_is_attention(self):
        """Where six iterations suffice: here scores are near 6 on the diagonal and near 0 off it."""
        for seed in DRAWS:
            q = np.linalg.qr(draw(seed, q=(9, 9))["q"])[0] * np.sqrt(18)
            a = {"q": q, "k": q} | draw(seed, v=(9, 4))
            y = self.of("nystrom", "nystrom_core", sizes={"r": 9, "s": 1}, **a)
            self.assertSame(y, attention(a["q"], a["k"], a["v"]), 1e-10)

    def test_the_pseudo_inverse_inverts(self):
        for seed in DRAWS:
            A = np.eye(7) + 0.1 * draw(seed, A=(7, 7))["A"]
            self.assertSame(self.of("nystrom", "pseudo_inverse", A=A), np.linalg.inv(A), 1e-10)

    def test_orthogonal_features_are_orthogonal_in_blocks_and_as_long_as_normal_vectors(self):
        d, r = 5, 1000
        W = self.of("performer", "orthogonal_features", sizes={"d": d, "r": r}, seed=np.array(7))
        for block in W.reshape(r // d, d, d):
            products = block @ block.T
            self.assertLess(np.abs(products - np.diag(np.diag(products))).max(), 1e-9)
        squares = (W**2).sum(1)  # each is chi-squared with d degrees, of variance 2 d
        self.assertLess(abs(squares.mean() - d), 5 * np.sqrt(2 * d / r))
        self.assertLess(np.abs(W.mean(0)).max(), 5 / np.sqrt(r))

    def test_a_row_of_the_causal_performer_is_the_performer_of_the_keys_up_to_it(self):
        for seed in DRAWS:
            a = heads(seed) | draw(seed + 100, omega=(7, 3))
            y = self.of("performer_causal", "performer_recurrent", **a)
            self.assertSame(self.of("performer_causal", "performer_causal_quadratic", **a), y)
            for i in (0, 4, 11):
                seen = a | {"q": a["q"][i:i + 1], "k": a["k"][:i + 1], "v": a["v"][:i + 1]}
                self.assertSame(self.of("performer", "performer_core", **seen), y[i:i + 1])

    def test_the_performer_tends_to_softmax_attention(self):
        a = heads(0, d=4)
        a["q"] *= 0.5
        a["k"] *= 0.5
        exact = attention(a["q"], a["k"], a["v"])
        errors = []
        for r in (16, 256, 4096):
            W = self.of("performer", "orthogonal_features", sizes={"d": 4, "r": r}, seed=np.array(3))
            errors.append(support.distance(self.of("performer", "performer_core", **a, omega=W), exact))
        self.assertLess(errors[2], errors[0] / 4)
        self.assertLess(errors[2], 0.05)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
