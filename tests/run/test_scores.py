"""Scores that are more than a contraction of queries and keys: terms that are no products, several contractions, what is read at
computed places, what varies with the distance alone; and weights that are differences of softmaxes."""
import unittest

import support
from support import Case, needs_compiler

SIZES = ((1, 1), (50, 149), (65, 16), (3, 0), (0, 3), (2, 3000))


@needs_compiler
class Scores(Case):
    def check(self, name, text, arrays, sizes, streamed=("softmax",), options=()):
        """Each of the sizes against the evaluator; and what is streamed, by algebras in the order of folds."""
        program = self.write(f"{name}.attn", text)
        told = self.attnc("compile", "--explain", program).stdout.splitlines()
        found = [line.partition(": ")[2].split(" over")[0] for line in told]
        self.assertEqual(found, [f"streamed: {algebra}" for algebra in streamed], told)
        given = [f"{array}=random:{i + 1}" for i, array in enumerate(arrays.split())]
        for size in sizes:
            with self.subTest(f"{name} {size}"):
                self.attnc("run", program, "--in", *given, "--check", *options, "--size", *size.split())
        return program

    def test_terms(self):
        """Perceptrons on pairs, with a factor of each term, without, under a mask and without a softmax."""
        sizes = [f"n={n} m={m} r={r} e=5" for (n, m), r in zip(SIZES + SIZES[1:3], (1, 33, 5, 2, 2, 17, 0, 1))]
        for number, (term, weights) in enumerate((
                ("sum r (q, k, w) { w * tanh(q + k) }", "softmax(s)"),
                ("sum r (q, k) { abs(q - k) } / 3", "softmax(s)"),
                ("sum r as l (q, k, w) { relu(q + k) * w }", "s"))):
            text = ("diagram f(q: [n r], k: [m r], v: [m e], w: [r]) -> [n e] {\n  simd n as i (q) {\n"
                    f"    s = simd m as j (k) {{ where(j <= i + 40, {term}, {'-inf' if 'soft' in weights else '0'}) }}\n"
                    f"    sum m (a = {weights}, v) {{ a * v }}\n  }}\n}}\n")
            self.check(f"terms{number}", text, "q k v w", sizes, ("softmax" if "soft" in weights else "sum",))

    def test_terms_of_heads(self):
        self.check("heads", """diagram f(q: [h n r], k: [g m r], v: [h m e], w: [h r], b: [h n]) -> [h n e] {
  simd h as u (q, v, w, b) {
    keys = k[floordiv(u * g, h)]
    simd n (q, b) {
      sum m (a = softmax(simd m (keys) { sum r (q, keys, w) { w * sigmoid(q * keys + b) } }), v) { a * v }
    }
  }
}
""", "q k v w b", ["h=4 g=2 n=20 m=70 r=9 e=6", "h=1 g=1 n=1 m=1 r=1 e=1"])

    def test_several_contractions(self):
        """Of unequal depths, keys that heads share, under a scale and a mask."""
        sizes = [f"h=2 n={n} m={m} d={d} p={p} e=5"
                 for (n, m), (d, p) in zip(SIZES + SIZES[1:4], ((1, 1), (17, 6), (4, 0), (3, 2), (3, 2), (5, 9), (0, 3), (7, 1), (0, 0)))]
        self.check("parts", """diagram f(q: [h n d], r: [h n p], k: [h m d], t: [m p], v: [h m e]) -> [h n e] {
  simd h (q, r, k, v) {
    simd n as i (q, r) {
      s = simd m as j (k, t) { where(j <= i + 40, (dot(q, k) + dot(r, t)) / sqrt(d + p), -inf) }
      sum m (a = softmax(s), v) { a * v }
    }
  }
}
""", "q r k t v", sizes)

    def test_contractions_that_are_not_summed(self):
        """Two contractions whose product is the score are not one."""
        program = self.write("product.attn", """diagram f(q: [n d], r: [n p], k: [m d], t: [m p], v: [m e]) -> [n e] {
  simd n (q, r) { sum m (a = softmax(simd m (k, t) { dot(q, k) * dot(r, t) }), v) { a * v } }
}
""")
        self.attnc("run", program, "--in", "q=random:1", "r=random:2", "k=random:3", "t=random:4", "v=random:5", "--check",
                   "--size", "n=20", "m=70", "d=5", "p=3", "e=4")

    def test_distances(self):
        """A table of buckets of distances, of which a fold is a part; aligned at the ends; one query alone."""
        sizes = [f"h=2 n={n} m={m} d=6 e=5 c=7" for n, m in SIZES + ((1, 300), (130, 40))]
        self.check("distances", """diagram f(q: [h n d], k: [h m d], v: [h m e], b: [h c]) -> [h n e] {
  simd h (q, k, v, b) {
    simd n as i (q) {
      s = simd m as j (k) {
        x = i + (m - n) - j
        far = sum 5 as l { indicator(abs(x) > 2^l) }
        dot(q, k) + b[far]
      }
      sum m (a = softmax(s), v) { a * v }
    }
  }
}
""", "q k v b", sizes)

    def test_tables(self):
        """Elements at places that vary with the query and the key, some outside the table, and of a table for each query."""
        sizes = [f"n={n} m={m} d=6 e=5 c=7" for n, m in SIZES] + ["n=20 m=30 d=3 e=2 c=0"]
        self.check("tables", """diagram f(q: [n d], k: [m d], v: [m e], b: [c c], t: [n c]) -> [n e] {
  simd n as i (q, t) {
    s = simd m as j (k) { dot(q, k) + b[i % 3 + j % 5 - 1, i * j % 9] + t[(i * 3 + j) % 8] }
    sum m (a = softmax(s), v) { a * v }
  }
}
""", "q k v b t", sizes)

    def test_differences(self):
        """Σ (a − λ b) v is two streams, of slices where they are; with sinks; and more than two."""
        sizes = [f"n={n} m={m} d=6 e=5" for n, m in SIZES]
        self.check("differential", """diagram f(q: [2 n d], k: [2 m d], v: [m e], x: []) -> [n e] {
  A = simd 2 (q, k) { simd n (q) { softmax(simd m (k) { dot(q, k) / sqrt(d) }) } }
  simd n (w = A[0] - x * A[1]) { sum m (w, v) { w * v } }
}
""", "q k v x", sizes, ("softmax", "softmax"))
        self.check("three", """diagram f(q: [n d], k: [m d], v: [m e], x: [n], s: []) -> [n e] {
  simd n (q, x) {
    a = softmax(simd m (k) { dot(q, k) })
    b = softmax(simd m (k) { dot(q, k) * 2 }, sink = s)
    c = softmax(simd m (k) { relu(dot(q, k)) })
    sum m (w = x * (a + b) - c, v) { w * v }
  }
}
""", "q k v x s", sizes, ("softmax", "softmax", "softmax"))

    def test_choices(self):
        """A weight that is dropped after the softmax, by numbers of the pair's place or by what is given."""
        sizes = [f"n={n} m={m} d=6 e=5" for n, m in SIZES]
        for number, weight in enumerate(("where((i * 7 + j * 5) % 3 == 0, 0.0, a * x)", "where(b > x, a, 0.0)")):
            self.check(f"dropped{number}", """diagram f(q: [n d], k: [m d], v: [m e], b: [n m], x: []) -> [n e] {
  simd n as i (q, b) {
    a = softmax(simd m (k) { dot(q, k) })
    sum m as j (a, b, v) { """ + weight + """ * v }
  }
}
""", "q k v b x", sizes)

    def test_attention_before_a_map(self):
        """What follows an attention does not take it apart: its weights are not kept for a map that each query picks."""
        program = self.write("experts.attn", """diagram f(q: [n d], k: [m d], v: [m e], W: [2 e c]) -> [n c] {
  simd n as i (q) { dot(dot(softmax(simd m (k) { dot(q, k) }), v), W[i % 2]) }
}
""")
        told = self.attnc("compile", "--explain", program, "--size", "n=20", "m=70", "d=5", "e=6", "c=4").stdout
        self.assertIn("streamed: softmax over 70 keys for 20 queries", told)
        self.attnc("run", program, "--in", "q=random:1", "k=random:2", "v=random:3", "W=random:4", "--check", "--size", "n=20",
                   "m=70", "d=5", "e=6", "c=4")

    def test_memory(self):
        # The scores of one head would take 1.6 GB.
        sizes = ("n=20000", "m=20000", "r=2", "e=4")
        program = self.write("memory.attn", "diagram f(q: [n r], k: [m r], v: [m e]) -> [n e] {\n"
                             "  simd n (q) { sum m (a = softmax(simd m (k) { sum r (q, k) { tanh(q + k) } }), v) { a * v } }\n}\n")
        self.attnc("run", program, "--in", "q=random:1", "k=random:2", "v=random:3", "--size", *sizes, "--max-memory", "100MB",
                   "--threads", "1")

    def test_other_machines(self):
        program = self.write("machines.attn", "diagram f(q: [n r], k: [m r], v: [m e], b: [c]) -> [n e] {\n"
                             "  simd n as i (q) {\n"
                             "    s = simd m as j (k) { sum r (q, k) { tanh(q + k) } + b[i * j % 5] }\n"
                             "    sum m (a = softmax(s), v) { a * v }\n  }\n}\n")
        for target in ("x86-64", "x86-64-v3"):
            with self.subTest(target):
                self.attnc("run", program, "--in", "q=random:1", "k=random:2", "v=random:3", "b=random:4", "--check",
                           "--target", target, "--size", "n=53", "m=71", "r=9", "e=11", "c=5")


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
