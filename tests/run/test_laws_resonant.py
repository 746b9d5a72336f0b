"""What resonance must keep, and what is said of it and is not so."""
import math
import unittest

import numpy as np

import support
from support import TAXONOMY, Case

SIDES = ("p", "active", "re", "im", "q")
WEIGHTS = {"weights": np.array([0.33, 0.33, 0.34])}
TAU = {"tau": np.array(1.0)}


def unit(q):
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


class Laws(Case):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(31)

    def states(self, n, k, among=12):
        phase = self.random.uniform(-math.pi, math.pi, (n, k))
        return {"p": np.array([np.sort(self.random.permutation(among)[:k]) for _ in range(n)]),
                "active": self.random.integers(1, k + 1, n), "re": np.cos(phase), "im": np.sin(phase),
                "q": unit(self.random.standard_normal((n, k, 4)))}

    def plain(self, *primes):
        """States whose amplitudes and quaternions are all 1."""
        k = max(map(len, primes))
        q = np.zeros((len(primes), k, 4))
        q[..., 0] = 1
        return {"p": np.array([[*p, *[0] * (k - len(p))] for p in primes]), "active": np.array([len(p) for p in primes]),
                "re": np.ones((len(primes), k)), "im": np.zeros((len(primes), k)), "q": q}

    def sides(self, queries, keys):
        return queries | {name + "'": array for name, array in keys.items()}

    def scores(self, queries, keys):
        given = self.sides(queries, keys) | WEIGHTS
        return self.result("eval", TAXONOMY / "resonance.attn", "resonance", given)[0]

    def attend(self, name, queries, keys, command="eval", options=()):
        given = self.sides(queries, keys) | WEIGHTS | TAU
        return dict(zip(SIDES, self.result(command, TAXONOMY / f"{name}.attn", name, given, None, options, SIDES)))

    def permuted(self, a, order):
        return {name: array[order] for name, array in a.items()}

    def published(self):
        """The query and the three keys of the published example."""
        i, h, phases = np.eye(4), math.sqrt(0.5), np.array
        angles = [phases([0, math.pi / 2, math.pi]), phases([0, math.pi, 0]), np.zeros(3), phases([0, math.pi / 2, math.pi])]
        q = [np.array([i[0], i[1], h * (i[0] + i[1])]), np.array([-i[1], i[0], i[3]]), np.array([i[0]] * 3)]
        all_states = {"p": np.array([[2, 3, 5], [3, 5, 7], [11, 13, 17], [2, 3, 5]]), "active": np.array([3] * 4),
                      "re": np.cos(angles) / math.sqrt(3), "im": np.sin(angles) / math.sqrt(3), "q": np.array([*q, q[0]])}
        return self.permuted(all_states, [0]), self.permuted(all_states, [1, 2, 3])

    def test_a_state_has_1_with_itself_and_the_score_is_symmetric_and_bounded(self):
        a = self.states(6, 5)
        s = self.scores(a, a)
        self.assertNear(np.diag(s), np.ones(6), 1e-12)
        self.assertNear(s.T, s, 1e-12)
        self.assertTrue((s >= 0).all() and (s <= 1 + 1e-12).all())

    def test_an_empty_state_has_0_with_everything_itself_too(self):
        a = self.states(3, 4)
        a["active"][1] = 0
        s = self.scores(a, a)
        self.assertEqual((s[1] == 0).all() and (s[:, 1] == 0).all(), True)

    def test_it_is_no_positive_definite_kernel(self):
        a = self.plain([2], [3], [2, 3])
        s = self.scores(a, a)
        self.assertAlmostEqual(np.linalg.eigvalsh(s)[0], 1 - 0.835 * math.sqrt(2))

    def test_places_that_do_not_count_change_nothing(self):
        a, b = self.states(3, 4), self.states(5, 3)
        wider = {name: np.concatenate([array, array[:, :2]], 1) if array.ndim > 1 else array for name, array in b.items()}
        self.assertNear(self.scores(a, wider), self.scores(a, b), 1e-12)

    def test_the_primes_may_be_as_large_as_they_like(self):
        a, b = self.states(3, 4), self.states(5, 3)
        far = [side | {"p": side["p"] * 10**15 + 7} for side in (a, b)]
        self.assertNear(self.scores(*far), self.scores(a, b), 1e-12)
        y, z = self.attend("resonant", a, b), self.attend("resonant", *far)
        self.assertNear(z["q"], y["q"], 1e-12)

    def test_the_order_of_keys_matters_to_the_fold_alone(self):
        a, b = self.states(2, 4, 6), self.states(5, 4, 6)
        order = np.array([3, 1, 4, 0, 2])
        for name, differs in (("resonant", False), ("resonant_fold", True)):
            y, z = self.attend(name, a, b), self.attend(name, a, self.permuted(b, order))
            for part in ("p", "active", "re", "im"):
                self.assertNear(z[part], y[part], 1e-12, part)
            (self.assertGreater if differs else self.assertLess)(support.distance(z["q"], y["q"]), 1e-3 if differs else 1e-12)

    def test_published_numbers(self):
        queries, keys = self.published()
        s = self.scores(queries, keys)
        self.assertNear(s, [[0.7016726188957804, 0, 1]], 1e-12)
        self.assertNear(np.exp(s) / np.exp(s).sum(), [[0.3516967951566571, 0.17435558538929177, 0.4739476194540512]], 1e-12)
        for name, quaternion in (("resonant", (0.898720, 0.438522)), ("resonant_fold", (0.969912, 0.243458))):
            y = self.attend(name, queries, keys)
            self.assertEqual(list(y["p"][:int(y["active"])]), [2, 3, 5, 7, 11, 13, 17])
            self.assertNear(y["q"][0, 2], [*quaternion, 0, 0], 1e-6, name)

    def test_one_head_of_two_is_one_that_looks_at_primes_or_at_phases(self):
        a, b = self.states(3, 4), self.states(4, 4)
        given = self.sides(a, b) | TAU
        y = dict(zip(SIDES, self.result("eval", TAXONOMY / "resonant_multihead.attn", "resonant_multihead", given, None,
                                        ["--size", "h=1"], SIDES)))
        first = self.sides(a, b) | TAU | {"weights": np.array([0.5, 0.3, 0.2])}
        z = dict(zip(SIDES, self.result("eval", TAXONOMY / "resonant.attn", "resonant", first, None, (), SIDES)))
        for part in SIDES:
            self.assertNear(y[part], z[part], 1e-12, part)

    def test_the_hash_is_the_known_one_and_fewer_primes_make_states_of_fewer(self):
        text = np.array([[ord(c) for c in "abc"]])
        given = {"text": text, "length": np.array([3]), "primes": np.arange(4096)}
        results = self.result("eval", TAXONOMY / "resonant_state.attn", "resonant_state", given, None, ["--size", "k=3"], SIDES)
        state = dict(zip(SIDES, results))
        self.assertEqual(sorted(state["p"][0]), sorted(96354 * i * 31337 % 4096 for i in (1, 2, 3)))
        given["primes"] = np.array([2, 3, 5, 7])
        results = self.result("eval", TAXONOMY / "resonant_state.attn", "resonant_state", given, None, ["--size", "k=9"], SIDES)
        self.assertEqual(int(results[1][0]), 2)  # 96354 · 31337 is 2 mod 4, so that two primes are met


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
