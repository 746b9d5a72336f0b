"""What PyTorch has for a case, by name: its fused attention (SDPA), FlexAttention compiled, and one operation after the
other (eager). Nothing where it is not installed."""
import math

import recombined

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = None

CHUNK = 128  # of scans, eager


def prepare(threads):
    if torch:
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        torch._dynamo.config.recompile_limit = 256


def start_team():
    """Starts the threads, which keep to the cores that the main thread may use now."""
    if torch:
        F.scaled_dot_product_attention(*(torch.ones(1, 8, 256, 64) for _ in "qkv"))


def version():
    return torch.__version__ if torch else None


def tensor(array):
    """A uint16 holds the bits of a bfloat16."""
    t = torch.from_numpy(array)
    return t.view(torch.bfloat16) if array.dtype.name == "uint16" else t


def numpy(output):
    if torch and isinstance(output, torch.Tensor):
        return (output.float() if output.dtype == torch.bfloat16 else output).numpy()
    return output


def eager(weights):
    """Weights from scaled scores, then values."""
    return lambda q, k, v: weights(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])) @ v


def softmax(s):
    return torch.softmax(s, -1)


class Eager:
    """Operations of recombined mechanisms."""
    phi = staticmethod(lambda x: F.elu(x) + 1)
    softmax = staticmethod(softmax)
    turned = staticmethod(lambda x: x.transpose(-1, -2))


def normalised(s):
    w = torch.relu(s)
    return w / w.sum(-1, keepdim=True)


def by_chunks(q, k, v, decay):
    """Σ_(j ≤ i) e^(c_i − c_j) (q_i · k_j) v_j with a state from chunk to chunk; c sums `decay` [h n]."""
    h, n, d = q.shape
    state, out = torch.zeros(h, d, v.shape[-1]), []
    mask = torch.tril(torch.ones(CHUNK, CHUNK, dtype=torch.bool))
    for at in range(0, n, CHUNK):
        to = slice(at, at + CHUNK)
        Q, K, V = q[:, to], k[:, to], v[:, to]
        c = torch.cumsum(decay[:, to], 1)
        fade = torch.where(mask, torch.exp(torch.where(mask, c[:, :, None] - c[:, None], 0)), 0)
        out.append((Q @ K.transpose(1, 2) * fade) @ V + torch.exp(c)[..., None] * (Q @ state))
        last = c[:, -1:]
        state = torch.exp(last)[..., None] * state + (K * torch.exp(last - c)[..., None]).transpose(1, 2) @ V
    return torch.cat(out, 1)


def linear(q, k, v):
    h, n, d = q.shape
    q, k = Eager.phi(q), Eager.phi(k)
    state, norm, out = torch.zeros(h, d, v.shape[-1]), torch.zeros(h, d, 1), []
    for at in range(0, n, CHUNK):
        to = slice(at, at + CHUNK)
        Q, K, V = q[:, to], k[:, to], v[:, to]
        w = torch.tril(Q @ K.transpose(1, 2))
        out.append((w @ V + Q @ state) / (w.sum(-1, keepdim=True) + Q @ norm + 1e-6))
        state, norm = state + K.transpose(1, 2) @ V, norm + K.sum(1)[..., None]
    return torch.cat(out, 1)


def simplicial(q, k1, k2, v1, v2, w1, w2):
    """Windows as views, by chunks of queries, so that it stays in memory."""
    n, d = q.shape
    windows = [F.pad(x, (0, 0, w - 1, 0)).unfold(0, w, 1) for x, w in ((k1, w1), (k2, w2), (v1, w1), (v2, w2))]
    i = torch.arange(n)[:, None]
    hidden = (i + 1 - w1 + torch.arange(w1) < 0)[:, :, None] | (i + 1 - w2 + torch.arange(w2) < 0)[:, None]
    out = []
    for at in range(0, n, CHUNK):
        to = slice(at, at + CHUNK)
        K1, K2, V1, V2 = (w[to] for w in windows)  # [chunk, d, w]
        s = ((q[to, :, None] * K1).transpose(1, 2) @ K2 / math.sqrt(d)).masked_fill(hidden[to], -math.inf)
        a = torch.softmax(s.flatten(1), 1).view_as(s)
        out.append((V1 * (V2 @ a.transpose(1, 2))).sum(-1))
    return torch.cat(out)


def flex(family, q, k, v):
    """Score and mask functions of FlexAttention."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention
    n = q.shape[-2]
    masks = {"causal": lambda b, h, i, j: j <= i, "window of 512": lambda b, h, i, j: (j <= i) & (i - j < 512)}
    scores = {"ALiBi": lambda s, b, h, i, j: s + (j - i) * torch.exp2(-(h + 1.0)),
              "softcap": lambda s, b, h, i, j: 50 * torch.tanh(s / 50)}
    mask = create_block_mask(masks[family], None, None, n, n, device="cpu") if family in masks else None
    torch._dynamo.reset()
    compiled = torch.compile(flex_attention, dynamic=False)
    return lambda: compiled(q, k, v, score_mod=scores.get(family), block_mask=mask)


FLEX = ("full", "causal", "window of 512", "ALiBi", "softcap")


def peers(family, sizes, arrays, with_flex):
    """Functions without arguments, by name."""
    if not torch:
        return {}
    name, t = family.name, {key: tensor(a) for key, a in arrays.items()}
    found = {}
    if name.startswith("2-simplicial"):
        return {"eager": lambda: simplicial(*t.values(), sizes["w1"], sizes["w2"])}
    if family.term:
        x, *weights = t.values()
        return {"eager": lambda: recombined.carried_out(family.term, Eager, x, weights)}
    q, k, v, *rest = t.values()
    if family.output == "h n d":  # a scan
        steps = rest[0] if rest else None
        if name == "retention":
            steps = torch.log(rest[0])[:, None].expand(-1, sizes["n"])
        if name == "linear causal":
            return {"eager": lambda: linear(q, k, v)}
        return {} if name == "gated" else {"eager": lambda: by_chunks(q, k, v, steps)}
    n = sizes["n"]
    if name in ("full", "bf16"):
        found["SDPA"] = lambda: F.scaled_dot_product_attention(q, k, v)
    elif name in ("causal", "bf16 causal"):
        found["SDPA"] = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)
    elif name == "dense bias":
        found["SDPA"] = lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=rest[0])
    elif name == "grouped 4 on 1":
        queries, keys, values = q.flatten(0, 1)[None], k[None], v[None]
        found["SDPA"] = lambda: F.scaled_dot_product_attention(queries, keys, values, enable_gqa=True)
    elif name == "decode":
        one = q[None, :, None]
        found["SDPA"] = lambda: F.scaled_dot_product_attention(one, k[None], v[None])
    elif name == "decode 4 on 1":
        one = q.flatten(0, 1)[None, :, None]
        found["SDPA"] = lambda: F.scaled_dot_product_attention(one, k[None], v[None], enable_gqa=True)
    if name in ("full", "window of 512", "ALiBi", "softcap", "sigmoid", "ReLU / n", "ReLU normalised") and n <= 4096:
        i, j = torch.arange(n)[:, None], torch.arange(n)[None]
        seen = (j <= i) & (i - j < 512)
        slopes = 2.0 ** -(torch.arange(sizes["h"]) + 1.0)
        weights = {"full": softmax, "softcap": lambda s: softmax(50 * torch.tanh(s / 50)),
                   "window of 512": lambda s: softmax(s.masked_fill(~seen, -math.inf)),
                   "ALiBi": lambda s: softmax(s + slopes[:, None, None] * (j - i)),
                   "sigmoid": lambda s: torch.sigmoid(s - math.log(n)), "ReLU / n": lambda s: torch.relu(s) / n,
                   "ReLU normalised": normalised}[name]
        found["eager"] = lambda: eager(weights)(q, k, v)
    if with_flex and name in FLEX and n >= 512 and sizes["b"] == 1:
        found["Flex"] = flex(name, q, k, v)
    return found
