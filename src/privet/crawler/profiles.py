"""How many values of a sample have few others of their format to hide among."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import CanonicalType, Column, plain_type
from privet.model.expressions import Call, ColumnSlot
from privet.model.tokens import Profile
from privet.model.transforms import get_spec, is_text
from privet.privacy import KeyScope, bind

_TOKENIZE = Call("tokenize", (ColumnSlot(),))
_NOWHERE = KeyScope("profile", 1, CanonicalType.TEXT)


def profiles_of(columns: tuple[Column, ...], table: pa.Table) -> dict[str, Profile]:
    """The profiles of the columns that tokens can be made of, by name."""
    fits = get_spec("tokenize").fits
    found: dict[str, Profile] = {}
    for at, column in enumerate(columns):
        kind = plain_type(column.type)
        if fits(kind):
            cells = table.column(at)
            sampled = len(cells) - cells.null_count
            found[column.name] = Profile(sampled, small_values(cells, kind))
    return found


def small_values(cells: pa.ChunkedArray, kind: pa.DataType) -> int:
    """How many cells are of formats with too few values; those of integers by their digits.

    Types that no tokens are made of have none.
    """
    kind = plain_type(kind)
    if not get_spec("tokenize").fits(kind):
        return 0
    if not is_text(kind) and not pat.is_integer(kind):
        # A format of days or moments has more values than a column has people.
        return 0
    if is_text(kind):
        texts = cells.cast(pa.large_string())
    else:
        texts = cells.cast(pa.int64()).cast(pa.large_string())
    # What overflows does not depend on the key, and these tokens go nowhere.
    kernel = bind(_TOKENIZE, pa.large_string(), _NOWHERE, _any_key)
    for chunk in texts.drop_null().chunks:
        kernel(chunk)
    return kernel.overflowed


def _any_key(*_: str, length: int = 32) -> bytes:
    return bytes(length)
