"""Resonant attention (Schepis 2025): a state is a dictionary from a prime to its amplitude and quaternion."""
import cmath
import math

import numpy as np

from .basic import softmax

IDENTITY = np.array([1.0, 0, 0, 0])


def states(a, mark=""):
    """The states that the arrays of one side list."""
    p, active, re, im, q = (a[name + mark] for name in ("p", "active", "re", "im", "q"))
    return [{int(p[i, s]): (complex(re[i, s], im[i, s]), q[i, s]) for s in range(active[i])} for i in range(len(p))]


def resonance_of(one, other, weights):
    shared = one.keys() & other.keys()
    if not shared:
        return 0.0
    jaccard = len(shared) / len(one.keys() | other.keys())
    aligned = np.mean([abs(one[p][1] @ other[p][1]) for p in shared])
    coherent = np.mean([math.cos(cmath.phase(one[p][0]) - cmath.phase(other[p][0])) for p in shared])
    return weights[0] * jaccard + weights[1] * aligned + weights[2] * (coherent + 1) / 2


def scores(a, weights):
    return np.array([[resonance_of(i, j, weights) for j in states(a, "'")] for i in states(a)]).reshape(
        len(a["p"]), len(a["p'"]))


def resonance(a, p):
    return [scores(a, a["weights"])]


def unit(q):
    r = np.linalg.norm(q)
    return q / r if r > 1e-10 else IDENTITY


def superposed(weights, values, settle=lambda q: q):
    """Σ w_j |j⟩: amplitudes over their length, quaternions over their own after `settle` at each step."""
    sums = {}
    for w, state in zip(weights, values):
        for p, (amplitude, q) in state.items():
            before = sums.get(p, (0, np.zeros(4)))
            sums[p] = before[0] + w * amplitude, settle(before[1] + w * q)
    length = math.sqrt(sum(abs(amplitude) ** 2 for amplitude, _ in sums.values()))
    return {p: (amplitude / (length if length >= 1e-10 else 1), unit(q)) for p, (amplitude, q) in sums.items()}


def listed(rows, a):
    """Results, all with the same primes, as the arrays of a program; with no row, from the primes of the keys."""
    m, places = a["p'"].shape
    primes = sorted({p for state in states(a, "'") for p in state})
    p, re, im, q = np.zeros(m * places), *np.zeros((2, len(rows), m * places)), np.zeros((len(rows), m * places, 4))
    p[:len(primes)] = primes
    for i, row in enumerate(rows):
        for s, prime in enumerate(primes):
            re[i, s], im[i, s], q[i, s] = row[prime][0].real, row[prime][0].imag, row[prime][1]
    return [p, len(primes), re, im, q]


def resonant(a, p, settle=lambda q: q):
    w = softmax(scores(a, a["weights"]) / a["tau"])
    return listed([superposed(row, states(a, "'"), settle) for row in w], a)


def resonant_fold(a, p):
    return resonant(a, p, unit)


def resonant_values(a, p):
    a = {name if name == "w" else name + "'": array for name, array in a.items()}
    return listed([superposed(row, states(a, "'")) for row in a["w"]], a)


def resonant_multihead(a, p):
    h = int(a["h"])
    heads = []
    for head in range(h):
        t = head / (h - 1) if h > 1 else 0
        w = softmax(scores(a, (0.5 - 0.3 * t, 0.3, 0.2 + 0.3 * t)) / a["tau"])
        heads.append([superposed(row, states(a, "'")) for row in w])
    return listed([superposed(np.ones(h), row) for row in zip(*heads)] if h else
                  [superposed([0.0] * len(a["p'"]), states(a, "'")) for _ in a["p"]], a)


def hashed(text, primes, k):
    """The state of a text, as the source's `fromHash` describes it."""
    h = 0
    for c in text:
        h = (31 * h + c + 2**31) % 2**32 - 2**31
    s = sum(text)
    state = {}
    for i in range(k):
        axis = np.array([math.sin(s + i), math.cos(s * i), math.sin(i)])
        angle = math.fmod(s * i, 2 * math.pi)
        norm = np.linalg.norm(axis)
        q = np.concatenate([[math.cos(angle / 2)], math.sin(angle / 2) * axis / (norm if norm else 1)])
        state[int(primes[abs(h * (i + 1) * 31337) % len(primes)])] = cmath.rect(1 / math.sqrt(k), 2 * math.pi * i / k), q
    return state


def resonant_state(a, p):
    n, k = len(a["text"]), int(a["k"])
    primes, active = np.zeros((n, k)), np.zeros(n)
    re, im, q = np.zeros((n, k)), np.zeros((n, k)), np.zeros((n, k, 4))
    for i, (text, length) in enumerate(zip(a["text"], a["length"])):
        state = hashed([int(c) for c in text[:length]], a["primes"], k) if len(a["primes"]) else {}
        active[i] = len(state)
        for s, (prime, (amplitude, turn)) in enumerate(sorted(state.items())):
            primes[i, s], re[i, s], im[i, s], q[i, s] = prime, amplitude.real, amplitude.imag, turn
    return [primes, active, re, im, q]
