"""The examples on the arrays of a trained sentence encoder: one head, all heads, a padded batch, a whole layer."""
import json
import unittest

import numpy as np

import support
from support import DATA, EXAMPLES, Case, examples, minilm, needs_compiler


def load(path, key):
    array = np.load(path)
    return array[key] if key else array


class Data(Case):
    def cases(self):
        """Yields each data case of the table in each folder that has its files: name, arguments, expected result."""
        for folder in filter(None, (DATA, minilm())):
            for entry in examples():
                for case in entry.get("data", []):
                    sources = {**case["inputs"], "expected": case["expected"]}
                    paths = {name: folder / source.split(":")[0] for name, source in sources.items()}
                    if not all(path.exists() for path in paths.values()):
                        continue
                    arguments = [EXAMPLES / entry["file"], entry["diagram"]]
                    for name, source in case["inputs"].items():
                        arguments += ["--in", f"{name}={folder / source}"]
                    if "params" in case:
                        arguments += ["--params", folder / case["params"]]
                    key = case["expected"].partition(":")[2]
                    yield f"{entry['file']} on {folder / case['expected']}", arguments, load(paths["expected"], key)

    def compare(self, command, *options):
        seen = 0
        for name, arguments, expected in self.cases():
            with self.subTest(name):
                out = self.folder / "y.npy"
                self.attnc(command, *arguments, *options, "--out", out)
                self.assertNear(np.load(out), expected, 1e-5)
            seen += 1
        self.assertGreaterEqual(seen, 4)

    def test_eval(self):
        self.compare("eval")

    @needs_compiler
    def test_run(self):
        self.compare("run")

    @needs_compiler
    def test_run_needs_no_diagram_name_where_there_is_one(self):
        inputs = [argument for name in "qkv" for argument in ("--in", f"{name}={DATA / name}.npy")]
        self.attnc("run", EXAMPLES / "02_sdpa.attn", *inputs, "--out", "y.npy")
        self.assertNear(np.load(self.folder / "y.npy"), np.load(DATA / "out.npy"), 1e-5)

    def test_it_looks_at_animal(self):
        tokens = json.loads((DATA / "tokens.json").read_text())
        inputs = [argument for name in "qk" for argument in ("--in", f"{name}={DATA / name}.npy")]
        self.attnc("eval", EXAMPLES / "01_softmax.attn", "attention_weights", *inputs, "--out", "a.npy")
        weights = np.load(self.folder / "a.npy")
        it, animal = tokens.index("it"), tokens.index("animal")
        self.assertEqual(weights[it].argmax(), animal)
        self.assertAlmostEqual(weights[it, animal], 0.65, places=2)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
