"""Compressed files as streams, which never become more than a file of their size plausibly holds.

What is unpacked is held piece by piece, so that a bomb fills no memory. It would still keep a
thread busy for as long as its author likes: so it is cut off by how many times its own size it is.
"""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa

from privet.model.errors import SourceInvalid

MOST_TIMES = 1000
"""How many times its size a file may become."""
FREE_BYTES = 1 << 30
"""What it may become however small it is."""

PACKED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""The endings of compressed files, and what Arrow calls their compression."""


class Stream(Protocol):
    """What is read from the beginning to its end."""

    def read(self, nbytes: int) -> bytes:
        """At most so many bytes; none at the end."""
        ...


class Unpacked:
    """The content of a compressed file.

    Args:
        packed: its bytes as stored.
        compression: `gzip`, `bz2` or `zstd`.
        size: of what is stored, in bytes.
    """

    def __init__(self, packed: pa.NativeFile, compression: str, size: int) -> None:
        self._stream = pa.CompressedInputStream(packed, compression)
        self._left = max(FREE_BYTES, MOST_TIMES * size)

    def read(self, nbytes: int) -> bytes:
        """The next bytes, at most `nbytes`; none at the end.

        Raises:
            OSError: it is broken, or ends too early.
            SourceInvalid: it is more than a file of its size may be.
        """
        found = self._stream.read(nbytes)
        self._left -= len(found)
        if self._left < 0:
            raise SourceInvalid(
                "a compressed file of this dataset is more than a file of its size may become",
                hint=f"at most {MOST_TIMES} times its size is read; store it uncompressed",
            )
        return found
