"""The taxonomy as a whole: every file has its mechanism, every mechanism its entry, and the page is up to date."""
import json
import re
import subprocess
import sys
import unittest

import support
from steps import REASONS, STATES, STEPS, WITHOUT
from support import ATTNC, ROOT, TAXONOMY, Case

FILES = sorted(path for path in TAXONOMY.glob("*.attn") if path.stem != "generators")
TABLES = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "tests" / "mechanisms").glob("*.json"))}


class Taxonomy(Case):
    def test_the_last_diagram_is_the_mechanism_of_the_file(self):
        for file in FILES:
            with self.subTest(file.name):
                diagrams = json.loads(self.attnc("check", "--json", file).stdout)["diagrams"]
                self.assertEqual(diagrams[-1]["name"], file.stem)

    def test_files_are_in_canonical_form(self):
        self.attnc("fmt", "--check", *FILES)

    def test_references_are_sorted_and_each_is_there_once(self):
        keys = re.findall(r"^@\w+\{(\w+),", (TAXONOMY / "references.bib").read_text(), re.M)
        self.assertEqual(keys, sorted(set(keys)))

    def test_every_mechanism_is_in_one_table(self):
        named = [entry["file"] for entries in TABLES.values()
                 for entry in entries if entry["file"] == entry["diagram"] + ".attn"]
        self.assertEqual(sorted(named), [file.name for file in FILES])

    def test_every_mechanism_has_a_decoding_step_or_a_reason(self):
        """steps.py says which, and why; a step is held against NumPy, and with a cache there is one with pages."""
        tested = {entry["diagram"] for entries in TABLES.values() for entry in entries}
        names = {file.stem for file in FILES}
        steps = {name for name in names if name.startswith("decode") and name != "decoder_layer"} | {"paged_decode"}
        has = STEPS | {name: f"decode_{name}" for name in names if f"decode_{name}" in names}
        self.assertEqual(sorted(names - steps), sorted([*has, *WITHOUT]))
        self.assertLessEqual({*has.values()}, tested)
        self.assertEqual({*WITHOUT.values()}, {*REASONS})
        for step in {*has.values()} - STATES:
            paged = "paged_decode" if step == "decode" else step.replace("decode_", "paged_")
            self.assertIn(paged, tested, f"{step} has no form with pages")

    def test_every_family_has_every_shape_of_case(self):
        for family, entries in TABLES.items():
            for entry in entries:
                with self.subTest(f"{family} {entry['diagram']}"):
                    sizes = [set(sizes.values()) for sizes in entry["sizes"]]
                    self.assertTrue(any(0 in values for values in sizes), "no size 0")
                    self.assertTrue(any(1 in values for values in sizes), "no size 1")
                    self.assertTrue(any(value % 2 for values in sizes for value in values if value > 1), "no odd size")

    def test_the_page_shows_what_is_there(self):
        """After a change that is meant to show: tools/mechanisms, and look."""
        subprocess.run([sys.executable, ROOT / "tools" / "mechanisms", ATTNC, self.folder], check=True)
        for written in [self.folder / "mechanisms.md", *sorted((self.folder / "mechanisms").glob("*.svg"))]:
            with self.subTest(written.name):
                kept = ROOT / "docs" / written.relative_to(self.folder)
                self.assertEqual(written.read_text(), kept.read_text())
        folders = self.folder / "mechanisms", ROOT / "docs" / "mechanisms"
        pictures = [{path.name for path in folder.glob("*")} for folder in folders]
        self.assertEqual(*pictures)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
