"""How the command behaves: exit codes, where it writes, what it says about wrong input, that it never half-writes."""
import io
import json
import os
import pty
import resource
import signal
import subprocess
import unittest

import numpy as np

import support
from support import ATTNC, DATA, EXAMPLES, ROOT, Case, needs_compiler

SDPA = EXAMPLES / "02_sdpa.attn"
WRONG = "diagram f(x: [n]) -> [n] { y }\ndiagram g(x: [n d], y: [d]) -> [n d] { x + y }\n"


def qkv(**other):
    files = {name: DATA / f"{name}.npy" for name in "qkv"} | other
    return [argument for name, file in files.items() for argument in ("--in", f"{name}={file}")]


class Cli(Case):
    def test_help_and_version(self):
        self.assertRegex(self.attnc("--version").stdout, r"\d+\.\d+\.\d+")
        help_text = self.attnc("--help").stdout
        for command in ("check", "fmt", "draw", "eval", "run", "compile", "cost", "recombine", "equal"):
            self.assertIn(command, help_text)
            self.assertIn(command, self.attnc(command, "--help").stdout)

    def test_usage_errors_exit_2(self):
        for arguments in ([], ["frobnicate"], ["check"], ["check", "--frobnicate", SDPA], ["draw", SDPA],
                          ["run", SDPA, "--dtype", "f7"], ["compile", SDPA, "--emit=poem"]):
            with self.subTest(arguments):
                result = self.attnc(*arguments, code=2)
                self.assertEqual(result.stdout, "")
                self.assertTrue(result.stderr)

    def test_a_command_that_is_not_there(self):
        self.assertIn("did you mean 'check'?", self.attnc("chekc", SDPA, code=2).stderr)

    def test_json_of_a_failure_says_why(self):
        for command in (["eval", SDPA], ["equal", "--json", SDPA, "absent.attn"], ["cost", "--json", "absent.attn"]):
            with self.subTest(command):
                self.assertIn("error: ", self.attnc(*command, code=1).stderr)
        if support.HAS_COMPILER:
            self.assertIn("'q'", self.attnc("run", "--json", SDPA, code=1).stderr)

    def test_user_errors_exit_1_and_several_are_told_at_once(self):
        file = self.write("wrong.attn", WRONG)
        result = self.attnc("check", file, code=1)
        self.assertRegex(result.stderr, r"wrong\.attn:1:\d+: error: ")
        self.assertRegex(result.stderr, r"wrong\.attn:2:\d+: error: ")
        self.assertEqual(result.stdout, "")
        lines = [line for line in result.stderr.splitlines() if ": error: " in line]
        self.assertEqual(len(lines), len(set(lines)))

    def test_arguments_that_make_no_sense(self):
        for arguments in (["--size", "n"], ["--size", "n=x"], ["--size", "n=-3"], ["--in", "q"], ["--in", "q=random:x"]):
            with self.subTest(arguments):
                self.assertIn(arguments[1], self.attnc("eval", SDPA, *arguments, code=1).stderr)

    def test_sizes_that_are_none_of_the_diagrams(self):
        for command in (["cost"], ["rewrite", "--cost", "flops"], *([["compile"]] if support.HAS_COMPILER else [])):
            with self.subTest(command):
                self.assertIn("'zz'", self.attnc(*command, SDPA, "--size", "zz=3", code=1).stderr)

    def test_a_file_that_is_named_twice_is_read_once(self):
        file = self.write("wrong.attn", WRONG)
        once = self.attnc("check", file, code=1).stderr
        for command in ("equal", "derive"):
            self.assertEqual(self.attnc(command, file, f"{file}:f", code=1).stderr, once)

    def test_rules_that_are_not_there(self):
        for command in (["derive", SDPA, SDPA], ["rewrite", SDPA]):
            self.assertIn("no rule", self.attnc(*command, "--rules", SDPA, code=1).stderr)

    def test_json(self):
        file = self.write("wrong.attn", WRONG)
        found = json.loads(self.attnc("check", "--json", file, code=1).stdout)["diagnostics"]
        self.assertEqual({d["severity"] for d in found}, {"error"})
        self.assertEqual({d["line"] for d in found}, {1, 2})
        for diagnostic in found:
            self.assertLessEqual({"kind", "message", "file", "line", "column"}, set(diagnostic))
        right = json.loads(self.attnc("check", "--json", SDPA).stdout)
        self.assertEqual(right["diagnostics"], [])
        self.assertEqual([d["name"] for d in right["diagrams"]], ["sdpa"])

    def test_misspelt_names_are_suggested(self):
        file = self.write("slip.attn", "diagram f(query: [n]) -> [n] { exp(qeury) }\n")
        self.assertIn("query", self.attnc("check", file, code=1).stderr.replace("qeury", ""))
        result = self.attnc("eval", EXAMPLES / "14_retention.attn", "retentoin", code=1)
        self.assertIn("retention", result.stderr)

    def test_no_colour_in_a_pipe_but_in_a_terminal(self):
        file = self.write("wrong.attn", WRONG)
        self.assertNotIn("\x1b", self.attnc("check", file, code=1).stderr)
        told, _ = support.in_terminal([ATTNC, "check", file], "stdout", "stderr", cwd=self.folder)
        self.assertIn(b"\x1b", told)

    def test_both_notations_are_canonical_and_the_same_diagrams(self):
        holes = (ROOT / "tests" / "corpus" / "pass" / "holes.attn").read_text()
        comments = SDPA.read_text().replace("{ // one", "{ // a comment inside\n  // one")
        for name, text in (("holes.attn", holes), ("comments.attn", comments)):
            with self.subTest(name):
                file = self.write(name, text)
                other = self.write("point_free.attn", self.attnc("fmt", "--pointfree", "--stdout", file).stdout)
                back = self.write("named.attn", self.attnc("fmt", "--named", "--stdout", other).stdout)
                self.attnc("fmt", "--check", other, back)
                for converted in (other, back):
                    self.assertEqual(converted.read_text().count("//"), text.count("//"))
                for diagram in json.loads(self.attnc("check", "--json", file).stdout)["diagrams"]:
                    for converted in (other, back):
                        self.attnc("equal", f"{file}:{diagram['name']}", f"{converted}:{diagram['name']}")

    def test_standard_input_and_output(self):
        self.attnc("check", "-", stdin=SDPA.read_text())
        self.assertIn("-", self.attnc("check", "-", stdin=WRONG, code=1).stderr)
        self.assertEqual(self.attnc("fmt", "-", stdin=SDPA.read_text()).stdout, SDPA.read_text())
        drawn = self.attnc("draw", SDPA, "-o", "-").stdout
        self.assertIn("<svg", drawn)

    def test_a_file_that_is_not_there(self):
        for arguments in (["check", "absent.attn"], ["eval", SDPA, *qkv(q="absent.npy")],
                          ["draw", "absent.attn", "-o", "x.svg"], ["check", "."]):
            with self.subTest(arguments):
                self.assertRegex(self.attnc(*arguments, code=1).stderr, r"absent|cannot read")

    def test_a_summary_without_out(self):
        text = self.attnc("eval", SDPA, *qkv()).stdout
        self.assertIn("24 32", text)
        self.assertLess(len(text), 4000)

    def test_several_results_need_an_archive(self):
        file = self.write("two.attn", "diagram two(x: [n]) -> (a: [n], b: []) { (exp(x), sum(x)) }\n")
        x = self.save("x.npy", np.arange(3.0))
        self.attnc("eval", file, "--in", f"x={x}", "--out", "y.npz")
        with np.load(self.folder / "y.npz") as archive:
            self.assertNear(archive["a"], np.exp(np.arange(3.0)), 1e-12)
            self.assertEqual(archive["b"], 3)
        self.attnc("eval", file, "--in", f"x={x}", "--out", "y.npy", code=None)
        self.assertFalse((self.folder / "y.npy").exists())

    def test_random_arrays_are_the_same_for_a_seed(self):
        random = [a for i, name in enumerate("qkv") for a in ("--in", f"{name}=random:{i}")]
        sizes = [a for size in ("n=5", "m=7", "d=3", "e=2") for a in ("--size", size)]
        first, second = (self.attnc("eval", SDPA, *random, *sizes).stdout for _ in range(2))
        self.assertEqual(first, second)
        other = self.attnc("eval", SDPA, *random[:-1], "v=random:9", *sizes).stdout
        self.assertNotEqual(first, other)

    def test_random_parameters(self):
        sizes = [a for size in ("n=5", "m=7", "p=3", "c=2", "r=4") for a in ("--size", size)]
        arguments = ["eval", EXAMPLES / "09_bahdanau.attn", "--in", "s=random:1", "--in", "h=random:2", *sizes]
        self.assertIn("5 2", self.attnc(*arguments, "--params", "random:3").stdout)
        self.assertRegex(self.attnc(*arguments, code=1).stderr, r"'W'.*\[p r\]")


    def test_a_picture_of_weights(self):
        for form, begin in (("svg", b"<"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
            with self.subTest(form):
                self.attnc("eval", EXAMPLES / "01_softmax.attn", "attention_weights", *qkv()[:4],
                           "--picture", f"w.{form}", "--labels", DATA / "tokens.json")
                self.assertTrue((self.folder / f"w.{form}").read_bytes().startswith(begin))
        self.assertIn("animal", (self.folder / "w.svg").read_text())


class WrongArrays(Case):
    def refused(self, *patterns, arguments):
        for command in ("eval", "run") if support.HAS_COMPILER else ("eval",):
            with self.subTest(command):
                said = self.attnc(command, SDPA, *arguments, "--out", "y.npy", code=1).stderr
                for pattern in patterns:
                    self.assertRegex(said, pattern)
                self.assertFalse((self.folder / "y.npy").exists())

    def test_missing(self):
        self.refused(r"'v'.*\[m e\].*not given", arguments=qkv()[:4])

    def test_unknown(self):
        self.refused(r"'sdpa'.*'w'", arguments=qkv(w=DATA / "v.npy"))

    def test_wrong_rank(self):
        self.refused(r"'k'", r"\[3\]", r"\[m d\]", arguments=qkv(k=self.save("bad.npy", np.zeros(3))))

    def test_inconsistent_sizes_name_the_wire_both_shapes_and_the_size(self):
        self.refused(r"'k'", r"\[24 31\]", r"\[m d\]|\[m 32\]", r"\bd\b", r"\b32\b",
                     arguments=qkv(k=self.save("bad.npy", np.zeros((24, 31)))))

    def test_wrong_kind(self):
        self.refused(r"'k'", r"bool", arguments=qkv(k=self.save("bad.npy", np.zeros((24, 32), bool))))

    def test_no_such_key(self):
        self.refused(r"'nothing'", arguments=qkv(k=f"{DATA / 'batch.npz'}:nothing"))

    def test_a_size_that_contradicts_the_arrays(self):
        self.refused(r"\bn\b", r"\b7\b", r"\b24\b", arguments=[*qkv(), "--size", "n=7"])

    def test_an_unknown_size(self):
        self.refused(r"'zz'|\bzz\b", arguments=[*qkv(), "--size", "zz=7"])

    def test_a_condition_that_does_not_hold(self):
        x = self.save("x.npy", np.zeros((3, 13)))
        said = self.attnc("eval", EXAMPLES / "05_first_layer.attn", "first_layer", "--in", f"x={x}", code=1).stderr
        self.assertRegex(said, r"13")

    def test_corrupt_files(self):
        whole = (DATA / "k.npy").read_bytes()
        zipped = (DATA / "layer0_small.npz").read_bytes()
        corrupt = {
            "empty.npy": b"", "cut.npy": whole[:-5], "header.npy": whole[:20], "long.npy": whole + b"x",
            "magic.npy": b"not numpy at all" * 9,
            "huge.npy": whole.replace(b"(24, 32)", b"(9999999999, 9999999999)"),
            "negative.npy": whole.replace(b"(24, 32)", b"(-4, 32)"),
            "object.npy": whole.replace(b"'<f4'", b"'|O4'"),
            "cut.npz": zipped[: len(zipped) // 2], "empty.npz": b"", "noise.npz": b"PK\3\4" + bytes(range(256)) * 8,
            "empty.safetensors": b"", "huge.safetensors": b"\xff" * 64, "json.safetensors": b"\x02" + b"\0" * 7 + b"{]",
        }
        for name, content in corrupt.items():
            with self.subTest(name):
                source = self.write(name, content)
                if not name.endswith(".npy"):
                    source = f"{source}:k"
                said = self.attnc("eval", SDPA, *qkv(k=source), "--out", "y.npy", code=1).stderr
                self.assertIn(name, said)

    def test_safetensors(self):
        k = np.load(DATA / "k.npy")
        header = json.dumps({"k": {"dtype": "F32", "shape": list(k.shape), "data_offsets": [0, k.nbytes]}}).encode()
        file = self.write("k.safetensors", len(header).to_bytes(8, "little") + header + k.tobytes())
        self.attnc("eval", SDPA, *qkv(k=f"{file}:k"), "--out", "y.npy")
        self.assertNear(np.load(self.folder / "y.npy"), np.load(DATA / "out.npy"), 1e-5)

    def test_bounded_memory(self):
        sizes = [a for size in ("n=1000000", "m=1000000", "d=4", "e=4") for a in ("--size", size)]
        random = [a for name in "qkv" for a in ("--in", f"{name}=random:1")]
        said = self.attnc("eval", EXAMPLES / "01_softmax.attn", "attention_weights", *random[:4], *sizes[:6],
                          "--max-memory", "100M", code=1).stderr
        self.assertRegex(said, r"memory")


class Outputs(Case):
    def test_an_output_that_cannot_be_written_leaves_the_old_file(self):
        old = self.write("y.npy", b"old")
        self.attnc("eval", SDPA, *qkv(), "--out", "no/such/folder/y.npy", code=1)
        self.attnc("eval", SDPA, *qkv(k=self.save("bad.npy", np.zeros(3))), "--out", old, code=1)
        self.assertEqual(old.read_bytes(), b"old")

    def test_a_full_disk_leaves_the_old_file(self):
        for command, name in ((["eval", SDPA, *qkv(), "--out"], "y.npy"), (["draw", SDPA, "-o"], "y.svg")):
            with self.subTest(name):
                old = self.write(name, b"old")

                def limit():  # beyond it a write fails, as on a full disk
                    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                    resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))

                result = subprocess.run([ATTNC, *map(str, command), name], cwd=self.folder, capture_output=True,
                                        text=True, preexec_fn=limit)
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertIn(name, result.stderr)
                self.assertEqual(old.read_bytes(), b"old")
                self.assertEqual([p.name for p in self.folder.glob("*y.*")], [name])
                old.unlink()

    def test_what_has_no_name_takes_the_usual_form(self):
        x = self.save("x.npy", np.arange(3.0))
        one = self.write("one.attn", "diagram one(x: [n]) -> [n] { exp(x) }\n")
        two = self.write("two.attn", "diagram two(x: [n]) -> (a: [n], b: []) { (exp(x), sum(x)) }\n")
        for command in ("eval", "run") if support.HAS_COMPILER else ("eval",):
            for out in ("-", "/dev/stdout"):
                with self.subTest(command, out=out):
                    written = self.attnc(command, one, "--in", f"x={x}", "--out", out, text=False).stdout
                    self.assertNear(np.load(io.BytesIO(written)), np.exp(np.arange(3.0)), 1e-6)
                    written = self.attnc(command, two, "--in", f"x={x}", "--out", out, text=False).stdout
                    self.assertEqual(np.load(io.BytesIO(written))["b"], 3)
            for file in (one, two):
                self.assertEqual(self.attnc(command, file, "--in", f"x={x}", "--out", "/dev/null").stdout, "")
        self.attnc("draw", one, "-o", "/dev/null")
        self.assertIn("<svg", self.attnc("draw", one, "-o", "/dev/stdout").stdout)
        web = self.write("web.csv", "source,target\ncat,mat\n")
        self.assertIn("nodes", json.loads(self.attnc("web", web, "-o", "-").stdout))
        self.assertRegex(self.attnc("eval", one, "--in", f"x={x}", "--out", "y", code=1).stderr, "form of array file")

    @needs_compiler
    def test_a_report_does_not_mix_with_an_output(self):
        x = self.save("x.npy", np.arange(3.0))
        file = self.write("one.attn", "diagram one(x: [n]) -> [n] { exp(x) }\n")
        both = self.attnc("run", "--json", "--check", file, "--in", f"x={x}", "--out", "-", text=False)
        self.assertEqual(np.load(io.BytesIO(both.stdout)).shape, (3,))
        self.assertEqual(json.loads(both.stderr)["check"][0]["result"], "one")

    def test_a_terminal_is_given_text_alone(self):
        x = self.save("x.npy", np.arange(3.0))
        file = self.write("one.attn", "diagram one(x: [n]) -> [n] { exp(x) }\n")
        ours, theirs = pty.openpty()
        for command, code in ((["eval", file, "--in", f"x={x}", "--out", "-"], 1), (["fmt", "--stdout", file], 0)):
            result = subprocess.run([ATTNC, *command], stdout=theirs, stderr=subprocess.PIPE, text=True)
            self.assertEqual(result.returncode, code)
            self.assertEqual("terminal" in result.stderr, code == 1)
        os.close(theirs)
        self.assertIn(b"diagram one", os.read(ours, 65536))
        os.close(ours)

    def test_dev_full(self):
        for command in (["fmt", "-"], ["completion", "bash"], ["check", "--json", "-"]):
            with self.subTest(command), open("/dev/full", "w") as full:
                result = subprocess.run([ATTNC, *command], input=SDPA.read_text(), stdout=full, stderr=subprocess.PIPE,
                                        text=True)
                self.assertEqual(result.returncode, 1)
                self.assertTrue(result.stderr)

    @needs_compiler
    def test_cache_that_cannot_be_written_or_is_corrupt_is_no_error(self):
        inputs = qkv()
        expected = np.load(DATA / "out.npy")
        cache = self.folder / "cache"
        for step in ("cold", "warm", "corrupt", "unwritable"):
            with self.subTest(step):
                if step == "corrupt":
                    for path in filter(os.path.isfile, cache.rglob("*")):
                        path.write_bytes(b"\x7fELF" + b"garbage" * 100)
                where = "/proc/no/cache" if step == "unwritable" else str(cache)
                env = dict(os.environ, XDG_CACHE_HOME=where)
                result = subprocess.run([ATTNC, "run", SDPA, *map(str, inputs), "--out", "y.npy"], cwd=self.folder,
                                        env=env, capture_output=True, text=True)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertNear(np.load(self.folder / "y.npy"), expected, 1e-5)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
