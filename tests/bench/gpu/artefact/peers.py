"""The same attention by PyTorch and by Triton, and exactly, by the name of the diagram."""
import math

SIMPLICIAL = "two_simplicial_windowed"
CHUNK = 128  # queries that 2-simplicial attention takes at a time, so that it stays in memory


def as_heads(case, array):
    """[batch heads n d] of queries and results; what has no heads as it is."""
    batch, heads, _ = case["heads"]
    return array if case["diagram"] == SIMPLICIAL else array.view(batch, heads, -1, array.shape[-1])


def laid_out(case, arrays):
    """Queries, keys and values as PyTorch takes them: keys and values [batch groups m d]."""
    batch, _, groups = case["heads"]
    q, *others = arrays[:3]
    return [as_heads(case, q), *(a.view(batch, groups, -1, a.shape[-1]) for a in others)]


def scores(torch, case, head, s, i, j):
    """What is done to scores that are divided by √d already; of a pair (i, j), or of arrays of pairs."""
    name = case["diagram"]
    if name == "alibi":
        return s + 2.0 ** -(head + 1) * (j - i)
    if name == "softcap":
        return 50 * torch.tanh(s / 50)
    return s


def visible(case, i, j):
    """Which pairs count; None for all."""
    if case["diagram"] == "causal":
        return j <= i
    if case["diagram"] == "window":
        return (j <= i) & (i - j < case["window"])
    return None


def exact(torch, case, arrays, rows=64):
    """A share of the result, in float64: (place, what is there) for so many queries, of the first and the last head."""
    if case["diagram"] == SIMPLICIAL:
        q, *others = (a.double() for a in arrays[:-1])
        at = spread(torch, q.shape[0], rows, q.device)
        return [(at, simplicial(torch, case, at, q, *others))]
    q, k, v = laid_out(case, arrays)
    shared, found = q.shape[1] // k.shape[1], []
    for b, h in {(0, 0), (q.shape[0] - 1, q.shape[1] - 1)}:
        at = spread(torch, q.shape[2], rows, q.device)
        wanted = exact_rows(torch, case, h, at, *(a.double() for a in (q[b, h], k[b, h // shared], v[b, h // shared])))
        found.append(((b, h, at), wanted))
    return found


def spread(torch, length, rows, device):
    return torch.linspace(0, length - 1, min(rows, length), device=device).long()


def exact_rows(torch, case, head, at, q, k, v):
    n, d = k.shape
    i, j = at[:, None], torch.arange(n, device=k.device)[None]
    s = scores(torch, case, head, q[at] @ k.T / d ** 0.5, i, j)
    seen = visible(case, i, j)
    if case["diagram"] == "sigmoid_attention":
        return torch.sigmoid(s - math.log(n)) @ v
    if seen is not None:
        s = s.masked_fill(~seen, float("-inf"))
    return torch.softmax(s, -1) @ v


def simplicial(torch, case, at, q, k1, k2, v1, v2):
    """The queries `at`, each with its windows: trilinear scores, one softmax over the pairs."""
    found = []
    for rows in at.split(CHUNK):
        places = [rows[:, None] - case["named"][w] + 1 + torch.arange(case["named"][w], device=q.device) for w in ("w1", "w2")]
        (j, k), hidden = (p.clamp(min=0) for p in places), (places[0] < 0)[:, :, None] | (places[1] < 0)[:, None]
        s = (q[rows, None] * k1[j]) @ k2[k].mT / math.sqrt(q.shape[-1])
        a = torch.softmax(s.masked_fill(hidden, float("-inf")).flatten(1), 1).view_as(s)
        found.append((v1[j] * (a @ v2[k])).sum(1))
    return torch.cat(found)


def calls(torch, case, sets):
    """Implementations by name, each a function of the number of the arrays. What the diagram has no peer for is left out."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    made, name = {}, case["diagram"]
    if name == SIMPLICIAL:
        at = torch.arange(case["shapes"][0][0], device=sets[0][0].device)
        return {"eager": lambda i: simplicial(torch, case, at, *sets[i][:-1])}
    laid = [laid_out(case, arrays) for arrays in sets]
    shared = case["heads"][1] != case["heads"][2]
    if name in ("full", "causal", "grouped", "decode_heads", "decode_grouped"):
        backends = {"cuDNN": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION,
                    "efficient": SDPBackend.EFFICIENT_ATTENTION}
        for label, backend in backends.items():
            def attend(i, backend=backend):
                with sdpa_kernel(backend):
                    return torch.nn.functional.scaled_dot_product_attention(*laid[i], is_causal=name == "causal",
                                                                            enable_gqa=shared)
            made["SDPA " + label] = attend
    if name != "sigmoid_attention":
        made["FlexAttention"] = flexible(torch, case, laid, shared)
    if name in ("full", "causal"):
        made["Triton"] = by_triton(case, laid)
    return made


def flexible(torch, case, laid, shared):
    """FlexAttention, whose kernels are Triton's; compiled at the first call."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention
    compiled, made = torch.compile(flex_attention, dynamic=False), {}
    modified = case["diagram"] in ("alibi", "softcap")

    def score(s, b, h, i, j):
        if case["diagram"] == "alibi":  # a power of a traced head
            return s + torch.exp2(-(h + 1.0)) * (j - i)
        return scores(torch, case, h, s, i, j)

    def call(index):
        q, k, v = laid[index]
        if "mask" not in made:
            masked = visible(case, 0, 0) is not None
            made["mask"] = create_block_mask(lambda b, h, i, j: visible(case, i, j), None, None, q.shape[2], k.shape[2],
                                             device=q.device) if masked else None
        return compiled(q, k, v, score_mod=score if modified else None, block_mask=made["mask"], enable_gqa=shared)
    return call


def by_triton(case, laid):
    """A kernel of Triton's language; it is looked for at the first call."""
    def call(i):
        from triton_kernel import attention
        return attention(*laid[i], causal=case["diagram"] == "causal", tf32=case["kind"] == "tf32")
    return call
