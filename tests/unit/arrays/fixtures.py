"""Makes fixtures/ with NumPy itself: each file holds numpy.arange(24) * 3 - 20 in some type, order and version."""
import pathlib, sys
import numpy as np

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
base = (np.arange(24) * 3 - 20).reshape(2, 3, 4)
for code in ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]:
    for order in "<>":
        for layout in "CF":
            typed = np.asarray(base.astype(np.dtype(code).newbyteorder(order)), order=layout)
            name = f"{np.dtype(code).name}-{'little' if order == '<' else 'big'}-{layout}.npy"
            for version in [(1, 0), (2, 0), (3, 0)] if code == "f4" else [(1, 0)]:
                file = name if version == (1, 0) else f"v{version[0]}-{name}"
                with open(out / file, "wb") as f:
                    np.lib.format.write_array(f, typed, version=version)
np.savez(out / "stored.npz", x=base.astype("f4"), mask=base > 0, scalar=np.float64(2.5), empty=np.zeros((0, 3), "i2"))
np.savez_compressed(out / "deflated.npz", x=base.astype("f4"), y=np.asfortranarray(base.astype(">i4")))
