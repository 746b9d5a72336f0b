"""Every attention-shaped mechanism of the taxonomy and every recombined one: whether it is streamed, its time, its share of the
peak by the operations that `attnc cost` counts, which are those of whole arrays, masked or not. Results are held
against `attnc eval`."""
import glob
import json
import os
import re
import subprocess

import numpy as np

from kernel import Kernel, within
from measure import measure

# Sizes by the last part of their name, and what differs for a file.
USUAL = {"n": 1024, "m": 1024, "d": 64, "e": 64, "c": 64, "b": 64, "h": 8, "g": 2, "r": 32, "p": 32, "f": 256, "w": 128, "s": 4,
         "k": 4, "G": 4, "x": 32, "l": 64, "t": 4, "o": 2, "w1": 128, "w2": 16}
DECODE = {"c": 4096}
SIZES = {
    "aft": {"n": 512},
    "attention_dropout": {"n": 512, "m": 512},
    "bigbird": {"b": 16, "l": 64, "r": 3, "g": 2},
    "block_sparse": {"b": 16, "l": 64, "p": 64, "c": 8},
    "clift_simplicial": {"n": 128, "m": 32, "r": 32, "c": 16, "d": 16, "e": 16},
    "content_addressing": {"h": 64},
    "decode_n_simplicial": {"c": 256},
    "decode_n_simplicial_learned": {"c": 128},
    "decode_n_simplicial_or": {"c": 256},
    "decode_n_simplicial_outside": {"c": 256},
    "decode_n_simplicial_windowed": {"c": 256},
    "decode_reformer": {"a": 32, "r": 2},
    "decode_transformer": {"c": 512, "l": 2, "w": 1024},
    "decode_two_simplicial_determinant": {"c": 1024},
    "decoded": {"n": 256},
    "decoder_layer": {"n": 512, "m": 512},
    "differential": {"h": 4},
    "dilated_window": {"g": 2},
    "dsa": {"c": 128},
    "dsa_reused": {"c": 128, "b": 32},
    "dsa_softmax": {"c": 128},
    "encoder_layer": {"n": 512},
    "gathered_attention": {"c": 128},
    "gla": {"r": 16},
    "key_padding": {"b": 8, "n": 512, "m": 512},
    "learned_bias": {"a": 32, "b": 32},
    "linformer": {"r": 128},
    "longformer": {"g": 16, "w": 128},
    "merged_attention": {"p": 4, "b": 256},
    "moa": {"w": 8},
    "n_simplicial": {"m": 32},
    "n_simplicial_dsa": {"n": 256, "r": 32, "g": 4},
    "n_simplicial_dsa_softmax": {"n": 256, "r": 32, "g": 4},
    "n_simplicial_learned": {"m": 32, "n": 256},
    "n_simplicial_or": {"m": 32},
    "n_simplicial_outside": {"m": 32},
    "n_simplicial_topk": {"n": 128, "r": 8},
    "n_simplicial_windowed": {"n": 32, "t": 1024},
    "nystrom": {"r": 32, "s": 32},
    "online_softmax": {"b": 8, "l": 128},
    "paged_decode": {"p": 128, "b": 32, "l": 128},
    "perceiver": {"l": 2, "r": 256, "w": 64},
    "reformer": {"t": 2, "b": 8},
    "resonance": {"n": 512, "m": 512, "k": 8, "l": 8},
    "resonant": {"n": 128, "m": 128, "k": 8, "l": 8},
    "resonant_fold": {"n": 128, "m": 128, "k": 8, "l": 8},
    "resonant_multihead": {"n": 128, "m": 128, "k": 8, "l": 8},
    "resonant_values": {"n": 128, "m": 128, "l": 8},
    "rhizomatic": {"n": 512, "b": 8},
    "rhizomatic_best": {"b": 8},
    "rhizomatic_edges": {"l": 4096, "b": 8},
    "ring_attention": {"b": 256, "p": 4},
    "set_transformer": {"n": 512, "k": 4, "h": 4},
    "shaw_relative": {"c": 16},
    "striped_attention": {"b": 256, "p": 4},
    "switchhead": {"h": 2, "w": 8},
    "synthesizer_factorised": {"s": 32, "t": 32},
    "talking_heads": {"f": 8, "g": 8},
    "topk_attention": {"c": 32},
    "transformer": {"n": 256, "m": 256, "w": 64, "l": 2, "h": 4},
    "two_simplicial": {"n": 128, "m": 128, "p": 128},
    "two_simplicial_determinant": {"n": 128, "m": 128, "l": 128, "p": 16},
    "two_simplicial_gqa": {"n": 256, "h": 2, "g": 4},
    "two_simplicial_sum": {"n": 256, "m": 256, "p": 256},
    "two_simplicial_windowed": {"n": 512},
    "zigzag_attention": {"b": 128, "p": 4},
}
# What numbers stand in arrays of whole numbers: those below a size.
BELOW = {"keys": "m", "R": "l", "blocks": "p", "G": "n", "table": "p", "type": "b", "link_type": "b", "source": "n",
         "target": "n", "lengths": "m", "p": "8", "p'": "8", "active": "k", "active'": "l", "w": "m"}
NOT_ATTENTION = {"fnet", "generators", "gmlp", "layer_norm", "mlp_mixer", "projected_attention", "resonant_state",
                 "rhizomatic_around", "rhizomatic_merge", "rhizomatic_merge_best", "rhizomatic_path", "rhizomatic_subgraph",
                 "segment_sums", "sinks_absorbing"}


def told(attnc, *arguments):
    done = subprocess.run([attnc, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().split("\n")[0])
    return done.stdout


def evaluated(expression, sizes):
    """A size such as `s+w` or `2*b*p`."""
    numbers = re.sub(r"[A-Za-z_][\w.']*", lambda name: str(sizes[name[0]]), expression)
    if not re.fullmatch(r"[\d+\-*() ]+", numbers):
        raise ValueError(expression)
    return eval(numbers)  # of digits and signs alone


def parsed(text, sizes):
    kind, axes = re.fullmatch(r"(int|bool|real)?\[(.*)\]", text).groups()
    return kind or "real", tuple(evaluated(axis, sizes) for axis in axes.split())


def sizes_of(name, signature):
    """A length for every size; one that counts tuples is a power."""
    own = {**USUAL, **(DECODE if name.startswith("decode_") or name == "decode" else {}), **SIZES.get(name, {})}
    sizes = {size: own[size.split(".")[-1]] for size in signature["sizes"]}
    for size in sizes:
        if size.endswith(".t"):
            tuples = own["r"] if "topk" in name + size or "dsa" in name else next(sizes[k] for k in "mnc" if k in sizes)
            sizes[size] = tuples ** sizes["o"]
    return sizes


def filled(name, kind, shape, sizes, rng):
    if kind == "bool":
        return rng.random(shape) < 0.6
    if kind == "int":
        below = evaluated(BELOW.get(name, "8"), {**USUAL, **sizes})
        if name == "t":
            below = next((sizes[c] for c in ("c", "w", "l", "m", "n") if c in sizes), 8)
            return np.full(shape, below - 1)
        if name == "G":
            return np.sort(rng.permutation(below)[:shape[0]])
        return np.asarray(rng.integers(0, below, shape))
    array = np.asarray(rng.standard_normal(shape), np.float32)
    return np.abs(array) if name in ("w", "weight", "m", "p", "tau", "c", "beta") else array


def streams(attnc, path, diagram, options):
    """How many folds of all are streamed, and why others are not."""
    lines = told(attnc, "compile", "--explain", path, diagram, *options).splitlines()
    good = [line for line in lines if ": streamed:" in line]
    bad = [line.split("not streamed: ")[1] for line in lines if ": not streamed:" in line]
    if not good and not bad:
        return "no such fold"
    return f"{len(good)} of {len(good) + len(bad)}" + "".join(f"; {reason}" for reason in dict.fromkeys(bad))


def difference(options, path, diagram, sizes, arrays, parameters, output, folder):
    """From `attnc eval`, in the Frobenius norm."""
    command = ["eval", path, diagram, "--out", os.path.join(folder, "want.npz"), "--size", *sizes]
    for name, array in arrays.items():
        np.save(os.path.join(folder, f"in-{name}.npy"), array)
        command += ["--in", f"{name}={os.path.join(folder, f'in-{name}.npy')}"]
    if parameters:
        np.savez(os.path.join(folder, "parameters.npz"), **parameters)
        command += ["--params", os.path.join(folder, "parameters.npz")]
    told(options.attnc, *command)
    with np.load(os.path.join(folder, "want.npz")) as archive:
        want = archive[archive.files[0]].astype(float)
    finite = np.isfinite(want)
    return float(np.linalg.norm((output - want)[finite]) / max(np.linalg.norm(want[finite]), 1e-30))


def one(options, folder, probes, path):
    name = os.path.basename(path)[:-5]
    everything = json.loads(told(options.attnc, "check", "--json", path))["diagrams"]
    signature = [d for d in everything if os.path.samefile(d["file"], path)][-1]
    diagram, sizes = signature["name"], sizes_of(name, signature)
    options_of_size = [f"{k}={v}" for k, v in sizes.items()]
    row = {"file": name, "diagram": diagram, "sizes": " ".join(o for o in options_of_size if "." not in o),
           "streamed": streams(options.attnc, path, diagram, ["--size", *options_of_size] if sizes else [])}
    rng = np.random.default_rng(1)
    arrays = {i["name"]: filled(i["name"], *parsed(i["type"], sizes), sizes, rng) for i in signature["inputs"]}
    parameters = {p["name"]: filled("", *parsed(p["type"], sizes), sizes, rng) / np.float32(8) for p in signature["parameters"]}
    outputs = [parsed(o["type"], sizes) for o in signature["outputs"]]
    as_taken = {"f": np.float32, "i": np.int64, "b": np.uint8}
    kernel = Kernel(options.attnc, folder, path, diagram, sizes, [shape for _, shape in outputs])
    kernel.outputs = [np.empty(shape, np.int64 if kind == "int" else np.float32) for kind, shape in outputs]
    kernel.on([a.astype(as_taken[a.dtype.kind]) for a in (*arrays.values(), *parameters.values())])
    if problem := within(10, kernel):
        return row | {"problem": problem}
    sample = measure({"attnc": kernel}, lambda: probes.rate("fma"), 7, 0.4)["attnc"]
    wrong = difference(options, path, diagram, options_of_size, arrays, parameters, sample.output, folder)
    if not wrong < 1e-4:
        return row | {"problem": f"relative error {wrong:.1e}"}
    cost = json.loads(told(options.attnc, "cost", "--json", path, diagram, "--size", *options_of_size))
    work = cost["flops"]["value"]
    return row | {"ms": sample.median() * 1e3, "share": sample.share(work), "rate": work / sample.median() / 1e9, "error": wrong}


def survey(root, options, folder, probes):
    rows = []
    taxonomy = os.path.join(root, "taxonomy")
    paths = sorted(glob.glob(os.path.join(taxonomy, "*.attn")))
    paths += sorted(glob.glob(os.path.join(taxonomy, "recombined", "*.attn")), key=lambda p: int(re.findall(r"\d+", p)[-1]))
    for path in paths:
        if os.path.basename(path)[:-5] in NOT_ATTENTION:
            continue
        try:
            row = one(options, folder, probes, path)
        except (RuntimeError, KeyError, ValueError, MemoryError) as problem:
            row = {"file": os.path.basename(path)[:-5], "sizes": "", "streamed": "?",
                   "problem": f"{type(problem).__name__}: {problem}"}
        rows.append(row)
        text = f"{row['ms']:9.3f} ms {100 * row['share']:5.1f} %  error {row['error']:.0e}" if "ms" in row else row["problem"]
        print(f"{row['file']:28} {text:40} {row['streamed'][:70]}", flush=True)
    return rows
