"""What a client says first: the protocols that its TLS ClientHello offers (ALPN, RFC 7301)."""

from __future__ import annotations

import struct

HANDSHAKE, CLIENT_HELLO = 0x16, 0x01
LARGEST = 16 * 1024 + 5
_ALPN = 16
_RECORD_HEAD = 5


class NoHello(Exception):
    """The bytes are no ClientHello."""


def offered(data: bytes) -> tuple[bytes, ...] | None:
    """The protocols that a ClientHello offers, in its order; None if more of it has to come.

    Raises:
        NoHello: these bytes do not begin one.
    """
    hello = _message(data)
    if hello is None:
        return None
    try:
        return _protocols(_extensions(_Reader(hello)))
    except IndexError as error:
        raise NoHello("a ClientHello that ends early") from error


def _message(data: bytes) -> bytes | None:
    """The body of the handshake message, put together from its records."""
    body, at = b"", 0
    while len(data) >= at + _RECORD_HEAD:
        kind, _, length = struct.unpack_from("!BHH", data, at)
        if kind != HANDSHAKE or not length or at + length > LARGEST:
            raise NoHello("no handshake")
        body += data[at + _RECORD_HEAD : at + _RECORD_HEAD + length]
        at += _RECORD_HEAD + length
        if body and body[0] != CLIENT_HELLO:
            raise NoHello("another message first")
        if len(body) >= 4 and len(body) >= 4 + (size := int.from_bytes(body[1:4], "big")):  # noqa: PLR2004 - a type and three bytes of length
            return body[4 : 4 + size]
    return None


class _Reader:
    """Fields of a message, one after another; IndexError where it ends."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise IndexError
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def block(self, size: int) -> bytes:
        """Bytes with their count before them, a number of `size` bytes."""
        return self.take(self.number(size))

    @property
    def left(self) -> bool:
        return self._at < len(self._data)


def _extensions(hello: _Reader) -> _Reader:
    hello.take(2 + 32)  # version, random
    for size in (1, 2, 1):  # session, ciphers, compressions
        hello.block(size)
    return _Reader(hello.block(2) if hello.left else b"")


def _protocols(extensions: _Reader) -> tuple[bytes, ...]:
    while extensions.left:
        kind, body = extensions.number(2), extensions.block(2)
        if kind == _ALPN:
            names = _Reader(_Reader(body).block(2))
            found: list[bytes] = []
            while names.left:
                found.append(names.block(1))
            return tuple(found)
    return ()
