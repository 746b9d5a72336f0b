"""The mechanisms that recombination finds: how many, and that each is what NumPy makes of its formula."""
import json
import re
import signal
import subprocess
import time
import unittest

import numpy as np

import support
from reference.recombined import bare, recombined
from support import ATTNC, ROOT, TAXONOMY, Case, needs_compiler

FILE = TAXONOMY / "generators.attn"
SHIPPED = TAXONOMY / "recombined"
SIZES = [(7, 5), (1, 3), (4, 1)]


def arrays(index, n, d):
    random = np.random.default_rng(1000 * index + 10 * n + d)
    x = random.standard_normal((n, d))
    return x, [random.standard_normal((d, d)) / np.sqrt(d) for _ in range(3 if index < 2 else 6)]


def named(weights):
    return {f"W{i + 1}": w for i, w in enumerate(weights)}


class Recombine(Case):
    def recombine(self, *arguments, code=0):
        result = self.attnc("recombine", *arguments, "--json", code=code)
        return json.loads(result.stdout) if code == 0 else result.stderr

    def test_fourteen(self):
        found = self.recombine(FILE)
        self.assertEqual(found["diagrams"], 34)
        self.assertEqual([(r["criterion"], r["count"]) for r in found["removed"]],
                         [("stacking", 4), ("token_sharing", 12), ("weight_sharing", 4)])
        self.assertEqual(found["classes"],
                         {"linear_attention": 4, "dot_product": 4, "linear_attention + dot_product": 6})
        self.assertEqual([s["name"] for s in found["survivors"]], [f"M{i}" for i in range(14)])
        self.assertEqual(found["survivors"][0]["diagram"], "read(x, mem(x, x))")
        self.assertEqual(found["survivors"][1]["diagram"], "mix(score(x, x), x)")
        self.assertEqual([s["cost"]["parameters"] for s in found["survivors"]], ["3*d*d"] * 2 + ["6*d*d"] * 12)

    def test_twelve_modulo_the_equations(self):
        found = self.recombine(FILE, "bare")
        self.assertEqual((found["diagrams"], found["coincide"], len(found["survivors"])), (34, 2, 12))
        equal = {s["name"]: [e["name"] for e in s["equals"]] for s in found["survivors"] if "equals" in s}
        self.assertEqual(equal, {"M2": ["M3", "M4"]})

    def test_criteria_bounds_and_text(self):
        self.assertEqual(len(self.recombine(FILE, "--criteria", "none")["survivors"]), 34)
        found = self.recombine(FILE, "--criteria", "token_sharing,stacking")
        self.assertEqual([r["count"] for r in found["removed"]], [16, 0])
        self.assertEqual(len(self.recombine(FILE, "--max", 2)["survivors"]), 2)
        self.assertEqual(self.recombine(FILE, "--max", 5, "--count")["diagrams"], 192)
        self.assertIn("a criterion: stacking", self.recombine(FILE, "--criteria", "staking", code=1))
        self.assertIn("did you mean 'bare'", self.recombine(FILE, "bares", code=1))
        self.assertIn("holds no generators", self.recombine(TAXONOMY / "sdpa.attn", code=1))
        text = self.attnc("recombine", FILE).stdout
        self.assertRegex(text, r"\n    34  up to equality\n")
        self.assertRegex(text, r"\n  = 14\n")
        told = self.attnc("recombine", FILE, "--max", 7, "--max-memory", 1000, code=1).stderr
        self.assertRegex(told, r"the enumeration of 'anatomy' stopped: .* exceed 1000 bytes after \d+ diagrams")

    def test_more_equations_leave_fewer(self):
        text = FILE.read_text()
        place = text.index("  // (a bᵀ c) m")
        for line, classes in ((r"    (equation adjoint : .*)", 11), (r"`(mix\(.*?\) == .*?\)\))`", 2)):
            law = re.search(line, (ROOT / "docs" / "recombination.md").read_text())[1]
            law = law if law.startswith("equation") else f"equation reassociation : {law}"
            changed = text[:place] + f"  {law}\n" + text[place:]
            if classes == 2:  # it holds without the softmax alone
                changed = changed.replace("score : T @ T -> A = weights\n", "score : T @ T -> A = products\n")
                changed += "diagram products(q: [n d], k: [m d]) -> [n m] { matmul(q, transpose(k)) }\n"
            file = self.write("more.attn", changed)
            self.assertEqual(len(self.recombine(file, "bare")["survivors"]), classes)

    def test_the_worked_example(self):
        document = (ROOT / "docs" / "recombination.md").read_text()
        example = document[document.index("## Adding an operation"):]
        diagram, lines = re.findall(r"(?:^       .*\n)+", example, re.M)[:2]
        text = FILE.read_text()
        place = text.rindex("  class linear_attention")
        file = self.write("more.attn", diagram.replace("\n       ", "\n").lstrip() + text[:place] + lines + text[place:])
        self.attnc("check", file)
        found = self.recombine(file)
        self.assertEqual(len(found["survivors"]), 3 + 3 * 3 * 3)  # one of three, with one of three at one of three places
        self.assertEqual(sum("distance" in s["class"] for s in found["survivors"]), 1 + (9 + 6))

    def test_without_a_file_the_shipped_one(self):
        self.assertEqual(self.attnc("recombine").stdout, self.attnc("recombine", FILE).stdout)
        self.attnc("recombine", "-o", "made")
        self.assertEqual((self.folder / "made" / "generators.attn").read_text(), FILE.read_text())
        for index in range(14):
            self.attnc("check", f"made/M{index}.attn")

    def test_progress_in_a_terminal(self):
        told, _ = support.in_terminal([ATTNC, "recombine", FILE, "--max", "9", "--count", "--threads", "1"], "stderr")
        self.assertRegex(told, rb"\d+ diagrams, [\d.e+]+ a second, \d+ of \d+ parts done, about \d+ s left")

    def test_a_false_equation_is_refused(self):
        text = FILE.read_text()
        last = text.rindex("  class linear_attention")
        law = "  equation associativity : read(read(a, mem(b, c)), m) == read(a, mem(b, read(c, m)))\n"
        file = self.write("false.attn", text[:last] + law + text[last:])
        for command in ("check", "recombine"):
            said = self.attnc(command, file, code=1).stderr
            self.assertIn("the equation 'associativity' does not hold: on random arrays its sides differ", said)

    def test_what_is_shipped_is_what_is_made(self):
        copy = self.folder / "taxonomy"
        copy.mkdir()
        (copy / FILE.name).write_text(FILE.read_text())
        self.attnc("recombine", "generators.attn", "-o", "recombined", cwd=copy)
        made = sorted(path.name for path in (copy / "recombined").iterdir())
        self.assertEqual(made, sorted(path.name for path in SHIPPED.iterdir()))
        for name in made:
            with self.subTest(name):
                self.assertEqual((copy / "recombined" / name).read_text(), (SHIPPED / name).read_text())

    def test_each_is_its_formula(self):
        for index in range(14):
            file = SHIPPED / f"M{index}.attn"
            self.attnc("check", file)
            self.attnc("fmt", "--check", file)
            for n, d in SIZES:
                with self.subTest(f"M{index} n={n} d={d}"):
                    x, weights = arrays(index, n, d)
                    result = self.result("eval", file, "", {"x": x}, named(weights))[0]
                    self.assertNear(result, recombined(index, x, weights), 1e-12)

    @needs_compiler
    def test_each_compiles_to_what_it_means(self):
        for index in range(14):
            with self.subTest(f"M{index}"):
                self.attnc("run", SHIPPED / f"M{index}.attn", "--in", "x=random:1", "--params", "random:2", "--size",
                           "n=9", "d=6", "--check")

    def test_causal_operations_make_causal_mechanisms(self):
        self.attnc("recombine", FILE, "causal", "-o", self.folder / "causal")
        for index in range(14):
            file = self.folder / "causal" / f"M{index}.attn"
            with self.subTest(f"M{index}"):
                x, weights = arrays(index, 8, 4)
                result = self.result("eval", file, "", {"x": x}, named(weights))[0]
                self.assertNear(result, recombined(index, x, weights, causal=True), 1e-12)
                later = x.copy()
                later[5:] += 1
                changed = self.result("eval", file, "", {"x": later}, named(weights))[0]
                self.assertNear(changed[:5], result[:5], 1e-15)
                self.assertFalse(np.allclose(changed[5:], result[5:]))

    def test_the_three_that_coincide_are_one_family(self):
        """Of weights of M2 weights of M3 and M4 can be made that give the same function."""
        x, (q, k, v, w, k2, v2) = arrays(2, 6, 4)
        one = np.eye(4)
        first = recombined(2, x, [q, k, v, w, k2, v2], linear=bare)
        # (a bᵀ c) w k2ᵀ v2: the inner value takes the learner between
        self.assertNear(recombined(4, x, [q, k, v @ w, k2, v2, one], linear=bare), first, 1e-12)
        # (k2 (c w)ᵀ b)ᵀ v2: the inner memory is read the other way round
        self.assertNear(recombined(3, x, [q, k2, v @ w, k, one, v2], linear=bare), first, 1e-12)


class Resume(Case):
    """Killed at any moment, the enumeration goes on from what its state file lists."""

    def test_killed_and_resumed(self):
        arguments = ["recombine", FILE, "--max", "9", "--count", "--json"]
        whole = json.loads(self.attnc(*arguments).stdout)
        state = self.folder / "nine.state"
        command = [ATTNC, *map(str, arguments), "--state", str(state)]
        kills = 0
        for pause in (0.15, 0.3, 0.5, 0.7, 0.9):
            before = state.read_bytes() if state.exists() else b""
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(pause)
            if process.poll() is None:
                kills += 1
            process.send_signal(signal.SIGKILL)
            process.wait()
            after = state.read_bytes() if state.exists() else b""
            # Nothing that was listed whole is lost.
            self.assertTrue(after.startswith(before[: before.rfind(b"\n") + 1]))
        self.assertGreater(kills, 0)
        self.assertEqual(json.loads(self.attnc(*arguments, "--state", state).stdout), whole)
        parts = [line.split()[0] for line in state.read_text().splitlines()[1:]]
        self.assertEqual(len(parts), len(set(parts)))  # no part was done twice
        began = time.monotonic()
        self.assertEqual(json.loads(self.attnc(*arguments, "--state", state).stdout), whole)
        said = self.attnc("recombine", FILE, "--max", "8", "--count", "--state", state, code=1).stderr
        self.assertIn("belongs to another enumeration", said)

    def test_killed_with_an_output_folder_and_resumed(self):
        """The folder is written at the end, from what the state file and the last run have together."""
        self.attnc("recombine", FILE, "--max", "6", "-o", "whole")
        command = ["recombine", str(FILE), "--max", "6", "--state", "six.state", "-o", "made"]
        process = subprocess.Popen([ATTNC, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        state = self.folder / "six.state"
        for _ in range(2000):
            if process.poll() is not None or (state.exists() and state.read_bytes().count(b"\n") > 1):
                break
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        state.write_bytes(state.read_bytes()[:-7])  # as if it was writing a line
        for _ in range(2):  # to the end, and again with everything done
            self.attnc(*command)
            names = sorted(path.name for path in (self.folder / "whole").iterdir())
            self.assertEqual(names, sorted(path.name for path in (self.folder / "made").iterdir()))
            for name in names:
                self.assertEqual((self.folder / "made" / name).read_bytes(), (self.folder / "whole" / name).read_bytes())

    def test_any_number_of_threads_gives_one_result(self):
        results = {self.attnc("recombine", FILE, "--max", "7", "--json", "--count", "--threads", threads).stdout
                   for threads in (1, 2, 5)}
        self.assertEqual(len(results), 1)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
