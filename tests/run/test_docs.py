"""What the documents say: programs in them check, links lead somewhere, citations exist, diagnostics are described."""
import re
import textwrap
import unittest

import support
from support import DATA, EXAMPLES, ROOT, Case, needs_compiler

FOLDERS = ("*.md", "docs/**/*.md", "examples/**/*.md", "taxonomy/**/*.md")
DOCUMENTS = sorted(path for pattern in FOLDERS for path in ROOT.glob(pattern))


class Documents(Case):
    def test_programs_check(self):
        for document in DOCUMENTS:
            for number, program in enumerate(re.findall(r"^```attn\n(.*?)^```$", document.read_text(), re.M | re.S), 1):
                with self.subTest(f"{document.relative_to(ROOT)}, block {number}"):
                    for path in EXAMPLES.glob("*.attn"):  # for the imports
                        self.write(path.name, path.read_text())
                    self.attnc("check", self.write("block.attn", program))

    def readme(self):
        text = (ROOT / "README.md").read_text()
        return text, re.search(r"^```attn\n(.*?)^```$", text, re.M | re.S)[1]

    def test_the_mistake_in_the_readme(self):
        text, program = self.readme()
        self.write("wrong.attn", program.replace("k: [m d]", "k: [m c]"))
        said = self.attnc("check", "wrong.attn", code=1).stderr
        block = re.search(r"^ *\$ attnc check wrong\.attn\n(.*?)\n\n", text, re.M | re.S)[1]
        # Where in the prelude a diagram stands is nobody's business here.
        texts = [re.sub(r"prelude\.attn:\d+:\d+|^ *\d+ \|", "", textwrap.dedent(t)) for t in (said.rstrip(), block)]
        self.assertEqual(*[[line.strip() for line in t.splitlines()] for t in texts])

    @needs_compiler
    def test_the_result_in_the_readme(self):
        text, program = self.readme()
        self.assertIn(program, (EXAMPLES / "02_sdpa.attn").read_text())
        command, shown = re.search(r"^    \$ attnc (run .*)\n((?:    .*\n)+)", text, re.M).groups()
        said = self.attnc(*command.split(), cwd=DATA).stdout
        numbers = [[float(x) for x in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", t)] for t in (said, shown)]
        self.assertEqual(len(numbers[0]), len(numbers[1]))
        for ours, theirs in zip(*numbers):
            self.assertAlmostEqual(ours, theirs, places=4)
        self.assertEqual(*[re.sub(r"[\d.e-]+", "0", re.sub(r"\s+", " ", t)).strip() for t in (said, shown)])

    def test_links_lead_somewhere(self):
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", document.read_text()):
                with self.subTest(f"{document.relative_to(ROOT)}: {target}"):
                    self.assertTrue((document.parent / target).exists())

    def test_citations_exist(self):
        keys = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "taxonomy" / "references.bib").read_text(), re.M))
        programs = [*EXAMPLES.glob("*.attn"), *ROOT.glob("lib/attnc/prelude/*.attn"), *ROOT.glob("taxonomy/**/*.attn")]
        for program in programs:
            for line in re.findall(r"@cite (.*)", program.read_text()):
                for key in re.findall(r"\b[a-z]+(?:19|20)\d\d[a-z]?\b", line) or [line]:
                    with self.subTest(f"{program.name}: {key}"):
                        self.assertIn(key, keys)

    def test_every_diagnostic_is_described(self):
        kinds = re.findall(r"^ATTNC_DIAGNOSTIC\((\w+),", (ROOT / "lib/attnc/support/Diagnostics.def").read_text(), re.M)
        described = re.findall(r"^### (\w+)$", (ROOT / "docs/diagnostics.md").read_text(), re.M)
        self.assertEqual(sorted(described), sorted(kinds))


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
