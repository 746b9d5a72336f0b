"""Measures streams against the machine's peaks and PyTorch, in one process on one pinned core.

    tools/bench attention                     all cases
    tools/bench attention --quick             a few of them
    tools/bench attention --only full,causal  some
    tools/bench attention --flex              FlexAttention too, which takes seconds to compile each
    tools/bench attention --json OUT --svg OUT

Each round times every implementation of a case once, one after the other, so that what else the machine does meets all of
them alike; a time is the processor time of this process. The least and the median of the rounds are told. What was timed is
held against float64 before it is told. Where PyTorch is installed for the Python that runs this, it is measured too.
"""
import argparse
import ctypes
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from html import escape

import numpy as np

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(HERE, "attention.attn")


def machine(folder):
    library = os.path.join(folder, "peak.so")
    subprocess.run(["cc", "-O3", "-march=native", "-shared", "-fPIC", os.path.join(HERE, "peak.c"), "-o", library],
                   check=True)
    probes = ctypes.CDLL(library)
    for name in ("peak_fma", "peak_block", "peak_read"):
        getattr(probes, name).restype = ctypes.c_double
    cpu = {}
    for line in open("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        cpu.setdefault(name.strip(), value.strip())
    flags = cpu.get("flags", "").split()
    interesting = [f for f in ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16") if f in flags]
    return probes, {"cpu": cpu.get("model name", "?"), "features": interesting}


class Kernel:
    """A diagram of PROGRAM for fixed sizes, called through the C interface."""

    def __init__(self, attnc, folder, name, sizes, arrays):
        library = os.path.join(folder, f"{name}-{'-'.join(map(str, sizes.values()))}.so")
        begin = time.perf_counter()
        subprocess.run([attnc, "compile", PROGRAM, name, "--emit=so", "-o", library, "--size",
                        *(f"{k}={v}" for k, v in sizes.items())], check=True)
        self.compiled = time.perf_counter() - begin
        self.function = getattr(ctypes.CDLL(library), "attnc_" + name)
        self.arrays = arrays
        self.output = np.empty_like(arrays[0])
        self.pointers = [ctypes.c_void_p(a.ctypes.data) for a in (*arrays, self.output)]

    def __call__(self):
        if self.function(*self.pointers):
            raise MemoryError
        return self.output


def scores(case, q, k, rows, h, w):
    """The scores of some rows of a head in float64, and those that count."""
    n, d = k.shape
    s = q[rows].astype(float) @ k.T.astype(float) / math.sqrt(d)
    i, j = np.asarray(rows)[:, None], np.arange(n)[None]
    seen = np.ones_like(s, bool)
    if case == "causal":
        seen = j <= i
    elif case == "window":
        seen = (j <= i) & (i - j < 512)
    elif case == "alibi":
        s = s + 2.0 ** -(h + 1) * (j - i)
    elif case == "softcap":
        s = 50 * np.tanh(s / 50)
    elif case == "bias":
        s = s + w[h][rows]
    return s, seen


def error(case, arrays, output):
    """The relative error of some rows of some heads."""
    q, k, v, *rest = arrays
    B, H, n, d = q.shape
    rows = sorted({0, 1, n // 3, n // 2, n - 2, n - 1} & set(range(n)))
    wrong = right = 0.0
    for b, h in {(0, 0), (B - 1, H - 1), (B // 2, H // 2)}:
        s, seen = scores(case, q[b, h], k[b, h], rows, h, rest[0] if rest else None)
        if case == "sigmoid_attention":
            a = 1 / (1 + np.exp(-(s - math.log(n))))
        elif case == "relu_attention":
            a = np.maximum(s, 0) / n
        else:
            s = np.where(seen, s, -np.inf)
            a = np.exp(s - s.max(1, keepdims=True))
            a /= a.sum(1, keepdims=True)
        want = a @ v[b, h].astype(float)
        wrong += ((np.asarray(output[b, h][rows], float) - want) ** 2).sum()
        right += (want ** 2).sum()
    return math.sqrt(wrong / right)


def pairs(case, n):
    if case == "causal":
        return n * n / 2
    if case == "window":
        return sum(min(i + 1, 512) for i in range(n))
    return n * n


def peers(case, arrays, flex):
    """What PyTorch offers for the case, by name."""
    try:
        import torch
        import torch.nn.functional as F
    except ImportError:
        return {}
    torch.set_num_threads(1)
    q, k, v, *rest = (torch.from_numpy(a) for a in arrays)
    n, d = q.shape[-2:]
    scaled = lambda: q @ k.transpose(-1, -2) / math.sqrt(d)
    i, j = torch.arange(n)[:, None], torch.arange(n)[None]
    slopes = 2.0 ** -(torch.arange(q.shape[1]) + 1.0)
    found = {}
    if case == "full":
        found["SDPA"] = lambda: F.scaled_dot_product_attention(q, k, v)
        found["eager"] = lambda: torch.softmax(scaled(), -1) @ v
    elif case == "causal":
        found["SDPA"] = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)
    elif case == "bias":
        found["SDPA"] = lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=rest[0])
    elif case == "alibi":
        found["eager"] = lambda: torch.softmax(scaled() + slopes[:, None, None] * (j - i), -1) @ v
    elif case == "softcap":
        found["eager"] = lambda: torch.softmax(50 * torch.tanh(scaled() / 50), -1) @ v
    elif case == "window":
        mask = (j <= i) & (i - j < 512)
        found["eager"] = lambda: torch.softmax(scaled().masked_fill(~mask, -math.inf), -1) @ v
    elif case == "sigmoid_attention":
        found["eager"] = lambda: torch.sigmoid(scaled() - math.log(n)) @ v
    elif case == "relu_attention":
        found["eager"] = lambda: torch.relu(scaled()) / n @ v
    if flex and case in ("full", "causal", "window", "alibi", "softcap"):
        from torch.nn.attention.flex_attention import create_block_mask, flex_attention
        masks = {"causal": lambda b, h, i, j: j <= i, "window": lambda b, h, i, j: (j <= i) & (i - j < 512)}
        mods = {"alibi": lambda s, b, h, i, j: s + (j - i) * torch.exp2(-(h + 1.0)),
                "softcap": lambda s, b, h, i, j: 50 * torch.tanh(s / 50)}
        block = create_block_mask(masks[case], None, None, n, n, device="cpu") if case in masks else None
        torch._dynamo.reset()
        compiled = torch.compile(flex_attention, dynamic=False)
        found["Flex"] = lambda: compiled(q, k, v, score_mod=mods.get(case), block_mask=block)
    return found


def measure(calls, rounds, budget):
    """CPU seconds of each call, interleaved: the median and the least."""
    times = {name: [] for name in calls}
    for call in calls.values():
        call()
    begin = time.perf_counter()
    for done in range(rounds):
        for name, call in calls.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
        if done >= 4 and time.perf_counter() - begin > budget:
            break
    return {name: (statistics.median(t), min(t)) for name, t in times.items()}


CASES = ["full", "causal", "window", "alibi", "softcap", "bias", "sigmoid_attention", "relu_attention"]


def shapes(case, quick):
    sizes = [(1, 8, 1024)] if quick else [(16, 8, 128), (1, 8, 256), (1, 8, 1024), (1, 8, 4096), (1, 1, 8192)]
    if case not in ("full", "causal"):
        sizes = [(1, 8, 1024)] if quick or case == "bias" else [(1, 8, 1024), (1, 8, 4096)]
    return [(*size, d) for size in sizes for d in (64, 128)]


def picture(rows, path):
    """Bars of the share of the peak, a row for each shape and implementation."""
    high, left, wide = 16, 330, 520
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + wide + 80}" height="{high * len(rows) + 40}" '
             'font-family="sans-serif" font-size="11">']
    colours = {"attnc": "#2f6f9f", "SDPA": "#c0722c", "eager": "#999999", "Flex": "#7f9f3f"}
    for i, row in enumerate(rows):
        y, share = 20 + i * high, min(row["share"], 1)
        label = f"{row['case']} B{row['B']} H{row['H']} n{row['n']} d{row['d']} {row['impl']}"
        parts.append(f'<text x="{left - 6}" y="{y + 11}" text-anchor="end">{escape(label)}</text>'
                     f'<rect x="{left}" y="{y + 2}" width="{wide * share:.1f}" height="{high - 4}" '
                     f'fill="{colours.get(row["impl"], "#555555")}"/>'
                     f'<text x="{left + wide * share + 4:.1f}" y="{y + 11}">{100 * row["share"]:.0f} %</text>')
    with open(path, "w") as file:
        file.write("\n".join(parts) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(prog="tools/bench attention", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attnc", default=os.path.join(ROOT, "build", "release", "tools", "attnc", "attnc"))
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--budget", type=float, default=4, help="seconds for a case, once it had five rounds")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--flex", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("--svg")
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.core})
    os.environ["OMP_NUM_THREADS"] = "1"
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        probes, about = machine(folder)
        peak = {"fma": probes.peak_fma(), "block": probes.peak_block(), "read": probes.peak_read()}
        about["peak"] = peak
        print(f"{about['cpu']}, {' '.join(about['features'])}\none core: {peak['fma']:.0f} GFLOP/s of f32 multiply-adds, "
              f"{peak['block']:.0f} as a block of registers, {peak['read']:.1f} GB/s", flush=True)
        for case in options.only.split(","):
            for B, H, n, d in shapes(case, options.quick):
                rng = np.random.default_rng(1)
                arrays = [rng.standard_normal((B, H, n, d), np.float32) for _ in range(3)]
                if case == "bias":
                    arrays.append(rng.standard_normal((H, n, n), np.float32))
                kernel = Kernel(options.attnc, folder, case, {"b": B, "h": H, "n": n, "d": d}, arrays)
                calls = {"attnc": kernel, **peers(case, arrays, options.flex)}
                times = measure(calls, options.rounds, options.budget)
                again = probes.peak_fma()
                peak["fma"] = max(peak["fma"], again)
                for name, call in calls.items():
                    wrong = error(case, arrays, np.asarray(call()))
                    if not wrong < 1e-5:
                        sys.exit(f"{case} {name}: relative error {wrong:.1e}")
                work = 4 * B * H * d * pairs(case, n)
                for name, (median, least) in times.items():
                    row = {"case": case, "impl": name, "B": B, "H": H, "n": n, "d": d, "ms": median * 1e3,
                           "least_ms": least * 1e3, "gflops": work / least / 1e9,
                           "share": work / least / 1e9 / peak["fma"], "compile_s": kernel.compiled}
                    rows.append(row)
                    print(f"{case:18} {name:6} B{B:<3} H{H:<2} n{n:<5} d{d:<4} {least * 1e3:9.3f} ms least {median * 1e3:9.3f} median "
                          f"{row['gflops']:7.1f} GFLOP/s {100 * row['share']:5.1f} %  {times[name][1] / times['attnc'][1]:5.2f} ×",
                          flush=True)
        for row in rows:
            row["share"] = row["gflops"] / peak["fma"]
        for d in (64, 128):
            line = [(math.log(r["n"]), math.log(r["least_ms"] / r["H"] / r["B"])) for r in rows
                    if r["case"] == "full" and r["impl"] == "attnc" and r["d"] == d]
            if len(line) > 2:
                x, y = zip(*line)
                print(f"d = {d}: time of a head grows as n to the power {np.polyfit(x, y, 1)[0]:.2f}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"machine": about, "rows": rows}, file, indent=1)
    if options.svg:
        picture(rows, options.svg)


if __name__ == "__main__":
    main()
