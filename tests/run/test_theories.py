"""Rules, derivations, the search for them, rewriting to a lower cost, the taxonomy: as a user runs them."""
import json
import signal
import subprocess
import time
import unittest

import support
from support import ATTNC, ROOT, SANITIZED, Case

TAXONOMY = ROOT / "taxonomy"

# What of the literature the shipped taxonomy reaches, at least.
REACHED = {
    "primordial", "alignment", "bahdanau", "luong_general", "luong_dot", "luong_concat", "projected_attention",
    "self_attention", "multihead", "mqa_layer", "gqa_layer", "shared_qk", "linformer", "causal_layer",
    "sliding_window_layer", "longformer_window_layer", "attention_sinks_layer", "block_local_layer", "strided_layer",
    "latent_attention", "inducing_points", "linear_attention", "linear_attention_causal", "performer", "cosformer",
    "efficient_attention", "retention", "gla", "mamba2", "synthesizer", "synthesizer_dense", "synthesizer_random",
    "token_mixing", "fourier", "sigmoid_attention", "relu_normalised", "two_simplicial_layer", "clift_layer",
    "n_simplicial", "n_simplicial_or", "n_simplicial_learned", "n_simplicial_outside"}


# Laws that need no rule: both sides are one morphism. Left, right; the inputs and the result are of both.
STRUCTURE = {
    "copying commutes with what is copied": ("(x: []) -> [2]", "y = exp(x)\n simd 2 as i { y }", "simd 2 as i { exp(x) }"),
    "what is deleted was not computed": ("(x: [], y: []) -> []", "_z = exp(y)\n x", "x"),
    "a box of a composite": ("(x: [n]) -> [n]", "simd n (x) { exp(sin(x)) }", "y = simd n (x) { sin(x) }\n simd n (y) { exp(y) }"),
    "a box of the identity": ("(x: [n]) -> [n]", "simd n (x) { x }", "x"),
    "a box of two side by side": ("(x: [n], y: [n]) -> (u: [n], v: [n])",
                                  "(u, v) = simd n (x, y) { (exp(x), sin(y)) }\n (u, v)",
                                  "(simd n (x) { exp(x) }, simd n (y) { sin(y) })"),
    "boxes are exchanged by a transposition": ("(x: [n m]) -> [m n]", "transpose(simd n (x) { simd m (x) { exp(x) } })",
                                                "simd m (y = transpose(x)) { simd n (y) { exp(y) } }"),
    "what does not use the axis leaves the box": ("(x: [n], c: []) -> [n]", "simd n (x) { x * exp(c) }",
                                                   "e = exp(c)\n simd n (x) { x * e }"),
    "a broadcast that is sliced goes": ("(x: [n], c: []) -> [n]", "b = simd n { c }\n simd n (x, b) { x * b }",
                                        "simd n (x) { x * c }"),
    "a broadcast slides through what follows": ("(c: []) -> [n]", "b = simd n { c }\n simd n (b) { exp(b) }",
                                                "e = exp(c)\n simd n { e }"),
    "zipping slides through what is beside": ("(x: [n], y: [n]) -> [n]", "a = exp(x)\n b = sin(y)\n simd n (a, b) { a * b }",
                                              "simd n (x, y) { exp(x) * sin(y) }"),
}


class Theories(Case):
    def test_laws_of_wires_and_boxes_need_no_rule(self):
        for law, (signature, left, right) in STRUCTURE.items():
            with self.subTest(law):
                self.write("l.attn", f"diagram left{signature} {{\n {left}\n}}\ndiagram right{signature} {{\n {right}\n}}\n")
                self.assertIn("the same morphism", self.attnc("equal", "l.attn:left", "l.attn:right").stdout)

    def test_without_its_side_condition_a_rule_is_refused(self):
        expressivity = (TAXONOMY / "rules" / "expressivity.attn").read_text()
        rule = next(part for part in expressivity.split("\n\n") if "rule fuse_linear :" in part) + "\n"
        self.attnc("check", self.write("r.attn", rule))
        wider = self.write("r.attn", rule.replace("  if r >= a\n", ""))
        self.assertIn("'fuse_linear' is no express rule", self.attnc("check", wider, code=1).stderr)
        for fixed, filling in [("exp(f(x))", "log(k(x))"), ("relu(f(x))", "k(x)"), ("f(x) * f(x)", "sqrt(abs(k(x)))")]:
            with self.subTest(fixed):  # none has a section
                self.assertIn("'r' is no express rule", self.attnc("check", self.write(
                    "r.attn", f"rule r : express forall (x: [a]) universal f : [a] -> [] universal k : [a] -> []\n"
                    f"  {fixed} == k(x) by {{ f(x) = {filling} k(x) = {fixed} }}\n"), code=1).stderr)
        # The same at a place: three wires between do not carry four.
        self.write("d.attn", f"""import "{TAXONOMY}/rules/expressivity.attn"
diagram narrow(x: [4]) -> [4] {{
  universal f : [3] -> [4]
  universal g : [4] -> [3]
  f(g(x))
}}
diagram one(x: [4]) -> [4] {{
  universal f : [4] -> [4]
  f(x)
}}
derivation d : narrow => one {{ by fuse }}
""")
        self.assertIn("step 1, 'fuse', cannot be made", self.attnc("prove", "d.attn", code=1).stderr)

    def test_shipped_rules_hold_on_trial(self):
        for file in sorted((TAXONOMY / "rules").glob("*.attn")):
            with self.subTest(file.name):
                self.assertEqual(self.attnc("check", file).stdout, "")
                self.attnc("fmt", "--check", file)

    def test_a_false_rule_is_caught(self):
        file = self.write("wrong.attn", "rule wrong : equation forall (c: [], w: [m]) sum m (w) { c + w } == c + sum(w)\n")
        error = self.attnc("check", file, code=1).stderr
        self.assertIn("'wrong' is no equation rule: at m = ", error)
        self.assertIn("wrong.attn:1:6", error)

    def test_shipped_derivations_hold(self):
        for file in sorted((TAXONOMY / "derivations").glob("*.attn")):
            with self.subTest(file.name):
                said = json.loads(self.attnc("prove", "--json", file).stdout)
                self.assertTrue(said["derivations"])
                for derivation in said["derivations"]:
                    self.assertTrue(derivation["holds"], derivation)
                    self.assertEqual(derivation["problem"], "")

    def test_what_is_a_reconstruction_is_said(self):
        self.assertIn("reconstruction", self.attnc("taxonomy").stdout)
        said = self.attnc("prove", TAXONOMY / "derivations" / "vaswani.attn").stdout
        self.assertIn("this project's reconstruction", said)
        self.assertIn("1  generalise  additive_score reversed at W", said)
        self.assertNotIn("@cite", said)

    def test_the_step_that_fails_is_told(self):
        file = self.write("d.attn", """
rule r : equation forall (x: [], y: [], z: []) x * y * z == x * (y * z)
diagram a(x: []) -> [] { x + x }
diagram b(x: []) -> [] { 2 * x }
derivation d : a => b { by r }
derivation e : a => b { }
""")
        error = self.attnc("prove", file, code=1).stderr
        self.assertIn("step 1, 'r', cannot be made: it matches nowhere", error)
        self.assertIn("'e' does not end in 'b'", error)

    def test_each_kind_of_fault_has_its_name(self):
        for kind, command, program in [
                ("RulePattern", "check", "rule r : equation forall (x: []) x => x + 0\n"),
                ("RuleClaim", "check", "rule r : specialise forall (x: []) linear f : [] -> [] f(x) => exp(x)\n"),
                ("StepFails", "prove", "rule r : equation forall (x: []) exp(x) == exp(x + 0)\n"
                 "diagram a(x: []) -> [] { sin(x) }\nderivation d : a => a { by r }\n"),
                ("DerivationEnds", "prove", "diagram a(x: []) -> [] { sin(x) }\ndiagram b(x: []) -> [] { cos(x) }\n"
                 "derivation d : a => b { }\n"),
                ("NothingFound", "prove", "diagram a(x: []) -> [] { sin(x) }\n")]:
            with self.subTest(kind):
                said = json.loads(self.attnc(command, "--json", self.write("f.attn", program), code=1).stdout)
                self.assertEqual([d["kind"] for d in said["diagnostics"]], [kind])

    def test_linear_attention_is_found(self):
        linear = TAXONOMY / "derivations" / "linear.attn"
        found = self.folder / "found.attn"
        self.attnc("derive", f"{linear}:quadratic", f"{linear}:reassociated", "--rules", TAXONOMY / "rules" / "equations.attn",
                   "-o", found)
        self.assertIn("holds", self.attnc("prove", found).stdout)

    def test_no_way_is_told(self):
        file = self.write("d.attn", """
rule r : equation forall (x: [], y: []) x * y == y * x
diagram a(x: []) -> [] { exp(x) }
diagram b(x: []) -> [] { tanh(x) }
""")
        self.assertIn("no derivation", self.attnc("derive", f"{file}:a", f"{file}:b", "--rules", file, code=1).stderr)

    def test_what_was_found_for_scripts(self):
        linear = TAXONOMY / "derivations" / "linear.attn"
        rules = ["--rules", TAXONOMY / "rules" / "equations.attn"]
        way = [f"{linear}:quadratic", f"{linear}:reassociated", *rules]
        said = json.loads(self.attnc("derive", *way, "--json").stdout)
        self.assertEqual(said["program"], self.attnc("derive", *way).stdout)
        self.assertEqual(said["diagnostics"], [])
        self.assertGreater(said["diagrams"], len(said["steps"]))
        for step in said["steps"]:
            self.assertEqual(step["kind"], "equation")
            self.assertIn(f"by {step['rule']}{' reversed' if step['reversed'] else ''}", said["program"])
        # With an output the program is there; where that is the standard one, what is told is not.
        beside = json.loads(self.attnc("derive", *way, "--json", "-o", "found.attn").stdout)
        self.assertEqual((self.folder / "found.attn").read_text(), beside["program"])
        printed = self.attnc("derive", *way, "--json", "-o", "-")
        self.assertEqual(printed.stdout, json.loads(printed.stderr)["program"])

        sizes = ["n=4096", "m=4096", "d=64", "e=64"]
        cheaper = [linear, "quadratic", *rules, "--cost", "flops", "--size", *sizes]
        said = json.loads(self.attnc("rewrite", *cheaper, "--json").stdout)
        self.assertEqual(said["program"], self.attnc("rewrite", *cheaper).stdout)
        self.assertLess(said["cost"]["after"]["value"], said["cost"]["before"]["value"])
        cost = json.loads(self.attnc("cost", "--json", self.write("cheap.attn", said["program"]), "--size", *sizes).stdout)
        self.assertEqual(cost["flops"], said["cost"]["after"])
        self.assertEqual(said["cost"]["open"], 0)

        for command in (["derive", f"{linear}:quadratic", f"{linear}:nothing", *rules], ["rewrite", "absent.attn", *rules]):
            failed = self.attnc(*command, "--json", code=1)
            said = json.loads(failed.stdout)
            self.assertEqual((failed.stderr, said["program"], said["steps"]), ("", None, None))
            self.assertEqual(len(said["diagnostics"]), 1)

    def test_a_search_tells_a_terminal_how_far_it_is(self):
        command = [ATTNC, "rewrite", TAXONOMY / "sdpa.attn", "--cost", "flops", "--size", "n=4096", "m=4096", "d=64", "e=64"]
        quiet = subprocess.run(command, capture_output=True, cwd=self.folder, timeout=300)
        self.assertEqual(quiet.stderr, b"")
        told, code = support.in_terminal(command, "stderr", cwd=self.folder)
        self.assertEqual(code, 0)
        self.assertRegex(told.decode(), r"\r\x1b\[K\d+ diagrams of at most 400, \d+ to be rewritten")
        self.assertTrue(told.endswith(b"\r\x1b[K"))

    def test_the_order_is_chosen_by_the_sizes(self):
        linear = TAXONOMY / "derivations" / "linear.attn"
        rules = ["--rules", TAXONOMY / "rules" / "equations.attn", "--cost", "flops"]
        long = self.attnc("rewrite", linear, "quadratic", *rules, "--size", "n=4096", "m=4096", "d=64", "e=64").stdout
        short = self.attnc("rewrite", linear, "quadratic", *rules, "--size", "n=8", "m=8", "d=64", "e=64").stdout
        self.write("long.attn", long.replace("diagram quadratic", "diagram long"))
        self.write("short.attn", short.replace("diagram quadratic", "diagram short"))
        self.attnc("equal", f"{linear}:reassociated", "long.attn:long")
        self.attnc("equal", f"{linear}:quadratic", "short.attn:short")

    def test_the_taxonomy_names_what_it_grows(self):
        out = self.folder / "t.json"
        self.attnc("taxonomy", "-o", out, self.folder / "t.svg", self.folder / "t.html", self.folder / "t.dot")
        tree = json.loads(out.read_text())
        known = {one["name"]: node for node in tree["nodes"] for one in node["known"]}
        self.assertLessEqual(REACHED, known.keys())
        self.assertEqual(next(one["cite"] for one in known["sliding_window_layer"]["known"]), "jiang2023 section 2")
        forms = [node["program"] for node in tree["nodes"]]
        self.assertEqual(len(forms), len(tree["nodes"]))
        # Each derivation is one that the steps of a file make again.
        imports = sorted((TAXONOMY / "rules").glob("*.attn")) + sorted({TAXONOMY / k["file"] for n in known.values()
                                                                         for k in n["known"]})
        roots = {node["id"]: node["roots"][0] for node in tree["nodes"] if node["roots"]}
        self.assertEqual([roots[node["id"]] for node in tree["nodes"] if len(node["path"]) == 1], ["anatomy", "orders"])
        text = "".join(f'import "{file}"\n' for file in imports)
        for name in sorted(REACHED):
            node = known[name]
            steps = "".join(f"  by {s['rule']}{' reversed' if s['reversed'] else ''} at {s['match']}\n"
                            for s in node["derivation"])
            text += f"derivation to_{name} : {roots[node['path'][0]]} => {name} {{\n{steps}}}\n"
        said = json.loads(self.attnc("prove", "--json", self.write("again.attn", text)).stdout)
        self.assertEqual([d["name"] for d in said["derivations"] if not d["holds"]], [])
        self.assertEqual(len(said["derivations"]), len(REACHED))
        kinds = {edge["kind"] for edge in tree["edges"]}
        self.assertEqual(kinds, {"specialise", "generalise", "express", "equation"})
        self.assertIn("<svg", (self.folder / "t.svg").read_text())
        self.assertIn("luong_dot", (self.folder / "t.html").read_text())

    def test_a_taxonomy_on_any_number_of_threads_killed_and_resumed(self):
        depth = ["--depth", 1] if SANITIZED else []  # fewer diagrams, as everyNthCase has fewer cases

        def grow(name, *arguments):
            self.attnc("taxonomy", "-o", f"{name}.json", *depth, *arguments)
            return (self.folder / f"{name}.json").read_bytes()
        whole = grow("one", "--threads", 1)
        self.assertEqual(grow("three", "--threads", 3), whole)
        state = self.folder / "t.state"
        command = [ATTNC, "taxonomy", "-o", "killed.json", *map(str, depth), "--state", str(state)]
        for lines in (1, 40):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
            while process.poll() is None and not (state.exists() and state.read_bytes().count(b"\n") > lines):
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            process.wait()
            before = state.read_bytes()
            state.write_bytes(before[:-9])  # as if it was writing a line
        self.assertEqual(grow("resumed", "--state", state), whole)
        after = state.read_bytes()
        self.assertTrue(after.startswith(before[:before.rfind(b"\n", 0, -9) + 1]))
        lines = [line.split(b" :")[0] for line in after.splitlines()]
        self.assertEqual(len(lines), len(set(lines)))  # nothing was done twice
        self.assertEqual(grow("again", "--state", state), whole)
        self.assertEqual(state.read_bytes(), after)
        # A bound is an error that says what was done; what was done serves a run with a greater one.
        said = self.attnc("taxonomy", "-o", "few.json", *depth, "--max-nodes", 20, "--state", "few.state", code=1).stderr
        self.assertRegex(said, r"stopped: \d+ diagrams were reached, and 20 is the bound; nodes \d steps from '\w+' were the last")
        self.assertFalse((self.folder / "few.json").exists())
        self.assertEqual(grow("more", "--state", "few.state"), whole)
        # The rules are others: so is the search.
        file = self.write("x.attn", "diagram a(x: []) -> [] { exp(x) }\nrule r : equation forall (x: []) exp(x) == exp(x + 0)\n"
                          "theory t { r }\ntaxonomy x : a by t depth 1\n")
        self.assertIn("belongs to another enumeration", self.attnc("taxonomy", file, "--state", state, code=1).stderr)

    def test_the_bound_of_a_search_for_the_cheapest_is_told(self):
        linear = TAXONOMY / "derivations" / "linear.attn"
        rules = ["--rules", TAXONOMY / "rules" / "equations.attn", "--cost", "flops", "--size", "n=4096", "m=4096", "d=64", "e=64"]
        few = self.attnc("rewrite", linear, "quadratic", *rules, "--max-diagrams", 3).stdout
        self.assertRegex(few, r"// the cheapest of \d+ diagrams; \d+ of them were not rewritten further, for 3 is the bound")
        small = self.write("d.attn", "rule r : equation forall (x: [], y: []) exp(x) * exp(y) == exp(x + y)\n"
                           "diagram a(x: [], y: []) -> [] { exp(x) * exp(y) }\n")
        said = self.attnc("rewrite", small, "--rules", small, "--cost", "flops").stdout
        self.assertIn("// the cheapest of 2 diagrams, all that the equations reach", said)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
