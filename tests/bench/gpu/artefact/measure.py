"""Streams on a device beside PyTorch and Triton: the same arrays in one process, CUDA's events, arrays in turn that together are
larger than the second cache, medians."""
import statistics
import time

import numpy as np

import peers
from library import Library, NoDevice, error_of

ROUNDS, WARM, LIMIT = 30, 3, {"bf16": 1e-2, "tf32": 2e-3, "f32": 1e-5}
HEAD_START = 10_000_000  # cycles that the device waits in each round, while the host asks for its calls


def torch_on_device():
    try:
        import torch
    except ImportError as error:
        raise NoDevice(f"PyTorch is not installed: {error}") from error
    if not torch.cuda.is_available():
        raise NoDevice("PyTorch finds none")
    return torch


def sets_of(torch, case):
    """Arrays of a case, as many times as it takes to fill the second cache twice over. The last of each is the result."""
    kind = torch.bfloat16 if case["kind"] == "bf16" else torch.float32
    cache = torch.cuda.get_device_properties(0).L2_cache_size
    generator = torch.Generator("cuda").manual_seed(1)
    sets = []
    for _ in range(2 + 2 * cache // case["bytes"]):
        *inputs, output = case["shapes"]
        arrays = [torch.randn(shape, device="cuda", dtype=kind, generator=generator) for shape in inputs]
        sets.append([*arrays, torch.full(output, float("nan"), device="cuda", dtype=kind)])
    return sets


def own(torch, library, case, sets):
    stream = torch.cuda.current_stream().cuda_stream
    calls = [library.on_device([(t.data_ptr(), tuple(t.shape)) for t in arrays], case["values"], stream) for arrays in sets]

    def call(i):
        calls[i]()
        return sets[i][-1]
    return call


def timed(torch, calls, sets, rounds):
    """Milliseconds of each call, by name: medians of single calls, in turned order."""
    times = {name: [] for name in calls}
    names = list(calls)
    for r in range(rounds):
        events = []
        torch.cuda._sleep(HEAD_START)
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


def error_of_call(torch, case, call, sets, exact):
    for i in range(WARM):
        result = call(i % len(sets))
    result = call(0)
    torch.cuda.synchronize()
    result = peers.as_heads(case, result)
    error = max(error_of(result[place].double().cpu(), wanted.cpu()) for place, wanted in exact)
    return error if np.isfinite(error) else "infinite"


def one(torch, folder, case, target):
    torch._dynamo.reset()  # else FlexAttention is compiled for any shape after the first, and for none after the eighth
    torch.set_float32_matmul_precision("high" if case["kind"] == "tf32" else "highest")
    sets = sets_of(torch, case)
    calls = {"attnc": own(torch, Library(folder, case, target), case, sets), **peers.calls(torch, case, sets)}
    exact, row = peers.exact(torch, case, sets[0]), {"errors": {}, "problems": {}}
    for name in list(calls):
        try:
            row["errors"][name] = error_of_call(torch, case, calls[name], sets, exact)
        except Exception as error:  # what does not take a case is told, whatever it raises
            row["problems"][name] = (str(error).splitlines() or [type(error).__name__])[0]
            del calls[name]
    row["milliseconds"] = timed(torch, calls, sets, ROUNDS)
    row["teraflops"] = {name: case["operations"] / ms / 1e9 for name, ms in row["milliseconds"].items()}
    row["gigabytes_per_second"] = {name: case["bytes"] / ms / 1e6 for name, ms in row["milliseconds"].items()}
    row["passed"] = isinstance(error := row["errors"].get("attnc"), float) and error <= LIMIT[case["kind"]]
    return row


def run(folder, manifest, seconds):
    torch = torch_on_device()
    begin, rows, left = time.monotonic(), [], 0
    for case in manifest["measures"]:
        if time.monotonic() - begin > seconds:
            left += 1
            continue
        row = {"name": case["name"], "kind": case["kind"], "sizes": case["named"], **one(torch, folder, case, manifest["target"])}
        rows.append(row)
        sizes = ", ".join(f"{name} = {n}" for name, n in row["sizes"].items())
        rates = row["gigabytes_per_second" if "decode" in row["name"] else "teraflops"]
        print(f"{row['name']} ({sizes}) {'' if row['passed'] else 'WRONG '}"
              + ", ".join(f"{name} {rate:.1f}" for name, rate in rates.items())
              + (" GB/s" if "decode" in row["name"] else " TFLOP/s"), flush=True)
        for name, problem in row["problems"].items():
            print(f"  {name}: {problem}")
    return {"device": torch.cuda.get_device_name(0), "torch": torch.__version__, "target": manifest["target"],
            "passed": bool(rows) and all(row["passed"] for row in rows), "unmeasured": left, "rows": rows}
