"""Tables of Delta Lake: as of one version, without deleted rows, and no file from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from enforcement.plans import column, plan
from privet.model.errors import PrivetError, SchemaChanged, SourceInvalid, SourceUnavailable
from scan.delta_tables import COLUMNS, SECRET, delete_by_vector, delta_of, ids, rewrite, words
from scan.sources import Ending, engine_over, failure, rows_of, scan, started, tell_nothing


def test_rows_are_those_of_the_newest_version(tmp_path: Path) -> None:
    """Appended, deleted, overwritten, compacted; files that are no longer part are not read."""
    write_deltalake(tmp_path, words(1, 2, 3))
    write_deltalake(tmp_path, words(4, 5), mode="append")
    DeltaTable(tmp_path).delete("id = 2")
    assert ids(tmp_path) == [1, 3, 4, 5]
    DeltaTable(tmp_path).optimize.compact()
    assert ids(tmp_path) == [1, 3, 4, 5]
    write_deltalake(tmp_path, words(9), mode="overwrite")
    assert ids(tmp_path) == [9]
    assert [ids(tmp_path, version=str(v)) for v in (0, 1, 2)] == [
        [1, 2, 3],
        [1, 2, 3, 4, 5],
        [1, 3, 4, 5],
    ]


def test_checkpoints(tmp_path: Path) -> None:
    """Are read in place of the commits before them, which may be gone."""
    for number in range(5):
        write_deltalake(tmp_path, words(number), mode="append")
    DeltaTable(tmp_path).create_checkpoint()
    write_deltalake(tmp_path, words(9), mode="append")
    for version in range(4):
        (tmp_path / "_delta_log" / f"{version:020}.json").unlink()
    assert ids(tmp_path) == [0, 1, 2, 3, 4, 9]
    with engine_over(tmp_path) as engine:
        error = failure(engine, delta_of(tmp_path, version="2"))
    assert isinstance(error, SourceInvalid)
    assert "version" in error.message


def test_columns_that_came_later(tmp_path: Path) -> None:
    """Are NULL in files of before, also inside structs; one that is gone is an error."""
    inner = pa.array([{"a": 1}])
    write_deltalake(tmp_path, pa.table({"id": [1], "at": inner}))
    wider = pa.array([{"a": 2, "b": "x"}])
    table = pa.table({"id": [2], "at": wider, "more": [1.5]})
    write_deltalake(tmp_path, table, mode="append", schema_mode="merge")
    kinds = pa.struct([("a", pa.int64()), ("b", pa.string())])
    columns = (COLUMNS[0], column("at", kinds), column("more", pa.float64()))
    with engine_over(tmp_path) as engine:
        found = sorted(rows_of(scan(engine, delta_of(tmp_path, *columns))))
        assert found == [(1, {"a": 1, "b": None}, None), (2, {"a": 2, "b": "x"}, 1.5)]
        narrow = scan(engine, delta_of(tmp_path, column("at", pa.struct([("b", pa.string())]))))
        assert sorted(map(str, narrow["at"].to_pylist())) == ["{'b': 'x'}", "{'b': None}"]
        for gone in (column("none", pa.int64()), column("id", pa.string())):
            assert isinstance(failure(engine, delta_of(tmp_path, gone)), SchemaChanged)


def test_only_files_that_may_hold_rows_are_opened(tmp_path: Path) -> None:
    """By the partition values of the log: other files need not even be there."""
    table = pa.table({"id": range(6), "k": ["a", "b/%", None] * 2, "n": [1, 2, 3] * 2})
    write_deltalake(tmp_path, table, partition_by=["k", "n"])
    columns = (COLUMNS[0], column("k", pa.string()), column("n", pa.int64()))
    data = delta_of(tmp_path, *columns)
    with engine_over(tmp_path) as engine:
        whole = sorted(rows_of(scan(engine, data)), key=str)
        assert whole == sorted(rows_of(table.select(["id", "k", "n"])), key=str)
        for file in tmp_path.glob("k=a/*/*.parquet"):
            file.unlink()
        for filter_, expected in (
            ("k = 'b/%'", [1, 4]),
            ("n = 3", [2, 5]),
            ("n IN (2, 3)", [1, 2, 4, 5]),
        ):
            out = scan(engine, data, f"GRANT SELECT ON TABLE db.t WHERE {filter_}")
            assert sorted(out["id"].to_pylist()) == expected
        assert isinstance(failure(engine, data), SourceUnavailable)
        counted = scan(engine, data, "GRANT SELECT ON TABLE db.t WHERE n = 3", columns=("k",))
        assert counted["k"].to_pylist() == [None, None]


def test_rows_are_filtered_and_row_groups_left_out(tmp_path: Path) -> None:
    """As those of Parquet files."""
    write_deltalake(tmp_path, words(*range(100)))
    (file,) = tmp_path.glob("*.parquet")
    pq.write_table(words(*range(100)), file, row_group_size=10)
    ending = Ending()
    governed = plan(delta_of(tmp_path), "GRANT SELECT ON TABLE db.t WHERE id = 55")
    with engine_over(tmp_path) as engine, started(governed, engine, ending) as stream:
        assert [b["id"].to_pylist() for b in stream] == [[55]]
    assert ending.only.rows_read == 10


# ---- deletion vectors


def test_rows_deleted_by_a_vector(tmp_path: Path) -> None:
    """Are not there, in whichever batch or row group they are; a version before has them."""
    write_deltalake(tmp_path, words(*range(100)))
    (file,) = tmp_path.glob("*.parquet")
    pq.write_table(words(*range(100)), file, row_group_size=7)
    delete_by_vector(tmp_path, 0, 6, 7, 55, 99)
    left = [i for i in range(100) if i not in {0, 6, 7, 55, 99}]
    assert ids(tmp_path) == left
    assert ids(tmp_path, version="0") == list(range(100))
    with engine_over(tmp_path) as engine:
        grant = "GRANT SELECT ON TABLE db.t WHERE id > 53 AND id < 60"
        out = scan(engine, delta_of(tmp_path), grant)
        assert out["id"].to_pylist() == [54, 56, 57, 58, 59]


@pytest.mark.parametrize("how", ["gone", "cut", "other"])
def test_a_vector_that_cannot_be_read(tmp_path: Path, how: str) -> None:
    """Ends the scan: no deleted row is shown because it is not known to be one."""
    write_deltalake(tmp_path, words(*range(10)))
    vector = delete_by_vector(tmp_path, 3)
    whole = vector.read_bytes()
    vector.unlink()
    if how != "gone":
        vector.write_bytes(whole[:-9] if how == "cut" else b"\0" * len(whole))
    with engine_over(tmp_path) as engine:
        assert isinstance(failure(engine, delta_of(tmp_path)), PrivetError)


# ---- what must not be


@pytest.mark.parametrize("how", ["absolute", "above", "address", "encoded", "link"])
def test_files_of_elsewhere(tmp_path: Path, how: str) -> None:
    """Are refused, also where the server could read them: they are not this table's."""
    other, table = tmp_path / "other", tmp_path / "table"
    other.mkdir()
    pq.write_table(pa.table({"id": [1], "word": [SECRET]}), other / "x.parquet")
    write_deltalake(table, words(1))
    (file,) = table.glob("*.parquet")
    path = {
        "absolute": f"{other}/x.parquet",
        "above": "../other/x.parquet",
        "address": f"file://{other}/x.parquet",
        "encoded": "%2e%2e/other/x.parquet",
        "link": "x.parquet",
    }[how]
    if how == "link":
        (table / "x.parquet").symlink_to(other / "x.parquet")

    def change(action: dict[str, Any]) -> None:
        if "add" in action:
            action["add"]["path"] = path

    rewrite(table, change)
    with engine_over(tmp_path) as engine:
        error = failure(engine, delta_of(table))
    assert isinstance(error, SourceInvalid | SourceUnavailable)
    tell_nothing(error, tmp_path, SECRET)
    assert file.exists()


@pytest.mark.parametrize("feature", ["columnMapping", "typeWidening", "v2Checkpoint", "unheard"])
def test_features_that_are_not_read(tmp_path: Path, feature: str) -> None:
    """Are refused: rows could mean something else by them."""
    write_deltalake(tmp_path, words(1))

    def change(action: dict[str, Any]) -> None:
        if "protocol" in action:
            action["protocol"] = {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": [feature],
                "writerFeatures": [feature],
            }

    rewrite(tmp_path, change)
    with engine_over(tmp_path) as engine:
        assert isinstance(failure(engine, delta_of(tmp_path)), SourceInvalid)


@pytest.mark.parametrize("how", ["none", "gap", "junk"])
def test_a_log_that_is_broken(tmp_path: Path, how: str) -> None:
    """Is an error, not a part of the rows."""
    for number in range(3):
        write_deltalake(tmp_path, words(number), mode="append")
    commits = sorted((tmp_path / "_delta_log").glob("*.json"))
    if how == "none":
        for commit in commits:
            commit.unlink()
    elif how == "gap":
        commits[1].unlink()
    else:
        commits[1].write_text(f'{{"add": {{"path": "{SECRET}')
    with engine_over(tmp_path) as engine:
        error = failure(engine, delta_of(tmp_path))
    assert isinstance(error, SourceInvalid | SourceUnavailable)
    tell_nothing(error, tmp_path, SECRET)


def test_a_broken_data_file(tmp_path: Path) -> None:
    """Is an error as that of any other Parquet file."""
    write_deltalake(tmp_path, words(1))
    (file,) = tmp_path.glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-20])
    with engine_over(tmp_path) as engine:
        tell_nothing(failure(engine, delta_of(tmp_path)), tmp_path)
