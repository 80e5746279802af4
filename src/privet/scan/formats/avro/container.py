"""The container of Avro: a header, and blocks of records that may each be compressed.

The blocks are cut and unpacked here, so that none becomes more than fits; the library decodes what
is in them, from a container of the same schema that is not compressed.
"""

from __future__ import annotations

import bz2
import io
import json
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from privet.model.errors import SourceInvalid
from privet.scan.formats.opened import too_large

MAGIC = b"Obj\x01"
LARGEST = 64 * 1024 * 1024
"""Bytes of a block, as stored and unpacked."""
_HEAD = 1024 * 1024
_MOST_HEAD = 16 * 1024 * 1024
_SYNC = 16
_CRC = 4
_LONGEST = 10
"""Bytes of a number of 64 bits."""
_STEP = 1 << 20


class NoAvro(Exception):
    """Bytes that are no container of Avro."""


@dataclass(frozen=True, slots=True)
class Block:
    """Records as stored; `rows` is how many it says they are."""

    rows: int
    place: int
    length: int


class Container:
    """A container of which the header was read.

    Attributes:
        schema: as written, JSON.
        codec: how blocks are compressed.
    """

    def __init__(self, native: pa.NativeFile) -> None:
        self._native = native
        self._size = native.size()
        head = native.read_at(_HEAD, 0)
        try:
            meta, self._start = _header(head)
        except NoAvro:
            head = native.read_at(_MOST_HEAD, 0)
            meta, self._start = _header(head)
        self._sync = head[self._start - _SYNC : self._start]
        self.codec = meta.get("avro.codec", b"null").decode("ascii", errors="replace")
        try:
            self.schema: Any = json.loads(meta["avro.schema"])
        except (KeyError, ValueError, RecursionError) as error:
            raise NoAvro from error

    def blocks(self) -> Iterator[Block]:
        """The blocks, unread.

        Raises:
            NoAvro: what is there is none, or not all of one.
            SourceInvalid: one is larger than fits.
        """
        place = self._start
        while place < self._size:
            prefix = io.BytesIO(self._native.read_at(2 * _LONGEST, place))
            rows, length = _number(prefix), _number(prefix)
            start = place + prefix.tell()
            if rows < 0 or length < 0:
                raise NoAvro
            if length > LARGEST:
                raise too_large("a block")
            place = start + length + _SYNC
            if place > self._size or self._native.read_at(_SYNC, place - _SYNC) != self._sync:
                raise NoAvro
            yield Block(rows, start, length)

    def unpack(self, block: Block) -> bytes:
        """The records of a block.

        Raises:
            NoAvro: it is broken.
            SourceInvalid: it becomes more than fits, or its codec is not known.
        """
        data: bytes = self._native.read_at(block.length, block.place)
        unpack = _CODECS.get(self.codec)
        if unpack is None:
            raise SourceInvalid(
                "an Avro file of this dataset is compressed in a way that is not read",
                hint=f"these are: {', '.join(_CODECS)}",
            )
        try:
            found = unpack(data)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, pa.ArrowException) as error:
            raise NoAvro from error
        if len(found) > LARGEST:
            raise too_large("a block")
        return found


def rewritten(schema: Any, blocks: Iterator[tuple[int, bytes]]) -> io.BytesIO:
    """Blocks as a container of its own, not compressed."""
    sync = b"\0" * _SYNC
    out = io.BytesIO()
    text = json.dumps(schema).encode()
    out.write(MAGIC + _text_of(1) + _text_of(len(b"avro.schema")) + b"avro.schema")
    out.write(_text_of(len(text)) + text + _text_of(0) + sync)
    for rows, data in blocks:
        out.write(_text_of(rows) + _text_of(len(data)) + data + sync)
    out.seek(0)
    return out


def _header(data: bytes) -> tuple[Mapping[str, bytes], int]:
    """The metadata, and where the first block begins."""
    stream = io.BytesIO(data)
    if stream.read(len(MAGIC)) != MAGIC:
        raise NoAvro
    meta: dict[str, bytes] = {}
    while count := _number(stream):
        if count < 0:
            count = -count
            _number(stream)
        for _ in range(count):
            name = _bytes(stream).decode("utf-8", errors="replace")
            meta[name] = _bytes(stream)
    if len(stream.read(_SYNC)) < _SYNC:
        raise NoAvro
    return meta, stream.tell()


def _bytes(stream: io.BytesIO) -> bytes:
    size = _number(stream)
    found = stream.read(size) if size >= 0 else b""
    if size < 0 or len(found) < size:
        raise NoAvro
    return found


def _number(stream: io.BytesIO) -> int:
    """A number, with its sign in the last bit."""
    found = 0
    for at in range(_LONGEST):
        byte = stream.read(1)
        if not byte:
            raise NoAvro
        found |= (byte[0] & 0x7F) << 7 * at
        if not byte[0] & 0x80:
            return (found >> 1) ^ -(found & 1)
    raise NoAvro


def _text_of(number: int) -> bytes:
    """A number that is not negative, as Avro writes it."""
    left, out = number << 1, bytearray()
    while left > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


def _snappy(data: bytes) -> bytes:
    stream = io.BytesIO(data)
    size, shift = 0, 0
    while shift <= 28:  # noqa: PLR2004 - a length of 32 bits, in seven bits a byte
        byte = stream.read(1)
        if not byte:
            raise NoAvro
        size |= (byte[0] & 0x7F) << shift
        if not byte[0] & 0x80:
            break
        shift += 7
    if size > LARGEST:
        raise too_large("a block")
    packed, crc = data[:-_CRC], data[-_CRC:]
    found: bytes = pa.decompress(packed, size, codec="snappy", asbytes=True)
    if zlib.crc32(found).to_bytes(_CRC, "big") != crc:
        raise NoAvro
    return found


def _zstd(data: bytes) -> bytes:
    stream = pa.CompressedInputStream(pa.BufferReader(data), "zstd")
    found = bytearray()
    while len(found) <= LARGEST and (more := stream.read(_STEP)):
        found += more
    return bytes(found)


def _xz(data: bytes) -> bytes:
    memory = 2 * LARGEST
    return lzma.LZMADecompressor(memlimit=memory).decompress(data, LARGEST + 1)


_CODECS: dict[str, Callable[[bytes], bytes]] = {
    "null": lambda data: data,
    "deflate": lambda data: zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, LARGEST + 1),
    "bzip2": lambda data: bz2.BZ2Decompressor().decompress(data, LARGEST + 1),
    "snappy": _snappy,
    "zstandard": _zstd,
    "xz": _xz,
}
