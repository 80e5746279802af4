"""How values look in frames and rows."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from okera.values import binary_strings, json_rows

TABLE = pa.table(
    {
        "text": pa.chunked_array([["ä", None], ["c"]], pa.string()),
        "large": pa.array(["x", "y", None], pa.large_string()),
        "number": pa.array([1, None, 3], pa.int64()),
        "day": pa.array([dt.date(2020, 2, 29), None, dt.date(1, 1, 1)], pa.date32()),
        "at": pa.array([1_500_000_001_234_567, None, 0], pa.timestamp("us")),
        "zoned": pa.array([1_500_000_001_234_567, None, 0], pa.timestamp("us", "UTC")),
        "price": pa.array([Decimal("1.50"), None, Decimal("-0.01")], pa.decimal128(38, 2)),
    }
)


def test_rows_have_only_values_that_json_has() -> None:
    """Dates are ISO, times have milliseconds, decimals all their digits, absence is None."""
    first, second, third = json_rows(TABLE, strings_as_utf8=True)
    assert first == {
        "text": "ä",
        "large": "x",
        "number": 1,
        "day": "2020-02-29",
        "at": "2017-07-14 02:40:01.234",
        "zoned": "2017-07-14 02:40:01.234",
        "price": "1.50",
    }
    assert second == {**dict.fromkeys(first), "large": "y"}
    assert (third["day"], third["at"], third["price"]) == (
        "0001-01-01",
        "1970-01-01 00:00:00.000",
        "-0.01",
    )


def test_text_is_bytes_unless_asked_otherwise() -> None:
    """Every text column becomes its UTF-8 bytes, and nothing else changes."""
    assert json_rows(TABLE, strings_as_utf8=False)[0]["text"] == "ä".encode()
    frame = binary_strings(TABLE).to_pandas()
    assert frame["text"].iloc[0] == "ä".encode()
    assert frame["large"].iloc[1] == b"y"
    assert frame["text"].isna().tolist() == [False, True, False]
    assert binary_strings(TABLE).column("day").equals(TABLE.column("day"))


def test_a_table_without_rows_or_columns() -> None:
    """Both are themselves."""
    assert json_rows(TABLE.slice(0, 0), strings_as_utf8=True) == []
    assert binary_strings(TABLE.slice(0, 0)).num_rows == 0


@pytest.mark.parametrize("names", [["a", "a"], ["", "b"]])
def test_odd_column_names_survive(names: list[str]) -> None:
    """Conversion goes by place, not by name."""
    table = pa.Table.from_arrays([pa.array([1]), pa.array(["x"])], names=names)
    assert binary_strings(table).column_names == names
