"""SASL DIGEST-MD5 (RFC 2831), the server's side, as clients of this protocol send tokens by it.

The user name is the whole JWT and the password a word that everybody knows: the digest proves
nothing, and what counts is the token, which is checked like any other.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import socket
import struct
from collections.abc import Callable

from privet.model.errors import PrivetError
from privet.okera.wire.incoming import Incoming
from privet.okera.wire.wellformed import Malformed

START, OK, BAD, ERROR, COMPLETE = 1, 2, 3, 4, 5
_MECHANISM = b"DIGEST-MD5"
_REALM = b"default"
_PASSWORD = b"cerebro"
_LARGEST = 64 * 1024
_REFUSED = "Could not verify token"
_HEAD = struct.Struct("!BI")

Admit = Callable[[str], None]


class Refused(Exception):
    """The client was told so."""


def negotiate(connection: socket.socket, incoming: Incoming, admit: Admit) -> str:
    """Take a token from a client that has just connected.

    Args:
        connection: where to answer.
        incoming: what comes from it.
        admit: raises PrivetError for a token that does not hold.

    Returns:
        The token.

    Raises:
        Refused: there was none that holds.
        Malformed: what came is no SASL.
        OSError: nothing came.
    """
    status, mechanism = _receive(incoming)
    if status != START or mechanism != _MECHANISM:
        # Some clients send the first answer along with the mechanism; this one has none.
        raise _refuse(connection, BAD, f"only {_MECHANISM.decode()} is known here")
    nonce = secrets.token_hex(16).encode()
    challenge = b'realm="%b",nonce="%b",qop="auth",charset=utf-8,algorithm=md5-sess' % (
        _REALM,
        nonce,
    )
    _send(connection, OK, challenge)
    status, response = _receive(incoming)
    if status != OK:
        raise _refuse(connection, BAD, "the negotiation was broken off")
    given = directives(response)
    token, proof = _checked(given, nonce)
    if proof is None:
        raise _refuse(connection, ERROR, _REFUSED)
    try:
        admit(token)
    except PrivetError as error:
        raise _refuse(connection, ERROR, f"{_REFUSED}: {error}") from error
    _send(connection, COMPLETE, b"rspauth=" + proof)
    return token


def drop(incoming: Incoming) -> None:
    """Read the first message, so that closing the connection afterwards is a clean end.

    Raises:
        Malformed, OSError: as `negotiate`.
    """
    _receive(incoming)


def refuse(connection: socket.socket, incoming: Incoming, text: str) -> None:
    """Refuse a client before anything is negotiated.

    Raises:
        Malformed, OSError: as `negotiate`.
    """
    _receive(incoming)
    _send(connection, ERROR, text.encode())


def _refuse(connection: socket.socket, status: int, text: str) -> Refused:
    _send(connection, status, text.encode())
    return Refused(text)


def _checked(given: dict[str, bytes], nonce: bytes) -> tuple[str, bytes | None]:
    """The user name; and the server's own proof, or None if the client's does not fit."""
    try:
        token = given.get("username", b"").decode("ascii")
    except UnicodeDecodeError:
        return "", None
    fits = (
        hmac.compare_digest(given.get("nonce", b""), nonce)
        and given.get("qop", b"auth") == b"auth"
        and given.get("nc") == b"00000001"
        and given.get("realm", b"") == _REALM
        and hmac.compare_digest(given.get("response", b""), _digest(given, b"AUTHENTICATE:"))
    )
    return token, _digest(given, b":") if fits else None


def _digest(given: dict[str, bytes], method: bytes) -> bytes:
    user, uri = given.get("username", b""), given.get("digest-uri", b"")
    nonce, cnonce = given.get("nonce", b""), given.get("cnonce", b"")
    secret = bytes.fromhex(_hex(b":".join((user, _REALM, _PASSWORD))).decode())
    first = _hex(b":".join((secret, nonce, cnonce)))
    second = _hex(method + uri)
    return _hex(b":".join((first, nonce, given.get("nc", b""), cnonce, b"auth", second)))


def _hex(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).hexdigest().encode()


def directives(text: bytes) -> dict[str, bytes]:
    """What `name=value,name="quoted value"` says.

    Raises:
        Malformed: it is not of this form, or says something twice.
    """
    found: dict[str, bytes] = {}
    rest = text
    while rest:
        name, sign, rest = rest.partition(b"=")
        key = name.strip().decode("ascii", "replace").lower()
        value, rest = _quoted(rest[1:]) if rest[:1] == b'"' else _bare(rest)
        if not sign or not key or key in found:
            raise Malformed("no response of this mechanism")
        found[key] = value
    return found


def _bare(text: bytes) -> tuple[bytes, bytes]:
    value, _, rest = text.partition(b",")
    return value.strip(), rest


def _quoted(text: bytes) -> tuple[bytes, bytes]:
    value, at = bytearray(), 0
    while at < len(text) and text[at : at + 1] != b'"':
        at += text[at : at + 1] == b"\\"
        value += text[at : at + 1]
        at += 1
    after = text[at + 1 :].lstrip()
    if at >= len(text) or after[:1] not in (b"", b","):
        raise Malformed("a quotation that does not end")
    return bytes(value), after[1:]


def _receive(incoming: Incoming) -> tuple[int, bytes]:
    status, length = _HEAD.unpack(incoming.take(_HEAD.size))
    if length > _LARGEST:
        raise Malformed("a negotiation of too many bytes")
    return status, incoming.take(length)


def _send(connection: socket.socket, status: int, payload: bytes) -> None:
    connection.sendall(_HEAD.pack(status, len(payload)) + payload)
