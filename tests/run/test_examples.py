"""Every example against NumPy, over odd sizes, size 1 and size 0: `attnc eval`, and `attnc run --check` in both types.

The table is examples/examples.json.
"""
import unittest

import support
from support import EXAMPLES, Case, examples, needs_compiler, random_array, reference


class Examples(Case):
    def cases(self):
        """Yields each example at each of its sizes: what it is, entry, arrays, parameters, expected results."""
        for entry in examples():
            for sizes in entry["sizes"]:
                where = f"{entry['file']} {entry['diagram']} {sizes}"
                arrays, parameters = (
                    {name: random_array(spec, sizes, f"{where} {name}") for name, spec in entry.get(group, {}).items()}
                    for group in ("inputs", "parameters"))
                expected = reference(entry["reference"])(arrays, parameters)
                if "names" in entry:  # what the program calls its inputs, where the formula calls them otherwise
                    arrays = dict(zip(entry["names"], arrays.values()))
                yield where, entry, arrays, parameters, expected

    def compare(self, command, tolerance, *options):
        for where, entry, arrays, parameters, expected in self.cases():
            with self.subTest(where):
                results = entry.get("results")
                program = EXAMPLES / entry["file"], entry["diagram"]
                actual = self.result(command, *program, arrays, parameters, options, results)
                for name, got, want in zip(results or ["result"], actual, expected, strict=True):
                    self.assertNear(got, want, tolerance, name)

    def test_every_file_is_in_the_table(self):
        self.assertEqual({entry["file"] for entry in examples()}, {path.name for path in EXAMPLES.glob("*.attn")})

    def test_check_is_quiet(self):
        result = self.attnc("check", *sorted(EXAMPLES.glob("*.attn")))
        self.assertEqual(result.stdout + result.stderr, "")

    def test_eval(self):
        self.compare("eval", 1e-10)

    @needs_compiler
    def test_run_f32(self):
        self.compare("run", 1e-5, "--check", "--dtype", "f32")

    @needs_compiler
    def test_run_f64(self):
        self.compare("run", 1e-12, "--check", "--dtype", "f64")


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
