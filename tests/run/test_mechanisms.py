"""Every mechanism of the taxonomy against NumPy: one class a family, from tests/mechanisms/FAMILY.json.

The tests of a family run by its name: `python3 -m unittest test_mechanisms.core`.
"""
import json
import unittest

import support
from comparison import KINDS, REASONS, Comparison, shown
from support import ROOT, TAXONOMY, Case


class Mechanisms(Comparison):
    def test_every_edge_is_met_or_has_a_reason(self):
        for entry in self.table:
            with self.subTest(f"{entry['file']} {entry['diagram']}"):
                without = entry.get("without", {})
                self.assertEqual(shown(entry) | {*without}, {*KINDS})
                self.assertFalse(shown(entry) & {*without}, "a reason for what is shown")
                self.assertLessEqual({*without.values()}, {*REASONS})


for path in sorted((ROOT / "tests" / "mechanisms").glob("*.json")):
    globals()[path.stem] = type(path.stem, (Mechanisms, Case), {
        "programs": TAXONOMY, "table": json.loads(path.read_text()), "__module__": __name__})

tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
