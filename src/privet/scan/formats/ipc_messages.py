"""What messages of Arrow IPC say of themselves, read without believing it.

A message is four bytes of ones, the length of its metadata, the metadata (a flatbuffer) and a body.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pyarrow as pa

MAGIC = b"ARROW1"
SCHEMA, DICTIONARY, RECORDS = 1, 2, 3
_MARK = b"\xff\xff\xff\xff"
_PREFIX = 8
_METADATA = 16 * 1024 * 1024
"""The largest metadata that are read."""
_BUFFER = struct.Struct("<qq")
_BLOCK = struct.Struct("<qi4xq")
_TRAILER = 10
"""Bytes behind the footer: its length and the magic."""


class NoMessage(Exception):
    """Bytes that are no message, or not all of one."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message.

    Attributes:
        kind: what the body is.
        length: of all of it, in bytes.
        body: where the body begins.
        rows: of a batch.
        buffers: of a batch: where each begins in the body, and its length.
        compressed: whether each buffer of the batch begins with its true length.
    """

    kind: int
    length: int
    body: int
    rows: int = 0
    buffers: tuple[tuple[int, int], ...] = ()
    compressed: bool = False


def read_message(native: pa.NativeFile, place: int, end: int) -> Message | None:
    """The message at a place, or None where there are no more.

    Raises:
        NoMessage: there is something else.
    """
    if place == end:
        return None
    prefix: bytes = native.read_at(_PREFIX, place)
    if not prefix.startswith(_MARK) or len(prefix) < _PREFIX:
        raise NoMessage
    (size,) = struct.unpack_from("<i", prefix, 4)
    if size == 0:
        return None
    if not 0 < size <= _METADATA:
        raise NoMessage
    metadata: bytes = native.read_at(size, place + _PREFIX)
    try:
        message = _parsed(metadata, _PREFIX + size)
    except (struct.error, IndexError) as error:
        raise NoMessage from error
    if len(metadata) < size or place + message.length > end:
        raise NoMessage
    return message


def decoded_size(message: Message, data: bytes) -> int:
    """About how many bytes a message becomes; `data` is all of it.

    Raises:
        NoMessage: its buffers do not lie in it.
    """
    found = 0
    for start, length in message.buffers:
        place = message.body + start
        if start < 0 or length < 0 or place + length > len(data):
            raise NoMessage
        if not message.compressed or not length:
            found += length
            continue
        if length < _PREFIX:
            raise NoMessage
        (true,) = struct.unpack_from("<q", data, place)
        if true < -1:
            raise NoMessage
        found += length if true == -1 else true
    return found


def read_footer(native: pa.NativeFile, end: int) -> tuple[list[int], list[int]]:
    """Where, in a file, its dictionaries begin, and where its record batches do.

    Raises:
        NoMessage: it has no footer.
    """
    trailer: bytes = native.read_at(_TRAILER, max(0, end - _TRAILER))
    if len(trailer) < _TRAILER or not trailer.endswith(MAGIC):
        raise NoMessage
    (size,) = struct.unpack_from("<i", trailer, 0)
    if not 0 < size <= min(_METADATA, end - _TRAILER):
        raise NoMessage
    footer: bytes = native.read_at(size, end - _TRAILER - size)
    try:
        (root,) = struct.unpack_from("<I", footer, 0)
        table = _Table(footer, root)
        return _places(footer, table, 2), _places(footer, table, 3)
    except (struct.error, IndexError) as error:
        raise NoMessage from error


def _places(footer: bytes, table: _Table, number: int) -> list[int]:
    start, count = table.vector(number, _BLOCK.size)
    blocks = _BLOCK.iter_unpack(footer[start : start + count * _BLOCK.size])
    places = [place for place, _, _ in blocks]
    if any(place < 0 for place in places):
        raise IndexError
    return places


class _Table:
    """A table of a flatbuffer: its fields by their numbers."""

    def __init__(self, data: bytes, place: int) -> None:
        if place < 0:
            raise IndexError
        self._data, self._place = data, place
        self._fields = place - self._read("<i", place)
        self._known = self._read("<H", self._fields)

    def scalar(self, number: int, kind: str) -> int:
        """A number; 0 where it is left out."""
        place = self._where(number)
        return self._read(kind, place) if place else 0

    def table(self, number: int) -> _Table | None:
        """A table inside."""
        place = self._where(number)
        return _Table(self._data, place + self._read("<I", place)) if place else None

    def vector(self, number: int, size: int) -> tuple[int, int]:
        """Where a vector of structs begins, and how many there are."""
        place = self._where(number)
        if not place:
            return 0, 0
        start = place + self._read("<I", place)
        count = self._read("<I", start)
        if start + 4 + count * size > len(self._data):
            raise IndexError
        return start + 4, count

    def _where(self, number: int) -> int:
        at = 4 + 2 * number
        offset = self._read("<H", self._fields + at) if at < self._known else 0
        return self._place + offset if offset else 0

    def _read(self, kind: str, place: int) -> int:
        if place < 0:
            raise IndexError
        (found,) = struct.unpack_from(kind, self._data, place)
        return int(found)


def _parsed(metadata: bytes, body: int) -> Message:
    (root,) = struct.unpack_from("<I", metadata, 0)
    message = _Table(metadata, root)
    kind, length = message.scalar(1, "<B"), message.scalar(3, "<q")
    if length < 0:
        raise IndexError
    whole = body + length
    header = message.table(2)
    batch = header.table(1) if header and kind == DICTIONARY else header
    if batch is None or kind not in {DICTIONARY, RECORDS}:
        return Message(kind, whole, body)
    start, count = batch.vector(2, _BUFFER.size)
    buffers = tuple(_BUFFER.iter_unpack(metadata[start : start + count * _BUFFER.size]))
    rows = batch.scalar(0, "<q")
    if rows < 0:
        raise IndexError
    return Message(kind, whole, body, rows, buffers, batch.table(3) is not None)
