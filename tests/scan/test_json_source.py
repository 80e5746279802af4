"""JSON lines as pieces: every value in its place, or an error that tells none."""

from __future__ import annotations

import bz2
import datetime as dt
import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcement.plans import column, dataset
from privet.model.datasets import Column, Dataset, Format
from privet.model.errors import SourceInvalid, SourceUnavailable
from privet.scan import csv_blocks, unpacking
from privet.scan.formats import Twice, as_text, objects, read_objects
from scan.sources import engine_over, failure, rows_of, scan, tell_nothing

SECRET = "hidden-cell-4711"
INNER = pa.struct([("city", pa.string()), ("no", pa.list_(pa.int32()))])
COLUMNS = (column("id", pa.int64()), column("at", INNER), column("word", pa.string()))


def json_of(folder: Path, *columns: Column, **options: Any) -> Dataset:
    """The files of JSON lines of a folder."""
    return dataset(*columns, uri=f"file://{folder.resolve()}", kind=Format.JSON, options=options)


def written(folder: Path, *rows: Any) -> Path:
    """A file of these objects; what is bytes already is a line as it is."""
    lines = (row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
    (folder / "part.json").write_bytes(b"".join(line + b"\n" for line in lines))
    return folder


def test_objects_are_rows(tmp_path: Path) -> None:
    """Fields by name in any order; what is not there is NULL, and blank lines are no rows."""
    written(
        tmp_path,
        {"word": "a", "id": 1, "at": {"no": [1, None], "city": "x", "new": 1}},
        b"",
        {"id": None, "other": [{}]},
        b'  {"at": null, "word": "\\u00e9\\n"}  ',
    )
    with engine_over(tmp_path) as engine:
        out = scan(engine, json_of(tmp_path, *COLUMNS))
        counted = scan(engine, json_of(tmp_path, *COLUMNS), columns=("word",))
    assert out.to_pylist() == [
        {"id": 1, "at": {"city": "x", "no": [1, None]}, "word": "a"},
        {"id": None, "at": None, "word": None},
        {"id": None, "at": None, "word": "é\n"},
    ]
    assert counted["word"].to_pylist() == ["a", None, "é\n"]


def test_text_holds_any_value(tmp_path: Path) -> None:
    """What is no text stands in a column of text as it was written, digit by digit."""
    line = b'{"word": {"a": [1.50, 12345678901234567890, true, null, "q\\""], "b": {}}}'
    written(tmp_path, {"word": "plain"}, line, {"word": 7}, {"word": False}, {"word": []})
    with engine_over(tmp_path) as engine:
        out = scan(engine, json_of(tmp_path, COLUMNS[2]))
    assert out["word"].to_pylist() == [
        "plain",
        '{"a":[1.50,12345678901234567890,true,null,"q\\""],"b":{}}',
        "7",
        "false",
        "[]",
    ]


@pytest.mark.parametrize(
    ("kind", "written_as", "read"),
    [
        (pa.date32(), '"2024-02-29"', dt.date(2024, 2, 29)),
        (
            pa.timestamp("us", "UTC"),
            '"2024-02-29T10:00:00.5Z"',
            dt.datetime(2024, 2, 29, 10, 0, 0, 500000, dt.UTC),
        ),
        (pa.decimal128(9, 2), "1.50", Decimal("1.50")),
        (pa.decimal128(9, 2), '"1.50"', Decimal("1.50")),
        (pa.map_(pa.string(), pa.int64()), '{"a": 1, "b": null}', [("a", 1), ("b", None)]),
        (pa.map_(pa.int32(), pa.string()), '{"7": "x"}', [(7, "x")]),
        (pa.float64(), "1e3", 1000.0),
        (pa.float64(), "3", 3.0),
        (pa.binary(), '"x"', b"x"),
        (pa.list_(pa.struct([("a", pa.bool_())])), '[{"a": true}, null]', [{"a": True}, None]),
        (pa.uint64(), str(2**64 - 1), 2**64 - 1),
    ],
)
def test_types_that_a_steward_gives(
    tmp_path: Path, kind: pa.DataType, written_as: str, read: Any
) -> None:
    """A value is read as the column's type, wherever it can be one."""
    written(tmp_path, f'{{"x": {written_as}}}'.encode(), {"x": None})
    with engine_over(tmp_path) as engine:
        out = scan(engine, json_of(tmp_path, column("x", kind)))
    assert out["x"].to_pylist() == [read, None]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.int64(), f'"{SECRET}"'),
        (pa.int64(), "1.5"),
        (pa.int8(), "300"),
        (pa.int64(), "9" * 5000),
        (pa.bool_(), "1"),
        (pa.float64(), f'"{SECRET}"'),
        (pa.date32(), f'"{SECRET}"'),
        (pa.decimal128(4, 1), "1.25"),
        (pa.list_(pa.int64()), f'["{SECRET}"]'),
        (pa.struct([("a", pa.int64())]), f'{{"a": "{SECRET}"}}'),
        (pa.struct([("a", pa.int64())]), f'{{"a": 1, "a": 2, "{SECRET}": 3}}'),
        (pa.map_(pa.string(), pa.int64()), f'{{"{SECRET}": []}}'),
        (pa.binary(), "7"),
    ],
)
def test_a_value_that_does_not_fit(tmp_path: Path, kind: pa.DataType, value: str) -> None:
    """Ends the scan with the column's name and type, and without the value."""
    written(tmp_path, {"x": None}, f'{{"x": {value}}}'.encode())
    with engine_over(tmp_path) as engine:
        error = failure(engine, json_of(tmp_path, column("x", kind)))
    assert isinstance(error, SourceInvalid)
    assert "`x`" in error.message
    tell_nothing(error, tmp_path, SECRET, "300", "999")


def test_a_value_that_only_the_filter_reads(tmp_path: Path) -> None:
    """Is not told by its column, which the reader does not see."""
    written(tmp_path, {"id": 1, "word": "a"}, {"id": SECRET, "word": "b"})
    grant = "GRANT SELECT(word) ON TABLE db.t WHERE id > 0"
    with engine_over(tmp_path) as engine:
        error = failure(engine, json_of(tmp_path, COLUMNS[0], COLUMNS[2]), grant)
    tell_nothing(error, tmp_path, SECRET, "`id`")


@pytest.mark.parametrize(
    "line",
    [
        f'{{"id": "{SECRET}',
        f'["{SECRET}"]',
        f'"{SECRET}"',
        f"{SECRET}",
        f'{{"id": 1}} {SECRET}',
        "{" * 100_000,
        '{"id": ' + "[" * 100_000,
        '{"id": 1, "id": 2}',
        "null",
    ],
)
def test_what_is_no_object(tmp_path: Path, line: str) -> None:
    """Ends the scan, and its words are not in the error."""
    written(tmp_path, {"id": 1, "word": 5}, line.encode())
    with engine_over(tmp_path) as engine:
        error = failure(engine, json_of(tmp_path, COLUMNS[0], COLUMNS[2]))
    assert isinstance(error, SourceInvalid)
    tell_nothing(error, tmp_path, SECRET)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """Are an error also in fields that nobody asked for."""
    written(tmp_path, {"id": 1}, b'{"id": 2, "other": "\xff"}')
    with engine_over(tmp_path) as engine:
        assert isinstance(failure(engine, json_of(tmp_path, COLUMNS[0])), SourceInvalid)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    """Nor has one of blank lines."""
    (tmp_path / "a.json").write_bytes(b"\n \n\n")
    with engine_over(tmp_path) as engine:
        assert scan(engine, json_of(tmp_path, *COLUMNS)).num_rows == 0


@pytest.mark.parametrize("block", [1, 7, 64, 4096])
def test_blocks_do_not_change_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """Wherever they fall."""
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", block)
    monkeypatch.setattr(csv_blocks, "FIRST_BYTES", block)
    rows = [{"id": i, "word": "w" * (i % 11)} for i in range(50)]
    written(tmp_path, *rows)
    with engine_over(tmp_path) as engine:
        out = scan(engine, json_of(tmp_path, COLUMNS[0], COLUMNS[2]), limit=40)
    assert out.to_pylist() == rows[:40]


def test_files_of_other_writers(tmp_path: Path) -> None:
    """DuckDB and Polars write what is read here, with nested values."""
    rows = [{"id": i, "at": {"city": "ü", "no": [i, None]}, "word": None} for i in range(3)]
    table = pa.Table.from_pylist(rows, pa.schema([(c.name, c.type) for c in COLUMNS]))
    with duckdb.connect() as engine:
        engine.register("t", table)
        engine.execute(f"COPY t TO '{tmp_path}/a.json' (FORMAT json)")
        engine.execute(f"COPY t TO '{tmp_path}/b.json' (FORMAT json)")
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    frame.write_ndjson(tmp_path / "c.json")
    with engine_over(tmp_path) as engine:
        out = scan(engine, json_of(tmp_path, *COLUMNS))
    assert out.to_pylist() == rows * 3


_SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text() | st.floats()
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.fixed_dictionaries({"x": _VALUES, "y": _VALUES})))
def test_any_values_as_text(rows: list[dict[str, Any]]) -> None:
    """The text of a value is JSON for the same value."""
    text = "\n".join(map(json.dumps, rows))
    found = list(objects(text))
    (column_,) = read_objects(found, [("y", pa.string())])
    for row, cell in zip(rows, column_.to_pylist(), strict=True):
        if row["y"] is None:
            assert cell is None
        elif isinstance(row["y"], str):
            assert cell == row["y"]
        else:
            assert _alike(json.loads(cell), row["y"])


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) == set(other) and all(_alike(one[k], other[k]) for k in one)
    return bool(one == other)


_KINDS = pa.struct([("i", pa.int64()), ("l", pa.list_(pa.float64())), ("s", pa.string())])
_ROWS = st.fixed_dictionaries(
    {},
    optional={
        "i": st.none() | st.integers(-(2**63), 2**63 - 1),
        "l": st.none() | st.lists(st.none() | st.integers(-9, 9) | st.floats(allow_nan=False)),
        "s": st.none() | st.text(),
    },
)


@settings(deadline=None, max_examples=40)
@given(rows=st.lists(st.fixed_dictionaries({"x": _ROWS}), min_size=1), one=st.booleans())
def test_both_ways_of_reading_agree(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], one: bool
) -> None:
    """What Arrow's reader gives is what reading one by one gives, which a last value asks for."""
    folder = tmp_path_factory.mktemp("agree")
    written(folder, *rows, *([{"x": None, "w": 1}] if one else []))
    columns = (column("x", _KINDS), column("w", pa.string()))
    with engine_over(folder) as engine:
        out = scan(engine, json_of(folder, *columns), columns=("x", "w"))
    full = [{name: row["x"].get(name) for name in ("i", "l", "s")} for row in rows]
    assert out["x"].to_pylist()[: len(rows)] == full


def test_an_object_that_has_a_name_twice() -> None:
    """Is one of which nothing is taken."""
    (found,) = objects('{"a": 1, "a": 2}')
    assert isinstance(found, Twice)
    assert as_text([1, {"a": None}]) == '[null,{"a":null}]'


# ---- compressed


PACKERS = {
    "gzip": lambda data: pa.Codec("gzip").compress(data).to_pybytes(),
    "bz2": bz2.compress,
    "zstd": lambda data: pa.Codec("zstd").compress(data).to_pybytes(),
}


@pytest.mark.parametrize("kind", PACKERS)
def test_compressed_files(tmp_path: Path, kind: str) -> None:
    """Are read as what they hold; one that ends too early, or is broken, is an error."""
    rows = [{"id": i, "word": SECRET} for i in range(1000)]
    content = "\n".join(map(json.dumps, rows)).encode()
    packed = PACKERS[kind](content)
    data = json_of(tmp_path, COLUMNS[0], COLUMNS[2], compression=kind)
    with engine_over(tmp_path) as engine:
        (tmp_path / "a.json").write_bytes(packed)
        assert rows_of(scan(engine, data)) == [(r["id"], r["word"]) for r in rows]
        for broken in (packed[:-20], packed[:20] + b"\0" * 40, content):
            (tmp_path / "a.json").write_bytes(broken)
            error = failure(engine, data)
            assert isinstance(error, SourceUnavailable | SourceInvalid)
            tell_nothing(error, tmp_path, SECRET)


@pytest.mark.parametrize("kind", PACKERS)
def test_a_bomb_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A file that becomes many times its size is not unpacked to its end."""
    monkeypatch.setattr(unpacking, "MOST_TIMES", 20)
    monkeypatch.setattr(unpacking, "FREE_BYTES", 1 << 20)
    (tmp_path / "a.json").write_bytes(PACKERS[kind](b'{"id": 1}\n' * 2_000_000))
    with engine_over(tmp_path) as engine:
        error = failure(engine, json_of(tmp_path, COLUMNS[0], compression=kind))
    assert "more than a file of its size" in error.message


def test_a_line_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not gathered in memory for ever."""
    monkeypatch.setattr(csv_blocks, "LONGEST_RECORD", 1 << 20)
    packed = PACKERS["zstd"](b'{"id": "' + b"a" * 50_000_000)
    (tmp_path / "a.json").write_bytes(packed)
    with engine_over(tmp_path) as engine:
        error = failure(engine, json_of(tmp_path, COLUMNS[0], compression="zstd"))
    assert "longer than can be read" in error.message
