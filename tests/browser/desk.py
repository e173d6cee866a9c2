"""The desk under test, asked from outside the browser: what it holds, and how often it refused. And how a script ends."""

import json
import os
import sys
import urllib.request

from webdriver import Browser, Unavailable

URL = os.environ["LAB3_URL"]
MINT = "/lab3/financial/mint"
MONEY = {"to_did": "did:kaizen:mallory", "amount": 1000000, "reason": "gotcha"}

# What the test takes for "cannot be run here".
SKIPPED = 77


def ask(path):
    """The desk's answer to somebody on its machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(URL + path, timeout=30) as reply:
        return reply.read().decode()


def state():
    """The hash of all the desk knows."""
    return json.loads(ask("/lab3/journal/head?state_hash=true"))["state_hash"]


def answered(method, path, status):
    """How many requests it answered so."""
    line = f'lab3_http_requests_total{{method="{method}",path="{path}",status="{status}"}} '
    return sum(int(one.removeprefix(line)) for one in ask("/metrics").splitlines() if one.startswith(line))


def run(*checks):
    """Runs checks with a browser, each by its name."""
    try:
        with Browser() as browser:
            for check in checks:
                check(browser)
                print(f"ok {check.__name__}")
    except Unavailable as why:
        print(why)
        sys.exit(SKIPPED)
