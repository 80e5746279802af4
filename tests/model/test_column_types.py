"""Types that a steward gives columns."""

from __future__ import annotations

import pyarrow as pa
import pytest

from privet.model.datasets import parse_type, plain_type
from privet.model.errors import InvalidRequest


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("string", pa.string()),
        ("large_string", pa.string()),
        ("large_utf8", pa.string()),
        ("string_view", pa.string()),
        ("LARGE_BINARY", pa.binary()),
        ("binary_view", pa.binary()),
        ("boolean", pa.bool_()),
        ("decimal128(10, 2)", pa.decimal128(10, 2)),
        ("timestamp[us, tz=UTC]", pa.timestamp("us", tz="UTC")),
    ],
)
def test_types_are_those_that_leave(text: str, kind: pa.DataType) -> None:
    """What a catalog says of a column is what a scan of it gives, whatever the encoding."""
    assert parse_type(text) == kind == plain_type(kind)


@pytest.mark.parametrize(
    "text", ["", "struct<a: int64>", "dictionary", "decimal128(99, 1)", "x" * 99]
)
def test_other_texts_are_refused(text: str) -> None:
    """Nested types cannot be written, nor what is no type."""
    with pytest.raises(InvalidRequest, match="is not a column type"):
        parse_type(text)
