"""Checks and measures attnc on a GPU, from the files beside this one.

    python3 FOLDER check [--json FILE]      every mechanism against float64; needs NumPy
    python3 FOLDER measure [--json FILE]    streams beside PyTorch's SDPA, FlexAttention and Triton; needs PyTorch

Exits with 0, 1 where a result is wrong, and 2 without a driver or a device.
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import check  # noqa: E402
from library import NoDevice  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="python3 FOLDER", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("check", "measure", "worker"))
    parser.add_argument("--json", help="where to write what was found")
    parser.add_argument("--seconds", type=float, default=270, help="time after which no further case is begun")
    options = parser.parse_args()
    folder = os.path.dirname(os.path.realpath(__file__))
    with open(os.path.join(folder, "manifest.json")) as file:
        manifest = json.load(file)
    if options.command == "worker":
        return check.work(folder, manifest)
    try:
        if options.command == "check":
            found = check.run(folder, manifest, options.seconds)
        else:
            import measure
            found = measure.run(folder, manifest, options.seconds)
    except NoDevice as error:
        print(f"no device: {error}", file=sys.stderr)
        return 2
    if options.json:
        with open(options.json, "w") as file:
            json.dump(found, file, indent=1)
    return 0 if found["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
