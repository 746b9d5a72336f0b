"""What attention over a web of tokens must keep: merging, subgraphs, paths, permutations, edge lists."""
import unittest

import numpy as np

import support
from reference.basic import softmax
from support import TAXONOMY, Case

FORMS = (("rhizomatic", "rhizomatic_merge"), ("rhizomatic_best", "rhizomatic_merge_best"))


class Laws(Case):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(23)

    def run_one(self, name, arrays, results=None, **sizes):
        options = [f"--size={size}={value}" for size, value in sizes.items()]
        y = self.result("eval", TAXONOMY / f"{name}.attn", name, arrays, None, options, results)
        return y if results else y[0]

    def web(self, n=6, d=3):
        w = np.where(self.random.random((n, n)) < 0.4, self.random.uniform(0.1, 1.5, (n, n)), 0)
        kinds = np.where(w > 0, self.random.integers(0, 2, (n, n)), -1)
        return {"x": self.random.standard_normal((n, d)), "w": w, "type": kinds, "bias": self.random.standard_normal(2),
                "m": self.random.integers(1, 3, n).astype(float)}

    def doubled(self, a, copy):
        """The web with a copy of one token: the links to it are shared among the two by their multiplicities."""
        n = len(a["x"])
        source = [*range(n), copy]
        return {"x": a["x"][source], "w": a["w"][np.ix_(source, source)], "type": a["type"][np.ix_(source, source)],
                "bias": a["bias"], "m": a["m"][source]}, np.array(source)

    def test_merging_tokens_that_are_alike_changes_nothing_for_the_others(self):
        for attend, merge in FORMS:
            with self.subTest(attend):
                twins, group = self.doubled(self.web(), 2)
                before = self.run_one(attend, twins)
                given = {name: array for name, array in twins.items() if name != "bias"} | {"group": group}
                x, w, kinds, m = self.run_one(merge, given, ["x", "w", "type", "m"], g=6)
                after = self.run_one(attend, {"x": x, "w": w, "type": kinds.astype(int), "bias": twins["bias"], "m": m})
                self.assertNear(m, [twins["m"][group == g].sum() for g in range(6)], 1e-12)
                self.assertNear(after[group], before, 1e-12)

    def test_adding_weights_is_wrong_for_best_paths(self):
        twins, group = self.doubled(self.web(), 2)
        given = {name: array for name, array in twins.items() if name != "bias"} | {"group": group}
        x, w, kinds, m = self.run_one("rhizomatic_merge", given, ["x", "w", "type", "m"], g=6)
        after = self.run_one("rhizomatic_best", {"x": x, "w": w, "type": kinds.astype(int), "bias": twins["bias"], "m": m})
        self.assertGreater(support.distance(after[group], self.run_one("rhizomatic_best", twins)), 1e-6)

    def test_permuting_tokens_permutes_the_result(self):
        a = self.web()
        p = self.random.permutation(6)
        permuted = a | {"x": a["x"][p], "w": a["w"][np.ix_(p, p)], "type": a["type"][np.ix_(p, p)], "m": a["m"][p]}
        for name, _ in FORMS:
            self.assertNear(self.run_one(name, permuted), self.run_one(name, a)[p], 1e-12)

    def test_without_links_it_is_attention_by_likeness(self):
        a = self.web() | {"w": np.zeros((6, 6)), "type": np.full((6, 6), -1), "m": np.ones(6)}
        x = a["x"] / np.linalg.norm(a["x"], axis=1, keepdims=True)
        for name, _ in FORMS:
            self.assertNear(self.run_one(name, a), softmax(0.5 * x @ x.T) @ a["x"], 1e-12)

    def test_a_token_of_no_multiplicity_is_not_there(self):
        a = self.web()
        a["m"][4] = 0
        a["w"][:, 4] = 0
        rest = [0, 1, 2, 3, 5]
        part = a | {"x": a["x"][rest], "w": a["w"][np.ix_(rest, rest)], "type": a["type"][np.ix_(rest, rest)],
                    "m": a["m"][rest]}
        for name, _ in FORMS:
            self.assertNear(self.run_one(name, a)[rest], self.run_one(name, part), 1e-12)

    def test_a_list_of_links_is_the_web(self):
        a = self.web()
        source, target = np.nonzero(a["w"])
        links = {"x": a["x"], "bias": a["bias"], "m": a["m"], "source": source, "target": target,
                 "weight": a["w"][source, target], "link_type": a["type"][source, target]}
        self.assertNear(self.run_one("rhizomatic_edges", links), self.run_one("rhizomatic", a), 1e-12)

    def test_a_subgraph_of_all_is_the_web_and_one_of_a_component_attends_as_before(self):
        a = self.web()
        given = {name: array for name, array in a.items() if name != "bias"} | {"meta": self.random.standard_normal((6, 2))}
        names = ["x", "w", "type", "m", "meta"]
        for got, name in zip(self.run_one("rhizomatic_subgraph", given | {"keep": np.arange(6)}, names), names):
            self.assertNear(got, given[name], 1e-12)

    def test_what_is_around_a_token_is_what_a_path_leads_to(self):
        a = self.web(n=7)
        for h in (1, 2, 7):
            steps = self.run_one("rhizomatic_around", {"w": a["w"], "token": np.array(0)}, h=h)
            for goal in range(7):
                with self.subTest(f"{h} {goal}"):
                    given = {"w": a["w"], "source": np.array(0), "goal": np.array(goal)}
                    path, weight = self.run_one("rhizomatic_path", given, ["path", "weight"], h=h)
                    self.assertEqual(steps[goal] >= 0, weight > 0)
                    walked = [int(i) for i in path if i >= 0]
                    self.assertEqual(walked[:1], [0] if weight > 0 else [])
                    self.assertAlmostEqual(
                        float(weight), np.prod([min(a["w"][i, j], 1) for i, j in zip(walked, walked[1:])]) if walked else 0)
                    self.assertLessEqual(int(steps[goal]), max(len(walked) - 1, -1) if walked else -1)

    def test_the_best_path_prefers_two_strong_links_to_a_weak_one(self):
        w = np.array([[0, 0.9, 0.5], [0, 0, 0.8], [0, 0, 0]])
        given = {"w": w, "source": np.array(0), "goal": np.array(2)}
        path, weight = self.run_one("rhizomatic_path", given, ["path", "weight"], h=3)
        self.assertEqual(list(path), [0, 1, 2, -1])
        self.assertAlmostEqual(float(weight), 0.72)
        path, weight = self.run_one("rhizomatic_path", given, ["path", "weight"], h=1)
        self.assertEqual((list(path), float(weight)), ([0, 2], 0.5))


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
