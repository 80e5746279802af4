"""How many values of a sample have few others of their format to hide among."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import CanonicalType, Column, plain_type
from privet.model.expressions import Call, ColumnSlot
from privet.model.tokens import Profile
from privet.model.transforms import is_text
from privet.privacy import KeyScope, bind

_TOKENIZE = Call("tokenize", (ColumnSlot(),))
_NOWHERE = KeyScope("profile", 1, CanonicalType.TEXT)


def profiles_of(columns: tuple[Column, ...], table: pa.Table) -> dict[str, Profile]:
    """The profiles of the columns of text and integers, by name."""
    found: dict[str, Profile] = {}
    for at, column in enumerate(columns):
        kind = plain_type(column.type)
        if _has_formats(kind):
            cells = table.column(at)
            sampled = len(cells) - cells.null_count
            found[column.name] = Profile(sampled, small_values(cells, kind))
    return found


def small_values(cells: pa.ChunkedArray, kind: pa.DataType) -> int:
    """How many cells are of formats with too few values; those of integers by their digits.

    Of other types none are counted: they have no formats.
    """
    if not _has_formats(plain_type(kind)):
        return 0
    texts = cells.cast(pa.large_string())
    # What overflows does not depend on the key, and these tokens go nowhere.
    kernel = bind(_TOKENIZE, pa.large_string(), _NOWHERE, _any_key)
    for chunk in texts.drop_null().chunks:
        kernel(chunk)
    return kernel.overflowed


def _has_formats(kind: pa.DataType) -> bool:
    return is_text(kind) or pat.is_integer(kind)


def _any_key(*_: str, length: int = 32) -> bytes:
    return bytes(length)
