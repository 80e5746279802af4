"""Rows of Iceberg tables that are deleted by their values, and statistics that spare files."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.types import LongType

from enforcement.plans import column
from privet.model.errors import PrivetError, SourceInvalid, SourceUnavailable
from privet.scan.lakes.iceberg import values as iceberg_values
from privet.scan.lakes.iceberg.values import DeletedValues
from privet.scan.lakes.projection import Node
from scan.iceberg_deletes import commit_deletes, delete_values
from scan.sources import engine_over, failure, scan
from scan.test_iceberg_source import iceberg_of, made

SCHEMA = pa.schema([("id", pa.int64()), ("word", pa.string()), ("day", pa.date32())])
COLUMNS = (column("id", pa.int64()), column("word", pa.string()))
DAY = dt.date(2024, 5, 1)


def some(*rows: tuple[int | None, str | None]) -> pa.Table:
    """Rows of the table."""
    ids, words = zip(*rows, strict=True)
    return pa.table([ids, words, [DAY] * len(rows)], schema=SCHEMA)


def left(folder: Path, *grants: str, version: str | None = None) -> list[tuple[object, object]]:
    """The rows that a scan gives."""
    given = {} if version is None else {"version": version}
    with engine_over(folder.parent) as engine:
        found = scan(engine, iceberg_of(folder, *COLUMNS, **given), *grants)
    return sorted(zip(*(c.to_pylist() for c in found.columns), strict=True), key=repr)


def named(**columns: object) -> pa.Table:
    """Values, by names of columns."""
    return pa.table(
        {n: pa.array(v, SCHEMA.field(n).type) for n, v in columns.items()}  # type: ignore[arg-type]
    )


def test_values_of_one_column_and_of_several(tmp_path: Path) -> None:
    """Rows go that are equal in all of the columns; NULL is equal to NULL."""
    folder = tmp_path / "t"
    with made(folder, SCHEMA) as table:
        table.append(some((1, "a"), (2, "b"), (2, None), (None, "c"), (None, None), (3, "a")))
        delete_values(table, folder / "d1.parquet", named(id=[1, None, 77]))
        assert left(folder) == [(2, "b"), (2, None), (3, "a")]
        both = named(id=[2, 3, 9], word=[None, "b", "x"])
        delete_values(table, folder / "d2.parquet", both)
        assert left(folder) == [(2, "b"), (3, "a")]
        # Read or not, the columns that are compared count.
        grant = "GRANT SELECT(word) ON TABLE db.t"
        with engine_over(tmp_path) as engine:
            assert scan(engine, iceberg_of(folder, *COLUMNS), grant)["word"].to_pylist() == [
                "b",
                "a",
            ]


def test_only_rows_from_before(tmp_path: Path) -> None:
    """What is written again after the deletion, or with it, stays; an older snapshot is whole."""
    folder = tmp_path / "t"
    with made(folder, SCHEMA) as table:
        table.append(some((1, "old"), (2, "old")))
        before = table.current_snapshot()
        assert before is not None
        delete_values(table, folder / "d.parquet", named(id=[1]))
        table.append(some((1, "new")))
        assert left(folder) == [(1, "new"), (2, "old")]
        assert left(folder, version=str(before.snapshot_id)) == [(1, "old"), (2, "old")]
        delete_values(table, folder / "e.parquet", named(id=[1]))
        assert left(folder) == [(2, "old")]


def test_partitions(tmp_path: Path) -> None:
    """Deletes of a partition are about that one; those of a spec without fields about all."""
    folder = tmp_path / "t"
    with made(folder, SCHEMA) as table:
        whole = table.spec().spec_id
        with table.update_spec() as update:
            update.add_field("word", IdentityTransform())
        table.append(some((1, "a"), (1, "b"), (2, "a"), (2, "b")))
        delete_values(table, folder / "d.parquet", named(id=[1]), partition=Record("a"))
        assert left(folder) == [(1, "b"), (2, "a"), (2, "b")]
        delete_values(table, folder / "e.parquet", named(id=[2]), spec_id=whole)
        assert left(folder) == [(1, "b")]


def test_columns_that_came_and_went(tmp_path: Path) -> None:
    """One that a file has not is NULL in it; one that was dropped counts; widened ones too."""
    folder = tmp_path / "t"
    narrow = pa.schema([("id", pa.int32()), ("word", pa.string()), ("day", pa.date32())])
    with made(folder, narrow) as table:
        table.append(some((1, "a"), (2, "b"), (3, "c")).cast(narrow))
        with table.update_schema() as update:
            update.update_column("id", LongType())
            update.add_column("more", LongType())
        late = pa.table({"id": [4], "word": ["d"], "day": [DAY], "more": [7]})
        table.append(late.cast(table.schema().as_arrow()))
        wide = pa.table({"id": pa.array([1], pa.int64())})
        delete_values(table, folder / "d.parquet", wide)
        assert left(folder) == [(2, "b"), (3, "c"), (4, "d")]
        delete_values(table, folder / "w.parquet", pa.table({"word": ["b"]}))
        with table.update_schema(allow_incompatible_changes=True) as update:
            update.delete_column("day")
            update.rename_column("word", "text")
        with table.update_schema() as update:
            update.add_column("word", LongType())
        columns = (COLUMNS[0], column("text", pa.string()))
        with engine_over(tmp_path) as engine:
            found = scan(engine, iceberg_of(folder, *columns))
            assert sorted(found["text"].to_pylist()) == ["c", "d"]
        null = pa.table({"more": pa.array([None], pa.int64())})
        delete_values(table, folder / "n.parquet", null)
        with engine_over(tmp_path) as engine:
            assert scan(engine, iceberg_of(folder, *columns))["text"].to_pylist() == ["d"]


def test_with_conditions(tmp_path: Path) -> None:
    """What a condition spares of data files never spares a file of deletes."""
    folder = tmp_path / "t"
    with made(folder, SCHEMA) as table:
        table.append(some(*((i, f"w{i}") for i in range(50))))
        # A column that is not compared, and a count that is none, say nothing of the deletion.
        noisy = named(id=[7], word=["zzz"])
        delete_values(table, folder / "d.parquet", noisy, ids=[1])
    assert len(left(folder)) == 49
    assert left(folder, "GRANT SELECT ON TABLE db.t WHERE word = 'w7'") == []
    assert left(folder, "GRANT SELECT ON TABLE db.t WHERE id = 7 OR id = 8") == [(8, "w8")]


@pytest.mark.parametrize("rows", [0, 1, 5_000])
def test_places_and_values_together(tmp_path: Path, rows: int) -> None:
    """Both take rows away, over several row groups."""
    folder = tmp_path / "t"
    chosen = random.Random(rows).sample(range(20_000), rows)
    with made(folder, SCHEMA) as table:
        table.append(some(*((i, f"w{i % 7}") for i in range(20_000))))
        delete_values(table, folder / "d.parquet", named(id=chosen))
        places = pa.table({"file_path": [_only(table)], "pos": pa.array([3], pa.int64())})
        pq.write_table(places, folder / "p.parquet")
        commit_deletes(table, folder / "p.parquet", 1)
    assert {i for i, _ in left(folder)} == set(range(20_000)) - set(chosen) - {3}


def _only(table: Table) -> str:
    (path,) = (entry["file_path"] for entry in table.inspect.data_files().to_pylist())
    return str(path)


# ---- what must not be


def test_lists_that_cannot_be_read(tmp_path: Path) -> None:
    """End the scan: a row that is deleted is never shown."""
    folder = tmp_path / "t"
    with made(folder, SCHEMA) as table:
        table.append(some((1, "a"), (2, "b")))
        target = folder / "d.parquet"
        delete_values(table, target, named(id=[1]))
    content = target.read_bytes()

    def fails() -> PrivetError:
        with engine_over(tmp_path) as engine:
            return failure(engine, iceberg_of(folder, *COLUMNS))

    target.write_bytes(content[:-9])
    assert isinstance(fails(), SourceInvalid | SourceUnavailable)
    # Without the numbers of its columns, and without the column.
    pq.write_table(named(id=[1]), target)
    assert isinstance(fails(), SourceInvalid)
    numbered = pa.schema([pa.field("word", pa.string(), metadata={"PARQUET:field_id": "2"})])
    pq.write_table(pa.table({"word": ["a"]}, schema=numbered), target)
    assert isinstance(fails(), SourceInvalid)
    target.unlink()
    assert isinstance(fails(), SourceUnavailable)


@pytest.mark.parametrize("ids", [[], [99], [4], [5], [6], [7]])
def test_columns_that_are_not_compared(tmp_path: Path, ids: list[int]) -> None:
    """None, unknown ones, floats, structs, lists and fields inside: refused."""
    folder = tmp_path / "t"
    schema = SCHEMA.append(pa.field("f", pa.float64()))
    schema = schema.append(pa.field("s", pa.struct([("x", pa.int64())])))
    schema = schema.append(pa.field("l", pa.list_(pa.int64())))
    with made(folder, schema) as table:
        row = {"id": 1, "word": "a", "day": DAY, "f": 1.0, "s": {"x": 1}, "l": [1]}
        table.append(pa.Table.from_pylist([row], schema))
        delete_values(table, folder / "d.parquet", pa.table({"f": [1.0]}), ids=ids)
    with engine_over(tmp_path) as engine:
        assert isinstance(failure(engine, iceberg_of(folder, *COLUMNS)), SourceInvalid)


def test_lists_that_are_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are refused before they are in memory, one large one or many."""
    folder = tmp_path / "t"
    monkeypatch.setattr(iceberg_values, "MOST_BYTES", 70_000)
    with made(folder, SCHEMA) as table:
        table.append(some((1, "a")))
        for at in range(3):
            words = [f"{at}-{i}" for i in range(3_000)]
            delete_values(table, folder / f"d{at}.parquet", named(word=words))
            if not at:
                assert left(folder) == [(1, "a")]
    with engine_over(tmp_path) as engine:
        assert isinstance(failure(engine, iceberg_of(folder, *COLUMNS)), SourceInvalid)


VALUES = {
    pa.int32(): [1, -5, 2**31 - 1],
    pa.string(): ["", "a", "\N{LATIN SMALL LETTER E WITH ACUTE}"],
    pa.binary(): [b"", b"\0", b"a"],
    pa.bool_(): [True, False],
    pa.date32(): [DAY, dt.date(1, 1, 1)],
    pa.timestamp("us", "UTC"): [
        dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        dt.datetime(1900, 1, 1, tzinfo=dt.UTC),
    ],
    pa.decimal128(9, 2): [Decimal("1.10"), Decimal("-3.00")],
    pa.binary(16): [b"0" * 16, b"1" * 16],
}


@pytest.mark.parametrize("seed", range(30))
def test_as_a_comparison_of_rows_says(seed: int) -> None:
    """Random rows of random types, against rows as tuples; NULL is a value like others."""
    chance = random.Random(seed)
    kinds = [chance.choice(list(VALUES)) for _ in range(chance.randint(1, 4))]

    def rows(count: int) -> list[tuple[object, ...]]:
        return [tuple(chance.choice([*VALUES[k], None]) for k in kinds) for _ in range(count)]

    def arrays(of: list[tuple[object, ...]]) -> list[pa.Array]:
        return [pa.array([row[at] for row in of], kind) for at, kind in enumerate(kinds)]

    deleted, data = rows(chance.randint(0, 6)), rows(60)
    nodes = [Node(str(at), kind, at) for at, kind in enumerate(kinds)]
    found = DeletedValues.of(nodes, [pa.chunked_array([a], a.type) for a in arrays(deleted)])
    assert found.holds(arrays(data)).tolist() == [row in deleted for row in data]
