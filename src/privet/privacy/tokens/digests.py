"""Keyed digests."""

from __future__ import annotations

import hmac

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privet.model.transforms import is_text
from privet.privacy.base import Derive, Kernel, KeyScope
from privet.privacy.columns import (
    fixed_cells,
    place,
    present_of,
    read_text,
    write_integers,
    write_text,
)
from privet.privacy.spaces import space_of
from privet.privacy.tokens.aes import Bytes
from privet.privacy.tokens.opaque import hexadecimal

_DIGEST_BYTES = 32
_ROWS = 4096
SIZES = {"sha2": _DIGEST_BYTES, "hash": _DIGEST_BYTES // 2}
"""By family, how many bytes of a digest a text keeps."""


class Digest(Kernel):
    """`sha2` and `hash`: HMAC-SHA256 of the bytes of a text, or of an integer as it is written.

    The one transform with a Python call per value, per different value of a batch that is:
    there is no HMAC over columns. Text becomes 64 hexadecimal characters, an integer the first
    bytes of the digest, as many as its type has, read as a signed big-endian number.
    `hash` keeps half of it.
    """

    def __init__(self, kind: pa.DataType, scope: KeyScope, derive: Derive, family: str) -> None:
        super().__init__(kind)
        self._key = scope.key(derive, family)
        self._size = SIZES[family]

    def _apply(self, column: pa.Array) -> pa.Array:
        present = present_of(column)
        if pa.types.is_integer(self.kind):
            written = column.drop_null().cast(pa.large_string())
            size = self.kind.bit_width // 8
            first = np.ascontiguousarray(digests(self._key, written)[:, :size])
            values = first.view(f">i{size}").reshape(-1).astype(np.int64)
            return write_integers(self.kind, values, present)
        if is_text(self.kind):
            found = digests(self._key, write_text(pa.large_string(), read_text(column)))
            result = np.empty((len(found), 2 * self._size), np.uint8)
            hexadecimal(np.ascontiguousarray(found[:, : self._size]), result)
            return write_text(self.kind, fixed_cells(result), present)
        found = digests(self._key, write_text(pa.large_binary(), read_text(column)))
        if pa.types.is_fixed_size_binary(self.kind):
            return write_text(self.kind, fixed_cells(found[:, : self.kind.byte_width]), present)
        return write_text(self.kind, fixed_cells(found[:, : self._size].copy()), present)


class DigestScalars(Kernel):
    """The same on other types: a value of the type, drawn by the digest.

    Two values may share one.
    """

    def __init__(self, kind: pa.DataType, scope: KeyScope, derive: Derive, family: str) -> None:
        super().__init__(kind)
        self._key = scope.key(derive, family)
        self._space = space_of(kind)

    def _apply(self, column: pa.Array) -> pa.Array:
        present = present_of(column)
        written = self._space.written(column.drop_null())
        values = self._space.drawn(digests(self._key, written))
        return place(values, present, np.ones(len(written), bool))


def digests(key: bytes, column: pa.Array) -> Bytes:
    """The digest of each row of a column of large strings or bytes: `(k, 32)`."""
    # As binary, because text may hold bytes that are not UTF-8.
    encoded = pc.dictionary_encode(column.cast(pa.large_binary()))
    values = encoded.dictionary
    # Part by part, because values as Python has them take several times their memory.
    joined = b"".join(
        b"".join([hmac.digest(key, x, "sha256") for x in values.slice(at, _ROWS).to_pylist()])
        for at in range(0, len(values), _ROWS)
    )
    different = np.frombuffer(joined, np.uint8).reshape(-1, _DIGEST_BYTES)
    return different[encoded.indices.to_numpy()]
