"""What the tests of laws share: mechanisms of the taxonomy as functions of arrays, evaluated in float64."""
import numpy as np

from support import TAXONOMY, Case

DRAWS = range(3)  # each law is tried on so many draws


class Laws(Case):
    def of(self, file, diagram=None, parameters=None, sizes=None, results=None, **arrays):
        """What `diagram` of taxonomy/`file`.attn gives; the mechanism of the file where none is named."""
        options = [option for name, value in (sizes or {}).items() for option in ("--size", f"{name}={value}")]
        values = self.result("eval", TAXONOMY / f"{file}.attn", diagram or file, arrays, parameters, options, results)
        return values if results else values[0]

    def assertSame(self, actual, expected, tolerance=1e-12):
        self.assertNear(actual, expected, tolerance)


def draw(seed, **shapes):
    """Normal arrays of these shapes, by name; the same for the same seed."""
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}
