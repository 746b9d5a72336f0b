"""Softmax attention in Triton's language, from its formula: y_i = Σ_j softmax_j(q_i · k_j / √d) v_j, where a causal query sees
j ≤ i. A program has 128 or 64 queries of a head and folds the keys by tiles: m ← max(m, s), and sums and results are rescaled by
e^(m before − m after)."""
import math

import torch
import triton
import triton.language as tl


@triton.jit
def forward(q, k, v, y, n, scale, causal: tl.constexpr, d: tl.constexpr, queries: tl.constexpr, keys: tl.constexpr,
            precision: tl.constexpr):
    head, column = tl.program_id(1).to(tl.int64) * n * d, tl.arange(0, d)
    first = tl.program_id(0) * queries
    i = first + tl.arange(0, queries)
    rows = head + i[:, None] * d + column[None, :]
    query = tl.load(q + rows, mask=i[:, None] < n, other=0.0)
    reference = tl.full([queries], float("-inf"), tl.float32)
    total = tl.zeros([queries], tl.float32)
    result = tl.zeros([queries, d], tl.float32)
    end = tl.minimum(first + queries, n) if causal else n
    for start in range(0, end, keys):
        j = start + tl.arange(0, keys)
        there = j < n
        places = head + j[:, None] * d + column[None, :]
        key = tl.load(k + places, mask=there[:, None], other=0.0)
        value = tl.load(v + places, mask=there[:, None], other=0.0)
        s = tl.dot(query, tl.trans(key), input_precision=precision) * scale
        seen = (there[None, :] & (j[None, :] <= i[:, None])) if causal else there[None, :]
        s = tl.where(seen, s, float("-inf"))
        after = tl.maximum(reference, tl.max(s, 1))
        weight = tl.exp2(s - after[:, None])
        fade = tl.exp2(reference - after)
        total = total * fade + tl.sum(weight, 1)
        result = tl.dot(weight.to(value.dtype), value, result * fade[:, None], input_precision=precision)
        reference = after
    tl.store(y + rows, (result / total[:, None]).to(query.dtype), mask=i[:, None] < n)


def attention(q, k, v, causal, tf32=False):
    """q, k, v [batch heads n d], dense, d a power of two from 16 on."""
    batch, heads, n, d = q.shape
    y = torch.empty_like(q)
    queries = 128 if d <= 64 else 64
    forward[(triton.cdiv(n, queries), batch * heads)](
        q, k, v, y, n, math.log2(math.e) / math.sqrt(d), causal, d, queries, 64, "tf32" if tf32 else "ieee",
        num_warps=4, num_stages=2)
    return y
