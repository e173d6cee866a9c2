"""A real browser, told what to do over WebDriver (https://www.w3.org/TR/webdriver2/): Debian's chromium by its chromedriver."""

import json
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

# The names of strangers, which lead to this machine, as a name of the network can be made to. Every other name leads nowhere.
STRANGERS = ("evil.example", "other.example")

# How long anything may take, in seconds.
PATIENCE = 30

ARGUMENTS = (
    "--headless=new",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Tests run as root in containers. No page from outside is ever opened.
    "--no-sandbox",
    # What the browser itself may one day keep from the desk: here the desk shall have to refuse it.
    "--disable-features=LocalNetworkAccessChecks,HttpsUpgrades,HttpsFirstBalancedMode,HttpsFirstBalancedModeAutoEnable",
    "--host-resolver-rules="
    + ",".join([f"MAP {name} 127.0.0.1" for name in STRANGERS] + ["MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1", "EXCLUDE localhost"]),
)

# A key that is held down while others are typed, and the end of that (WebDriver's code points).
CONTROL, RELEASE = "\ue009", "\ue000"


class Unavailable(Exception):
    """No browser can be started here."""


class Failed(Exception):
    """The driver refused a command."""


class Browser:
    """A browser with one page, from `with` to the end of it."""

    def __enter__(self):
        try:
            self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        except OSError as error:
            raise Unavailable(f"chromedriver: {error}") from error
        try:
            self.base = f"http://127.0.0.1:{self._port()}"
            self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            options = {"args": [*ARGUMENTS, f"--user-data-dir={self.folder.name}"]}
            timeouts = {"script": PATIENCE * 1000, "pageLoad": PATIENCE * 1000}
            asked = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options, "timeouts": timeouts}}}
            try:
                session = self._call("POST", "/session", asked)
            except Failed as error:
                raise Unavailable(str(error).splitlines()[0]) from error
            self.base += f"/session/{session['sessionId']}"
        except BaseException:
            self.driver.kill()
            self.driver.wait()
            raise
        return self

    def __exit__(self, *_):
        try:
            self._call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()
            self.folder.cleanup()

    def _port(self):
        for line in self.driver.stdout:
            if "successfully on port" in line:
                return int(line.rsplit(None, 1)[1].rstrip("."))
        raise Unavailable("chromedriver ended at once")

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=2 * PATIENCE) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as error:
            raise Failed(json.load(error)["value"]["message"]) from error

    def go(self, url):
        """Opens a page, and waits for it."""
        self._call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """Runs a function's body in the page; what it returns, also later."""
        whole = f"""
            const done = arguments[arguments.length - 1];
            (async function () {{ {script} }}).apply(null, arguments).then(done, (error) => done("" + error));
        """
        return self._call("POST", "/execute/async", {"script": whole, "args": list(arguments)})

    def find(self, selector):
        """The element of that CSS selector, as soon as there is one."""
        found = self.wait(selector, lambda: self._call("POST", "/elements", {"using": "css selector", "value": selector}))
        return next(iter(found[0].values()))

    def wait(self, what, look):
        """What `look` returns, as soon as it is something."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"waited for {what} in vain")

    def click(self, selector):
        """Clicks it."""
        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({ block: 'center' })", {"element-6066-11e4-a52e-4f735466cecf": element})
        self._call("POST", f"/element/{element}/click", {})

    def write(self, selector, text):
        """Writes it into a field, in place of what is there."""
        self._call("POST", f"/element/{self.find(selector)}/value", {"text": f"{CONTROL}a{RELEASE}{text}"})

    def text(self, selector):
        """What it says."""
        return self._call("GET", f"/element/{self.find(selector)}/text")
