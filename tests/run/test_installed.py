"""Every command from where attnc is installed, run in a folder that has nothing to do with it."""
import pathlib
import unittest

import support
from support import ATTNC, DATA, EXAMPLES, Case, needs_compiler

HERE = pathlib.Path(ATTNC).resolve().parent.parent
ARRAYS = ["--in", *(f"{name}={DATA / name}.npy" for name in "qkv")]
SDPA, LINEAR = EXAMPLES / "02_sdpa.attn", EXAMPLES / "11_linear_attention.attn"
TAXONOMY = HERE / "share" / "attnc" / "taxonomy"
COMMANDS = {
    "check": [SDPA],
    "fmt": ["--check", SDPA],
    "draw": [SDPA, "-o", "y.png"],
    "eval": [SDPA, *ARRAYS, "--out", "y.npy"],
    "run": [SDPA, *ARRAYS, "--check"],
    "compile": [SDPA, "-o", "y.so"],
    "cost": [SDPA],
    "recombine": ["--max", "3", "-o", "recombined"],
    "web": ["web.csv", "--path", "cat", "mat"],
    "prove": [TAXONOMY / "derivations" / "evolution.attn"],
    "derive": [f"{LINEAR}:linear_attention_quadratic", f"{LINEAR}:linear_attention", "-o", "derived.attn"],
    "rewrite": [LINEAR, "--cost", "flops", "--size", "n=4096", "m=4096", "d=64", "e=64"],
    "taxonomy": ["-o", "taxonomy.json"],
    "equal": [SDPA, EXAMPLES / "20_pointfree.attn"],
    "completion": ["bash"],
}


class Installed(Case):
    @needs_compiler
    def test_every_command(self):
        self.assertEqual(set(self.attnc("complete-words").stdout.split()), set(COMMANDS))
        self.write("web.csv", "source,target\ncat,mat\n")
        for command, arguments in COMMANDS.items():
            with self.subTest(command):
                self.attnc(command, *arguments)
                self.assertIn("Example", self.attnc(command, "--help").stdout)
        self.attnc("prove", "derived.attn")

    def test_the_rules_are_those_that_were_installed(self):
        self.attnc("derive", *COMMANDS["derive"])
        imports = [line.split('"')[1] for line in (self.folder / "derived.attn").read_text().splitlines() if line.startswith("import")]
        rules = [path for path in imports if "rules" in path]
        self.assertTrue(rules)
        for path in rules:
            self.assertEqual((self.folder / path).resolve().parent, TAXONOMY / "rules")


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
