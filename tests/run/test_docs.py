"""What the documents say: programs in them check, links lead somewhere, citations exist, diagnostics are described."""
import re
import unittest

import support
from support import EXAMPLES, ROOT, Case

DOCUMENTS = sorted(path for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "taxonomy/**/*.md") for path in ROOT.glob(pattern))


class Documents(Case):
    def test_programs_check(self):
        for document in DOCUMENTS:
            for number, program in enumerate(re.findall(r"^```attn\n(.*?)^```$", document.read_text(), re.M | re.S), 1):
                with self.subTest(f"{document.relative_to(ROOT)}, block {number}"):
                    for path in EXAMPLES.glob("*.attn"):  # for the imports
                        self.write(path.name, path.read_text())
                    self.attnc("check", self.write("block.attn", program))

    def test_links_lead_somewhere(self):
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", document.read_text()):
                with self.subTest(f"{document.relative_to(ROOT)}: {target}"):
                    self.assertTrue((document.parent / target).exists())

    def test_citations_exist(self):
        keys = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "taxonomy" / "references.bib").read_text(), re.M))
        programs = [*EXAMPLES.glob("*.attn"), *ROOT.glob("lib/attnc/prelude/*.attn"), *ROOT.glob("taxonomy/*.attn")]
        for program in programs:
            for line in re.findall(r"@cite (.*)", program.read_text()):
                for key in re.findall(r"\b[a-z]+(?:19|20)\d\d\b", line) or [line]:
                    with self.subTest(f"{program.name}: {key}"):
                        self.assertIn(key, keys)

    def test_every_diagnostic_is_described(self):
        kinds = re.findall(r"^ATTNC_DIAGNOSTIC\((\w+),", (ROOT / "lib/attnc/support/Diagnostics.def").read_text(), re.M)
        described = re.findall(r"^### (\w+)$", (ROOT / "docs/diagnostics.md").read_text(), re.M)
        self.assertEqual(sorted(described), sorted(kinds))


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
