"""Tables of Iceberg: as of one snapshot, without deleted rows, and no file from elsewhere."""

from __future__ import annotations

import gzip
import json
import shutil
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    _manifest_cache,
    clear_manifest_cache,
)
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DoubleType, LongType, StringType
from pyroaring import BitMap

from enforcement.plans import column, dataset, plan
from privet.connector import Connectors, address_of
from privet.crawler.formats import look_at_lake
from privet.model.datasets import Column, Dataset, Format
from privet.model.errors import (
    NotFound,
    PrivetError,
    SchemaChanged,
    SourceInvalid,
    SourceUnavailable,
)
from privet.scan.lakes.iceberg.deletes import Deletes
from scan.iceberg_deletes import commit_deletes
from scan.sources import engine_over, failure, rows_of, scan, started, tell_nothing

SECRET = "hidden-cell-4711"
INNER = pa.struct([("a", pa.int32()), ("b", pa.list_(pa.struct([("c", pa.string())])))])
SCHEMA = pa.schema([("id", pa.int64()), ("word", pa.string()), ("at", INNER)])
COLUMNS = (column("id", pa.int64()), column("word", pa.string()))


def rows(*ids: int) -> pa.Table:
    """Rows with nested values and NULLs in them."""
    made = [
        {
            "id": i,
            "word": f"w{i}" if i % 3 else None,
            "at": {"a": i, "b": [{"c": f"c{i}"}, None]} if i % 4 else None,
        }
        for i in ids
    ]
    return pa.Table.from_pylist(made, SCHEMA)


@contextmanager
def catalog_in(folder: Path) -> Iterator[SqlCatalog]:
    """A catalog of its own, whose tables lie in a folder."""
    found = SqlCatalog("c", uri="sqlite://", warehouse=f"file://{folder}")
    try:
        found.create_namespace("n")
        yield found
    finally:
        found.engine.dispose()


@contextmanager
def made(folder: Path, schema: Any = SCHEMA, **options: Any) -> Iterator[Table]:
    """A new table at `folder`."""
    with catalog_in(folder.parent) as catalog, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield catalog.create_table("n.t", schema, location=f"file://{folder}", **options)


def iceberg_of(folder: Path, *columns: Column, **options: Any) -> Dataset:
    """A table of a folder."""
    uri = f"file://{folder.resolve()}"
    if "field_ids" not in options:
        version = options.get("version")
        with suppress(SourceInvalid, SourceUnavailable, NotFound):
            found = look_at_lake(Connectors([folder.parent]), uri, Format.ICEBERG, version)
            options |= found.options
    return dataset(*(columns or COLUMNS), uri=uri, kind=Format.ICEBERG, options=options)


def ids(folder: Path, *grants: str, **options: Any) -> list[int]:
    """The rows that a scan gives, by `id`."""
    with engine_over(folder.parent) as engine:
        return sorted(scan(engine, iceberg_of(folder, **options), *grants)["id"].to_pylist())


def test_rows_are_those_of_the_newest_snapshot(tmp_path: Path) -> None:
    """Appended, deleted, overwritten; a steward may have chosen another."""
    folder = tmp_path / "t"
    with made(folder) as table:
        assert ids(folder) == []
        table.append(rows(1, 2, 3))
        first = table.current_snapshot()
        table.append(rows(4))
        table.delete("id = 2")
        assert ids(folder) == [1, 3, 4]
        table.overwrite(rows(9))
        assert ids(folder) == [9]
        assert first is not None
        assert ids(folder, version=str(first.snapshot_id)) == [1, 2, 3]
    with engine_over(tmp_path) as engine:
        assert isinstance(failure(engine, iceberg_of(folder, version="77")), SourceInvalid)


def test_nested_cells(tmp_path: Path) -> None:
    """Are what was written, also in part."""
    folder = tmp_path / "t"
    with made(folder) as table:
        table.append(rows(*range(50)))
    columns = tuple(column(f.name, f.type) for f in SCHEMA)
    with engine_over(tmp_path) as engine:
        assert (
            scan(engine, iceberg_of(folder, *columns)).to_pylist() == rows(*range(50)).to_pylist()
        )
        narrow = column("at", pa.struct([("a", pa.int32())]))
        out = scan(engine, iceberg_of(folder, narrow))
        assert out["at"].to_pylist()[3:5] == [{"a": 3}, None]


def test_columns_that_changed(tmp_path: Path) -> None:
    """Renamed, widened, added and dropped, at any depth: old files are read as the table is now.

    A name that was another column's before does not bring its cells back.
    """
    folder = tmp_path / "t"
    with made(folder) as table:
        table.append(rows(1, 2))
        before = table.current_snapshot()
        with table.update_schema() as update:
            update.rename_column("word", "name")
            update.add_column("more", DoubleType())
            update.rename_column("at.a", "number")
            update.update_column("at.a", LongType())
            update.add_column(("at", "new"), StringType())
        with table.update_schema() as update:
            update.add_column("word", StringType())
        inner = {"number": 2**40, "b": [{"c": "x"}], "new": "n"}
        late = {"id": 3, "name": "z", "at": inner, "more": 1.5, "word": "fresh"}
        table.append(pa.Table.from_pylist([late], table.schema().as_arrow()))
        kind = pa.struct(
            [("number", pa.int64()), ("b", INNER.field("b").type), ("new", pa.string())]
        )
        columns = (
            COLUMNS[0],
            column("name", pa.string()),
            column("at", kind),
            column("more", pa.float64()),
            column("word", pa.string()),
        )
        with engine_over(tmp_path) as engine:
            found = sorted(rows_of(scan(engine, iceberg_of(folder, *columns))))
            filtered = "GRANT SELECT ON TABLE db.t WHERE word = 'w1'"
            assert scan(engine, iceberg_of(folder, *columns), filtered).num_rows == 0
            filtered = "GRANT SELECT ON TABLE db.t WHERE name = 'w1'"
            assert scan(engine, iceberg_of(folder, *columns), filtered)["id"].to_pylist() == [1]
            assert isinstance(
                failure(engine, iceberg_of(folder, column("gone", pa.int64()))), SchemaChanged
            )
        assert found == [
            (1, "w1", {"number": 1, "b": [{"c": "c1"}, None], "new": None}, None, None),
            (2, "w2", {"number": 2, "b": [{"c": "c2"}, None], "new": None}, None, None),
            (3, "z", inner, 1.5, "fresh"),
        ]
        assert before is not None
        assert ids(folder, version=str(before.snapshot_id)) == [1, 2]


def test_only_files_that_may_hold_rows_are_opened(tmp_path: Path) -> None:
    """By partitions and by statistics: other files need not even be there."""
    folder = tmp_path / "t"
    with made(folder) as table:
        with table.update_spec() as update:
            update.add_field("word", IdentityTransform())
        table.append(rows(*range(1, 30)))
    for file in folder.glob("data/**/*.parquet"):
        if pq.read_table(file)["word"].to_pylist()[0] != "w7":
            file.unlink()
    for filter_ in ("word = 'w7'", "word IN ('w7', 'none')", "id = 7 AND word = 'w7'"):
        assert ids(folder, f"GRANT SELECT ON TABLE db.t WHERE {filter_}") == [7]
    with engine_over(tmp_path) as engine:
        assert isinstance(failure(engine, iceberg_of(folder)), SourceUnavailable)


# ---- deleted rows


def delete_places(table: Table, folder: Path, *places: int) -> Path:
    """Commit a file of deletes for the table's only data file, as other writers do."""
    (task,) = table.scan().plan_files()
    path = task.file.file_path
    deletes = pa.table(
        {"file_path": [path] * len(places), "pos": pa.array(places, pa.int64())},
        schema=pa.schema(
            [
                pa.field("file_path", pa.string(), metadata={"PARQUET:field_id": "2147483546"}),
                pa.field("pos", pa.int64(), metadata={"PARQUET:field_id": "2147483545"}),
            ]
        ),
    )
    target = folder / "data" / "deletes.parquet"
    pq.write_table(deletes, target)
    commit_deletes(table, target, len(places))
    return target


def test_rows_deleted_by_their_places(tmp_path: Path) -> None:
    """Are not there; if the list cannot be read, the scan fails."""
    folder = tmp_path / "t"
    with made(folder) as table:
        table.append(rows(*range(100)))
        target = delete_places(table, folder, 0, 7, 55, 99)
    left = [i for i in range(100) if i not in {0, 7, 55, 99}]
    assert ids(folder) == left
    assert ids(folder, "GRANT SELECT ON TABLE db.t WHERE id > 53 AND id < 57") == [54, 56]
    target.write_bytes(target.read_bytes()[:-9])
    with engine_over(tmp_path) as engine:
        assert isinstance(failure(engine, iceberg_of(folder)), SourceInvalid | SourceUnavailable)
        target.unlink()
        assert isinstance(failure(engine, iceberg_of(folder)), SourceUnavailable)


def test_places_beyond_the_rows(tmp_path: Path) -> None:
    """Are those of another file: the list is not taken for fewer deleted rows."""
    folder = tmp_path / "t"
    with made(folder) as table:
        table.append(rows(*range(10)))
        delete_places(table, folder, 3, 10)
    with engine_over(tmp_path) as engine:
        assert isinstance(failure(engine, iceberg_of(folder)), SourceInvalid)


def puffin(path: str, *places: int) -> bytes:
    """A file of Puffin with one deletion vector."""
    bitmap = struct.pack("<q", 1) + struct.pack("<i", 0) + BitMap(places).serialize()
    body = b"\xd1\xd3\x39\x64" + bitmap
    blob = struct.pack(">i", len(body)) + body + struct.pack(">I", zlib.crc32(body))
    told = {
        "type": "deletion-vector-v1",
        "fields": [2147483645],
        "snapshot-id": -1,
        "sequence-number": -1,
        "offset": 4,
        "length": len(blob),
        "properties": {"referenced-data-file": path, "cardinality": str(len(places))},
    }
    footer = json.dumps({"blobs": [told], "properties": {}}).encode()
    end = struct.pack("<i", len(footer)) + bytes(4) + b"PFA1"
    return b"PFA1" + blob + b"PFA1" + footer + end


def test_deletion_vectors(tmp_path: Path) -> None:
    """Give the places of rows by the data file that they are of; broken ones are an error."""
    content = puffin("file:///t/a.parquet", 3, 5, 70_000)
    file = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=f"file://{tmp_path}/v.puffin",
        file_format=FileFormat.PUFFIN,
    )
    (tmp_path / "v.puffin").write_bytes(content)
    root, connectors = f"file://{tmp_path}", Connectors([tmp_path])
    places = Deletes(connectors, root).of(file, "file:///t/a.parquet")
    assert places.tolist() == [3, 5, 70_000]
    assert Deletes(connectors, root).of(file, "file:///t/b.parquet").tolist() == []
    for broken in (content[:-3], content[:20], b"", content.replace(b"PFA1", b"PFA2")):
        (tmp_path / "v.puffin").write_bytes(broken)
        with pytest.raises((SourceInvalid, SourceUnavailable)):
            Deletes(connectors, root).of(file, "file:///t/a.parquet")


# ---- what must not be


def vector_of(bitmap: bytes, cardinality: int, *, times: int = 1, **told: Any) -> bytes:
    """A file of Puffin whose vector is as given, right or wrong."""
    body = b"\xd1\xd3\x39\x64" + bitmap
    blob = struct.pack(">i", len(body)) + body + struct.pack(">I", zlib.crc32(body))
    properties = {"referenced-data-file": "file:///t/a.parquet", "cardinality": str(cardinality)}
    one = {
        "type": "deletion-vector-v1", "fields": [1], "snapshot-id": -1, "sequence-number": -1,
        "offset": 4, "length": len(blob), "properties": properties, **told,
    }  # fmt: skip
    footer = json.dumps({"blobs": [one] * times, "properties": {}}).encode()
    return b"PFA1" + blob + b"PFA1" + footer + struct.pack("<i", len(footer)) + bytes(4) + b"PFA1"


SMALL = struct.pack("<q", 1) + struct.pack("<i", 0) + BitMap([3, 5]).serialize()


@pytest.mark.parametrize(
    "content",
    [
        vector_of(struct.pack("<q", 1) + struct.pack("<i", 2**31 - 1) + SMALL[12:], 2),
        vector_of(struct.pack("<q", 2**40) + SMALL[8:], 2),
        vector_of(SMALL, 1),
        vector_of(SMALL, 3),
        vector_of(SMALL, 2, offset=-4),
        vector_of(SMALL, 2, offset=2**40),
        vector_of(SMALL, 2, length=7),
        vector_of(SMALL, 2, times=2),
        vector_of(SMALL, 2, type="other"),
        vector_of(SMALL, 2, **{"compression-codec": "zstd"}),
        vector_of(SMALL, 2).replace(b"\xd1\xd3", b"\xd1\xd4"),
        vector_of(SMALL + b"more", 2),
    ],
    ids=[
        "a high key", "many keys", "one more", "one less", "before", "behind", "no room",
        "twice", "another type", "packed", "another sum", "more bytes",
    ],
)  # fmt: skip
def test_vectors_that_lie(tmp_path: Path, content: bytes) -> None:
    """None takes memory for what it claims, and none is taken for fewer deleted rows."""
    (tmp_path / "v.puffin").write_bytes(content)
    file = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=f"file://{tmp_path}/v.puffin",
        file_format=FileFormat.PUFFIN,
    )
    with pytest.raises(SourceInvalid):
        Deletes(Connectors([tmp_path]), f"file://{tmp_path}").of(file, "file:///t/a.parquet")


def test_manifests_are_those_of_the_table(tmp_path: Path) -> None:
    """The library would keep them by path, and take another table's word for them."""
    clear_manifest_cache()
    folder = tmp_path / "t"
    with made(folder) as table:
        table.append(rows(*range(4)))
    clear_manifest_cache()
    assert ids(folder) == [0, 1, 2, 3]
    assert len(_manifest_cache) == 0


def test_manifests_that_another_table_poisoned(tmp_path: Path) -> None:
    """What the library kept of a manifest's path, from a list that lies of it, is not replayed."""
    clear_manifest_cache()
    folder, other = tmp_path / "t", tmp_path / "other"
    with made(folder) as table:
        table.append(rows(*range(4)))
        table.append(rows(9))
        snapshot = table.current_snapshot()
        assert snapshot is not None
        snapshot.manifests(table.io)
        # The library now keeps them by their paths, for every reader of this process.
        with made(other) as lying:
            lying.append(rows(77))
            found = lying.current_snapshot()
            assert found is not None
            (theirs,) = found.manifests(lying.io)
        kept = _manifest_cache._cache
        assert kept
        for path in list(kept):
            kept[path] = theirs
        for _ in range(2):
            assert ids(folder) == [0, 1, 2, 3, 9]
    clear_manifest_cache()


def test_what_a_pinned_snapshot_spares(tmp_path: Path) -> None:
    """Conditions are about the columns as that snapshot calls them, whatever they became."""
    folder = tmp_path / "t"
    with made(folder) as table:
        with table.update_spec() as update:
            update.add_field("word", IdentityTransform(), "by_word")
        table.append(rows(*range(1, 12)))
        first = table.current_snapshot()
        assert first is not None
        with table.update_schema() as update:
            update.rename_column("word", "old")
            update.rename_column("id", "number")
        with table.update_schema() as update:
            update.add_column("word", StringType())
            update.add_column("id", LongType())
        table.append(
            pa.Table.from_pylist(
                [{"number": 50, "old": "w7", "at": None, "word": "w50", "id": 7}],
                table.schema().as_arrow(),
            )
        )
    pinned = str(first.snapshot_id)
    assert ids(folder, "GRANT SELECT ON TABLE db.t WHERE word = 'w7'", version=pinned) == [7]
    assert ids(folder, "GRANT SELECT ON TABLE db.t WHERE id = 7", version=pinned) == [7]
    assert ids(folder, "GRANT SELECT ON TABLE db.t WHERE word = 'w50'", version=pinned) == []
    for file in folder.glob("data/**/*.parquet"):
        if pq.read_table(file).column(1).to_pylist()[0] != "w7":
            file.unlink()
    assert ids(folder, "GRANT SELECT ON TABLE db.t WHERE word = 'w7'", version=pinned) == [7]


@pytest.mark.parametrize("seed", range(40))
def test_metadata_of_any_kind(tmp_path: Path, seed: int) -> None:
    """Whatever stands in the place of a part of them: the rows, or an error of ours."""
    chance = Random(seed)
    folder = tmp_path / "t"
    with made(folder) as table:
        table.append(rows(1, 2))
        dataset_now = iceberg_of(folder)
    file = Path(table.metadata_location.removeprefix("file://"))
    said = json.loads(file.read_text())
    for _ in range(chance.randint(1, 3)):
        _spoil(said, chance)
    file.write_text(json.dumps(said))
    _rows_or_an_error(tmp_path, dataset_now)


def _spoil(said: Any, chance: Random) -> None:
    """Put something else in the place of a part, at some depth."""
    keys = list(said) if isinstance(said, dict) else list(range(len(said)))
    key = chance.choice(keys)
    if isinstance(said[key], dict | list) and said[key] and chance.random() < 0.7:
        _spoil(said[key], chance)
        return
    others: list[Any] = [
        None, -1, 2**63, 2**70, 1e308, "", "x", [], {}, [[]], True, "decimal(99,1)", "fixed[-1]",
    ]  # fmt: skip
    said[key] = chance.choice(others)


@pytest.mark.parametrize("seed", [*range(40), 330])
def test_manifests_of_any_kind(tmp_path: Path, seed: int) -> None:
    """Bytes that are others, in manifests and their lists: the rows, or an error of ours."""
    chance = Random(seed)
    folder = tmp_path / "t"
    with made(folder) as table:
        table.append(rows(1, 2))
    dataset_now = iceberg_of(folder)
    file = chance.choice(sorted((folder / "metadata").glob("*.avro")))
    content = bytearray(file.read_bytes())
    for _ in range(chance.randint(1, 12)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    file.write_bytes(bytes(content))
    _rows_or_an_error(tmp_path, dataset_now)


def _rows_or_an_error(folder: Path, data: Dataset) -> None:
    with engine_over(folder) as engine:
        stream = started(plan(data, "GRANT SELECT ON TABLE db.t"), engine)
        with suppress(PrivetError), stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for batch in stream:
                assert set(batch.column("id").to_pylist()) <= {1, 2}


def test_metadata_that_become_too_large(tmp_path: Path) -> None:
    """Packed, they are small."""
    folder = tmp_path / "t"
    with made(folder) as table:
        table.append(rows(1, 2))
    (newest,) = sorted((folder / "metadata").glob("00001-*.metadata.json"))
    packed = newest.with_name(newest.name.replace(".metadata.json", ".gz.metadata.json"))
    packed.write_bytes(gzip.compress(newest.read_bytes()))
    content = newest.read_bytes()
    newest.unlink()
    assert ids(folder) == [1, 2]
    packed.write_bytes(gzip.compress(content + b" " * (65 << 20)))
    with engine_over(tmp_path) as engine:
        assert isinstance(failure(engine, iceberg_of(folder)), SourceInvalid)


def test_names_that_come_to_be_of_other_columns(tmp_path: Path) -> None:
    """What was reviewed under a name is never another column's cells, at any depth."""
    folder = tmp_path / "t"
    with made(
        folder, pa.schema([("id", pa.int64()), ("pub", pa.string()), ("sec", pa.string())])
    ) as table:
        table.append(pa.table({"id": [1], "pub": ["open"], "sec": [SECRET]}))
        registered = iceberg_of(folder, column("id", pa.int64()), column("pub", pa.string()))
        with engine_over(tmp_path) as engine:
            assert scan(engine, registered)["pub"].to_pylist() == ["open"]
        with table.update_schema() as update:
            update.rename_column("pub", "old")
            update.rename_column("sec", "pub")
        with engine_over(tmp_path) as engine:
            error = failure(engine, registered)
            assert isinstance(error, SchemaChanged)
            tell_nothing(error, tmp_path)
            never = iceberg_of(folder, column("pub", pa.string()), field_ids={})
            assert isinstance(failure(engine, never), SchemaChanged)


def test_files_of_elsewhere(tmp_path: Path) -> None:
    """Data below another address, or behind a link, is refused."""
    folder = tmp_path / "t"
    with made(folder) as table:
        table.append(rows(1))
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    with engine_over(tmp_path) as engine:
        error = failure(engine, iceberg_of(moved))
        assert isinstance(error, SourceInvalid)
        tell_nothing(error, tmp_path)
        (file,) = folder.glob("data/*.parquet")
        other = tmp_path / "other.parquet"
        file.rename(other)
        file.symlink_to(other)
        error = failure(engine, iceberg_of(folder))
        assert isinstance(error, SourceInvalid | SourceUnavailable)


@pytest.mark.parametrize("how", ["none", "two", "junk", "manifest"])
def test_metadata_that_are_broken(tmp_path: Path, how: str) -> None:
    """Are an error, and never a part of the rows."""
    folder = tmp_path / "t"
    with made(folder) as table:
        table.append(rows(1))
    found = sorted((folder / "metadata").glob("*.metadata.json"))
    if how == "none":
        for each in found:
            each.unlink()
    elif how == "two":
        name = f"{found[-1].name[:6]}00000000-0000-0000-0000-000000000000.metadata.json"
        shutil.copy(found[-1], folder / "metadata" / name)
    elif how == "junk":
        found[-1].write_text(f'{{"{SECRET}": ')
    else:
        (manifest,) = (folder / "metadata").glob("*-m0.avro")
        manifest.write_bytes(manifest.read_bytes()[:-40])
    with engine_over(tmp_path) as engine:
        error = failure(engine, iceberg_of(folder))
    assert isinstance(error, SourceInvalid)
    tell_nothing(error, tmp_path, SECRET)


def test_data_files_without_identifiers(tmp_path: Path) -> None:
    """Are refused: by name, a column that was renamed would come back."""
    folder = tmp_path / "t"
    with made(folder) as table:
        table.append(rows(1))
    (file,) = folder.glob("data/*.parquet")
    pq.write_table(rows(1), file)
    with engine_over(tmp_path) as engine:
        assert isinstance(failure(engine, iceberg_of(folder)), SourceInvalid)


@pytest.mark.parametrize("name", ["s3a://b/k", "s3n://b/k", "s3://b/k", "file:///x", "/x"])
def test_locations_are_spelled_as_ours(name: str) -> None:
    """Hadoop's names of S3 are S3."""
    assert address_of(name) in {"s3://b/k", "file:///x", "/x"}
