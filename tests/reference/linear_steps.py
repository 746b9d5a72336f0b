"""One token of the mechanisms that carry a state of fixed size, from the formulas of their papers."""
import numpy as np


def phi(x):
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def linear_attention(a, p):
    """Katharopoulos et al. 2020, equations 18 to 20, with the 10⁻⁶ of their program."""
    S, z = a["S"] + np.outer(phi(a["k"]), a["v"]), a["z"] + phi(a["k"])
    return [S, z, phi(a["q"]) @ S / (phi(a["q"]) @ z + 1e-6)]


def retention(a, p):
    """Sun et al. 2023, equation 6."""
    S = float(a["g"]) * a["S"] + np.outer(a["k"], a["v"])
    return [S, a["q"] @ S]


def gla(a, p):
    """Yang et al. 2024a, section 4."""
    S = np.diag(np.exp(a["g"])) @ a["S"] + np.outer(a["k"], a["v"])
    return [S, a["q"] @ S]


def ssd(a, p):
    """Dao and Gu 2024, equation 2."""
    h = np.exp(a["g"]) * a["h"] + np.outer(a["B"], a["x"])
    return [h, a["C"] @ h]


def delta(a, p):
    """Yang et al. 2024b, equation 1, with the matrix written out."""
    k, beta = a["k"], float(a["beta"])
    S = (np.eye(len(k)) - beta * np.outer(k, k)) @ a["S"] + beta * np.outer(k, a["v"])
    return [S, a["q"] @ S]


def performer(a, p):
    """Choromanski et al. 2021, section 2.5: sums over keys of e^(ω·k' − ‖k'‖²/2 − top), top the largest ω·k' so far."""
    omega, d, r = a["omega"], a["omega"].shape[1], len(a["omega"])
    q, k = a["q"] / d**0.25, a["k"] / d**0.25
    top = max(float(a["top"]), (omega @ k).max(initial=-np.inf))
    fade = 0.0 if np.isneginf(a["top"]) else np.exp(float(a["top"]) - top)
    f = np.exp(omega @ k - k @ k / 2 - top)
    E, z = fade * a["E"] + np.outer(f, a["v"]), fade * a["z"] + f
    total, count = a["total"] + a["v"], a["count"] + 1
    own = (omega @ q).max(initial=-np.inf)
    g = (np.exp(omega @ q - q @ q / 2 - own) + 1e-4) / np.sqrt(r)
    norm = g @ (z + 1e-4 * count)
    return [E, z, total, count, top, g @ (E + 1e-4 * total) / norm if norm else np.zeros_like(total)]
