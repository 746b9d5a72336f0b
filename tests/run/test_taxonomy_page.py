"""The page of `attnc taxonomy -o page.html` in a browser: choosing, searching, filtering, keys, and no network.

Chromium is driven over WebDriver. ATTNC_SCREENSHOT names a file to keep a picture of the page in.
"""
import base64
import functools
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from support import Case

CHROMEDRIVER = shutil.which("chromedriver")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014",
        "ArrowDown": "\ue015", "Tab": "\ue004"}
STEPS = "#steps .step"


class Browser:
    """A headless Chromium, through chromedriver on a free port."""

    def __init__(self, folder):
        self.session = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
        self.driver = subprocess.Popen(
            [CHROMEDRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait(self.is_up, 30, "chromedriver answers")
            options = {"args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                                "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
                                "--window-size=1600,1000", "--force-device-scale-factor=1",
                                f"--user-data-dir={folder}"]}
            if shutil.which("chromium"):
                options["binary"] = shutil.which("chromium")
            capabilities = {"browserName": "chrome", "goog:chromeOptions": options, "timeouts": {"script": 110000},
                            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
            self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})["sessionId"]
        except BaseException:
            self.close()
            raise

    def close(self):
        try:
            if self.session:
                self.call("DELETE", f"/session/{self.session}")
        finally:
            self.driver.terminate()
            self.driver.wait(30)

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with self.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode(errors='replace')[:2000]}") from None

    def is_up(self):
        try:
            return self.call("GET", "/status")["ready"]
        except (OSError, http.client.HTTPException):
            return False

    def wait(self, condition, seconds, what):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} seconds: {what}")
            time.sleep(0.05)

    def command(self, name, body=None, method="POST"):
        return self.call(method, f"/session/{self.session}/{name}", {} if body is None and method == "POST" else body)

    def load(self, url):
        self.command("url", {"url": url})
        self.wait(lambda: self.run("return document.documentElement.dataset.ready === 'true'"), 60, "the page is ready")

    def run(self, script, *arguments):
        return self.command("execute/sync", {"script": script, "args": list(arguments)})

    def element(self, selector):
        return self.command("element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.command(f"element/{self.element(selector)}/click")

    def type(self, text):
        """Presses keys where the focus is; a name of KEYS, or characters."""
        keys = [KEYS[text]] if text in KEYS else text
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.command("actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def text(self, selector):
        return self.run("const e = document.querySelector(arguments[0]); return e && e.textContent", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector)

    def count(self, selector):
        return self.run("return document.querySelectorAll(arguments[0]).length", selector)

    def log(self, kind):
        return self.command("se/log", {"type": kind})

    def screenshot(self):
        return base64.b64decode(self.command("screenshot", method="GET"))


@unittest.skipUnless(CHROMEDRIVER, "chromedriver is not installed")
class TaxonomyPage(Case):
    grown = None  # the page, which the first test grows

    def setUp(self):
        super().setUp()
        self.page = self.folder / "taxonomy.html"
        if TaxonomyPage.grown is None:
            self.attnc("taxonomy", "-o", self.page)
            TaxonomyPage.grown = self.page.read_bytes()
        self.page.write_bytes(TaxonomyPage.grown)
        self.browser = Browser(self.folder / "profile")
        self.addCleanup(self.browser.close)
        self.browser.load(self.page.as_uri())
        self.data = json.loads(self.browser.run("return document.getElementById('data').textContent"))

    def node(self, name):
        return next(node for node in self.data["nodes"] if any(known["name"] == name for known in node["known"]))

    def focused(self):
        return self.browser.run("return document.activeElement.id")

    def assertShown(self, name):
        """The panel tells of the diagram of the name: its title, citation, picture, cost and derivation."""
        node = self.node(name)
        known = next(known for known in node["known"] if known["name"] == name)
        self.assertEqual(self.browser.text("#title"), name)
        self.assertEqual(self.browser.text("#cite"), known["cite"])
        self.assertEqual(self.browser.count(STEPS), len(node["derivation"]))
        self.assertEqual(self.browser.count(".picture svg"), 1)
        self.assertEqual(self.browser.count("#cost tr"), len(node["cost"]))
        self.assertEqual(self.browser.texts(".program code"), node["program"].rstrip().splitlines())
        self.assertEqual(self.browser.run("return location.hash"), "#" + name)
        self.assertEqual(self.browser.count(f"#n{node['id']}.shown[aria-pressed=true]"), 1)

    def test_a_click_shows_a_diagram_and_its_derivation(self):
        browser, node = self.browser, self.node("luong_dot")
        self.assertEqual(browser.count("#graph .node[role=button][aria-label]"), len(self.data["nodes"]))
        browser.click(f"#n{node['id']}")
        self.assertShown("luong_dot")
        self.assertIn("softmax", browser.text("pre.formula"))
        self.assertNotIn("@cite", browser.text("#panel"))
        self.assertEqual(browser.texts(STEPS + " .rule"), [step["rule"] for step in node["derivation"]])
        self.assertEqual(browser.count("#graph .edge.path"), len(node["derivation"]))
        self.screenshot()

        # The steps show what is on the way, and stay those of the chosen diagram.
        place = node["path"].index(self.node("primordial")["id"]) + 1
        browser.click(f"#steps li:nth-of-type({place}) button")
        self.assertEqual(browser.text("#title"), "primordial")
        self.assertEqual(browser.count(STEPS), len(node["derivation"]))
        browser.run("document.activeElement.blur()")
        browser.type("ArrowLeft")
        self.assertEqual(browser.text("#title"), "weighing")
        for _ in node["path"][place - 2:-1]:
            browser.click("[data-key=next]")
        self.assertShown("luong_dot")

    def screenshot(self):
        if os.environ.get("ATTNC_SCREENSHOT"):
            self.browser.command("window/rect", {"width": 1600, "height": 1000})
            height = self.browser.run("return window.outerHeight - window.innerHeight")
            self.browser.command("window/rect", {"width": 1600, "height": 1000 + height})
            with open(os.environ["ATTNC_SCREENSHOT"], "wb") as file:
                file.write(self.browser.screenshot())

    def test_every_diagram_can_be_chosen(self):
        shown = self.browser.run("""
            return JSON.parse(document.getElementById('data').textContent).nodes.map(node => {
              document.getElementById('n' + node.id).dispatchEvent(new MouseEvent('click', {bubbles: true}));
              return [document.getElementById('title').textContent, document.querySelectorAll('#steps .step').length,
                      document.querySelectorAll('.picture svg').length];
            })""")
        for node, (title, steps, pictures) in zip(self.data["nodes"], shown, strict=True):
            self.assertEqual(steps, len(node["derivation"]))
            self.assertEqual(pictures, 1)
            if node["known"]:
                self.assertEqual(title, node["known"][0]["name"])

    def test_search(self):
        browser = self.browser
        browser.type("/")
        self.assertEqual(self.focused(), "search")
        browser.type("bahdanau")
        self.assertGreaterEqual(browser.count("#results [role=option]"), 1)
        browser.type("Enter")
        self.assertShown("bahdanau")
        for words, name in (("vaswani2017 3.2.3 self", "self_attention"), ("dot_score luong", "luong_dot")):
            browser.type("/")
            browser.type(words)
            browser.type("Enter")
            self.assertShown(name)
        browser.type("/")
        browser.type("no such diagram")
        self.assertIn("nothing found", browser.text("#results"))
        browser.type("Escape")
        self.assertTrue(browser.run("return document.getElementById('results').hidden"))

    def test_filters_hide_the_edges_of_a_kind(self):
        visible = functools.partial(self.browser.run, """
            return [...document.querySelectorAll('#graph .edge')].filter(e => e.dataset.kind === arguments[0])
              .map(e => getComputedStyle(e).display !== 'none')""")
        first = [edge["kind"] for edge in self.data["edges"] if edge["first"]]
        for kind in sorted(set(first)):
            with self.subTest(kind):
                self.assertEqual(visible(kind), [True] * first.count(kind))
                self.browser.click(f"#filters input[value={kind}]")
                self.assertEqual(visible(kind), [False] * first.count(kind))
                self.browser.click(f"#filters input[value={kind}]")
                self.assertEqual(visible(kind), [True] * first.count(kind))

    def test_keys(self):
        browser, node = self.browser, self.node("bahdanau")
        browser.run("document.getElementById(arguments[0]).focus()", f"n{node['id']}")
        browser.type("Enter")
        self.assertShown("bahdanau")
        right = browser.run("return document.getElementById('graph').dataset.flow") == "right"
        back, forth = ("ArrowLeft", "ArrowRight") if right else ("ArrowUp", "ArrowDown")
        aside = "ArrowDown" if right else "ArrowRight"
        for parent in reversed(node["path"][:-1]):
            browser.type(back)
            self.assertEqual(self.focused(), f"n{parent}")
        browser.type("Enter")
        self.assertEqual(browser.text("#title"), "anatomy")
        browser.type(forth)
        child = int(self.focused()[1:])
        self.assertEqual(next(n["path"] for n in self.data["nodes"] if n["id"] == child), [node["path"][0], child])
        browser.type(aside)
        other = int(self.focused()[1:])
        self.assertNotEqual(other, child)
        self.assertEqual(next(n["depth"] for n in self.data["nodes"] if n["id"] == other), 1)
        browser.type("Tab")
        self.assertRegex(self.focused(), r"^n\d+$")

    def test_the_address_keeps_the_choice(self):
        self.browser.command("url", {"url": "about:blank"})
        self.browser.load(self.page.as_uri() + "#sigmoid_attention")
        self.assertShown("sigmoid_attention")

    def test_the_graph_zooms_and_fits(self):
        width = functools.partial(self.browser.run, "return document.querySelector('#graph svg').viewBox.baseVal.width")
        fitted = width()
        self.browser.type("+")
        self.assertAlmostEqual(width() * 1.3, fitted, delta=fitted / 100)
        self.browser.click("[data-zoom=fit]")
        self.assertAlmostEqual(width(), fitted, delta=fitted / 100)
        self.drag("wheel")
        self.assertLess(width(), 0.9 * fitted)

    def test_dragging_moves_the_graph_and_chooses_nothing(self):
        corner = functools.partial(self.browser.run, "return document.querySelector('#graph svg').viewBox.baseVal.x")
        before = corner()
        self.drag("pointer")
        self.assertLess(corner(), before)
        self.assertEqual(self.browser.run("return location.hash"), "")

    def drag(self, how):
        """Drags a node to the right, or turns the wheel over it."""
        origin = {ELEMENT: self.browser.element(f"#n{self.node('primordial')['id']}")}
        if how == "wheel":
            actions = [{"type": "scroll", "x": 0, "y": 0, "deltaX": 0, "deltaY": -150, "origin": origin}]
        else:
            actions = [{"type": "pointerMove", "x": 0, "y": 0, "origin": origin}, {"type": "pointerDown", "button": 0},
                       {"type": "pointerMove", "x": 60, "y": 20, "origin": "pointer"},
                       {"type": "pointerUp", "button": 0}]
        self.browser.command("actions", {"actions": [{"type": how, "id": how, "actions": actions}]})

    def test_no_network_and_no_errors(self):
        self.browser.click(f"#n{self.node('luong_dot')['id']}")
        self.assertEqual(self.browser.log("browser"), [])
        events = [json.loads(entry["message"])["message"] for entry in self.browser.log("performance")]
        requests = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        page = self.page.as_uri()
        urls = {request["request"]["url"] for request in requests if request["documentURL"].startswith(page)}
        self.assertEqual({url for url in urls if not url.startswith("data:")}, {page})
        page = re.sub(r'xmlns(:\w+)?=\\?"[^"]*"', "", self.page.read_text())
        self.assertNotRegex(page, r"""(?:src|href)\s*=\s*\\?["']?(?:https?:)?//|@import|url\(""")


if __name__ == "__main__":
    unittest.main()
