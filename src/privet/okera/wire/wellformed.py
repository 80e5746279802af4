"""Walking over a message before it is decoded.

A decoder believes the counts and types that a message claims. Here they are checked first, so that
a stranger's message costs what its bytes cost: every length is followed by its bytes, types exist,
nesting ends. The walk also finds where a message ends that comes without a length.
"""

from __future__ import annotations

import struct
from typing import Protocol

LARGEST = 16 * 2**20
"""Bytes of a message that is still understood."""
_LARGEST_READ = 256 * 2**20
_LONGEST_NAME = 128
_DEEPEST = 32
_MOST_PARTS = 500_000
_AT_ONCE = 64 * 1024

_VERSION = 0x8001
_STRING, _STRUCT, _MAP, _SET, _LIST = 11, 12, 13, 14, 15
_SIZES = {2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8}


class Malformed(Exception):
    """Bytes that are no message; there is nobody to tell."""


class Source(Protocol):
    """Where bytes come from."""

    def take(self, count: int) -> bytes:
        """The next bytes."""
        ...


class Memory:
    """Bytes that are all here."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes.

        Raises:
            Malformed: there are fewer.
        """
        end = self._at + count
        if end > len(self._data):
            raise Malformed("a message that ends early")
        taken, self._at = self._data[self._at : end], end
        return taken

    @property
    def left(self) -> int:
        """Bytes that were not taken."""
        return len(self._data) - self._at


class Walk:
    """One message, from its first byte to its last.

    Attributes:
        kept: its bytes; only the first ones if it is larger than `largest`.
        too_large: whether it is.
    """

    def __init__(self, source: Source, largest: int = LARGEST) -> None:
        self.kept = bytearray()
        self.too_large = False
        self._source = source
        self._largest = largest
        self._read = 0
        self._parts = 0

    def message(self) -> bytes:
        """Walk over it; its bytes, or the first of them if it is too large.

        Raises:
            Malformed: it is none, or beyond any size.
            OSError: its bytes did not come.
        """
        version, kind, length = struct.unpack("!HHi", self._take(8))
        if version != _VERSION or kind >> 8 or not 0 < length <= _LONGEST_NAME:
            raise Malformed("no message begins so")
        self._take(length + 4)
        self._value(_STRUCT, _DEEPEST)
        return bytes(self.kept)

    def _take(self, count: int) -> bytes:
        self._read += count
        if self._read > _LARGEST_READ:
            raise Malformed("a message of more bytes than are ever read")
        taken = self._source.take(count)
        if self._read <= self._largest:
            self.kept += taken
        else:
            self.too_large = True
        return taken

    def _pass(self, count: int) -> None:
        while count:
            part = min(count, _AT_ONCE)
            self._take(part)
            count -= part

    def _value(self, kind: int, depth: int) -> None:
        if kind in _SIZES:
            self._take(_SIZES[kind])
        elif kind == _STRING:
            self._pass(self._count())
        elif depth == 0:
            raise Malformed("a message that nests too deep")
        elif kind == _STRUCT:
            self._struct(depth - 1)
        elif kind in (_LIST, _SET):
            self._elements(self._take(1)[0], depth - 1)
        elif kind == _MAP:
            key, value = self._take(2)
            self._pairs(key, value, depth - 1)
        else:
            _check_type(kind)

    def _struct(self, depth: int) -> None:
        while kind := self._take(1)[0]:
            self._one_more()
            self._take(2)
            self._value(kind, depth)

    def _elements(self, kind: int, depth: int) -> None:
        _check_type(kind)
        count = self._count()
        if kind in _SIZES:
            self._one_more(count)
            self._pass(count * _SIZES[kind])
            return
        for _ in range(count):
            self._one_more()
            self._value(kind, depth)

    def _pairs(self, key: int, value: int, depth: int) -> None:
        _check_type(key)
        _check_type(value)
        for _ in range(self._count()):
            self._one_more()
            self._value(key, depth)
            self._value(value, depth)

    def _count(self) -> int:
        (count,) = struct.unpack("!i", self._take(4))
        if count < 0:
            raise Malformed("a count below nothing")
        return count

    def _one_more(self, parts: int = 1) -> None:
        self._parts += parts
        if self._parts > _MOST_PARTS:
            raise Malformed("a message of too many parts")


def _check_type(kind: int) -> None:
    if kind not in _SIZES and kind not in (_STRING, _STRUCT, _MAP, _SET, _LIST):
        raise Malformed("a value of no type")
