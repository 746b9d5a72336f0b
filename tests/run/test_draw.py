"""`attnc draw`: every format of every example, the same bytes each time."""
import re
import unittest
import xml.etree.ElementTree

import support
from support import EXAMPLES, ROOT, Case, examples

SDPA = EXAMPLES / "02_sdpa.attn"
GALLERY = ROOT / "docs" / "gallery"
BEGINS = {"svg": b"<", "pdf": b"%PDF", "png": b"\x89PNG", "dot": b"", "tikz": b""}


class Draw(Case):
    def test_every_example(self):
        for entry in examples():
            with self.subTest(f"{entry['file']} {entry['diagram']}"):
                self.attnc("draw", EXAMPLES / entry["file"], entry["diagram"], "-o", "x.svg")
                root = xml.etree.ElementTree.parse(self.folder / "x.svg").getroot()
                self.assertTrue(root.tag.endswith("svg"))
                self.assertGreater(float(re.match(r"[\d.]+", root.get("width"))[0]), 10)

    def test_the_gallery_shows_what_is_drawn(self):
        """After a change that is meant to show: tools/gallery, and look."""
        pictures = set()
        for entry in examples():
            picture = f"{entry['file'].removesuffix('.attn')}.{entry['diagram']}.svg"
            pictures.add(picture)
            with self.subTest(picture):
                self.attnc("draw", EXAMPLES / entry["file"], entry["diagram"], "-o", picture)
                self.assertEqual((self.folder / picture).read_text(), (GALLERY / picture).read_text())
        self.assertEqual(pictures, {path.name for path in GALLERY.glob("*.svg")})

    def test_every_format_twice(self):
        for extension, begin in BEGINS.items():
            with self.subTest(extension):
                twice = []
                for name in ("a", "b"):
                    self.attnc("draw", SDPA, "-o", f"{name}.{extension}")
                    twice.append((self.folder / f"{name}.{extension}").read_bytes())
                self.assertEqual(twice[0], twice[1])
                self.assertTrue(twice[0].startswith(begin))
                self.assertGreater(len(twice[0]), 200)

    def test_opening_boxes(self):
        file = EXAMPLES / "18_transformer.attn"
        sizes = []
        for opened in ([], ["--open", "encoder_layer"], ["--open", "1"], ["--open", "all"]):
            self.attnc("draw", file, "transformer", *opened, "-o", "x.svg")
            sizes.append((self.folder / "x.svg").stat().st_size)
        self.assertLess(sizes[0], sizes[1])
        self.assertLess(sizes[2], sizes[3])

    def test_direction(self):
        pictures = set()
        for direction in ("down", "right"):
            self.attnc("draw", SDPA, "--direction", direction, "-o", "x.svg")
            pictures.add((self.folder / "x.svg").read_bytes())
        self.assertEqual(len(pictures), 2)
        self.attnc("draw", SDPA, "--direction", "sideways", "-o", "x.svg", code=2)

    def test_a_derivation_is_a_row_of_its_diagrams(self):
        """After a change that is meant to show: draw docs/pictures/quadratic_to_linear.svg anew, and look."""
        file = ROOT / "taxonomy" / "derivations" / "linear.attn"
        for extension, begin in BEGINS.items():
            self.attnc("draw", file, "quadratic_to_linear", "-o", f"x.{extension}")
            self.assertTrue((self.folder / f"x.{extension}").read_bytes().startswith(begin))
        drawn = (self.folder / "x.svg").read_text()
        self.assertEqual(drawn, (ROOT / "docs" / "pictures" / "quadratic_to_linear.svg").read_text())
        for text in ("distribute", "exchange_sums", "multiply_associates", "equation", "quadratic", "reassociated"):
            self.assertIn(text, drawn)
        ids = re.findall(r' id="(s\d)\.', drawn)
        self.assertEqual(sorted(set(ids)), ["s0", "s1", "s2", "s3", "s4"])
        # Each diagram but the last is marked where the next step matches.
        self.assertGreaterEqual(drawn.count("what the next step replaces"), 4)
        dot = (self.folder / "x.dot").read_text()
        self.assertIn('label="exchange_sums (equation)"', dot)
        self.assertIn("subgraph cluster_s4", dot)

    def test_a_derivation_that_fails_is_not_drawn(self):
        file = self.write("d.attn", """
rule r : equation forall (x: []) exp(x) == exp(x + 0)
diagram a(x: []) -> [] { sin(x) }
derivation d : a => a { by r }
""")
        self.assertIn("it matches nowhere", self.attnc("draw", file, "d", "-o", "x.svg", code=1).stderr)
        self.assertFalse((self.folder / "x.svg").exists())

    def test_unknown_format(self):
        self.assertNotEqual(self.attnc("draw", SDPA, "-o", "x.gif", code=None).returncode, 0)
        self.assertFalse((self.folder / "x.gif").exists())


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
