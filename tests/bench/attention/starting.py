"""Compiling from nothing, loading from the cache, and the memory of a long stream; each in processes of their own."""
import json
import os
import statistics
import subprocess
import sys
import tempfile

HEADS = "tests/bench/attention/heads.attn"


def random_inputs(sizes):
    return ["--in", "q=random:1", "k=random:2", "v=random:3", "--size", *(f"{k}={v}" for k, v in sizes.items())]


# The most memory that a process had counts that of the one it was forked from, so a small one forks it.
SMALL = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def peak_memory(command):
    """Of a process, in bytes."""
    command = [sys.executable, "-c", SMALL, *command]
    return 1024 * int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measured(root, options, folder):
    """Seconds and megabytes, as text by what they are of."""
    program = os.path.join(root, HEADS)
    sizes = {"b": 1, "h": 8, "n": 256, "d": 64}
    cold, load = {}, []
    for diagram in ("full", "causal", "softcap") if options.quick else ("full", "causal", "window", "alibi", "softcap",
                                                                       "sigmoid_attention"):
        times = []
        for _ in range(3):
            with tempfile.TemporaryDirectory(dir=folder) as cache:
                command = [options.attnc, "run", program, diagram, *random_inputs(sizes), "--time", "--json", "--threads", "1"]
                environment = dict(os.environ, ATTNC_CACHE_DIR=cache)
                first, second = (json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
                                 ["time"] for _ in range(2))
                if first["cached"] or not second["cached"]:
                    raise RuntimeError("the cache is not as it should be")
                times.append(first["compile"] + first["load"])
                load.append(second["compile"] + second["load"])
        cold[diagram] = statistics.median(times)
    found = {f"cold compile, {diagram}": f"{seconds:.2f} s" for diagram, seconds in cold.items()}
    found["load from the cache, median"] = f"{1e3 * statistics.median(load):.1f} ms"
    for n in (16384,) if options.quick else (16384, 65536):
        long = [options.attnc, "run", program, "full", *random_inputs({"b": 1, "h": 1, "n": n, "d": 64}), "--threads", "1"]
        subprocess.run(long, check=True, stdout=subprocess.DEVNULL)  # compiles
        memory = peak_memory(long)
        found[f"peak memory, one head, n = {n}, d = 64"] = f"{memory / 1e6:.0f} MB, {4 * n * 64 * 4 / 1e6:.0f} of them arrays"
    for name, value in found.items():
        print(f"{name:44} {value}", flush=True)
    return found
