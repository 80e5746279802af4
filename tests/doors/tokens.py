"""Tokens with claims of one's own, signed with a server's own key."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doors.servers import TrialServer
from doors.steward import unique


def signed(server: TrialServer, user: str, *groups: str, **claims: Any) -> str:
    """A token of the server's issuer for ten minutes, with more claims."""
    stored = json.loads((server.home / "signing-keys.json").read_text())["keys"]
    key = next(entry for entry in stored if "d" in entry)
    now = int(time.time())
    body = {
        "iss": "privet",
        "aud": "privet",
        "sub": user,
        "groups": list(groups),
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "jti": unique("jti"),
    } | claims
    text = f"{_segment({'alg': 'Ed25519', 'kid': key['kid'], 'typ': 'JWT'})}.{_segment(body)}"
    private = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(key["d"] + "=="))
    return f"{text}.{_encoded(private.sign(text.encode()))}"


def _segment(part: object) -> str:
    return _encoded(json.dumps(part).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
