"""Every example against NumPy, over odd sizes, size 1 and size 0. The table is examples/examples.json."""
import unittest

import support
from comparison import Comparison
from support import EXAMPLES, Case, examples


class Examples(Comparison, Case):
    programs, table = EXAMPLES, examples()

    def test_every_file_is_in_the_table(self):
        self.assertEqual({entry["file"] for entry in examples()}, {path.name for path in EXAMPLES.glob("*.attn")})


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
