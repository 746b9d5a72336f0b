"""Laws of attention through latents."""
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw


class Latent(Laws):
    def test_absorbed_is_plain_and_so_is_decoding_from_a_cache(self):
        """Matrix products associate: one function, of one set of parameters, however its tokens are cut."""
        c, s, r, p, h, d, e = 6, 5, 3, 2, 3, 4, 2
        for seed in DRAWS:
            x = draw(seed, x=(9, c))["x"]
            parameters = draw(
                seed + 100, Wdq=(c, s), Wdkv=(c, r), Wkr=(c, 2 * p), Wuq=(h, s, d), Wqr=(h, s, 2 * p), Wuk=(h, r, d),
                Wuv=(h, r, e), Wo=(h, e, c), query_scale=(s,), latent_scale=(r,))
            whole = self.of("mla", parameters=parameters, x=x)
            for cuts in ([], [4], [1, 2, 3, 8]):
                latents, keys, parts = np.zeros((0, r)), np.zeros((0, 2 * p)), []
                for tokens in np.split(x, cuts):
                    y, latents, keys = self.of(
                        "mla", "mla_absorbed", parameters=parameters, results=["y", "latents_after", "keys_after"],
                        x=tokens, latents=latents, keys=keys)
                    parts.append(y)
                self.assertSame(np.concatenate(parts), whole)

    def test_latent_attention_with_a_latent_of_full_rank_and_no_positions_is_multihead_attention(self):
        """With unit rows the norms of the latent and the query fall away up to a constant, which the scales take back."""
        c, h, d, e = 4, 2, 3, 2
        for seed in DRAWS:
            x = draw(seed, x=(7, c))["x"]
            x *= np.sqrt(c) / np.linalg.norm(x, axis=1, keepdims=True)  # so that an RMS norm is the identity, but for its ε
            p = draw(seed + 100, Wq=(h, c, d), Wk=(h, c, d), Wv=(h, c, e), Wo=(h, e, c))
            latent = {"Wdq": np.eye(c), "Wdkv": np.eye(c), "Wkr": np.zeros((c, 0)), "Wuq": p["Wq"], "Wqr": np.zeros((h, c, 0)),
                      "Wuk": p["Wk"], "Wuv": p["Wv"], "Wo": p["Wo"], "query_scale": np.ones(c), "latent_scale": np.ones(c)}
            self.assertSame(self.of("mla", parameters=latent, x=x),
                            self.of("causal_multihead", parameters=p, x=x, z=x), 1e-5)

    def test_inducing_points_do_not_see_the_order_of_a_set(self):
        for seed in DRAWS:
            z, p = draw(seed, z=(9, 4))["z"], draw(seed + 100, I=(3, 5), Wq=(5, 2), Wk=(4, 2), Wv=(4, 6))
            y = self.of("inducing_points", parameters=p, z=z)
            self.assertSame(self.of("inducing_points", parameters=p, z=np.random.default_rng(seed).permutation(z)), y)

    def test_set_attention_is_equivariant_and_pooling_invariant(self):
        heads = {"Wq": (2, 4, 3), "Wk": (2, 4, 3), "Wv": (2, 4, 5), "Wo": (2, 5, 4)}
        block = {f"attention.{name}": shape for name, shape in heads.items()}
        block |= {f"norm{i}.{name}": (4,) for i in (1, 2) for name in ("scale", "shift")}
        dense = {"feed_forward.F1.weight": (4, 6), "feed_forward.F1.bias": (6,), "feed_forward.F2.weight": (6, 4),
                 "feed_forward.F2.bias": (4,)}
        block |= dense
        under = lambda prefix: {f"{prefix}.{name}": shape for name, shape in block.items()}
        sab, isab, pma = under("mab"), {"I": (3, 4)} | under("read") | under("write"), {"S": (2, 4)} | dense | under("mab")
        for seed in DRAWS:
            x = draw(seed, x=(8, 4))["x"]
            order = np.random.default_rng(seed).permutation(8)
            for diagram, shapes, moved in (("sab", sab, order), ("isab", isab, order), ("pma", pma, [0, 1])):
                with self.subTest(diagram):
                    p = draw(seed + 100, **shapes)
                    name = "z" if diagram == "pma" else "x"
                    y = self.of("set_transformer", diagram, parameters=p, **{name: x})
                    self.assertSame(self.of("set_transformer", diagram, parameters=p, **{name: x[order]}), y[moved])


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
