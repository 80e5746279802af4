"""Deletion vectors: the places of deleted rows, as tables of Delta Lake and Iceberg keep them.

Both keep a 64-bit Roaring bitmap after a magic number, in files between its length and a CRC-32.
All of it is written by others: a few bytes can claim more places than fit into any memory, so
nothing is made of a bitmap before its own count and highest place are known to be right.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap64

from privet.model.errors import SourceInvalid
from privet.scan.files import RECRAWL
from privet.scan.formats.opened import too_large

LARGEST = 64 << 20
"""Bytes of one vector."""

MOST = 64 << 20
"""Places that are held for one table."""

FRAME = 8
"""Bytes of a vector in a file beside its magic number and bitmap: a length and a checksum."""

_MAGIC = b"\xd1\xd3\x39\x64"
_COUNT = 8
_KEYS = 1 << 8
_SMALLEST_KEY = 12
_HIGHEST = _KEYS << 32


def framed(data: bytes, size: int, cardinality: int) -> npt.NDArray[np.int64]:
    """The places of a vector as it lies in a file: a length, magic number, bitmap, and a CRC-32.

    Args:
        data: `size` + `FRAME` bytes.
        size: bytes of the magic number and bitmap, as the table says.
        cardinality: how many places there are, as the table says.

    Returns:
        Places of rows in their file from 0, ascending.

    Raises:
        SourceInvalid: it is broken or too large, or not what the table says.
    """
    check_size(size)
    if len(data) != size + FRAME:
        raise _broken()
    (length,) = struct.unpack_from(">I", data)
    (checksum,) = struct.unpack_from(">I", data, size + 4)
    body = data[4 : size + 4]
    if length != size or zlib.crc32(body) != checksum:
        raise _broken()
    return places(body, cardinality)


def places(data: bytes, cardinality: int) -> npt.NDArray[np.int64]:
    """The places of a vector that is a magic number and a bitmap; see `framed`."""
    check_size(len(data))
    if data[:4] != _MAGIC or len(data) < len(_MAGIC) + _COUNT:
        raise _broken()
    body = data[4:]
    (keys,) = struct.unpack_from("<Q", body)
    if keys > min(_KEYS, len(body) // _SMALLEST_KEY):
        raise _broken()
    try:
        # Never reads beyond the bytes, and checks every container.
        bitmap = BitMap64.deserialize(body)
    except ValueError as error:
        raise _broken() from error
    count = len(bitmap)
    if count > MOST:
        raise too_large("the list of deleted rows")
    if count != cardinality or (count and bitmap.max() >= _HIGHEST):
        raise _broken()
    if len(bitmap.serialize()) != len(body):
        raise _broken()
    return np.asarray(bitmap.to_array(), np.uint64).astype(np.int64)


def check_rows(deleted: npt.NDArray[np.int64], rows: int) -> None:
    """See that places are those of rows.

    Args:
        deleted: places, in any order.
        rows: of their file.

    Raises:
        SourceInvalid: one is not: they belong to another file.
    """
    if len(deleted) and int(deleted.max()) >= rows:
        raise _broken()


def check_size(size: int) -> None:
    """See that a vector of so many bytes may be read.

    Raises:
        SourceInvalid: it may not.
    """
    if size < len(_MAGIC) + _COUNT:
        raise _broken()
    if size > LARGEST:
        raise too_large("the list of deleted rows")


def _broken() -> SourceInvalid:
    return SourceInvalid("deleted rows of a table of this dataset cannot be read", hint=RECRAWL)
