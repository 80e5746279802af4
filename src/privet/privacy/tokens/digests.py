"""Keyed digests."""

from __future__ import annotations

import hmac

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privet.privacy.base import Derive, Kernel, KeyScope
from privet.privacy.columns import (
    fixed_cells,
    present_of,
    read_text,
    write_integers,
    write_text,
)
from privet.privacy.tokens.aes import Bytes
from privet.privacy.tokens.opaque import hexadecimal

_DIGEST_BYTES = 32


class Digest(Kernel):
    """`sha2`: HMAC-SHA256 of the bytes of a text, or of an integer as it is written.

    The one transform with a Python call per value, per different value of a batch that is:
    there is no HMAC over columns. Text becomes 64 hexadecimal characters, an integer the first
    bytes of the digest, as many as its type has, read as a signed big-endian number.
    """

    def __init__(self, kind: pa.DataType, scope: KeyScope, derive: Derive) -> None:
        super().__init__(kind)
        self._key = scope.key(derive, "sha2")

    def _apply(self, column: pa.Array) -> pa.Array:
        present = present_of(column)
        if pa.types.is_integer(self.kind):
            written = column.drop_null().cast(pa.large_string())
            size = self.kind.bit_width // 8
            first = np.ascontiguousarray(self._digests(written)[:, :size])
            values = first.view(f">i{size}").reshape(-1).astype(np.int64)
            return write_integers(self.kind, values, present)
        digests = self._digests(write_text(pa.large_string(), read_text(column)))
        result = np.empty((len(digests), 2 * _DIGEST_BYTES), np.uint8)
        hexadecimal(digests, result)
        return write_text(self.kind, fixed_cells(result), present)

    def _digests(self, text: pa.Array) -> Bytes:
        """The digest of each row: `(k, 32)`."""
        # As binary, because text may hold bytes that are not UTF-8.
        encoded = pc.dictionary_encode(text.cast(pa.large_binary()))
        key = self._key
        joined = b"".join([hmac.digest(key, x, "sha256") for x in encoded.dictionary.to_pylist()])
        different = np.frombuffer(joined, np.uint8).reshape(-1, _DIGEST_BYTES)
        return different[encoded.indices.to_numpy()]
