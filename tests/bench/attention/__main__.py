"""Measures streams against the machine's peaks and PyTorch, in one process on one pinned core.

    tools/bench attention                     everything but FlexAttention
    tools/bench attention --quick             a few cases of each kind, in under two minutes
    tools/bench attention --only full,causal  some families and parts; --list names them
    tools/bench attention --flex              FlexAttention too, which takes seconds to compile each
    tools/bench attention --json OUT --svg OUT --markdown OUT
    tools/bench attention --from A.json B.json --markdown OUT     of what was measured before

Each round times every implementation of a case once, in turned order, between two probes of the machine; shares of the peak and
ratios are medians over rounds, of the peak and the times of the same moment, for the clock drifts. One-thread times are
processor times of the thread, so that what else the machine does counts little. Every output that was timed is held against
float64. Where PyTorch is installed for the Python that runs this, it is measured too.
"""
import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile

import machine
import peers
import recombined
import report
import starting
import survey
import threads
from arrays import arrays_of, error
from cases import BY_NAME, FAMILIES, aim_against_peer, aim_of
from kernel import Kernel, within
from measure import measure

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
PARTS = ("recombined", "taxonomy", "threads", "starting")
LONGEST = 30  # seconds that a first call may take
OWN, ANY, PLAIN = "attnc", "attnc, any length", "attnc, softmax"


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.probes = machine.Probes(folder)
        self.bf16 = self.probes.bf16()

    def kernel(self, family, sizes, arrays, fixed=True):
        shape = [sizes[axis] for axis in family.output.split()]
        return Kernel(self.options.attnc, self.folder, os.path.join(ROOT, family.program), family.diagram, sizes, [shape],
                      family.dtype, fixed, self.target(family)).on(arrays)

    def target(self, family):
        """This machine; with its dot products for bf16, which it does not tell of by itself, where they are worth it."""
        pays = family.dtype == "bf16" and self.bf16 == "bf16 dot" and self.probes.dots_pay()
        return self.options.target or ("native+bf16-dot" if pays else "native")

    def calls(self, family, sizes, arrays):
        """Every implementation, by name."""
        own = self.kernel(family, sizes, list(arrays.values()))
        calls = {OWN: own}
        if problem := within(LONGEST, own):
            return {}, problem
        if family.any_length:
            calls[ANY] = self.kernel(family, sizes, list(arrays.values()), fixed=False)
        if family.against:
            calls[PLAIN] = self.kernel(BY_NAME[family.against], sizes, list(arrays.values())[:3])
        return calls | peers.peers(family, sizes, arrays, self.options.flex), None

    def probe(self, family, arrays):
        name = self.bf16 if family.limit == "bf16" else family.limit
        read = sum(a.nbytes for key, a in arrays.items() if key in "kv")
        return lambda: self.probes.rate(name, read)

    def case(self, family, sizes):
        """Rows of one case."""
        arrays = arrays_of(family, sizes)
        calls, problem = self.calls(family, sizes, arrays)
        row = {"family": family.name, "sizes": sizes, "dtype": family.dtype, "limit": family.limit}
        if problem:
            return [row | {"impl": OWN, "problem": problem}]
        probe = self.probe(family, arrays)
        samples = measure(calls, probe, self.options.rounds, self.options.budget)
        rows, own, work = [], samples[OWN], family.work(sizes)
        for name, sample in samples.items():
            checked = BY_NAME[family.against] if name == PLAIN else family
            wrong = error(checked, sizes, arrays, peers.numpy(sample.output))
            if not wrong < checked.tolerance:
                rows.append(row | {"impl": name, "problem": f"relative error {wrong:.1e}"})
                continue
            done = checked.work(sizes)
            found = row | {"impl": name, "ms": sample.median() * 1e3, "share": sample.share(done),
                           "rate": done / sample.median() / 1e9, "times": own.times(sample), "error": wrong,
                           "rounds": len(sample.seconds)}
            if name == OWN:
                found |= {"aim": aim_of(family, sizes), "compile_s": calls[OWN].compiled}
            elif name == PLAIN:
                found |= {"efficiency": own.times(sample) * work / done, "aim": family.aim_against}
            elif name != ANY:
                found["aim"] = aim_against_peer(family, name, sizes)
            rows.append(found)
        return rows

    def run(self, families, result):
        """Appends the rows of the families to the result."""
        for family in families:
            for sizes in family.quick if self.options.quick else family.shapes:
                rows = self.case(family, sizes)
                for row in rows:
                    report.line(row)
                result["rows"] += rows
                written(self.options.json, result)


def written(path, result):
    if path:
        with open(path, "w") as file:
            file.write(json.dumps(result, indent=1) + "\n")


def arguments():
    parser = argparse.ArgumentParser(prog="tools/bench attention", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attnc", default=os.path.join(ROOT, "build", "release", "tools", "attnc", "attnc"))
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--only", help="families or parts, with commas between")
    parser.add_argument("--skip", default="", help="those not to measure")
    parser.add_argument("--list", action="store_true", help="name the families and parts")
    parser.add_argument("--target", help="what kernels are compiled for, in place of this machine")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--budget", type=float, help="seconds for a case, once it had five rounds (4, or 0.5 when quick)")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--flex", action="store_true")
    for name in ("json", "svg", "markdown"):
        parser.add_argument(f"--{name}", metavar="OUT")
    parser.add_argument("--from", dest="earlier", nargs="+", default=[], metavar="JSON", help="measure nothing")
    options = parser.parse_args()
    options.budget = options.budget or (0.5 if options.quick else 4)
    known = {*BY_NAME, *PARTS}
    if options.list:
        sys.exit(print("\n".join([*BY_NAME, *PARTS])))
    chosen = set(options.only.split(",")) if options.only else known
    left_out = set(filter(None, options.skip.split(",")))
    if strange := (chosen | left_out) - known:
        parser.error(f"no family is called {', '.join(sorted(strange))}; --list names them")
    options.chosen = chosen - left_out
    return options


def measured(options):
    """Everything that was chosen."""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {options.core})
    os.environ["OMP_NUM_THREADS"] = "1"
    peers.prepare(1)
    with tempfile.TemporaryDirectory(prefix="attnc-bench-") as folder:
        bench = Bench(options, folder)
        result = {"machine": machine.about(), "date": datetime.date.today().isoformat(), "command": sys.argv[1:],
                  "torch": peers.version(), "load": os.getloadavg()[0], "peaks": bench.probes.peaks(),
                  "bf16": bench.bf16, "rows": []}
        report.heading(result)
        bench.run([f for f in FAMILIES if f.name in options.chosen], result)
        if "recombined" in options.chosen:
            bench.run(recombined.FAMILIES, result)
        if "taxonomy" in options.chosen and not options.quick:
            result["taxonomy"] = survey.survey(ROOT, options, folder, bench.probes)
        if "threads" in options.chosen:
            os.sched_setaffinity(0, everywhere)
            result["threads"] = threads.measured(options)
        if "starting" in options.chosen:
            os.sched_setaffinity(0, everywhere)
            result["starting"] = starting.measured(ROOT, options, folder)
        result["load after"] = os.getloadavg()[0]
    return result


def merged(paths):
    """Of earlier results; what the first says of the machine."""
    results = [json.load(open(path)) for path in paths]
    result = {}
    for one in reversed(results):
        result |= one
    return result | {"rows": [row for one in results for row in one["rows"]]}


def main():
    options = arguments()
    result = merged(options.earlier) if options.earlier else measured(options)
    report.tell_growth(result["rows"])
    written(options.json, result)
    for path, text in ((options.svg, report.picture), (options.markdown, report.markdown)):
        if path:
            with open(path, "w") as file:
                file.write(text(result) + "\n")
    if any(row.get("problem", "").startswith("relative") for row in result["rows"]):
        sys.exit("a result is wrong")


if __name__ == "__main__":
    main()
