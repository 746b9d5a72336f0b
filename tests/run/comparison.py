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
                      "large": true says that logits are near ±10⁴ there
    logits            what logits are made of; `derived` makes edges of it
    without           edges that the mechanism does not have, each with the name of a reason (`REASONS`)
    golden            published numbers: {"inputs", "parameters", "given", "expected": an array, or by names of results}
"""
import os
import platform
import re
import unittest
from itertools import islice

import numpy as np

from support import EVERY_NTH_CASE, needs_compiler, parsed, random_array, reference, scalar_kind

# What every program must meet, in some case of its entry: `shown` says when it does.
KINDS = ("random", "size 1", "size 0", "large", "-inf", "masked")

# Why a program may do without one.
REASONS = {
    "bounded": "the scores are bounded by what they are made with, and no mask is among its inputs",
    "has a token": "it asks about a token of a web, so there is one",
    "keys are values": "what makes a score -inf would be a value too, and 0 times it is no number",
    "mixed": "sums of both signs (a rotation, a map of heads, a determinant, an iteration) make no single -inf of one",
    "no logits": "there is no softmax and no score that a mask could act on",
    "no shape": "it says what is where; nothing is computed that a size or a large number could upset",
    "planes": "rotated coordinates come in pairs, or in chunks of three",
    "projected": "a learned map of both signs comes first: what it is around has an entry of its own",
    "residual": "a residual stands beside the attention, which has an entry of its own",
    "sees itself": "a token always sees itself, or there is always a key left",
}


def axes(entry, name):
    return parsed((entry.get("inputs", {}) | entry.get("parameters", {}))[name])[2].split()


def derived(entry):
    """Yields the edges that follow from `logits`, by kind. It is one of

        "bias"                        an array that is added to the logits, or is them
        ["q", "k"]                    arrays that are multiplied to logits along their last axis: queries first, keys last
        ["x", "Wq", "z", "Wk"]        the same of what is projected: inputs, each before the parameter that it meets
        ["q", ["K", "k"]]             keys that come in several arrays
        {"of": ["q", "k"], "orders": 2}   keys of several orders in one array, multiplied too

    Whole numbers and a width of 4 or 1 make large logits exact in float32, so that a softmax of them is as well. To
    hide a key by -inf, the first coordinate of all factors but the last is 1.
    """
    logits = entry.get("logits")
    if logits is None:
        return
    if isinstance(logits, str):
        yield "large", {}, {logits: [{"whole": 10000}]}
        yield "-inf", {}, {logits: [{"fill": "-inf", "at": [..., 0]}]}
        yield "masked", {}, {logits: [{"fill": "-inf"}]}
        return
    orders = logits["orders"] if isinstance(logits, dict) else 1
    factors = [[f] if isinstance(f, str) else f for f in (logits["of"] if isinstance(logits, dict) else logits)]
    whole = round(10000 ** (1 / (len(factors) - 1 + orders)), 1)
    names = [name for factor in factors for name in factor]
    projected = any(name in entry.get("parameters", {}) for name in names) and any(name in entry["inputs"] for name in names)
    width = axes(entry, factors[1 if projected else 0][0])[-1]
    exact = {width: 4} if width.isidentifier() else {}
    yield "large", exact, {name: [{"whole": whole}] for name in names}
    ones = {}
    for at, factor in enumerate(factors):
        for name in factor:
            if projected and at % 2:  # from coordinate 0 to coordinate 0, and from no other
                into = axes(entry, name).index(axes(entry, factors[at - 1][0])[-1])
                first = [0 if i in (into, len(axes(entry, name)) - 1) else slice(None) for i in range(len(axes(entry, name)))]
                ones[name] = [{"fill": 0, "at": [..., 0]}, {"fill": 1, "at": first}]
            else:
                ones[name] = [{"fill": 1, "at": [..., 0]}]
    hidden = {name: [*ones[name], {"fill": "-inf", "at": ones[name][-1]["at"]}] for name in factors[-1]}
    if orders > 1:
        hidden = {name: [*ones[name], {"fill": "-inf", "at": [-1, ..., 0]}] for name in factors[-1]}
    yield "masked", {}, ones | hidden
    if not projected:
        one = {}
        for name in factors[-1]:
            first = [-1, ..., 0, 0] if orders > 1 else [..., 0, 0][: len(axes(entry, name)) + 1]
            one[name] = [*ones[name], {"fill": "-inf", "at": first}]
        yield "-inf", {}, ones | one


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


def edges(entry):
    """The sizes, the edges, and the derived edges of an entry that it does not say itself."""
    yield from ({"sizes": sizes} for sizes in entry["sizes"])
    yield from entry.get("edges", [])
    said = {*entry.get("without", {})} | {"large" for edge in entry.get("edges", []) if edge.get("large")}
    for kind, exact, changes in derived(entry):
        if kind not in said:
            edge = {"sizes": entry["sizes"][0] | exact, "kind": kind, "large": kind == "large"}
            for group in ("inputs", "parameters"):
                edge[group] = {name: change for name, change in changes.items() if name in entry.get(group, {})}
            yield edge


def shown(entry):
    """The kinds that the cases of an entry show, by what is in their arrays."""
    specs = entry.get("inputs", {}) | entry.get("parameters", {})
    named = {name for spec in specs for axis in axes(entry, spec) for name in re.findall(r"[a-zA-Z]\w*", axis)}
    found = set()
    for edge, (_, arrays, parameters, given, expected) in zip(edges(entry), cases(entry)):
        every = [*arrays.values(), *parameters.values()]
        sizes, lengths = edge.get("sizes", entry["sizes"][0]), {length for array in every for length in array.shape}
        found |= {"size 0"} if 0 in lengths else set()
        found |= {"size 1"} if 0 not in lengths and all(sizes[name] <= 1 for name in named) else set()
        found |= {"random"} if any(length % 2 and length > 1 for length in lengths) else set()
        found |= {"large"} if edge.get("large") else set()
        found |= {"-inf"} if any(np.isneginf(array).any() for array in every) else set()
        rows = np.asarray(expected[0])
        if 0 not in lengths and rows.ndim and not rows.any(-1).all():
            found.add("masked")
    return found


def cases(entry):
    """Yields each size and edge of an entry: what it is, arrays, parameters, --size options, expected results."""
    for number, edge in enumerate(edges(entry)):
        sizes = edge.get("sizes", entry["sizes"][0])
        where = f"{entry['file']} {entry['diagram']} {sizes}"
        groups = []
        for group in ("inputs", "parameters"):
            specs, changes = entry.get(group, {}), edge.get(group, {})
            arrays = {name: random_array(spec, sizes, f"{where} {name}") for name, spec in specs.items()}
            groups.append(arrays | {name: changed(arrays[name], change) for name, change in changes.items()})
        if number >= len(entry["sizes"]):
            where += f" edge {edge.get('kind', number - len(entry['sizes']))}"
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
            for where, arrays, parameters, given, expected in islice(of(entry), 0, None, EVERY_NTH_CASE):
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

    @needs_compiler
    @unittest.skipUnless(platform.machine() == "x86_64", "tile registers are those of x86")
    def test_run_bf16(self):
        """By tile registers, emulated: the first sizes of every third program, or of all (ATTNC_SWEEP=1). The evaluator is given what
        is left of the arrays in bf16, the formula is not."""
        every = 1 if os.environ.get("ATTNC_SWEEP") == "1" else 3
        taken = self.table[::every]
        self.compare("run", np.inf, "--check", "--dtype", "bf16", "--target", "native+amx-emulated",
                     of=lambda entry: islice(cases(entry), 1 if entry in taken else 0))
