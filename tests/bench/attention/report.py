"""What was measured, as lines while it goes on, as a picture, and as tables."""
import math
from html import escape

import numpy as np

UNITS = {"fma": "GFLOP/s", "bf16": "GFLOP/s", "read": "GB/s"}
COLOURS = {"attnc": "#2f6f9f", "SDPA": "#c0722c", "eager": "#999999", "Flex": "#7f9f3f"}


def size_text(sizes):
    """The usual ones by their letters; n last."""
    order = sorted(sizes, key=lambda name: "bhgrnd".find(name))
    return " ".join(f"{name}={sizes[name]}" for name in order if not (name == "b" and sizes[name] == 1) and name != "e")


def heading(result):
    machine = result["machine"]
    print(f"{machine['cpu']}, {machine['cores']} cores; {' '.join(machine['features'])}; load {result['load']:.1f}")
    print("one core: " + ", ".join(f"{name} {rate['median']:.1f}" for name, rate in result["peaks"].items())
          + f" (GFLOP/s; read GB/s); bf16 by {result['bf16']}; PyTorch {result['torch']}", flush=True)


def line(row):
    what = f"{row['family']:24} {size_text(row['sizes']):22}"
    if "problem" in row:
        print(f"{what} {row['impl']:17} {row['problem']}", flush=True)
        return
    text = f"{what} {row['impl']:17} {row['ms']:9.3f} ms {row['rate']:7.1f} {UNITS[row['limit']]:7} {100 * row['share']:5.1f} %"
    if row["impl"] != "attnc":
        text += f"  {row['times']:6.2f} ×"
    if "efficiency" in row:
        text += f"  {100 * row['efficiency']:.0f} % efficient"
    print(text, flush=True)


def growth(rows):
    """Time of a head ~ n ^ exponent, by d."""
    exponents = {}
    for d in sorted({row["sizes"]["d"] for row in rows if row["family"] == "full"}):
        points = [(math.log(r["sizes"]["n"]), math.log(r["ms"] / r["sizes"]["h"] / r["sizes"]["b"]))
                  for r in rows if r["family"] == "full" and r["impl"] == "attnc" and r["sizes"]["d"] == d and "ms" in r]
        if len(points) > 2:
            exponents[d] = float(np.polyfit(*zip(*points), 1)[0])
    return exponents


def tell_growth(rows):
    for d, exponent in growth(rows).items():
        print(f"d = {d}: the time of a head grows as n to the power {exponent:.2f}")


def picture(result):
    """Bars of the share of the peak, a row for each case and implementation."""
    rows = [row for row in result["rows"] if "share" in row and row["impl"] in COLOURS]
    high, left, wide = 15, 330, 520
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + wide + 80}" height="{high * len(rows) + 40}" '
             'font-family="sans-serif" font-size="10.5">']
    for name, x in zip(COLOURS, range(left, left + 400, 90)):
        parts.append(f'<rect x="{x}" y="4" width="10" height="10" fill="{COLOURS[name]}"/>'
                     f'<text x="{x + 14}" y="13">{name}</text>')
    for i, row in enumerate(rows):
        y, length = 24 + i * high, wide * min(row["share"], 1.2) / 1.2
        label = f"{row['family']} {size_text(row['sizes'])}" if row["impl"] == "attnc" else row["impl"]
        parts.append(f'<text x="{left - 6}" y="{y + 10}" text-anchor="end">{escape(label)}</text>'
                     f'<rect x="{left}" y="{y + 1}" width="{length:.1f}" height="{high - 3}" fill="{COLOURS[row["impl"]]}"/>'
                     f'<text x="{left + length + 4:.1f}" y="{y + 10}">{100 * row["share"]:.0f} %</text>')
    edge = left + wide / 1.2
    parts.append(f'<line x1="{edge:.1f}" x2="{edge:.1f}" y1="20" y2="{26 + high * len(rows)}" stroke="#444444"/>')
    return "\n".join(parts) + "\n</svg>"


def percent(value, aim=0):
    """With the aim where it is missed."""
    text = f"{100 * value:.0f} %"
    return text + (f" (aim {100 * aim:.0f})" if value < aim else "")


def milliseconds(value):
    """Three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def ratio(value, aim=0):
    return f"{value:.2f} ×" + (f" (aim {aim:g})" if value < aim else "")


def cells(group):
    """A row of the table of cases: attnc, its share and efficiency, and each other implementation."""
    own = group[0]
    head = f"| {own['family']} | {size_text(own['sizes'])} "
    if "problem" in own:
        return head + f"| {own['problem']} | | | | |"
    plain, others = "", []
    for row in group[1:]:
        if "problem" in row:
            others.append(f"{row['impl']}: {row['problem']}")
        elif row["impl"] == "attnc, any length":
            others.append(f"any length {1 / row['times']:.2f}")
        elif "efficiency" in row:
            plain = percent(row["efficiency"], row["aim"])
        else:
            others.append(f"{row['impl']} {ratio(row['times'], row.get('aim', 0))}")
    rate = f"{own['rate']:.0f}" if own["limit"] != "read" else f"{own['rate']:.1f} GB/s"
    return (head + f"| {milliseconds(own['ms'])} | {rate} | {percent(own['share'], own['aim'])} | {plain} | "
            + ", ".join(others) + " |")


def markdown(result):
    groups = {}
    for row in result["rows"]:
        groups.setdefault((row["family"], size_text(row["sizes"])), []).append(row)
    lines = ["| | sizes | ms | GFLOP/s | share of peak | rate, of plain softmax | times as fast as |",
             "|---|---|---|---|---|---|---|"]
    lines += [cells(group) for group in groups.values()]
    for d, exponent in growth(result["rows"]).items():
        lines += ["", f"d = {d}: the time of a head grows as n to the power {exponent:.2f}."]
    if "threads" in result:
        lines += ["", "| two threads | sizes | one, ms | two, ms | ratio |", "|---|---|---|---|---|"]
        lines += [f"| {r['what']} | {size_text(r['sizes'])} | {milliseconds(r['one_ms'])} | {milliseconds(r['two_ms'])} | {r['ratio']:.2f} |"
                  for r in result["threads"]["rows"]]
    if "starting" in result:
        lines += ["", "| starting, memory | |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in result["starting"].items()]
    if "taxonomy" in result:
        lines += ["", "| taxonomy | sizes | streamed | ms | share of peak |", "|---|---|---|---|---|"]
        lines += [f"| {r['file']} | {r['sizes']} | {r['streamed']} | " + (
            f"{milliseconds(r['ms'])} | {100 * r['share']:.1f} % |" if "ms" in r else f"{r['problem']} | |") for r in result["taxonomy"]]
    return "\n".join(lines)
