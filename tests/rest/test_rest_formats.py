"""Batches as bytes: every type SQL makes has a form, or is refused before the answer begins."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.model.errors import InvalidRequest
from privet.rest.formats import ResultFormat, encode

TOO_LATE = 253_402_300_800_000_000
"""The first microsecond of the year 10000."""


def written(form: ResultFormat, *batches: pa.RecordBatch) -> bytes:
    """The body of an answer with these batches."""
    return b"".join(encode(form, batches[0].schema, iter(batches)))


def column(values: Sequence[Any], kind: pa.DataType) -> pa.RecordBatch:
    """A batch of one column `v`."""
    return pa.RecordBatch.from_arrays([pa.array(values, kind)], names=["v"])


UUID = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"\x01" * 16], pa.binary(16)))
CELLS: tuple[tuple[Any, pa.DataType, Any, str], ...] = (
    (True, pa.bool_(), True, "true"),
    (2**63, pa.uint64(), 2**63, str(2**63)),
    (Decimal("1.50"), pa.decimal128(38, 2), "1.50", "1.50"),
    (float("nan"), pa.float64(), None, "nan"),
    ("ü\n", pa.string(), "ü\n", '"ü\n"'),
    ("ü", pa.string_view(), "ü", '"ü"'),
    (b"\xff", pa.binary(), "ff", '"ff"'),
    (b"\xff", pa.large_binary(), "ff", '"ff"'),
    (b"\xff", pa.binary_view(), "ff", '"ff"'),
    (dt.date(2024, 2, 29), pa.date32(), "2024-02-29", "2024-02-29"),
    (3_000_000, pa.date32(), "10183-09-21", "10183-09-21"),
    (TOO_LATE, pa.timestamp("us"), "10000-01-01T00:00:00.000000", "10000-01-01 00:00:00.000000"),
    (dt.time(1, 2, 3), pa.time64("us"), "01:02:03", "01:02:03.000000"),
    ((1, 2, 3_500_000_000), pa.month_day_nano_interval(), "P1M2DT3.5S", '"P1M2DT3.5S"'),
    ((0, 0, -1), pa.month_day_nano_interval(), "P0M0DT-0.000000001S", '"P0M0DT-0.000000001S"'),
    ([1, None], pa.list_(pa.int8()), [1, None], '"[1, null]"'),
    ([1], pa.list_view(pa.int8()), [1], '"[1]"'),
    ({"a": dt.date(1, 1, 1)}, pa.struct([("a", pa.date32())]), {"a": "0001-01-01"}, ""),
    ([("k", 1)], pa.map_(pa.string(), pa.int8()), [["k", 1]], ""),
    ("a", pa.dictionary(pa.int8(), pa.string()), "a", '"a"'),
    (None, pa.null(), None, ""),
)


@pytest.mark.parametrize(("value", "kind", "in_json", "in_csv"), CELLS)
def test_every_type_has_a_form(value: Any, kind: pa.DataType, in_json: Any, in_csv: str) -> None:
    """Exact numbers stay exact; what JSON lacks is text, or null where it is no number at all."""
    batch = column([value], kind)
    (line,) = written(ResultFormat.NDJSON, batch).splitlines()
    assert json.loads(line) == {"v": in_json}
    assert json.loads(written(ResultFormat.JSON, batch)) == [{"v": in_json}]
    text = written(ResultFormat.CSV, batch).decode()
    assert text == f'"v"\n{in_csv}\n' or not in_csv
    assert pa.ipc.open_stream(written(ResultFormat.ARROW, batch)).read_all().num_rows == 1


def test_extension_types_are_text() -> None:
    """As their values print."""
    batch = pa.RecordBatch.from_arrays([UUID], names=["v"])
    said = "01010101-0101-0101-0101-010101010101"
    assert json.loads(written(ResultFormat.NDJSON, batch)) == {"v": said}
    assert written(ResultFormat.CSV, batch).decode() == f'"v"\n"{said}"\n'


def test_what_parquet_lacks_is_refused_at_once() -> None:
    """With a sentence, before the first byte."""
    with pytest.raises(InvalidRequest, match="no type") as refused:
        written(ResultFormat.PARQUET, column([(1, 2, 3)], pa.month_day_nano_interval()))
    assert "text" in refused.value.hint


def test_a_nested_time_beyond_json_is_refused() -> None:
    """It is not made another time."""
    batch = column([[TOO_LATE]], pa.list_(pa.timestamp("us")))
    with pytest.raises(InvalidRequest, match="beyond"):
        written(ResultFormat.NDJSON, batch)


def test_columns_of_one_name_stay_apart_where_the_format_can() -> None:
    """CSV, Arrow and Parquet go by place."""
    batch = pa.RecordBatch.from_arrays([pa.array([1]), pa.array([b"\x02"])], names=["a", "a"])
    assert written(ResultFormat.CSV, batch) == b'"a","a"\n1,"02"\n'
    assert pa.ipc.open_stream(written(ResultFormat.ARROW, batch)).read_all().num_columns == 2
    parquet = pq.ParquetFile(io.BytesIO(written(ResultFormat.PARQUET, batch)))
    assert parquet.schema_arrow.names == ["a", "a"]


@pytest.mark.parametrize("form", ResultFormat)
def test_no_rows_are_an_answer_too(form: ResultFormat) -> None:
    """Also when a batch is there and empty."""
    empty = column([], pa.int64())
    for batches in ((), (empty,)):
        body = b"".join(encode(form, empty.schema, iter(batches)))
        assert body or form is ResultFormat.NDJSON
        if form is ResultFormat.JSON:
            assert json.loads(body) == []
