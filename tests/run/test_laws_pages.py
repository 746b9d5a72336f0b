"""The law of pages: a cache in pages, wherever they lie, is the cache in one piece."""
import json
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw
from paged import D, E, FIRST, LAYER, PAGED, ROLLING, STATES, drawn
from support import ROOT

FILES = {"synthesizer": "decode_synthesizer_dense"}  # where a step is not in a file of its own


class Pages(Laws):
    def test_pages_may_lie_anywhere(self):
        """Caches of 6 places are 3 pages of 2 in a pool of 5; the pages of other sequences stay as they are."""
        for name, (shapes, caches, parameters, sizes) in PAGED.items():
            whole, paged = ("decode", "paged_decode") if name == "decode" else (f"decode_{name}", f"paged_{name}")
            file = FILES.get(name, whole)
            paged_file = paged if name == "decode" else file
            results = FIRST.get(name, ["p", "active", "re", "im", "q"] if shapes is STATES else ["y"])
            after = [c + "'" for c in caches if c != "earlierK"] + (["last'"] if name == "intra_attention" else [])
            for seed in DRAWS:
                with self.subTest(f"{paged} {seed}"):
                    options = {"parameters": draw(seed + 9, **parameters), "sizes": sizes, "results": results + after}
                    a, other = drawn(seed, shapes) | {"t": np.array(4)}, drawn(seed + 8, shapes)
                    table = np.random.default_rng(seed).permutation(5)[:3]
                    rest = np.setdiff1d(np.arange(5), table)
                    pages = {c: a[c].reshape(3, 2, *a[c].shape[1:]) for c in caches}
                    pools = {c: np.empty((5, *pages[c].shape[1:]), a[c].dtype) for c in caches}
                    for c, pool in pools.items():
                        pool[table], pool[rest] = pages[c], other[c].reshape(pages[c].shape)[:2]
                    got = self.of(paged_file, paged, **a | pools, table=table, **options)
                    if name in ROLLING:
                        wanted = self.of(paged_file, paged, **a | pages, table=np.arange(3), **options)
                    else:
                        wanted = self.of(file, whole, **a, **options)
                    for one, two in zip(got[: len(results)], wanted):
                        self.assertSame(one, two)
                    for c, pool, cache in zip(after, got[len(results):], wanted[len(results):], strict=True):
                        if c[:-1] not in caches:  # a state beside the caches
                            self.assertSame(pool, cache)
                            continue
                        self.assertSame(pool[table].reshape(cache.shape), cache)
                        self.assertSame(pool[rest], pools[c[:-1]][rest])

    def test_no_paged_step_is_left_out(self):
        tables = (ROOT / "tests" / "mechanisms").glob("decode*.json")
        entries = [entry for table in tables for entry in json.loads(table.read_text())]
        paged = {entry["diagram"].removeprefix("paged_") for entry in entries if entry["diagram"].startswith("paged_")}
        self.assertEqual(paged, {*PAGED, "transformer"})

    def test_pages_of_all_layers_lie_by_one_table(self):
        layers = 2
        parameters = {"decoder." + name: (layers, *shape) for name, shape in LAYER.items()} | {"E": (7, 5)}
        for seed in DRAWS:
            given = {"memory": draw(seed, x=(4, 5))["x"], "token": np.array(3), "t": np.array(4)}
            caches, pools = draw(seed, K=(layers, 6, 2, D), V=(layers, 6, 2, E)), draw(seed + 8, K=(layers, 5, 2, 2, D),
                                                                                     V=(layers, 5, 2, 2, E))
            table = np.random.default_rng(seed).permutation(5)[:3]
            for name, pool in pools.items():
                pool[:, table] = caches[name].reshape(layers, 3, 2, 2, -1)
            options = {"parameters": draw(seed + 9, **parameters), "results": ["next", "K'", "V'"]}
            wanted = self.of("decode_transformer", **given, **caches, **options)
            got = self.of("decode_transformer", "paged_transformer", **given, **pools, table=table, **options)
            self.assertSame(got[0], wanted[0])
            for pool, cache, before in zip(got[1:], wanted[1:], pools.values()):
                self.assertSame(pool[:, table].reshape(cache.shape), cache)
                rest = np.setdiff1d(np.arange(5), table)
                self.assertSame(pool[:, rest], before[:, rest])


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
