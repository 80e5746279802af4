"""Values by chance: fresh for every row and every query."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from privet.model.transforms import is_bytes, is_text
from privet.privacy.base import Chance, Flags, Kernel
from privet.privacy.columns import (
    Cells,
    fixed_cells,
    overwrite,
    place,
    present_of,
    read_text,
    spread,
    write_text,
)
from privet.privacy.spaces import DRAWN, space_of
from privet.privacy.tokens.aes import BLOCK, Bytes
from privet.privacy.tokens.formats import LOW, RADIX, masks_of
from privet.privacy.tokens.opaque import hexadecimal

_KEY_BYTES = 32
_WORD = 4


class Stream:
    """Random bytes for one query: a stream cipher under a key that chance gave."""

    def __init__(self, chance: Chance) -> None:
        cipher = Cipher(algorithms.AES(chance(_KEY_BYTES)), modes.CTR(bytes(BLOCK)))
        self._context = cipher.encryptor()
        self._lock = threading.Lock()

    def rows(self, count: int, width: int) -> Bytes:
        """`(count, width)` random bytes."""
        with self._lock:
            drawn = self._context.update(bytes(count * width))
        return np.frombuffer(drawn, np.uint8).reshape(count, width)


class RandomText(Kernel):
    """`fp_random` on text: each digit and ASCII letter by chance, the rest of the format kept.

    Text with anything else in it becomes 32 hexadecimal characters, and counts as overflow.
    """

    fresh = True

    def __init__(self, kind: pa.DataType, chance: Chance) -> None:
        super().__init__(kind)
        self._stream = Stream(chance)

    def _apply(self, column: pa.Array) -> pa.Array:
        return self._transform(column)[0]

    def _transform(self, column: pa.Array) -> tuple[pa.Array, Flags]:
        cells, present = read_text(column), present_of(column)
        masks = masks_of(cells).data
        drawn = self._stream.rows(len(masks), _WORD).view(np.uint32).reshape(-1)
        result = LOW.take(masks) + (drawn % np.maximum(RADIX.take(masks), 1)).astype(np.uint8)
        other = np.concatenate((np.zeros(1, np.int64), np.cumsum(masks == 0)))
        outside = other[cells.offsets[1:]] > other[cells.starts]
        whole = Cells(result, cells.offsets)
        if outside.any():
            count = int(np.count_nonzero(outside))
            whole = overwrite(whole, outside, _hexadecimal(self._stream, count))
        return write_text(self.kind, whole, present), spread(outside, present)


class RandomOpaque(Kernel):
    """`nfp_random` on text and bytes: 16 bytes by chance, in text as hexadecimal characters.

    On types with a size of their own as many bytes as they have.
    """

    fresh = True

    def __init__(self, kind: pa.DataType, chance: Chance, *, sizes: bool = False) -> None:
        """Take the type, and whether the size of each value is kept."""
        super().__init__(kind)
        self._stream = Stream(chance)
        self._sizes = sizes or not (is_text(kind) or is_bytes(kind))

    def _apply(self, column: pa.Array) -> pa.Array:
        present = present_of(column)
        count = len(column) - column.null_count
        if self._sizes:
            offsets = read_text(column).offsets
            data = self._stream.rows(int(offsets[-1]), 1).reshape(-1)
            return write_text(self.kind, Cells(data, offsets), present)
        if is_text(self.kind):
            return write_text(self.kind, _hexadecimal(self._stream, count), present)
        return write_text(self.kind, fixed_cells(self._stream.rows(count, BLOCK)), present)


class RandomScalars(Kernel):
    """`fp_random` and `nfp_random` on other types: any value of the type; fractions below 1."""

    fresh = True

    def __init__(self, kind: pa.DataType, chance: Chance) -> None:
        super().__init__(kind)
        self._stream = Stream(chance)
        self._space = space_of(kind)

    def _apply(self, column: pa.Array) -> pa.Array:
        count = len(column) - column.null_count
        values = self._space.drawn(self._stream.rows(count, DRAWN))
        return place(values, present_of(column), np.ones(count, bool))


def _hexadecimal(stream: Stream, count: int) -> Cells:
    result = np.empty((count, 2 * BLOCK), np.uint8)
    hexadecimal(stream.rows(count, BLOCK), result)
    return fixed_cells(result)
