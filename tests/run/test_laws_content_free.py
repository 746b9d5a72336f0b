"""Laws of mixing without comparing."""
import unittest

import numpy as np

import support
from laws import DRAWS, Laws, draw


class ContentFree(Laws):
    def test_the_transform_is_linear_and_even(self):
        for seed in DRAWS:
            a = draw(seed, x=(7, 5), y=(7, 5))
            x, y = (self.of("fnet", "fourier", x=a[name]) for name in "xy")
            self.assertSame(self.of("fnet", "fourier", x=2 * a["x"] - a["y"]), 2 * x - y)
            self.assertSame(x[0, 0], a["x"].sum())
            self.assertSame(np.roll(np.flip(x), 1, (0, 1)), x)

    def test_a_long_transform_keeps_its_accuracy(self):
        x = draw(0, x=(512, 3))["x"]
        self.assertSame(self.of("fnet", "fourier", x=x), np.fft.fft2(x).real, 1e-11)

    def test_a_dense_synthesizer_weighs_by_its_own_token_alone(self):
        for seed in DRAWS:
            p = {name if name == "G" else f"{name[:2]}.{name[2:]}": array for name, array in draw(
                seed, W1weight=(3, 6), W1bias=(6,), W2weight=(6, 5), W2bias=(5,), G=(4, 2)).items()}
            a = draw(seed + 100, x=(5, 3), z=(5, 4))
            y = self.of("synthesizer_dense", parameters=p, **a)
            other = a["x"].copy()
            other[1:] = draw(seed + 200, x=(4, 3))["x"]
            changed = self.of("synthesizer_dense", parameters=p, **a | {"x": other})
            self.assertSame(changed[0], y[0])
            self.assertFalse(np.allclose(changed[1:], y[1:]))

    def test_a_factorised_synthesizer_of_one_factor_is_dense_and_linear(self):
        for seed in DRAWS:
            p = draw(seed, A=(3, 5), G=(4, 2))
            p = {"A.weight": p["A"], "A.bias": np.zeros(5), "B.weight": np.zeros((3, 1)), "B.bias": np.ones(1), "G": p["G"]}
            a = draw(seed + 100, x=(6, 3), z=(5, 4))
            y = self.of("synthesizer_factorised", parameters=p, sizes={"s": 5, "t": 1}, **a)
            dense = {"W1.weight": np.concatenate([np.eye(3), -np.eye(3)], 1), "W1.bias": np.zeros(6), "W2.bias": np.zeros(5),
                     "W2.weight": np.concatenate([p["A.weight"], -p["A.weight"]]), "G": p["G"]}  # x = relu(x) − relu(−x)
            self.assertSame(y, self.of("synthesizer_dense", parameters=dense, **a))

    def test_a_spatial_gate_that_starts_as_the_identity(self):
        for seed in DRAWS:
            z = draw(seed, z=(6, 8))["z"]
            p = {"S.weight": np.zeros((6, 6)), "S.bias": np.ones(6)}
            p |= {"layer_norm.scale": np.ones(4), "layer_norm.shift": np.zeros(4)}
            self.assertSame(self.of("gmlp", "spatial_gating", parameters=p, z=z), z[:, :4])


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
