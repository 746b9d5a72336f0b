"""Streams on a device beside PyTorch: the same arrays in one process, CUDA's events, arrays in turn that together are larger than
the second cache, medians."""
import statistics
import time

import peers
from library import Library, NoDevice, error_of

ROUNDS, WARM, LIMIT = 30, 3, {"bf16": 1e-2, "f32": 1e-5}


def torch_on_device():
    try:
        import torch
    except ImportError as error:
        raise NoDevice(f"PyTorch is not installed: {error}") from error
    if not torch.cuda.is_available():
        raise NoDevice("PyTorch finds none")
    return torch


class Sets:
    """Arrays of a case, as many times as it takes to fill the second cache twice over."""

    def __init__(self, torch, case):
        kind = {"bf16": torch.bfloat16, "f32": torch.float32}[case["dtype"]]
        b, h, n, d = case["shape"]
        bytes_of_one = 4 * b * h * n * d * (2 if case["dtype"] == "bf16" else 4)
        cache = torch.cuda.get_device_properties(0).L2_cache_size
        generator = torch.Generator("cuda").manual_seed(1)
        self.all = []
        for _ in range(2 + 2 * cache // bytes_of_one):
            q, k, v = (torch.randn(b, h, n, d, device="cuda", dtype=kind, generator=generator) for _ in range(3))
            self.all.append((q, k, v, torch.full_like(q, float("nan"))))


def own(torch, library, case, sets):
    stream = torch.cuda.current_stream().cuda_stream
    calls = [library.on_device([(t.data_ptr(), tuple(t.shape)) for t in arrays], case["values"], stream) for arrays in sets]

    def call(i):
        calls[i]()
        return sets[i][3]
    return call


def rows_of(torch, case, arrays, rows=64):
    """A share of the exact result, in float64: so many queries of the first and the last head."""
    q, k, v, _ = arrays
    n, places = case["shape"][2], []
    for b, h in ((0, 0), (q.shape[0] - 1, q.shape[1] - 1)):
        at = torch.linspace(0, n - 1, min(rows, n), device="cuda").long()
        wide = [t[b, h].double() for t in (q, k, v)]
        places.append((b, h, at, peers.exact(torch, case, h, at, *wide)))
    return places


def timed(torch, calls, sets, rounds):
    """Milliseconds of each call, by name: medians of single calls, in turned order."""
    times = {name: [] for name in calls}
    names = list(calls)
    for r in range(rounds):
        events = []
        for name in names[r % len(names):] + names[:r % len(names)]:
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            calls[name](r % len(sets))
            end.record()
            events.append((name, begin, end))
        torch.cuda.synchronize()
        for name, begin, end in events:
            times[name].append(begin.elapsed_time(end))
    return {name: statistics.median(found) for name, found in times.items()}


def one(torch, folder, case):
    torch._dynamo.reset()  # else FlexAttention is compiled for any shape after the first, and for none after the eighth
    sets = Sets(torch, case).all
    calls = {"attnc": own(torch, Library(folder, case), case, sets), **peers.calls(torch, case, sets)}
    places, row = rows_of(torch, case, sets[0]), {"errors": {}, "problems": {}}
    for name in list(calls):
        try:
            for i in range(WARM):
                result = calls[name](i % len(sets))
            result = calls[name](0)
            torch.cuda.synchronize()
            row["errors"][name] = max(error_of(result[b, h, at].double().cpu(), exact.cpu()) for b, h, at, exact in places)
        except Exception as error:  # a peer that does not take a case is told, whatever it raises
            if name == "attnc":
                raise
            row["problems"][name] = (str(error).splitlines() or [type(error).__name__])[0]
            del calls[name]
    row["milliseconds"] = timed(torch, calls, sets, ROUNDS)
    row["teraflops"] = {name: case["operations"] / ms / 1e9 for name, ms in row["milliseconds"].items()}
    return row


def run(folder, manifest, seconds):
    torch = torch_on_device()
    torch.backends.cuda.matmul.allow_tf32 = False
    begin, rows, left = time.monotonic(), [], 0
    for case in manifest["measures"]:
        if time.monotonic() - begin > seconds:
            left += 1
            continue
        row = {"name": case["name"], "dtype": case["dtype"], "shape": case["shape"], **one(torch, folder, case)}
        row["passed"] = row["errors"]["attnc"] <= LIMIT[case["dtype"]]
        rows.append(row)
        print(f"{row['name']} {row['shape']} {'' if row['passed'] else 'WRONG '}"
              + ", ".join(f"{name} {rate:.1f}" for name, rate in row["teraflops"].items()) + " TFLOP/s", flush=True)
    return {"device": torch.cuda.get_device_name(0), "torch": torch.__version__, "target": manifest["target"],
            "passed": bool(rows) and all(row["passed"] for row in rows), "unmeasured": left, "rows": rows}
