"""Every mechanism on the device against what float64 gave where it was compiled. A process of its own does the work: after an
error of the device nothing works in it any more."""
import json
import os
import subprocess
import sys
import time

import numpy as np

from library import NO_DEVICE, DeviceError, Library, NoDevice, error_of

TOLERANCE = {"f32": 1e-5, "f64": 1e-12, "bf16": 1e-2}


def cases_of(folder, described):
    """Yields each case of a library: what it is, and its error or what went wrong."""
    library = Library(folder, described)
    for case in described["cases"]:
        with np.load(os.path.join(folder, case["data"])) as data:
            inputs = [data[f"in_{i}"] for i in range(sum(name.startswith("in_") for name in data.files))]
            wanted = [data[f"out_{i}"] for i in range(sum(name.startswith("out_") for name in data.files))]
        try:
            got = library.on_host(inputs, [w.shape for w in wanted], case["sizes"])
        except NoDevice as error:
            yield {"where": case["where"], "status": NO_DEVICE, "problem": str(error)}
            return
        except DeviceError as error:
            yield {"where": case["where"], "status": error.status, "problem": str(error)}
            return
        worst = max((error_of(g, w) for g, w in zip(got, wanted)), default=0.0)
        yield {"where": case["where"], "status": 0, "error": worst if np.isfinite(worst) else "infinite",
               "passed": worst <= TOLERANCE[described["dtype"]]}


def work(folder, manifest):
    """Answers the number of a library in each line with a line of its cases."""
    for line in sys.stdin:
        print(json.dumps(list(cases_of(folder, manifest["checks"][int(line)]))), flush=True)
    return 0


class Worker:
    def __init__(self, folder):
        self.folder, self.process = folder, None

    def ask(self, number):
        if not self.process or self.process.poll() is not None:
            self.process = subprocess.Popen([sys.executable, self.folder, "worker"], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        return [{"where": "the process", "status": -1, "problem": f"it ended with {self.process.wait()}"}]

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def run(folder, manifest, seconds):
    begin, worker, results, left = time.monotonic(), Worker(folder), [], 0
    try:
        for number, described in enumerate(manifest["checks"]):
            if time.monotonic() - begin > seconds:
                left += 1
                continue
            for case in worker.ask(number):
                if case["status"] == NO_DEVICE:
                    raise NoDevice(case["problem"])
                results.append({"library": described["library"], **case})
                if case["status"]:
                    worker.end()
                if not case.get("passed"):
                    print(f"{case['where']} ({described['library']}): {case.get('problem') or case.get('error')}")
    finally:
        worker.end()
    passed = sum(bool(case.get("passed")) for case in results)
    print(f"{passed} of {len(results)} cases of {len(manifest['checks']) - left} kernels agree with float64; {left} kernels "
          "were not tried")
    return {"target": manifest["target"], "passed": passed == len(results) and not left, "untried": left, "cases": results}
