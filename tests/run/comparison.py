"""Programs of a table against NumPy: `attnc eval`, and `attnc run --check` in both types.

A table is a list of entries (examples/examples.json, tests/mechanisms/*.json):

    file, diagram     the program; `file` is relative to the folder of the table's programs
    reference         MODULE.FUNCTION of tests/reference, which takes arrays and parameters by name
    inputs            the type of each input, "[n d]", or {"type", and how it is filled: "below"; "ascending", each row
                      different numbers below that, in order; or "from" and "to"; "sparse", that share is not 0}
    parameters        the same for the parameters
    names             what the program calls its inputs, where the formula calls them otherwise
    results           the names of the results, where there are several
    sizes             the sizes to test at
    given             sizes that follow from no array: for --size; the reference finds them among the arrays
    edges             further cases: {"sizes": (the first of the entry if left out), "inputs": changes, "parameters":
                      changes}; a change is {"whole": 30}, whole numbers, 30 times a normal one, or
                      {"fill": 0.5, "at": [1, ":"]};
                      "fill" may be "-inf", and without "at" it is everywhere. A list makes several changes.
    golden            published numbers: {"inputs", "parameters", "given", "expected": an array, or by names of results}
"""
import numpy as np

from support import needs_compiler, random_array, reference, scalar_kind


def changed(array, changes):
    """The array with the changes of an edge."""
    array = array.copy()
    for change in changes if isinstance(changes, list) else [changes]:
        if "whole" in change:
            array = np.round(change["whole"] * array)
        else:
            at = tuple(slice(None) if i == ":" else i for i in change.get("at", [...]))
            array[at] = float(change["fill"]) if isinstance(change["fill"], str) else change["fill"]
    return array


def cases(entry):
    """Yields each size and edge of an entry: what it is, arrays, parameters, --size options, expected results."""
    edges = [{"sizes": sizes} for sizes in entry["sizes"]] + entry.get("edges", [])
    for number, edge in enumerate(edges):
        sizes = edge.get("sizes", entry["sizes"][0])
        where = f"{entry['file']} {entry['diagram']} {sizes}"
        groups = []
        for group in ("inputs", "parameters"):
            specs, changes = entry.get(group, {}), edge.get(group, {})
            arrays = {name: random_array(spec, sizes, f"{where} {name}") for name, spec in specs.items()}
            groups.append(arrays | {name: changed(arrays[name], change) for name, change in changes.items()})
        if number >= len(entry["sizes"]):
            where += f" edge {number - len(entry['sizes'])}"
        given = {name: sizes[name] for name in entry.get("given", [])}
        expected = reference(entry["reference"])(groups[0] | given, groups[1])
        yield where, *groups, given, expected


def golden(entry):
    """Yields the published cases of an entry, in the same form."""
    for number, case in enumerate(entry.get("golden", [])):
        groups = [
            {name: np.array(array, scalar_kind(entry[group][name])) for name, array in case.get(group, {}).items()}
            for group in ("inputs", "parameters")]
        expected = case["expected"]
        expected = [expected[name] for name in entry["results"]] if "results" in entry else [expected]
        where = f"{entry['file']} {entry['diagram']} golden {number}"
        yield where, *groups, case.get("given", {}), [np.array(e, float) for e in expected]


class Comparison:
    """Tests for a Case that has `programs`, a folder, and `table`, a list of entries."""

    def compare(self, command, tolerance, *options, of=cases):
        for entry in self.table:
            for where, arrays, parameters, given, expected in of(entry):
                with self.subTest(where):
                    if "names" in entry:
                        arrays = dict(zip(entry["names"], arrays.values()))
                    sizes = [option for name, value in given.items() for option in ("--size", f"{name}={value}")]
                    program = self.programs / entry["file"], entry["diagram"]
                    results = entry.get("results")
                    actual = self.result(command, *program, arrays, parameters, [*options, *sizes], results)
                    for name, got, want in zip(results or ["result"], actual, expected, strict=True):
                        self.assertNear(got, want, tolerance, name)

    def test_check_is_quiet(self):
        result = self.attnc("check", *sorted({self.programs / entry["file"] for entry in self.table}))
        self.assertEqual(result.stdout + result.stderr, "")

    def test_eval(self):
        self.compare("eval", 1e-10)

    def test_golden(self):
        self.compare("eval", 1e-7, of=golden)
        for entry in self.table:
            for where, arrays, parameters, given, expected in golden(entry):
                with self.subTest(f"{where} against the reference"):
                    computed = reference(entry["reference"])(arrays | given, parameters)
                    for got, want in zip(computed, expected, strict=True):
                        self.assertNear(np.asarray(got), want, 1e-7)

    @needs_compiler
    def test_run_f32(self):
        self.compare("run", 1e-5, "--check", "--dtype", "f32")

    @needs_compiler
    def test_run_f64(self):
        self.compare("run", 1e-12, "--check", "--dtype", "f64")
