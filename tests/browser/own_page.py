"""The desk's own page to try requests on, used as people use it: it works, for it is of the desk's own origin."""

import json
from urllib.parse import urlsplit

from desk import URL, answered, run, state

ALLOCATE = {"citizen_did": "did:kaizen:alice", "query_tokens": 100, "dry_run": True}


def tried(browser, tag, operation, body=None):
    """Opens an operation, executes it, and gives the status and the reply."""
    place = f"#operations-{tag}-{operation}"
    browser.click(f"{place} .opblock-summary-control")
    if body is not None:
        browser.write(f"{place} .body-param__text", json.dumps(body))
    browser.click(f"{place} .btn.execute")
    status = browser.text(f"{place} .live-responses-table .response .response-col_status")
    reply = browser.text(f"{place} .live-responses-table .response .response-col_description .highlight-code")
    return status, reply


def asking_works(browser):
    browser.go(f"{URL}/lab3/docs/")
    status, reply = tried(browser, "finance", "pool")
    assert status.startswith("200") and "balance" in reply, (status, reply)
    assert answered("GET", "/lab3/financial/pool", "2xx") == 1


def writing_works(browser):
    for host in ("127.0.0.1", "localhost"):
        before = state()
        browser.go(f"http://{host}:{urlsplit(URL).port}/lab3/docs/")
        status, reply = tried(browser, "compute", "allocate", ALLOCATE)
        assert status.startswith("200") and "quota_remaining" in reply, (status, reply)
        assert state() == before, "a dry run changed something"
    assert answered("POST", "/lab3/compute/allocate", "2xx") == 2


run(asking_works, writing_works)
