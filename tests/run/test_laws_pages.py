"""The law of pages: a cache in pages, wherever they lie, is the cache in one piece."""
import json
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw
from paged import FIRST, PAGED, ROLLING, STATES, drawn
from support import ROOT


class Pages(Laws):
    def test_pages_may_lie_anywhere(self):
        """Caches of 6 places are 3 pages of 2 in a pool of 5; the pages of other sequences stay as they are."""
        for name, (shapes, caches, parameters, sizes) in PAGED.items():
            file, paged = ("decode", "paged_decode") if name == "decode" else (f"decode_{name}", f"paged_{name}")
            paged_file = paged if name == "decode" else file
            results = FIRST.get(name, ["p", "active", "re", "im", "q"] if shapes is STATES else ["y"])
            after = [c + "'" for c in caches if c != "earlierK"]
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
                        wanted = self.of(file, **a, **options)
                    for one, two in zip(got[: len(results)], wanted):
                        self.assertSame(one, two)
                    for c, pool, cache in zip(after, got[len(results):], wanted[len(results):], strict=True):
                        self.assertSame(pool[table].reshape(cache.shape), cache)
                        self.assertSame(pool[rest], pools[c[:-1]][rest])

    def test_no_paged_step_is_left_out(self):
        entries = json.loads((ROOT / "tests" / "mechanisms" / "decode.json").read_text())
        paged = {entry["diagram"].removeprefix("paged_") for entry in entries if entry["diagram"].startswith("paged_")}
        self.assertEqual(paged, {*PAGED})


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
