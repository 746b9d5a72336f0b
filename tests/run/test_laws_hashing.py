"""Laws of shared queries and keys and of their hashing."""
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw
from reference.basic import softmax


class Hashing(Laws):
    def test_a_bucket_is_of_a_direction(self):
        for seed in DRAWS:
            a = draw(seed, x=(15, 4), R=(3, 5, 4))
            buckets = self.of("reformer", "lsh_buckets", **a)
            self.assertTrue(((0 <= buckets) & (buckets < 10)).all())
            self.assertSame(self.of("reformer", "lsh_buckets", **a | {"x": 7.5 * a["x"]}), buckets)
            opposite = self.of("reformer", "lsh_buckets", **a | {"x": -a["x"]})
            self.assertSame(opposite, (buckets + 5) % 10)

    def test_one_bucket_for_all_is_causal_attention_to_others(self):
        for seed in DRAWS:
            a = draw(seed, q=(9, 3), v=(9, 2))
            k = a["q"] / np.linalg.norm(a["q"], axis=1, keepdims=True)
            s = np.where(np.tri(9, k=-1) > 0, a["q"] @ k.T / np.sqrt(3), -np.inf)
            s[0, 0] = 0
            y = self.of("reformer", "reformer_core", **a, R=np.zeros((2, 4, 3)))  # all projections tie at 0
            self.assertSame(y, softmax(s) @ a["v"])

    def test_more_rounds_only_add_keys(self):
        for seed in DRAWS:
            a = draw(seed, q=(9, 3)) | {"v": np.eye(9)}  # results are the weights
            R = draw(seed + 100, R=(4, 5, 3))["R"]
            seen = [self.of("reformer", "reformer_core", **a, R=R[:t]) > 0 for t in (1, 2, 4)]
            lower = np.tri(9, k=-1) > 0
            for fewer, more in zip(seen, seen[1:]):
                self.assertTrue((more | ~(fewer & lower)).all())

    def test_chunks_lose_nothing_as_long_as_no_bucket_is_longer(self):
        for seed in DRAWS:
            a = draw(seed, q=(24, 3), v=(24, 2), R=(2, 3, 3))
            ideal = self.of("reformer", "reformer_core", **a)
            longest = max(np.bincount(row).max() for row in self.of("reformer", "lsh_buckets", x=a["q"], R=a["R"]))
            for b in (2, 12, 24):
                y = self.of("reformer", "reformer_chunked", sizes={"a": 24 // b, "b": b}, **a)
                if b >= longest:
                    self.assertSame(y, ideal, 1e-9)  # scores less 10⁵ have lost five digits
                elif b == 2:
                    self.assertFalse(np.allclose(y, ideal))
            self.assertLessEqual(longest, 12)

    def test_a_token_alone_attends_to_itself(self):
        q = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
        y = self.of("reformer", "reformer_core", q=q, v=np.eye(3), R=np.eye(2)[None])
        self.assertSame(y, np.eye(3))


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
