"""Completion as the shells see it: the words the program offers, and the script of each shell at work."""
import os
import pathlib
import shutil
import subprocess
import unittest

import support
from support import ATTNC, Case

BASH = shutil.which("bash")
FORMS = "diagram mlir linalg llvm asm obj so header gpu ptx cubin".split()


class Completion(Case):
    def words(self, *typed):
        return self.attnc("complete-words", "--", *typed).stdout.split()

    def test_commands(self):
        for typed in ([], [""]):
            self.assertLessEqual({"check", "run", "taxonomy", "completion"}, set(self.words(*typed)))
        self.assertNotIn("complete-words", self.words(""))
        self.assertEqual(self.words("-"), ["--version", "--help"])

    def test_options_of_a_command(self):
        self.assertLessEqual({"--size", "--threads", "--help"}, set(self.words("run", "x.attn", "--")))
        self.assertNotIn("--threads", self.words("eval", "-"))

    def test_choices(self):
        for typed in (["--emit", ""], ["--emit", "="], ["--emit", "=", "s"]):
            self.assertEqual(self.words("compile", "x.attn", *typed), FORMS)
        self.assertEqual(self.words("compile", "--emit=s"), [f"--emit={form}" for form in FORMS])
        self.assertEqual(self.words("completion", ""), ["bash", "zsh", "fish"])
        for choice in FORMS:  # what is offered is taken
            self.assertNotEqual(self.attnc("compile", f"--emit={choice}", "absent.attn", code=None).returncode, 2)

    def test_files_are_left_to_the_shell(self):
        for typed in (["check", ""], ["run", "x.attn", "--in", "q=q"], ["run", "--out", ""], ["frobnicate", ""], ["run", "--in=q=q"]):
            self.assertEqual(self.words(*typed), [])

    @unittest.skipUnless(BASH, "there is no bash")
    def test_bash(self):
        script = """
            eval "$(attnc completion bash)"
            complete -p attnc
            try() {
              COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
              _attnc attnc "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
              echo "${COMPREPLY[@]}"
            }
            try attnc comp
            try attnc compile --em
            try attnc compile --emit = s
            try attnc run sdpa.attn --in q = q
            try attnc completion ""
        """
        path = f"{pathlib.Path(shutil.which(ATTNC)).parent}:{os.environ['PATH']}"
        said = subprocess.run([BASH, "-c", script], env=dict(os.environ, PATH=path), capture_output=True, text=True)
        self.assertEqual(said.stderr, "")
        self.assertEqual(said.stdout.splitlines(), ["complete -o default -F _attnc attnc", "compile completion", "--emit",
                                                    "so", "", "bash zsh fish"])

    def test_the_scripts_parse(self):
        for shell in filter(shutil.which, ("bash", "zsh", "fish")):
            with self.subTest(shell):
                script = self.write("script", self.attnc("completion", shell).stdout)
                subprocess.run([shell, "-n", script], check=True)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
