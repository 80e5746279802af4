"""A row can make no filter fail: what its cells are, however odd, is no business of other rows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enforcement.plans import column, dataset, plan
from privet.enforcement import passing_rows
from privet.model.errors import InvalidRequest, NotFound, SourceInvalid, TypeMismatch
from privet.policy import check_filter, column_kinds, parse_filter
from privet.scan import Engine
from privet.scan.pieces import Piece
from scan.sources import engine_over, parquet_of, scan, started

TYPES: list[pa.DataType] = [
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
    *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float16(), pa.float32(), pa.float64(), pa.date32(), pa.date64()),
    *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
    pa.timestamp("us", tz="Nowhere/Atlantis"),
    *(pa.decimal32(9, 0), pa.decimal32(3, 9), pa.decimal64(18, 2), pa.decimal64(1, 0)),
    *(pa.decimal128(38, 0), pa.decimal128(38, 38), pa.decimal128(5, 2), pa.decimal128(9, 30)),
    *(pa.decimal128(38, -3), pa.decimal128(5, 60), pa.decimal256(20, 2), pa.decimal256(38, 38)),
    *(pa.decimal256(39, 0), pa.decimal256(76, 0), pa.decimal256(76, 76), pa.decimal256(76, -9)),
    *(pa.string(), pa.dictionary(pa.int32(), pa.string())),
]
FILTERS = (
    *("{0} = 1", "{0} != {0}", "{0} > 1.5", "{0} IN (1, 2.5)", "{0} = '1.5'", "{0} < '-3'"),
    *("{0} <= 0.0000000000000000000000000000000000001", "{0} >= i", "{0} = f", "{0} = n"),
    *("{0} < u", "{0} = t", "{0} < d", "{0} >= s", "{0} BETWEEN -1 AND 9999999999999999999.5"),
    *("{0} + 1 > 2", "{0} * {0} = 4", "-{0} < 0", "{0} / 3 > 1", "{0} % 7 = 2", "abs({0}) > 1"),
    *("cast({0} as bigint) > 0", "cast({0} as double) > 0", "cast({0} as varchar) = '1'"),
    *("cast({0} as date) > DATE '2000-01-01'", "year({0}) = 2000", "month({0}) = 1"),
    *("day({0}) < 9", "{0} > TIMESTAMP '2000-01-01 00:00:00'", "{0} = DATE '9999-12-31'"),
    *("lower({0}) = 'a'", "upper({0}) LIKE '_A%'", "trim({0}) = 'a'", "length({0}) > 1"),
    *("substr({0}, 2, 1) = 'a'", "concat({0}, 'x') > 'a'", "{0} = 'a'", "{0} LIKE '%a%'"),
    *("coalesce({0}, {0}) = {0}", "coalesce({0}, i) = 1", "{0} IS NULL", "NOT {0} IS NULL"),
    *("CASE WHEN {0} = 1 THEN {0} ELSE i END = 1", "CASE WHEN o THEN {0} ELSE {0} END = {0}"),
    *("CASE WHEN o THEN {0} ELSE s END = s", "{0} IN ('a', 'b', '7')"),
)
OTHERS = {
    "i": pa.int64(),
    "u": pa.uint64(),
    "f": pa.float64(),
    "n": pa.decimal128(38, 9),
    "t": pa.string(),
    "d": pa.date32(),
    "s": pa.timestamp("ns"),
    "o": pa.bool_(),
}
TEXTS = (
    *(b"1", b"a", b"", b"\xe2\x82\xac", b"\xff", b"a\xc3", b"\xc0\x80"),
    *(b"\xed\xa0\x80", b"\xf4\x90\x80\x80"),
)
ROWS = 40


def odd(random: Random, kind: pa.DataType, rows: int = ROWS) -> pa.Array:
    """Any bytes that a file could have in place of cells, some of them ordinary, some NULL."""
    if pa.types.is_dictionary(kind):
        return (
            odd(random, kind.value_type, rows)
            .cast(pa.binary())
            .dictionary_encode()
            .cast(pa.dictionary(pa.int32(), pa.binary()))
        )
    present = np.array([random.random() > 0.1 for _ in range(rows)])
    marks = pa.array(present).buffers()[1]
    if pa.types.is_string(kind):
        whole = pa.array([random.choice(TEXTS) for _ in range(rows)], pa.binary())
        return pa.Array.from_buffers(kind, rows, [marks, *whole.buffers()[1:]])
    if pa.types.is_boolean(kind):
        return pa.array([random.random() > 0.5 for _ in range(rows)], mask=~present)
    width = kind.bit_width // 8
    cells = b"".join(_cell(random, width) for _ in range(rows))
    return pa.Array.from_buffers(kind, rows, [marks, pa.py_buffer(cells)])


def _cell(random: Random, width: int) -> bytes:
    least, most = -(1 << 8 * width - 1), (1 << 8 * width - 1) - 1
    small = random.randint(max(least, -1000), min(most, 1000))
    ends = (least, least + 1, -1, 0, 1, most - 1, most)
    number = random.choice((small, random.choice(ends), random.randint(least, most)))
    return number.to_bytes(width, "little", signed=True)


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_each_row_is_judged_alone(kind: pa.DataType) -> None:
    """A filter that is let through says of a row in company what it says of it alone."""
    random = Random(str(kind))
    data = dataset(column("x", kind), *(column(n, k) for n, k in OTHERS.items()))
    kinds = column_kinds(data)
    columns = {"x": odd(random, kind), **{n: odd(random, k) for n, k in OTHERS.items()}}
    for text in FILTERS:
        filter_ = parse_filter(text.format("x"))
        try:
            check_filter(filter_, kinds)
        except InvalidRequest:
            continue
        together = passing_rows(filter_, columns, ROWS).tolist()
        alone = [
            passing_rows(filter_, {n: c[row : row + 1] for n, c in columns.items()}, 1)[0]
            for row in range(ROWS)
        ]
        assert together == alone, text


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with engine_over(tmp_path) as engine:
        yield engine


@pytest.mark.parametrize("compression", ["dictionary", "plain"])
@pytest.mark.parametrize("filter_", [f for f in FILTERS if "cast" not in f and "'" in f])
def test_text_that_is_none_hides_its_row_alone(
    tmp_path: Path, engine: Engine, filter_: str, compression: str
) -> None:
    """Invalid bytes in a hidden row of a Parquet file change nothing for the others."""
    answers = []
    for third in (b"a", b"\xff\xfe"):
        bytes_ = pa.array([b"a", b"ba", third] * 9, pa.binary())
        word = pa.Array.from_buffers(pa.string(), 27, bytes_.buffers())
        table = pa.table({"word": word, "hide": [0, 0, 1] * 9, "i": [1] * 27})
        written = {"use_dictionary": compression == "dictionary", "write_statistics": False}
        pq.write_table(table, tmp_path / "part.parquet", **written)
        data = parquet_of(
            tmp_path,
            column("word", pa.string()),
            column("hide", pa.int64()),
            column("i", pa.int64()),
        )
        try:
            check_filter(parse_filter(filter_.format("word")), column_kinds(data))
        except InvalidRequest:
            return
        for kept in (filter_, f"NOT ({filter_})"):
            grant = f"GRANT SELECT ON TABLE db.t WHERE hide != 1 AND ({kept.format('word')})"
            answers.append(scan(engine, data, grant).to_pylist())
    assert answers[:2] == answers[2:]


def test_decimals_wider_than_a_filter_can_compare_are_in_no_filter(
    tmp_path: Path, engine: Engine
) -> None:
    """Such a grant is refused when it is stored, and one that is there grants nothing."""
    wide = pa.array([Decimal(1), Decimal(10) ** 75], pa.decimal256(76, 0))
    pq.write_table(pa.table({"d": wide, "hide": [0, 1]}), tmp_path / "part.parquet")
    data = parquet_of(tmp_path, column("d", wide.type), column("hide", pa.int64()))
    for condition in ("d > 1.5", "d IN (1, 2.5)", "d = '1.5'", "cast(d as bigint) = 1", "d = d"):
        with pytest.raises(TypeMismatch):
            check_filter(parse_filter(condition), column_kinds(data))
        with pytest.raises(NotFound):
            plan(data, f"GRANT SELECT ON TABLE db.t WHERE {condition} AND hide != 1")
    shown = scan(engine, data, "GRANT SELECT ON TABLE db.t WHERE d IS NOT NULL AND hide != 1")
    assert shown["d"].to_pylist() == [Decimal(1)]


def test_what_no_kernel_takes_is_a_typed_error(tmp_path: Path, engine: Engine) -> None:
    """Whatever Arrow still refuses ends the scan with an error of ours, without a value."""
    data = parquet_of(tmp_path, column("word", pa.string()))
    with started(plan(data), engine) as stream:
        nowhere = pa.DictionaryArray.from_arrays(pa.array([5]), pa.array(["secret"]), safe=False)
        odd_batch = pa.record_batch({"word": nowhere})
        with pytest.raises(SourceInvalid) as failed:
            stream._apply(Piece(0, lambda: [odd_batch]))
    assert "secret" not in str(failed.value)
