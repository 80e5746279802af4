"""Parquet as pieces: fewer row groups where statistics allow it, and never another cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enforcement.plans import column, plan
from privet.model.errors import SchemaChanged, SourceInvalid, SourceUnavailable
from privet.scan import Engine, parquet_rows, parquet_source
from scan.sources import (
    Ending,
    engine_over,
    failure,
    parquet_of,
    rows_of,
    scan,
    started,
    tell_nothing,
)

SECRET = "hidden-cell-4711"
COLUMNS = (column("id", pa.int64()), column("word", pa.string()))
TABLE = pa.table({"id": range(1000), "word": [f"w{i % 7}" for i in range(1000)]})


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with engine_over(tmp_path) as engine:
        yield engine


def written(folder: Path, table: pa.Table, **options: Any) -> Path:
    pq.write_table(table, folder / "part.parquet", **options)
    return folder


def read_rows(engine: Engine, folder: Path, filter_: str) -> tuple[int, list[Any]]:
    """How many raw rows a filtered scan read, and what it returned."""
    ending = Ending()
    governed = plan(parquet_of(folder, *COLUMNS), f"GRANT SELECT ON TABLE db.t WHERE {filter_}")
    with started(governed, engine, ending) as stream:
        out = pa.Table.from_batches(list(stream), governed.schema)
    return ending.only.rows_read, out["id"].to_pylist()


@pytest.mark.parametrize(
    ("filter_", "groups", "expected"),
    [
        ("id = 555", 1, [555]),
        ("id < 100", 1, list(range(100))),
        ("id >= 899 AND id + 0 < 901", 2, [899, 900]),
        ("id IN (5, 995)", 2, [5, 995]),
        ("id > 5000", 0, []),
        ("id + 0 = 555", 10, [555]),
    ],
)
def test_row_groups_are_left_out(
    tmp_path: Path, engine: Engine, filter_: str, groups: int, expected: list[int]
) -> None:
    """By statistics, where the filter is plain; the rows are the same either way."""
    written(tmp_path, TABLE, row_group_size=100)
    assert read_rows(engine, tmp_path, filter_) == (groups * 100, expected)


def test_statistics_that_lie_by_omission(tmp_path: Path, engine: Engine) -> None:
    """Without statistics everything is read, and nothing is lost."""
    written(tmp_path, TABLE, row_group_size=100, write_statistics=False)
    assert read_rows(engine, tmp_path, "id = 555") == (1000, [555])


@pytest.mark.parametrize("largest", [1, 5_000, 64 * 1024 * 1024])
@pytest.mark.parametrize("group", [7, 100, 1000])
def test_pieces_do_not_change_rows(
    tmp_path: Path,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    largest: int,
    group: int,
) -> None:
    """Row groups that are gathered, taken one by one, or streamed since they are too large."""
    monkeypatch.setattr(parquet_source, "LARGEST_PIECE", largest)
    monkeypatch.setattr(parquet_source, "PIECE_ROWS", 150)
    monkeypatch.setattr(parquet_source, "BATCH_ROWS", 40)
    written(tmp_path, TABLE, row_group_size=group)
    assert rows_of(scan(engine, parquet_of(tmp_path, *COLUMNS))) == rows_of(TABLE)
    grant = "GRANT SELECT ON TABLE db.t WHERE word = 'w3'"
    visible = scan(engine, parquet_of(tmp_path, *COLUMNS), grant)
    assert rows_of(visible) == [r for r in rows_of(TABLE) if r[1] == "w3"]


@pytest.mark.parametrize("largest", [1, 64 * 1024 * 1024])
def test_encodings_are_undone(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    """Stored dictionaries, large and view types come out plain, and without hidden words."""
    monkeypatch.setattr(parquet_source, "LARGEST_PIECE", largest)
    words = [SECRET if i % 3 else "shown" for i in range(300)]
    dictionary = pa.dictionary(pa.int32(), pa.string())
    for kind in (pa.string(), pa.large_string(), pa.string_view(), dictionary):
        table = pa.table({"id": range(300), "word": pa.array(words).cast(kind)})
        written(tmp_path, table, row_group_size=60)
        data = parquet_of(tmp_path, COLUMNS[0], column("word", kind))
        out = scan(engine, data, "GRANT SELECT ON TABLE db.t WHERE id % 3 = 0")
        assert out.schema.field("word").type == pa.string()
        assert out["word"].to_pylist() == ["shown"] * 100
        sent = pa.BufferOutputStream()
        with pa.ipc.new_stream(sent, out.schema) as writer:
            writer.write_table(out)
        assert SECRET.encode() not in sent.getvalue().to_pybytes()


def test_slices_of_a_large_piece_hold_no_neighbour(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch in which every row is visible ends where the next one's hidden rows begin."""
    monkeypatch.setattr(parquet_source, "PIECE_ROWS", 5)
    table = pa.table({"id": range(10), "word": ["ok"] * 5 + [SECRET] * 5})
    written(tmp_path, table)
    governed = plan(parquet_of(tmp_path, *COLUMNS), "GRANT SELECT ON TABLE db.t WHERE id + 0 < 5")
    with started(governed, engine) as stream:
        (batch,) = list(stream)
    assert batch.num_rows == 5
    assert SECRET[:6].encode() not in batch.serialize().to_pybytes()
    assert all(SECRET[:2].encode() not in b.to_pybytes() for b in batch["word"].buffers() if b)


NESTED = {
    "list": pa.array([["a", None], None, []], pa.list_(pa.string())),
    "large": pa.array([["a"], None, ["b"]], pa.large_list(pa.large_string())),
    "struct": pa.array([{"x": 1, "y": "a"}, None, {"x": None, "y": "c"}]),
    "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    "fixed": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2)),
    "null": pa.nulls(3),
}


@pytest.mark.parametrize("kind", NESTED)
def test_nested_columns(tmp_path: Path, engine: Engine, kind: str) -> None:
    """Lists, structs and maps are filtered by rows and keep their values."""
    table = pa.table({"id": [1, 2, 3], "n est": NESTED[kind]})
    written(tmp_path, table)
    nested = column("n est", NESTED[kind].type)
    data = parquet_of(tmp_path, COLUMNS[0], nested)
    assert rows_of(scan(engine, data)) == rows_of(table)
    some = scan(engine, data, "GRANT SELECT ON TABLE db.t WHERE id != 2")
    assert rows_of(some) == [rows_of(table)[0], rows_of(table)[2]]


def test_structs_with_a_field_of_no_type(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field that is NULL in every row is no reason for the process to end."""
    monkeypatch.setattr(parquet_source, "PIECE_ROWS", 2)
    inner = pa.struct([("never", pa.null()), ("flag", pa.bool_())])
    kind = pa.struct([("inner", inner), ("word", pa.large_string())])
    rows = [{"inner": None, "word": "a"}] * 3 + [{"inner": {"never": None, "flag": True}}] * 2
    rows = pa.array(rows, kind).to_pylist()
    written(tmp_path, pa.table({"id": range(5), "n": pa.array(rows, kind)}))
    found = scan(engine, parquet_of(tmp_path, COLUMNS[0], column("n", kind)))
    assert found["n"].to_pylist() == rows


def test_views_inside_lists(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slices of nested columns whose texts are views come out plain as well."""
    monkeypatch.setattr(parquet_rows, "BYTES", 100)
    rows = [[f"word {n}" * (n % 3), None] if n % 5 else None for n in range(50)]
    kind = pa.list_(pa.string_view())
    written(tmp_path, pa.table({"id": range(50), "n": pa.array(rows, kind)}))
    found = scan(engine, parquet_of(tmp_path, COLUMNS[0], column("n", kind)))
    assert found["n"].to_pylist() == rows


def test_partitions_alone(tmp_path: Path, engine: Engine) -> None:
    """Folders' names are columns: typed, NULL where Hive says so, and counted without any other."""
    for name, size in (("7", 3), ("8", 2), ("__HIVE_DEFAULT_PARTITION__", 1)):
        folder = tmp_path / f"k={name}"
        folder.mkdir()
        written(folder, pa.table({"id": range(size), "word": ["w"] * size}))
    data = parquet_of(tmp_path, *COLUMNS, column("k", pa.int32(), partition=True))
    keys = scan(engine, data, columns=("k",))["k"].to_pylist()
    assert keys == [7, 7, 7, 8, 8, None]
    assert scan(engine, data, columns=("k", "id")).schema.names == ["k", "id"]
    chosen = scan(engine, data, "GRANT SELECT ON TABLE db.t WHERE k = 8", columns=("id",))
    assert chosen["id"].to_pylist() == [0, 1]


def test_partitions_spare_files(tmp_path: Path, engine: Engine) -> None:
    """A folder outside the filter is not opened: not even its broken file is seen."""
    for name in ("7", "8"):
        (tmp_path / f"k={name}").mkdir()
    written(tmp_path / "k=7", TABLE)
    (tmp_path / "k=8" / "part.parquet").write_bytes(b"garbage")
    data = parquet_of(tmp_path, *COLUMNS, column("k", pa.int32(), partition=True))
    assert scan(engine, data, "GRANT SELECT ON TABLE db.t WHERE k = 7").num_rows == 1000
    assert isinstance(failure(engine, data), SourceInvalid)


@pytest.mark.parametrize("folder", ["k=x", "j=7", "k=7/j=1", "."])
def test_other_folders_than_registered(tmp_path: Path, engine: Engine, folder: str) -> None:
    """A partition of another type, name or depth is a change; its name is not told."""
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    written(tmp_path / folder, TABLE)
    data = parquet_of(tmp_path, *COLUMNS, column("k", pa.int32(), partition=True))
    error = failure(engine, data)
    assert isinstance(error, SchemaChanged)
    tell_nothing(error, tmp_path, "k=x", "j=")


@pytest.mark.parametrize(
    "table",
    [
        TABLE.rename_columns(["id", SECRET]),
        TABLE.rename_columns(["id", "WORD"]),
        TABLE.select(["id"]),
        TABLE.set_column(0, "id", TABLE["id"].cast(pa.int32())),
        TABLE.set_column(0, "id", TABLE["id"].cast(pa.string())),
        TABLE.set_column(1, "word", pa.array([[w] for w in TABLE["word"].to_pylist()])),
    ],
    ids=["renamed", "another case", "missing", "narrower", "text", "nested"],
)
def test_changed_columns(tmp_path: Path, engine: Engine, table: pa.Table) -> None:
    """Whether or not they are asked for: what was reviewed is no longer what is there."""
    written(tmp_path, table)
    for request in ({}, {"columns": ("id",)}):
        error = failure(engine, parquet_of(tmp_path, *COLUMNS), **request)
        assert isinstance(error, SchemaChanged)
        tell_nothing(error, tmp_path, SECRET)


def test_new_columns_and_another_order(tmp_path: Path, engine: Engine) -> None:
    """Columns are found by name; one that was never reviewed does not appear."""
    table = TABLE.append_column("new", TABLE["word"]).select(["new", "word", "id"])
    written(tmp_path, table)
    assert rows_of(scan(engine, parquet_of(tmp_path, *COLUMNS))) == rows_of(TABLE)


@pytest.mark.parametrize("damage", ["garbage", "cut", "no end", "pages", "footer"])
def test_damaged_files(tmp_path: Path, engine: Engine, damage: str) -> None:
    """A typed error without a value or a path, wherever the damage is."""
    table = pa.table({"id": range(20_000), "word": [f"{SECRET}{i}" for i in range(20_000)]})
    whole = (written(tmp_path, table, compression="snappy") / "part.parquet").read_bytes()
    broken = {
        "garbage": SECRET.encode() * 50,
        "cut": whole[: len(whole) // 2],
        "no end": whole[:-4] + b"XXXX",
        "pages": whole[:2000] + b"\xff" * 3000 + whole[5000:],
        "footer": whole[:-600] + b"\xff" * 400 + whole[-200:],
    }[damage]
    (tmp_path / "part.parquet").write_bytes(broken)
    error = failure(engine, parquet_of(tmp_path, *COLUMNS))
    assert isinstance(error, SourceInvalid | SourceUnavailable | SchemaChanged)
    tell_nothing(error, tmp_path, SECRET)


def test_empty_files(tmp_path: Path, engine: Engine) -> None:
    """A Parquet file may have no rows, or no row groups; a file of no bytes has no rows either."""
    pq.write_table(TABLE.slice(0, 0), tmp_path / "a.parquet")
    pq.ParquetWriter(tmp_path / "b.parquet", TABLE.schema).close()
    (tmp_path / "c.parquet").write_bytes(b"")
    for columns in (None, ("id",)):
        assert scan(engine, parquet_of(tmp_path, *COLUMNS), columns=columns).num_rows == 0
    some = scan(engine, parquet_of(tmp_path, *COLUMNS), "GRANT SELECT ON TABLE db.t WHERE id = 1")
    assert some.num_rows == 0


def test_a_file_that_vanishes_while_it_is_read(tmp_path: Path, engine: Engine) -> None:
    """The second of two files goes after the first batch left: an error, and no silence."""
    for name in ("a", "b"):
        pq.write_table(TABLE, tmp_path / f"{name}.parquet")
    ending = Ending()
    governed = plan(parquet_of(tmp_path, *COLUMNS))
    stream = started(governed, engine, ending)
    source = stream._pieces()
    next(source)
    (tmp_path / "b.parquet").unlink()
    with pytest.raises(SourceUnavailable) as gone:
        next(source)
    tell_nothing(gone.value, tmp_path, "b.parquet")
    stream.close()
