"""`attnc web`, and webs as arrays of programs: held against the diagrams of the taxonomy that say the same."""
import json
import unittest
import xml.etree.ElementTree

import numpy as np

import support
from support import TAXONOMY, Case

NAMES = ["the", "cat", "sat", "on", "mat", "kitten"]


class Web(Case):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(41)
        self.w = np.where(random.random((6, 6)) < 0.45, random.integers(1, 12, (6, 6)) / 8, 0)
        self.w[0, 1] = 0.5  # so that every node is linked
        self.kinds = random.integers(0, 3, (6, 6))
        self.f = random.integers(0, 9, 6)
        self.document = {
            "directed": True,
            "nodes": [{"id": name, "m": i % 2 + 1, "f": int(self.f[i]), "word": name} for i, name in enumerate(NAMES)],
            "edges": [{"source": NAMES[i], "target": NAMES[j], "weight": self.w[i, j], "type": int(self.kinds[i, j])}
                      for i, j in zip(*np.nonzero(self.w))]}
        self.write("web.json", json.dumps(self.document))
        self.types = np.where(self.w > 0, self.kinds, -1)

    def web(self, *arguments, code=0):
        return self.attnc("web", *arguments, code=code)

    def diagram(self, name, results, *arguments):
        self.attnc("eval", TAXONOMY / f"{name}.attn", *arguments, "--out", "out.npz")
        with np.load(self.folder / "out.npz") as archive:
            return [archive[result] for result in results]

    def read(self, name):
        """A written web: the names of its nodes, and its arrays as programs take them."""
        nodes = [node["id"] for node in json.loads((self.folder / name).read_text())["nodes"]]
        keep = ",".join(nodes)
        return nodes, self.diagram("rhizomatic_subgraph", ("w", "type", "m"), *self.arrays(name, keep))

    def arrays(self, name, keep):
        given = [f"{key}={name}" for key in ("w", "type", "m", "meta")] + ["x=random:1", f"keep={name}:@{keep}"]
        return ["--in", *given, "--size", "d=2"]

    def test_the_summary_says_what_is_there(self):
        said = self.web("web.json").stdout
        self.assertIn(f"web.json: 6 nodes, {np.count_nonzero(self.w)} links", said)
        self.assertIn("metadata: f, word", said)
        self.assertIn("type 0: 0", said)

    def test_what_is_there_for_scripts(self):
        said = json.loads(self.web("web.json", "--json").stdout)
        self.assertEqual(said["web"], {"nodes": 6, "links": np.count_nonzero(self.w), "metadata": ["f", "word"],
                                       "types": {str(kind): int(kind) for kind in np.unique(self.kinds[self.w > 0])}})
        self.assertEqual(said["diagnostics"], [])
        path = json.loads(self.web("web.json", "--path", "the", "cat", "--json", "-o", "-").stderr)["path"]
        self.assertEqual((path["nodes"][0], path["nodes"][-1]), ("the", "cat"))
        self.assertIn(" → ".join(path["nodes"]), self.web("web.json", "--path", "the", "cat").stdout)
        failed = self.web("web.json", "--keep", "cta", "--json", code=1)
        self.assertEqual((failed.stderr, [d["kind"] for d in json.loads(failed.stdout)["diagnostics"]]), ("", ["NoSuchNode"]))

    def test_a_program_takes_the_arrays_of_a_web(self):
        w, kinds, m, meta = self.diagram("rhizomatic_subgraph", ("w", "type", "m", "meta"),
                                         *self.arrays("web.json", ",".join(NAMES)))
        np.testing.assert_array_equal(w, self.w)
        np.testing.assert_array_equal(kinds, self.types)
        np.testing.assert_array_equal(m, [1, 2, 1, 2, 1, 2])
        np.testing.assert_array_equal(meta[:, 0], self.f)

    def test_every_form_of_file_says_the_same(self):
        self.document["nodes"] = [{"id": name} for name in NAMES]
        self.write("plain.json", json.dumps(self.document))
        self.web("plain.json", "-o", "a.csv")
        self.web("a.csv", "-o", "a.tsv")
        self.web("a.tsv", "-o", "a.json")
        self.web("a.tsv", "-o", "a.graphml")
        names = self.web("a.csv").stdout
        for made in ("a.tsv", "a.json", "a.graphml"):
            self.assertEqual(self.web(made).stdout.replace(made, "a.csv"), names)
        order = [node["id"] for node in json.loads((self.folder / "a.json").read_text())["nodes"]]
        self.write("names.json", json.dumps(order))
        self.web("a.json", "-o", "a.npz")
        self.web("a.npz", "--labels", "names.json", "-o", "b.json")
        self.assertEqual((self.folder / "b.json").read_text(), (self.folder / "a.json").read_text())
        self.web("a.npz", "-o", "a.safetensors")
        with np.load(self.folder / "a.npz") as archive:
            self.assertEqual(len(archive["source"]), np.count_nonzero(self.w))

    def test_graphml_holds_all_and_other_tools_read_it(self):
        self.web("web.json", "-o", "web.graphml")
        self.web("web.graphml", "-o", "back.json")
        self.web("web.json", "-o", "same.json")
        self.assertEqual((self.folder / "back.json").read_text(), (self.folder / "same.json").read_text())
        w, kinds, m, meta = self.diagram("rhizomatic_subgraph", ("w", "type", "m", "meta"),
                                         *self.arrays("web.graphml", ",".join(NAMES)))
        np.testing.assert_array_equal(w, self.w)
        np.testing.assert_array_equal(kinds, self.types)
        np.testing.assert_array_equal(m, [1, 2, 1, 2, 1, 2])
        np.testing.assert_array_equal(meta[:, 0], self.f)
        root = xml.etree.ElementTree.parse(self.folder / "web.graphml").getroot()
        space = {"g": "http://graphml.graphdrawing.org/xmlns"}
        weight = root.find("g:key[@attr.name='weight']", space).get("id")
        for edge in root.iterfind("g:graph/g:edge", space):
            i, j = NAMES.index(edge.get("source")), NAMES.index(edge.get("target"))
            self.assertEqual(float(edge.find(f"g:data[@key='{weight}']", space).text), self.w[i, j])
        self.write("bad.graphml", '<graphml><graph edgedefault="directed">\n<node id="a"/>\n<edge source="a" target="b"/>')
        said = self.web("bad.graphml", code=1).stderr
        self.assertIn("bad.graphml:3:", said)
        self.assertIn("bad.graphml:3:1: error: the target of this link, 'b', is not among the nodes", said)

    def test_parts_are_those_of_the_diagrams(self):
        self.web("web.json", "--keep", "sat,cat,mat", "-o", "part.json")
        nodes, (w, kinds, m) = self.read("part.json")
        self.assertEqual(nodes, ["sat", "cat", "mat"])
        places = [2, 1, 4]
        np.testing.assert_array_equal(w, self.w[np.ix_(places, places)])
        np.testing.assert_array_equal(kinds, self.types[np.ix_(places, places)])
        np.testing.assert_array_equal(m, [1, 2, 1])
        for links in (0, 1, 2, 6):
            self.web("web.json", "--around", "cat", "--links", links, "-o", "part.json")
            self.attnc("eval", TAXONOMY / "rhizomatic_around.attn", "--in", "w=web.json", "token=web.json:@cat", "--size",
                       f"h={links}", "--out", "steps.npy")
            steps = np.load(self.folder / "steps.npy")
            found = [node["id"] for node in json.loads((self.folder / "part.json").read_text())["nodes"]]
            self.assertEqual(sorted(found), sorted(name for name, step in zip(NAMES, steps) if step >= 0))

    def test_merged_nodes_are_those_of_the_diagram(self):
        self.web("web.json", "--merge", "cat,kitten", "-o", "merged.json")
        nodes, (w, kinds, m) = self.read("merged.json")
        self.assertEqual(nodes, NAMES[:5])
        np.save(self.folder / "group.npy", [0, 1, 2, 3, 4, 1])
        given = [f"{key}=web.json" for key in ("w", "type", "m")] + ["x=web.json:meta", "group=group.npy"]
        x_, w_, kinds_, m_ = self.diagram("rhizomatic_merge", ("x", "w", "type", "m"), "--in", *given, "--size", "g=5")
        np.testing.assert_allclose(w, w_, rtol=1e-12)
        np.testing.assert_array_equal(kinds, kinds_)
        np.testing.assert_array_equal(m, m_)
        merged = json.loads((self.folder / "merged.json").read_text())["nodes"]
        np.testing.assert_allclose([node["f"] for node in merged], x_[:, 0], rtol=1e-12)

    def test_paths_are_those_of_the_diagram(self):
        for goal in NAMES:
            with self.subTest(goal):
                path, weight = self.diagram("rhizomatic_path", ("path", "weight"), "--in", "w=web.json",
                                            "source=web.json:@the", f"goal=web.json:@{goal}", "--size", "h=6")
                said = self.web("web.json", "--path", "the", goal, code=0 if weight > 0 else 1)
                if weight > 0:
                    names, value = said.stdout.strip().rsplit(": ", 1)
                    self.assertAlmostEqual(float(value), float(weight), places=12)
                    walked = [NAMES.index(name) for name in names.split(" → ")]
                    self.assertAlmostEqual(np.prod([min(self.w[i, j], 1) for i, j in zip(walked, walked[1:])]), float(weight))
                else:
                    self.assertIn(f"no links lead from 'the' to '{goal}'", said.stderr)

    def test_where_no_link_leads_there_is_no_path(self):  # NoPath
        self.write("web.csv", "source,target\na,b\n")
        self.assertIn("no links lead from 'b' to 'a'", self.web("web.csv", "--path", "b", "a", code=1).stderr)

    def test_errors_name_the_line(self):
        self.write("bad.csv", "source,target,weight\na,b,1\na,b,2\nb,c,-1\n")
        for command in (["web", "bad.csv"], ["eval", TAXONOMY / "rhizomatic_path.attn", "--in", "w=bad.csv"]):
            said = self.attnc(*command, code=1).stderr
            self.assertIn("bad.csv:3:1: error: 'a' is linked to 'b' twice", said)
            self.assertIn("bad.csv:4:5: error: the weight -1 is negative", said)
        self.write("dangling.json", '{"nodes": [{"id": "a"}],\n "edges": [{"source": "a", "target": "b"}]}')
        self.assertIn("dangling.json:2:12: error", self.web("dangling.json", code=1).stderr)
        self.assertIn("no node called 'dog'", self.web("web.json", "--keep", "dog", code=1).stderr)
        self.assertIn("no node called 'dog'", self.attnc("eval", TAXONOMY / "rhizomatic_path.attn", "--in", "w=web.json",
                                                          "source=web.json:@dog", code=1).stderr)
        self.assertIn("holds no array called", self.attnc("eval", TAXONOMY / "rhizomatic_path.attn", "--in",
                                                          "w=web.json:nothing", code=1).stderr)

    def test_a_web_that_a_form_cannot_hold_leaves_the_old_file(self):
        self.write("old.csv", "as it was")
        self.assertIn("cannot hold", self.web("web.json", "-o", "old.csv", code=1).stderr)
        self.assertEqual((self.folder / "old.csv").read_text(), "as it was")
        self.web("web.json", "-o", "web.txt", code=1)
        self.web("web.json", "--links", "2", code=2)


tearDownModule = support.tearDownModule

if __name__ == "__main__":
    unittest.main()
