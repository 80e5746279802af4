"""Columns as they travel: what a reader of single values finds is what the Arrow array held."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from doors.thrift_client import EPOCH, Columns, fields_of
from privet.okera.columns import dense, has_nested, in_wire_types, schema_of, sparse
from privet.okera.errors import Unsupported
from privet.okera.idl import T

NEW_YEAR = dt.datetime(2024, 1, 1, 23, 59, 59)  # noqa: DTZ001 - as naive as a column of moments
FLAT: dict[str, tuple[pa.DataType, list[Any]]] = {
    "bool": (pa.bool_(), [True, None, False, True]),
    "tinyint": (pa.int8(), [-128, None, 127, 0]),
    "smallint": (pa.int16(), [-(2**15), None, 2**15 - 1, 0]),
    "int": (pa.int32(), [-(2**31), None, 2**31 - 1, 0]),
    "bigint": (pa.int64(), [-(2**63), None, 2**63 - 1, 0]),
    "float": (pa.float32(), [1.5, None, float("inf"), -0.25]),
    "double": (pa.float64(), [1e300, None, float("-inf"), 0.1]),
    "string": (pa.string(), ["", None, "äöü\0x", "long" * 50]),
    "date": (pa.date32(), [dt.date(1, 1, 1), None, dt.date(9999, 12, 31), dt.date(1970, 1, 1)]),
    "narrow": (pa.decimal128(9, 2), [Decimal("-1234567.89"), None, Decimal("0.01"), Decimal(0)]),
    "wide": (pa.decimal128(18, 4), [Decimal("-12345678901234.5678"), None, Decimal(1), Decimal(0)]),
    "widest": (pa.decimal128(38, 0), [Decimal(-(10**37)), None, Decimal(10**37), Decimal(0)]),
    "moment": (
        pa.timestamp("us"),
        [
            *(NEW_YEAR.replace(year=year, microsecond=999_999) for year in (1600, 9999)),
            None,
            NEW_YEAR,
        ],
    ),
}
NESTED: dict[str, tuple[pa.DataType, list[Any]]] = {
    "many": (pa.list_(pa.int32()), [[1, None], None, [], [3]]),
    "texts": (pa.list_(pa.string()), [["a", None, ""], None, [], ["äöü"]]),
    "amounts": (
        pa.list_(pa.decimal128(30, 1)),
        [[Decimal("1.5"), None, Decimal("-2.5")], None, [], [None]],
    ),
    "by": (pa.map_(pa.string(), pa.list_(pa.int8())), [[("k", [1])], None, [], [("z", None)]]),
    "held": (
        pa.struct([("a", pa.int32()), ("b", pa.struct([("c", pa.string())]))]),
        [{"a": 1, "b": {"c": "x"}}, {"a": None, "b": {"c": None}}] * 2,
    ),
    "deep": (
        pa.list_(pa.struct([("n", pa.string()), ("m", pa.list_(pa.list_(pa.bool_())))])),
        [[{"n": "x", "m": [[True], None, []]}, {"n": None, "m": None}], None, [], []],
    ),
}


def travelled(table: pa.RecordBatch) -> list[list[Any]]:
    """Encode, and read again value by value."""
    nested = has_nested(table.schema)
    sent = (sparse if nested else dense)(in_wire_types(table))
    reader = Columns(sent, sparse=nested)
    read = [reader.column(field, table.num_rows) for field in fields_of(schema_of(table.schema))]
    assert reader.all_read
    return read


def batch(columns: dict[str, tuple[pa.DataType, list[Any]]]) -> pa.RecordBatch:
    """A batch of these columns."""
    arrays = [pa.array(values, kind) for kind, values in columns.values()]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


@pytest.mark.parametrize("columns", [FLAT, NESTED | FLAT], ids=["dense", "sparse"])
@pytest.mark.parametrize(("start", "count"), [(0, 4), (1, 2), (2, 2), (3, 1), (1, 0)])
def test_every_type_at_every_place(columns: Any, start: int, count: int) -> None:
    """All types, NULL first, in between and last, in slices of a larger array, and no rows."""
    part = batch(columns).slice(start, count)
    for name, got, column in zip(columns, travelled(part), part.columns, strict=True):
        assert got == column.to_pylist(), name


@pytest.mark.parametrize("rows", [None, 0])
def test_nothing_but_null(rows: int | None) -> None:
    """Columns of NULL alone, and of no rows at all."""
    nothing = {n: (k, [None] * 3 if rows is None else []) for n, (k, _) in FLAT.items()}
    assert travelled(batch(nothing)) == [c.to_pylist() for c in batch(nothing).columns]


def test_a_struct_that_is_null_has_fields_that_are() -> None:
    """What the protocol cannot say is said in every field, not in the fields' hidden values."""
    held = pa.StructArray.from_arrays(
        [pa.array(["secret", "x"]), pa.array([1, 2])],
        names=["a", "b"],
        mask=pa.array([True, False]),
    )
    (read,) = travelled(pa.RecordBatch.from_arrays([held], names=["held"]))
    assert read == [{"a": None, "b": None}, {"a": "x", "b": 2}]
    sent = sparse([held])
    assert not any(b"secret" in bytes(column.data) for column in sent)


def test_what_lies_under_null_stays_here() -> None:
    """Values that a NULL covers leave in no form."""
    covered = pa.array([7, 42424242, 9], mask=pa.array([False, True, False]).to_numpy(False))
    texts = pa.StringArray.from_buffers(
        2, pa.array([0, 6, 7], pa.int32()).buffers()[1], pa.py_buffer(b"secretx"),
        pa.py_buffer(b"\x02"),
    )  # fmt: skip
    for form in (dense, sparse):
        (numbers,), (words,) = form([covered]), form([texts])
        assert (42424242).to_bytes(8, "little") not in numbers.data
        assert b"secret" not in words.data


@pytest.mark.parametrize(
    ("array", "shown"),
    [
        (pa.array([1, None], pa.uint8()), [1, None]),
        (pa.array([2**32 - 1], pa.uint32()), [2**32 - 1]),
        (pa.array([2**64 - 1], pa.uint64()), [Decimal(2**64 - 1)]),
        (pa.array([None, None]), [None, None]),
        (pa.array([dt.time(1, 2, 3)], pa.time32("s")), ["01:02:03"]),
        (pa.array([1.5], pa.float16()), [1.5]),
        (pa.array(["x"], pa.large_string()), ["x"]),
        (pa.array([b"ab", None], pa.binary(2)), ["ab", None]),
        (pa.array(["x", None, "x"]).dictionary_encode(), ["x", None, "x"]),
        (pa.array([[1]], pa.large_list(pa.uint16())), [[1]]),
        (pa.array([0], pa.timestamp("ns", "Europe/Berlin")), [EPOCH]),
    ],
)
def test_types_that_the_protocol_lacks_are_widened(array: pa.Array, shown: list[Any]) -> None:
    """No value changes by it."""
    assert travelled(pa.RecordBatch.from_arrays([array], names=["c"])) == [shown]


def test_bytes_go_as_those_of_texts() -> None:
    """The published client knows no type of bytes; they arrive as they are, whatever they mean."""
    sent = batch({"c": (pa.binary(), [b"abc", None, b"\xe8 bene"])})
    assert schema_of(sent.schema).cols[0].type.type_id == T.TTypeId.STRING
    assert b"\xe8 bene" in dense(in_wire_types(sent))[0].data


@pytest.mark.parametrize(
    "kind",
    [
        pa.month_day_nano_interval(),
        pa.duration("s"),
        pa.struct([]),
        pa.decimal128(5, -2),
        pa.list_(pa.duration("s")),
    ],
)
def test_what_fits_nowhere_is_refused_by_its_type(kind: pa.DataType) -> None:
    """When the schema is told, before any row is read."""
    with pytest.raises(Unsupported):
        schema_of(pa.schema([("c", kind)]))


def test_a_schema_lists_what_is_within() -> None:
    """In pre-order, with the number of children; flat schemas have no second list."""
    nested = schema_of(batch({"deep": NESTED["deep"]}).schema)
    ids = T.TTypeId
    assert [(c.name, c.type.type_id, c.type.num_children) for c in nested.nested_cols] == [
        ("deep", ids.ARRAY, 1),
        ("item", ids.RECORD, 2),
        ("n", ids.STRING, None),
        ("m", ids.ARRAY, 1),
        ("item", ids.ARRAY, 1),
        ("item", ids.BOOLEAN, None),
    ]
    assert schema_of(batch(FLAT).schema).nested_cols is None
