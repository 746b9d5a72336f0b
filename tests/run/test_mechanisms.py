"""Every mechanism of the taxonomy against NumPy: one class a family, from tests/mechanisms/FAMILY.json.

The tests of a family run by its name: `python3 -m unittest test_mechanisms.core`.
"""
import json
import unittest

import support
from comparison import Comparison
from support import ROOT, TAXONOMY, Case

for path in sorted((ROOT / "tests" / "mechanisms").glob("*.json")):
    globals()[path.stem] = type(path.stem, (Comparison, Case), {
        "programs": TAXONOMY, "table": json.loads(path.read_text()), "__module__": __name__})

tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
