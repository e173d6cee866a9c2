"""Another implementation of RFC 9421 and RFC 9530 (PyPI: http-message-signatures) signs and judges what a test asks it to.

A line of JSON in, a line of JSON out. In: {"act": "sign" | "verify", "method", "url", "headers": {name: value}, "body": base64, "seed": base64},
and to sign also {"key_id", "created", "expires", "nonce", "label", "tag", "alg": bool, "digest": "sha-256", "components": [name]}.
Out: {"headers": {...}} or {"components": [...], "parameters": {...}}, or {"refused": why}.
"""

import base64
import datetime
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)

# What our signatures always cover; the verifier is told, as any user of it has to.
ALWAYS = ("@method", "@authority", "@path", "@query")


class OneKey(HTTPSignatureKeyResolver):
    def __init__(self, seed):
        self.secret = Ed25519PrivateKey.from_private_bytes(seed)

    def resolve_public_key(self, key_id):
        return self.secret.public_key()

    def resolve_private_key(self, key_id):
        return self.secret


class Message:
    def __init__(self, asked):
        self.method = asked["method"]
        self.url = asked["url"]
        self.headers = dict(asked["headers"])


class Digest512(ContentDigest):
    algorithm = "sha-512"


def moment(seconds):
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds, tz=datetime.timezone.utc)


def sign(asked, keys):
    message, body = Message(asked), base64.b64decode(asked["body"])
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=keys)
    if asked["digest"] == "sha-512":
        signer.content_digest_class = Digest512
    signer.sign(
        message,
        key_id=asked["key_id"],
        created=moment(asked["created"]),
        expires=moment(asked["expires"]),
        nonce=asked["nonce"],
        label=asked["label"],
        tag=asked["tag"],
        include_alg=asked["alg"],
        covered_component_ids=tuple(asked["components"]),
        body=body or None,
    )
    return {"headers": message.headers}


def verify(asked, keys):
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=keys)
    body = base64.b64decode(asked["body"])
    # The test's moments are fixed, and long ago: age is not what is asked here.
    results = verifier.verify(Message(asked), max_age=None, require_components=ALWAYS, body=body)
    return {"components": list(results[0].covered_components), "parameters": results[0].parameters}


for line in sys.stdin:
    asked = json.loads(line)
    keys = OneKey(base64.b64decode(asked["seed"]))
    try:
        answer = {"sign": sign, "verify": verify}[asked["act"]](asked, keys)
    except Exception as error:
        answer = {"refused": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
