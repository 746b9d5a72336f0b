"""What the end-to-end tests share: the program under test, arrays by name, and the distance of two results.

The environment says what is tested: ATTNC is the program (default: `attnc` on the path), ATTNC_COMPILER=0 that it
was built without the compiler, ATTNC_SANITIZE=1 that it was built with the sanitizers, ATTNC_MINILM the folder of the
sentence encoder's full arrays.
"""
import ast
import json
import math
import operator
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"
DATA = EXAMPLES / "data"
TAXONOMY = ROOT / "taxonomy"
sys.path.insert(0, str(ROOT / "tests"))

ATTNC = os.environ.get("ATTNC", "attnc")
HAS_COMPILER = os.environ.get("ATTNC_COMPILER", "1") != "0"
SANITIZED = os.environ.get("ATTNC_SANITIZE", "0") != "0"
# Of the cases of an entry, every so manieth is tried, the first among them: as tests/unit/Cases.h under the sanitizers.
EVERY_NTH_CASE = 7 if SANITIZED else 1
needs_compiler = unittest.skipUnless(HAS_COMPILER, "built without the compiler")


# Heads that share keys by an index, and a bias for each query and key.
GROUPS_AND_BIASES = """diagram g(q: [h n d], k: [g m d], v: [g m e], b: [h n m]) -> [h n e]
where h == 2*g {
  simd h as x (q, b) {
    k' = k[floordiv(x, 2)]
    v' = v[floordiv(x, 2)]
    simd n (q, b) {
      s = simd m (k', b) { tanh(dot(q, k')) + b }
      sum m (a = softmax(s), v') { a * v' }
    }
  }
}
"""


def in_terminal(command, *streams, **options):
    """What a process that ends well or not writes to a terminal in place of `streams`; and its exit code."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    places = {"stdout": subprocess.DEVNULL} | dict.fromkeys(streams, theirs)
    process = subprocess.Popen(command, env=environment, **places, **options)
    os.close(theirs)
    told = b""
    try:
        while part := os.read(ours, 65536):
            told += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    return told, process.wait()


def minilm():
    """The folder of the full arrays, or None."""
    folder = pathlib.Path(os.environ.get("ATTNC_MINILM") or ROOT.parent / "shared" / "data" / "minilm")
    return folder if folder.is_dir() else None


class Case(unittest.TestCase):
    """A test with a folder of its own, where programs run, and where the compiler keeps its cache."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="attnc-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def attnc(self, *arguments, code=0, stdin=None, text=True, cwd=None, **environment):
        """Runs attnc, in the folder unless told otherwise; the exit code must be `code`, or anything if None."""
        env = dict(os.environ, XDG_CACHE_HOME=CACHE, **environment)
        result = subprocess.run(
            [ATTNC, *map(str, arguments)], input=stdin, capture_output=True, text=text, cwd=cwd or self.folder, env=env,
            timeout=300)
        if code is not None:
            command = " ".join(map(str, arguments))
            self.assertEqual(result.returncode, code, f"attnc {command}\n{result.stdout}{result.stderr}")
        return result

    def write(self, name, content):
        path = self.folder / name
        path.write_text(content) if isinstance(content, str) else path.write_bytes(content)
        return path

    def save(self, name, array):
        path = self.folder / name
        np.save(path, array)
        return path

    def inputs(self, arrays):
        """The `--in` arguments for arrays by name."""
        arguments = []
        for name, array in arrays.items():
            arguments += ["--in", f"{name}={self.save(f'in_{name}.npy', array)}"]
        return arguments

    def result(self, command, file, diagram, arrays, parameters=None, options=(), results=None):
        """What the diagram gives on the arrays; a list, in the order of `results` where it has several."""
        arguments = [command, file, diagram, *self.inputs(arrays), *options]
        if parameters:
            np.savez(self.folder / "parameters.npz", **parameters)
            arguments += ["--params", self.folder / "parameters.npz"]
        out = self.folder / ("out.npz" if results else "out.npy")
        self.attnc(*arguments, "--out", out)
        if not results:
            return [np.load(out)]
        with np.load(out) as archive:
            self.assertEqual(sorted(archive.files), sorted(results))
            return [archive[name] for name in results]

    def assertNear(self, actual, expected, tolerance, what=""):
        expected = np.asarray(expected)
        self.assertEqual(actual.shape, expected.shape, what)
        error = distance(actual, expected)
        self.assertLessEqual(error, tolerance, f"{what}: relative error {error:.3g}")


CACHE = tempfile.mkdtemp(prefix="attnc-cache-")  # one for all cases: what is compiled once is loaded after


def tearDownModule():
    shutil.rmtree(CACHE, ignore_errors=True)


def distance(actual, expected):
    """The largest difference over the largest value; infinite where one is not finite and the other differs."""
    actual, expected = np.asarray(actual, float), np.asarray(expected, float)
    finite = np.isfinite(expected)
    if not np.array_equal(actual[~finite], expected[~finite], equal_nan=True):
        return np.inf
    if not finite.any():
        return 0.0
    difference = np.abs(actual[finite] - expected[finite]).max()
    if not np.isfinite(difference):
        return np.inf
    return difference / max(np.abs(expected[finite]).max(), 1e-30) if difference else 0.0


OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv}


def size(text, sizes):
    """The value of a size such as `2*p - 1`."""

    def value(node):
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return sizes[node.id]
        return OPERATORS[type(node.op)](value(node.left), value(node.right))

    return value(ast.parse(text, mode="eval").body)


def parsed(spec):
    """What a table says of an array: how it is filled, its kind and its axes."""
    spec = spec if isinstance(spec, dict) else {"type": spec}
    return spec, *re.fullmatch(r"(real|int|bool)?\[(.*)\]", spec["type"]).groups()


def scalar_kind(spec):
    return {"int": int, "bool": bool}.get(parsed(spec)[1], float)


def random_array(spec, sizes, seed):
    """An array of the type, the same for the same seed. Reals are exact in float32."""
    spec, kind, axes = parsed(spec)
    shape = tuple(size(axis, sizes) for axis in axes.split())
    rng = np.random.default_rng(zlib.crc32(seed.encode()))
    if kind == "bool":
        return rng.random(shape) < 0.6
    if "ascending" in spec:
        rows = [np.sort(rng.permutation(size(spec["ascending"], sizes))[:shape[-1]]) for _ in range(math.prod(shape[:-1]))]
        return np.reshape(np.array(rows, int), shape)
    if kind == "int":
        return np.asarray(rng.integers(0, size(spec["below"], sizes), shape))
    if "from" in spec:
        array = rng.uniform(spec["from"], spec["to"], shape)
    else:
        array = rng.standard_normal(shape)
    if "sparse" in spec:
        array = np.where(rng.random(shape) < spec["sparse"], array, 0)
    return np.asarray(array, np.float32).astype(float)


def examples():
    return json.loads((EXAMPLES / "examples.json").read_text())


def reference(name):
    """The function `module.function` of tests/reference."""
    module, function = name.split(".")
    return getattr(__import__("reference." + module, fromlist=[function]), function)
