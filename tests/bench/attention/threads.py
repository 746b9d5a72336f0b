"""One and two pinned threads of the same kernel, in turn, with the clock on the wall; and what two cores give together where
each does nothing but multiply and add. In a process of its own, for OpenMP binds its threads once."""
import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

CASES = [("full", "full", {"b": 1, "h": 8, "n": 1024}), ("full, one head", "full", {"b": 1, "h": 1, "n": 8192}),
         ("causal, one head", "causal", {"b": 1, "h": 1, "n": 8192}),
         ("full, short heads", "full", {"b": 16, "h": 8, "n": 128})]
QUICK = [CASES[0], ("full, one head", "full", {"b": 1, "h": 1, "n": 4096})]


def measured(options):
    """In another process, on two cores."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return {"rows": [], "two cores": None}
    first = options.core
    second = next(core for core in cores if core != first)
    command = [sys.executable, os.path.realpath(__file__), options.attnc, str(first), str(second), str(options.rounds),
               "quick" if options.quick else "all"]
    # Not OMP_PLACES: the OpenMP of PyTorch, loaded first, would bind the main thread before that of the kernels looks.
    environment = dict(os.environ, OMP_NUM_THREADS="2", KMP_AFFINITY=f"granularity=fine,proclist=[{first},{second}],explicit",
                       KMP_BLOCKTIME="1", GOMP_SPINCOUNT="0")
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)
    print(f"multiply-adds on two cores at once: {result['two cores']:.2f} times those on one")
    for row in result["rows"]:
        print(f"{row['what']:24} d={row['sizes']['d']:<4} one thread {row['one_ms']:8.3f} ms, two {row['two_ms']:8.3f} ms "
              f"{row['ratio']:5.2f} ×, as fast as SDPA on two {row['sdpa'] or 0:5.2f} ×", flush=True)
    return result


def two_cores(probes, first, second):
    """How much more multiply-adds two cores do at once than one: the median of some rounds."""
    def on(core):
        os.sched_setaffinity(0, {core})
        for _ in range(20):
            probes.rate("fma")

    def wall(*cores):
        workers = [threading.Thread(target=on, args=(core,)) for core in cores]
        begin = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return time.perf_counter() - begin

    return statistics.median(2 * wall(first) / wall(first, second) for _ in range(7))


def main(attnc, first, second, rounds, which):
    import machine
    import peers
    from arrays import arrays_of, error
    from cases import BY_NAME
    from kernel import Kernel
    from measure import measure

    import numpy as np

    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
    peers.prepare(2)
    peers.start_team()
    rows = []
    with tempfile.TemporaryDirectory(prefix="attnc-bench-") as folder:
        both = two_cores(machine.Probes(folder, wall=True), int(first), int(second))
        for what, name, sizes in QUICK if which == "quick" else CASES:
            for d in (64, 128):
                family, sizes = BY_NAME[name], {**sizes, "d": d}
                arrays = arrays_of(family, sizes)
                kernel = Kernel(attnc, folder, os.path.join(root, family.program), family.diagram, sizes,
                                [list(sizes.values())]).on(list(arrays.values()))
                openmp = ctypes.CDLL("libomp.so.5", mode=os.RTLD_NOLOAD)
                if openmp.omp_get_num_places() != 2:
                    sys.exit("two threads cannot be bound to two cores")

                def on(threads):
                    def call():
                        openmp.omp_set_num_threads(threads)
                        return kernel()
                    return call

                calls = {"one": on(1), "two": on(2)}
                calls |= {name: call for name, call in peers.peers(family, sizes, arrays, False).items() if name == "SDPA"}
                single = np.array(calls["one"]())
                samples = measure(calls, lambda: 1.0, int(rounds), 5, time.perf_counter)
                if error(family, sizes, arrays, samples["two"].output) > 1e-5 or (calls["two"]() != single).any():
                    sys.exit(f"{what}: two threads compute something else")
                rows.append({"what": what, "sizes": sizes, "one_ms": samples["one"].median() * 1e3,
                             "two_ms": samples["two"].median() * 1e3, "ratio": samples["two"].times(samples["one"]),
                             "sdpa": samples["two"].times(samples["SDPA"]) if "SDPA" in samples else None})
    print(json.dumps({"two cores": both, "rows": rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
