"""Makes what a machine with a GPU needs to check and to measure attnc there: shared objects, arrays, expected results, and
the programs that use them. Nothing of attnc or LLVM is needed beside it.

    tools/bench gpu FOLDER                      everything, for cuda:sm_90a
    tools/bench gpu FOLDER --only core,latent   some families of mechanisms
    tools/bench gpu FOLDER --target cuda:sm_80 --no-measures

There, in under ten minutes:

    python3 FOLDER check --json check.json      every mechanism against float64, results poisoned before
    python3 FOLDER measure --json measure.json  streams beside PyTorch and Triton, where they are installed

Without a driver or a device these say so and exit with 2. With --target cuda-emulated `check` needs none.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [os.path.join(ROOT, "tests", "run"), os.path.join(ROOT, "tests")]

from comparison import cases  # noqa: E402
import measures  # noqa: E402

MECHANISMS, TAXONOMY = os.path.join(ROOT, "tests", "mechanisms"), os.path.join(ROOT, "taxonomy")
LINE = re.compile(r"^ \*   (\w+)\s+(input|parameter|output|size)(?: (int|bool)?\[(.*?)\])?", re.M)


class Builder:
    def __init__(self, options):
        self.attnc, self.target, self.folder = options.attnc, options.target, options.folder
        self.libraries = 0

    def run(self, *arguments):
        done = subprocess.run([self.attnc, "compile", *arguments], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return done.stdout

    def library(self, program, diagram, kind, sizes):
        """Compiles a diagram in f32, f64, bf16, or tf32, which is f32 with rounded factors. The arrays it takes and gives, and
        the sizes that it takes, are read from its header."""
        name = f"{self.libraries:04}_{diagram}_{kind}.so"
        self.libraries += 1
        dtype = "f32" if kind == "tf32" else kind
        common = [program, diagram, f"--target={self.target}", "--dtype", dtype, *(["--f32=tf32"] if kind == "tf32" else [])]
        header = self.run(*common, "--emit=header")
        named = [m[0] for m in LINE.findall(header) if m[1] == "size"]
        fixed = {key: value for key, value in sizes.items() if key in named}
        self.run(*common, "--emit=so", *(f"--size={k}={v}" for k, v in fixed.items()), "-o",
                 os.path.join(self.folder, name))
        arrays = [{"name": n, "role": role, "kind": kind or "real", "axes": axes.split()}
                  for n, role, kind, axes in LINE.findall(header) if role != "size"]
        return {"library": name, "symbol": "attnc_" + re.sub(r"\W", "_", diagram), "dtype": dtype, "arrays": arrays,
                "sizes": [n for n in named if n not in fixed]}

    def mechanism(self, entry):
        """A mechanism twice: with its sizes as arguments, at all of them and the edges, and with the first compiled in."""
        program = os.path.join(TAXONOMY, entry["file"])
        made = []
        for sizes in ({}, entry["sizes"][0]):
            library = self.library(program, entry["diagram"], "f32", sizes)
            library["cases"] = list(self.cases(entry, library, most=1 if sizes else None))
            made.append(library)
        return made

    def cases(self, entry, library, most):
        arguments = [a for a in library["arrays"] if a["role"] != "output"]
        for number, (where, arrays, parameters, given, expected) in enumerate(cases(entry)):
            if number == most:
                return
            named = {**dict(zip(entry.get("names", arrays), arrays.values())), **parameters}
            named = {re.sub(r"\W", "_", name): value for name, value in named.items()}  # as C has them
            sizes = dict(given)
            for argument in arguments:
                sizes.update({a: n for a, n in zip(argument["axes"], named[argument["name"]].shape) if a.isidentifier()})
            missing = [name for name in library["sizes"] if name not in sizes]
            if missing:
                continue  # a size that only the program computes
            data = library["library"][:-3] + f"_{number}.npz"
            np.savez(os.path.join(self.folder, data),
                     **{f"in_{i}": named[a["name"]] for i, a in enumerate(arguments)},
                     **{f"out_{i}": np.asarray(e) for i, e in enumerate(expected)})
            yield {"where": where, "data": data, "sizes": [sizes[name] for name in library["sizes"]]}


def main():
    parser = argparse.ArgumentParser(prog="tools/bench gpu", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--target", default="cuda:sm_90a")
    parser.add_argument("--only", default="", help="families of mechanisms")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th mechanism of a family")
    parser.add_argument("--no-measures", action="store_true", help="nothing to measure")
    parser.add_argument("--small", action="store_true", help="sizes to measure by which only the scripts are tried")
    parser.add_argument("--attnc", default=os.path.join(ROOT, "build", "release", "tools", "attnc", "attnc"))
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    builder = Builder(options)
    families = [name for name in options.only.split(",") if name] or sorted(
        name[:-5] for name in os.listdir(MECHANISMS) if name.endswith(".json"))
    checks, refused = [], []
    for family in families:
        with open(os.path.join(MECHANISMS, family + ".json")) as file:
            table = json.load(file)[::options.every]
        for entry in table:
            try:
                checks += builder.mechanism(entry)
            except RuntimeError as error:
                refused.append(f"{entry['file']} {entry['diagram']}: {error}")
        print(f"{family}: {len(table)} mechanisms", flush=True)
    manifest = {"target": options.target, "checks": checks, "refused": refused,
                "measures": [] if options.no_measures else measures.build(builder, options.small)}
    with open(os.path.join(options.folder, "manifest.json"), "w") as file:
        json.dump(manifest, file, indent=1)
    for script in os.listdir(os.path.join(HERE, "artefact")):
        if script.endswith(".py"):
            shutil.copy(os.path.join(HERE, "artefact", script), options.folder)
    for complaint in refused:
        print("not compiled: " + complaint)
    sys.exit(1 if refused else 0)


if __name__ == "__main__":
    main()
