"""What the scripts share: where the desk is, what its providers are told, and checks that say their names."""

import asyncio
import inspect
import json
import os
import sys
import traceback
import urllib.request

URL = os.environ["LAB3_URL"]
MOCK = os.environ["LAB3_MOCK"]

# Providers by name, each with its price in KS a token and its models by what they do.
PROVIDERS = json.loads(os.environ["LAB3_PROVIDERS"])

ALICE = "did:kaizen:alice"
POOR = "did:kaizen:poor"

# What the mock says, and counts, when it is told nothing else.
TEXT = "tok " * 5
INPUT, OUTPUT = 7, 5

# A picture of one pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}

_cases = []


def case(function):
    """A check. One that takes a provider is run for each."""
    _cases.append(function)
    return function


def same(found, expected, what=""):
    if found != expected:
        raise AssertionError(f"{what} {found!r} is not {expected!r}")


def model(provider, kind):
    return PROVIDERS[provider]["models"][kind]


def check_receipt(receipt, provider, output=OUTPUT):
    """The desk's receipt names the provider, and the price of what it counted."""
    same(receipt["provider"], provider, "the provider")
    same(round(receipt["cost_gic"] * 1_000_000), PROVIDERS[provider]["rate"] * (INPUT + output), "the cost in KS")
    if not receipt["allocation_id"].startswith("al_") or not receipt["reason"]:
        raise AssertionError(f"an odd receipt: {receipt}")


def asked():
    """The last request a provider got."""
    with urllib.request.urlopen(MOCK + "/mock/stats") as reply:
        return json.load(reply)["last"][-1]


def run():
    failed = 0
    # One for all: clients keep connections, which belong to the loop they were made in.
    loop = asyncio.new_event_loop()
    for function in _cases:
        for arguments in [[provider] for provider in PROVIDERS] if inspect.signature(function).parameters else [[]]:
            name = " ".join([function.__name__, *arguments])
            try:
                done = function(*arguments)
                if inspect.iscoroutine(done):
                    loop.run_until_complete(done)
            except Exception:
                failed += 1
                print("FAILED", name)
                traceback.print_exc(file=sys.stdout)
            else:
                print("ok", name)
    sys.exit(1 if failed else 0)
