"""The same attention by PyTorch, and exactly, by the name of the diagram."""


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


def exact(torch, case, head, at, q, k, v):
    """The results of the queries `at`, in float64."""
    n, d = k.shape
    i, j = at[:, None], torch.arange(n, device=k.device)[None]
    s = scores(torch, case, head, q[at] @ k.T / d ** 0.5, i, j)
    seen = visible(case, i, j)
    if case["diagram"] == "sigmoid_attention":
        return torch.sigmoid(s - torch.log(torch.tensor(float(n), dtype=s.dtype))) @ v
    if seen is not None:
        s = s.masked_fill(~seen, float("-inf"))
    return torch.softmax(s, -1) @ v


def calls(torch, case, sets):
    """Implementations by name, each a function of the number of the arrays. What the diagram has no peer for is left out."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    made, name = {}, case["diagram"]
    if name in ("full", "causal"):
        backends = {"cuDNN": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION,
                    "efficient": SDPBackend.EFFICIENT_ATTENTION}
        for label, backend in backends.items():
            def attend(i, backend=backend):
                with sdpa_kernel(backend):
                    return torch.nn.functional.scaled_dot_product_attention(*sets[i][:3], is_causal=name == "causal")
            made["SDPA " + label] = attend
    if name in ("full", "causal", "window", "alibi", "softcap"):
        made["FlexAttention"] = flexible(torch, case, sets)
    return made


def flexible(torch, case, sets):
    """FlexAttention, whose kernels are Triton's; compiled at the first call."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention
    compiled, n, made = torch.compile(flex_attention), case["shape"][2], {}
    modified = case["diagram"] in ("alibi", "softcap")

    def score(s, b, h, i, j):
        return scores(torch, case, h, s, i, j)

    def call(index):
        if "mask" not in made:
            masked = visible(case, 0, 0) is not None
            made["mask"] = create_block_mask(lambda b, h, i, j: visible(case, i, j), None, None, n, n) if masked else None
        return compiled(*sets[index][:3], score_mod=score if modified else None, block_mask=made["mask"])
    return call
