"""Tokens of types that are neither text nor int32 nor int64: a value of the type for each value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from privet.privacy.base import Derive, Flags, Kernel, KeyScope
from privet.privacy.columns import (
    Cells,
    fixed_cells,
    gather,
    overwrite,
    place,
    present_of,
    read_text,
    scatter,
    spread,
    write_text,
)
from privet.privacy.spaces import Ciphers, space_of
from privet.privacy.tokens.aes import BlockCipher, Bytes
from privet.privacy.tokens.numerals import Layout, one_layout
from privet.privacy.tokens.opaque import OpaqueTokens
from privet.privacy.tokens.text import select

_SHORTEST, _LONGEST = 3, 256
"""Bytes of byte strings that keep their length: fewer have too few values, more take too long."""
_RADIX = 256


class TokenizeScalars(Kernel):
    """`tokenize` (family `fp`) and the opaque token (family `nfp`): a permutation of the values.

    What the type's space does not hold becomes NULL and counts as overflow.
    """

    def __init__(self, kind: pa.DataType, scope: KeyScope, derive: Derive, family: str) -> None:
        super().__init__(kind)
        self.reversible = family == "fp"
        large, small = (scope.key(derive, f) for f in (family, f"{family}-small"))
        self._permute = space_of(kind).under(Ciphers(large, small, scope.tweak))

    def _apply(self, column: pa.Array) -> pa.Array:
        return self._transform(column)[0]

    def _transform(self, column: pa.Array) -> tuple[pa.Array, Flags]:
        return self._run(column, inverse=False)

    def _invert(self, column: pa.Array) -> pa.Array:
        return self._run(column, inverse=True)[0]

    def _run(self, column: pa.Array, *, inverse: bool) -> tuple[pa.Array, Flags]:
        present = present_of(column)
        values, outside = self._permute(column.drop_null(), inverse=inverse)
        return place(values, present, ~outside), spread(outside, present)


class TokenizeBytes(Kernel):
    """`tokenize` of byte strings: FF1 of 3 to 256 bytes, the length kept.

    Others become opaque tokens of 16 bytes; NULL, where the type has a size of its own.
    """

    def __init__(self, kind: pa.DataType, scope: KeyScope, derive: Derive, family: str) -> None:
        super().__init__(kind)
        self._cipher = BlockCipher(scope.key(derive, family))
        self._tweak = scope.tweak + b"\0\0\0\5bytes"
        self._overflow = OpaqueTokens(scope.key(derive, f"{family}-overflow"))

    def _apply(self, column: pa.Array) -> pa.Array:
        return self._transform(column)[0]

    def _transform(self, column: pa.Array) -> tuple[pa.Array, Flags]:
        cells, present = read_text(column), present_of(column)
        lengths = cells.lengths
        outside = (lengths < _SHORTEST) | (lengths > _LONGEST)
        flags = spread(outside, present)
        if pa.types.is_fixed_size_binary(self.kind) and outside.any():
            return pa.nulls(len(column), self.kind), flags
        result = Cells(self._permuted(cells, outside), cells.offsets)
        if outside.any():
            others = fixed_cells(self._overflow.bare(select(cells, outside)))
            result = overwrite(result, outside, others)
        return write_text(self.kind, result, present), flags

    def _permuted(self, cells: Cells, outside: Flags) -> Bytes:
        lengths, result = cells.lengths, np.zeros_like(cells.data)
        for length in np.unique(lengths[~outside]).tolist():
            rows = np.flatnonzero(lengths == length)
            layout = self._layout(length)
            for at in range(0, len(rows), layout.rows):
                starts = cells.starts[rows[at : at + layout.rows]]
                values = gather(cells.data, starts, length)
                scatter(result, starts, layout.permute(values))
        return result

    def _layout(self, length: int) -> Layout:
        return one_layout(self._cipher, range(length), [_RADIX] * length, self._tweak)


class Overflowing(Kernel):
    """What no value of the type can stand for becomes NULL, and counts as overflow."""

    def _apply(self, column: pa.Array) -> pa.Array:
        return pa.nulls(len(column), self.kind)

    def _transform(self, column: pa.Array) -> tuple[pa.Array, Flags]:
        return self._apply(column), column.is_valid().to_numpy(zero_copy_only=False)


class OpaqueBytes(Kernel):
    """`nfp_ref_tokenize` and `nfp_noref_tokenize` of byte strings: 16 bytes."""

    def __init__(self, kind: pa.DataType, scope: KeyScope, derive: Derive) -> None:
        super().__init__(kind)
        self._tokens = OpaqueTokens(scope.key(derive, "nfp"))

    def _apply(self, column: pa.Array) -> pa.Array:
        tokens = fixed_cells(self._tokens.bare(read_text(column)))
        return write_text(self.kind, tokens, present_of(column))
