"""The stages depend downward only, and what is heavy stays where it belongs."""
import re
import unittest

from support import ROOT

LIB = ROOT / "lib" / "attnc"
# Each stage may include its own headers and those of stages before it, in the order in which they are built.
BUILT = re.findall(r"foreach\(STAGE ([^)]*)\)", (LIB / "CMakeLists.txt").read_text())
ORDER = [*" ".join(BUILT).split(), "driver"]
MLIR_STAGES = {"dialect", "stream", "lower", "gpu", "kernel"}


def includes(path):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.M)


def sources():
    for path in sorted(LIB.rglob("*")):
        if path.suffix in (".h", ".c", ".cpp", ".td", ".def", ".in"):
            yield path, path.relative_to(LIB).parts[0]


class Structure(unittest.TestCase):
    def test_every_stage_has_its_place(self):
        folders = {path.relative_to(LIB).parts[0] for path, _ in sources()}
        self.assertLessEqual(folders, set(ORDER))
        self.assertGreaterEqual(len(folders), 10)

    def test_stages_include_downward(self):
        for path, stage in sources():
            for included in includes(path):
                parts = included.split("/")
                if parts[0] != "attnc" or len(parts) < 3:
                    continue
                with self.subTest(f"{path.relative_to(ROOT)} includes {included}"):
                    self.assertLessEqual(ORDER.index(parts[1]), ORDER.index(stage))

    def test_llvm_is_seen_by_the_compiler_stages_alone(self):
        for path, stage in sources():
            heavy = [i for i in includes(path) if re.match(r"(mlir|llvm|lld|clang)(-c)?/", i)]
            if heavy and stage not in MLIR_STAGES:
                self.fail(f"{path.relative_to(ROOT)} includes {heavy[0]}")

    def test_no_stage_sees_boost_through_another(self):
        seen = {path: set(includes(path)) for path, _ in sources()}

        def boost(path, visited):
            visited.add(path)
            inside = [LIB.parent / i for i in seen.get(path, ()) if i.startswith("attnc/")]
            return any(i.startswith("boost/") for i in seen.get(path, ())) or any(
                boost(i, visited) for i in inside if i not in visited)

        for path, stage in sources():
            for included in includes(path):
                if included.startswith("attnc/") and not included.startswith(f"attnc/{stage}/"):
                    self.assertFalse(boost(LIB.parent / included, set()), f"{path.relative_to(ROOT)} includes {included}")

    def test_files_are_of_readable_length(self):
        for folder in ("lib", "tools", "tests"):
            for path in (ROOT / folder).rglob("*"):
                if path.suffix in (".h", ".c", ".cpp", ".td", ".py"):
                    with self.subTest(str(path.relative_to(ROOT))):
                        self.assertLessEqual(path.read_text().count("\n"), 500)


if __name__ == "__main__":
    unittest.main()
