"""Judges proofs by two code bases that are not ours in Rust: pymerkle (PyPI) and docs/verify/verify.py.

    judge.py FOLDER-OF-VERIFY CLAIMS

CLAIMS has a JSON object a line; a line is printed for each: the verdict of either, or a dash where pymerkle cannot say. It takes inclusion
proofs of others; its consistency proofs go further down than RFC 9162's where the older tree ends with a whole subtree.
"""
import json, sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import verify
from pymerkle import InclusionProof, InvalidProof, verify_inclusion


def sides(index, size):
    """From the leaf up, whether it is in the left half (0) or the right."""
    if size == 1:
        return []
    half = 1 << (size - 1).bit_length() - 1
    return sides(index, half) + [0] if index < half else sides(index - half, size - half) + [1]


def by_pymerkle(claim):
    if claim["kind"] != "inclusion":
        return "-"
    index, size, leaf = claim["from"], claim["size"], claim["was"]
    proof = InclusionProof.deserialize({
        "type": "inclusion",
        # It counts leaves from one. The root itself is on no side: 0.
        "metadata": {"algorithm": "sha256", "security": True, "size": size, "index": index + 1},
        "rule": sides(index, size) + [0],
        "path": [leaf, *claim["proof"]],
    })
    try:
        verify_inclusion(bytes.fromhex(leaf), bytes.fromhex(claim["root"]), proof, index=index + 1, size=size, algorithm="sha256")
        return "holds"
    except InvalidProof:
        return "refused"


def by_verify(claim):
    was, root = bytes.fromhex(claim["was"]), bytes.fromhex(claim["root"])
    proof = [bytes.fromhex(line) for line in claim["proof"]]
    try:
        if claim["kind"] == "inclusion":
            return "holds" if verify.included(claim["from"], claim["size"], was, proof) == root else "refused"
        return "holds" if verify.continued(claim["from"], claim["size"], was, proof) == (was, root) else "refused"
    except verify.Bad:
        return "refused"


for line in open(sys.argv[2]):
    claim = json.loads(line)
    print(by_pymerkle(claim), by_verify(claim))
