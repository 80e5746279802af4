"""The beginning of a file, as bytes and as text."""

from __future__ import annotations

import bz2
import codecs
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import pyarrow as pa

from privet.connector import Connector, shown, source_errors
from privet.crawler.shapes import KNOWN
from privet.model.errors import SourceInvalid

_GZIP_MAGIC = b"\x1f\x8b"
_BZ2_MAGIC = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_STEP = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS
_MEMBERS = 64
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of a file, decompressed; `whole` if these are all it has.

    `compression` is `gzip`, `bz2`, `zstd` or None.
    """

    data: bytes
    whole: bool
    compression: str | None


@dataclass(frozen=True, slots=True)
class Text:
    """Whole lines from the beginning of a text file, without a byte order mark.

    `plain`: ASCII alone, which reads the same in each of the encodings that we can tell by looking
    (UTF-16 excepted).
    """

    text: str
    encoding: str
    whole: bool
    plain: bool
    note: str = ""


def read_head(connector: Connector, uri: str, limit: int) -> Head:
    """Read at most `limit` bytes of a file, and unpack at most as many.

    Raises:
        SourceInvalid: it is compressed and broken.
        NotFound, SourceUnavailable, InvalidRequest: it cannot be opened or read.
    """
    with connector.open_file(uri) as file, source_errors(uri):
        raw: bytes = file.read(limit)
        whole = len(raw) == file.size()
    kind = _compression(raw)
    if kind is None:
        return Head(raw, whole, None)
    try:
        data, ended = _UNPACK[kind](raw, limit)
    except (zlib.error, OSError, EOFError) as error:
        raise SourceInvalid(f"`{shown(uri)}` is not readable as {kind}") from error
    return Head(data, whole and ended, kind)


def _compression(raw: bytes) -> str | None:
    if raw.startswith(_GZIP_MAGIC):
        return "gzip"
    if raw.startswith(_ZSTD_MAGIC):
        return "zstd"
    return "bz2" if _BZ2_MAGIC.match(raw) else None


class _Member(Protocol):
    """What unpacks one member of a file, as zlib and bz2 have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _unzip(begin: Callable[[], _Member], raw: bytes, limit: int) -> tuple[bytes, bool]:
    """Unpack the members that `raw` begins with, and say whether it ended with the last one."""
    data = b""
    for _ in range(_MEMBERS):
        member = begin()
        data += member.decompress(raw, limit - len(data))
        raw = member.unused_data
        if not member.eof or not raw:
            return data, member.eof
        if len(data) >= limit:
            break
    return data, False


def _unzip_zstd(raw: bytes, limit: int) -> tuple[bytes, bool]:
    """As the others; of a frame that is cut off, what can be read before its end."""
    data = b""
    stream = pa.CompressedInputStream(pa.BufferReader(raw), "zstd")
    while len(data) < limit:
        try:
            more = stream.read(min(_STEP, limit - len(data)))
        except OSError:
            if not data:
                raise
            return data, False
        if not more:
            return data, True
        data += more
    return data, False


_UNPACK: Mapping[str, Callable[[bytes, int], tuple[bytes, bool]]] = {
    "gzip": partial(_unzip, partial(zlib.decompressobj, _GZIP)),
    "bz2": partial(_unzip, bz2.BZ2Decompressor),
    "zstd": _unzip_zstd,
}


def decode(head: Head, uri: str, encoding: str | None = None) -> Text:
    """Decode the whole lines of a head, in `encoding` or in what it looks like.

    Raises:
        SourceInvalid: it is no text, or not in that encoding, or begins with a line without end.
    """
    note = ""
    if encoding is None:
        encoding, note = _guess_encoding(head)
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        text = decoder.decode(head.data, final=head.whole).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise SourceInvalid(f"`{shown(uri)}` is not valid {encoding}") from error
    if _BINARY.search(text):
        raise SourceInvalid(
            f"`{shown(uri)}` is neither text nor of a format that is known",
            hint=f"{KNOWN} can be registered; move other files elsewhere",
        )
    if not head.whole:
        end = max(text.rfind("\n"), text.rfind("\r")) + 1
        if not end and text:
            raise SourceInvalid(f"the first line of `{shown(uri)}` is too long to be looked at")
        text = text[:end]
    plain = text.isascii() and not head.data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return Text(text, encoding, head.whole, plain, note)


def _guess_encoding(head: Head) -> tuple[str, str]:
    data = head.data
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", ""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=head.whole)
    except UnicodeDecodeError:
        if data.startswith(codecs.BOM_UTF8):
            return "utf-8", ""
    else:
        return "utf-8", ""
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1", "read as latin-1, since it is not valid utf-8"
    return "cp1252", "read as cp1252, since it is not valid utf-8"
