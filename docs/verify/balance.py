#!/usr/bin/env python3
"""Checks the proof of one balance, from docs/journal.md alone and without the desk. Python 3.11; verify.py has to stand beside it.

    python3 balance.py FILE --key VKEY

FILE is what `lab3 balance DID --proof` wrote, VKEY the log's key (GET /lab3/log/key; compare it with what others have). Prints one line. Exit
status: 0 it holds, 1 it does not, 2 it could not be read.
"""
import argparse, sys
from verify import RECORD, SIGNED, Reader, checkpoint_of, included, key_of, leaf_of, need, told, unbase64

NAMES = ["account", "owner", "asset", "purpose", "balance", "held", "salt"]

def whole(text, what):
    need(text.lstrip("-").isdigit() and text.isascii() and str(int(text)) == text, f"{what} is no number")
    return int(text)

def record_of(proof, key):
    """The record of a tlog-proof that the key's log has, and its number."""
    head, note = proof.split("\n\n", 1)
    lines = head.split("\n")
    need(len(lines) >= 3 and lines[0] == "c2sp.org/tlog-proof@v1" and lines[1][:6] == "extra " and lines[2][:6] == "index ", "the record's proof")
    data, index = unbase64(lines[1][6:]), whole(lines[2][6:], "the record's index")
    size, root = checkpoint_of(key, note.encode())
    need(included(index, size, leaf_of(data), [unbase64(line) for line in lines[3:]]) == root, "the record is not in the log")
    reader = Reader(data)
    record = RECORD(reader)
    if reader.at < len(data):
        SIGNED(reader)
    need(reader.at == len(data), "bytes follow the record's end")
    return record, index + 1

def check(file, key):
    """One line that says what is proved; Bad says what does not hold."""
    leaf, rest = file.split("\n\n", 1)
    path, proof = ("", rest[1:]) if rest.startswith("\n") else rest.split("\n\n", 1)
    lines = leaf.split("\n")
    need(lines[0] == "lab3 balance 1" and [line.split(": ", 1)[0] for line in lines[1:]] == NAMES, "it does not begin with a balance")
    said = dict(line.split(": ", 1) for line in lines[1:])
    record, number = record_of(proof, key)
    kind, fact = record["fact"][1] if record["fact"][0] == "Finance" else ("", None)
    need(kind == "EpochBalanced", "the record sums up no balances")
    account, hashes = whole(said["account"], "the account"), [unbase64(line) for line in path.split()]
    root = included(account, fact["accounts"], leaf_of(leaf.encode() + b"\n"), hashes)
    need(root == fact["root"], "the balance is not among those the record sums up")
    balance, held = whole(said["balance"], "the balance"), whole(said["held"], "what is held")
    return f"holds: {said['owner']} ({said['purpose']}, {said['asset']}) had {balance / 10**6:.6f}, {held / 10**6:.6f} of it held, " \
           f"when epoch {fact['closed']} was closed by record {number} of {key[0]}"

def main(arguments):
    parser = argparse.ArgumentParser(description="Checks the proof of one balance.")
    parser.add_argument("file")
    parser.add_argument("--key", required=True)
    asked = parser.parse_args(arguments)
    def one():
        with open(asked.file, encoding="utf-8", newline="") as file:
            return check(file.read(), key_of(asked.key))
    return told(one)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
