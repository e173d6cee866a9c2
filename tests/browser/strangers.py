"""Pages of strangers, in a real browser, try to use the open desk on the same machine: by a name that is made to lead here (DNS
rebinding), by forms, and by scripts of another site. The desk has to refuse them itself, and nothing may change."""

import contextlib
import http.server
import json
import socket
import threading
from urllib.parse import urlsplit

from desk import MINT, MONEY, URL, answered, run, state

DESK_PORT = urlsplit(URL).port

FETCH = """
    const [url, init] = arguments;
    try {
        const reply = await fetch(url, init);
        return [reply.type, reply.status, await reply.text()];
    } catch (error) {
        return ["error", 0, "" + error];
    }
"""

# A form whose one field is JSON, when it is sent as plain text.
FORM = """
    const [url, type, text] = arguments;
    const form = document.createElement("form");
    form.method = "POST";
    form.action = url;
    form.enctype = type;
    const field = document.createElement("input");
    const [name, value] = type === "text/plain" ? text.split("=") : ["body", text];
    field.name = name;
    field.value = value;
    form.append(field);
    document.body.append(form);
    setTimeout(() => form.submit(), 0);
"""


class Page(http.server.BaseHTTPRequestHandler):
    """An empty page. What is run in it is its owner's."""

    def do_GET(self):
        page = b"<!doctype html><title>A stranger's page</title><body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


def serve():
    """Serves the page on a free port, and gives the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Rebound:
    """An address that leads to the stranger's server first and, once `bound` is set, to the desk: what rebinding a name does, of which
    the browser sees no more than this. Where a connection leads is settled when it first says something: a browser opens some before
    it has anything to ask."""

    def __init__(self, first):
        self.first, self.bound = first, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            threading.Thread(target=self._lead, args=(near,), daemon=True).start()

    def _lead(self, near):
        with near, contextlib.suppress(OSError):
            if said := near.recv(65536):
                with socket.create_connection(("127.0.0.1", DESK_PORT if self.bound else self.first)) as far:
                    far.sendall(said)
                    back = threading.Thread(target=self._copy, args=(far, near), daemon=True)
                    back.start()
                    self._copy(near, far)
                    back.join()

    @staticmethod
    def _copy(one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


def json_post(body):
    return {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}


def refused_by_the_desk(told, status, code):
    kind, told_status, text = told
    assert (kind, told_status) == ("basic", status) and json.loads(text)["code"] == code, told


def a_name_that_is_made_to_lead_to_the_desk(browser):
    before = state()
    first = serve()
    rebound = Rebound(first)
    # To the browser the desk is the stranger's own server now, of the same origin: nothing but the desk is in the way.
    browser.go(f"http://evil.example:{rebound.port}/")
    rebound.bound = True
    for path, init in (
        ("/lab3/financial/pool", {}),
        ("/lab3/keys", {}),
        (MINT, json_post(MONEY)),
        ("/lab3/keys", json_post({"kind": "operator"})),
        ("/v1/models", {"headers": {"Authorization": "Bearer sk-any"}}),
        ("/metrics", {}),
    ):
        told = browser.run(FETCH, path, init)
        assert told[:2] == ["basic", 403] and "L3-0029" in told[2], (path, told)
    # The name may lead to the desk from the beginning, too.
    browser.go(f"http://evil.example:{DESK_PORT}/lab3/health")
    refused_by_the_desk(browser.run(FETCH, MINT, json_post(MONEY)), 403, "L3-0029")
    refused_by_the_desk(browser.run(FETCH, "/lab3/financial/pool", {}), 403, "L3-0029")
    assert state() == before


def scripts_of_another_site(browser):
    before, port = state(), serve()
    for origin in (f"http://evil.example:{port}/", f"http://127.0.0.1:{port}/", f"http://localhost:{port}/"):
        browser.go(origin)
        for host in ("127.0.0.1", "localhost", "evil.example"):
            url = f"http://{host}:{DESK_PORT}{MINT}"
            refusals = answered("POST", MINT, "4xx")
            # The browser sends this one without asking first, and keeps the answer to itself.
            plain = {"method": "POST", "mode": "no-cors", "headers": {"Content-Type": "text/plain"}, "body": json.dumps(MONEY)}
            assert browser.run(FETCH, url, plain)[0] == "opaque", (origin, url)
            assert answered("POST", MINT, "4xx") == refusals + 1, (origin, url, "it never came to the desk")
            # For this one it asks first, and the desk does not answer that it may.
            assert browser.run(FETCH, url, json_post(MONEY))[0] == "error", (origin, url)
            # What is shown to it is nothing either.
            assert browser.run(FETCH, f"http://{host}:{DESK_PORT}/lab3/financial/pool", {})[0] == "error", (origin, url)
            assert browser.run("return navigator.sendBeacon(arguments[0], arguments[1])", url, json.dumps(MONEY)) is True
            browser.wait("the beacon", lambda: answered("POST", MINT, "4xx") == refusals + 2)
        assert state() == before, origin


def forms_of_another_site(browser):
    before, port = state(), serve()
    # As plain text, `name=value` is JSON once the name opens a string and the value closes it.
    text = json.dumps({**MONEY, "reason": "got=cha"})
    for origin in ("evil.example", "127.0.0.1"):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            refusals = answered("POST", MINT, "4xx")
            browser.go(f"http://{origin}:{port}/")
            browser.run(FORM, f"{URL}{MINT}", kind, text)
            browser.wait("the form to be sent", lambda: answered("POST", MINT, "4xx") == refusals + 1)
            assert answered("POST", MINT, "2xx") == 0
    assert state() == before


run(a_name_that_is_made_to_lead_to_the_desk, scripts_of_another_site, forms_of_another_site)
