"""Tables of Delta Lake that somebody made to end the server, or to show what was deleted."""

from __future__ import annotations

import base64
import json
import struct
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from pyroaring import BitMap

from privet.connector import Connectors
from privet.crawler import crawl
from privet.model.errors import SchemaChanged, SourceInvalid
from privet.scan.lakes import delta_vectors
from scan.delta_tables import COLUMNS, delete_by_vector, delta_of, ids, rewrite, words, z85
from scan.sources import engine_over, failure, tell_nothing

MAGIC = struct.pack("<i", 1681511377)


def table_of(folder: Path, *deleted: int) -> Path:
    """Ten rows, some of them deleted by a vector."""
    write_deltalake(folder, words(*range(10)))
    return delete_by_vector(folder, *deleted)


def described(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """A change of the vector that an action describes."""

    def changed(action: dict[str, Any]) -> None:
        if "add" in action:
            change(action["add"]["deletionVector"])

    return changed


def refused(folder: Path) -> None:
    """See that neither a scan nor a crawl reads a table, and that both say so."""
    with engine_over(folder) as engine:
        error = failure(engine, delta_of(folder))
    assert isinstance(error, SourceInvalid)
    tell_nothing(error, folder)


def put_vector(folder: Path, body: bytes, cardinality: int) -> None:
    """Another vector, with a right length and checksum, in place of a table's own."""
    (file,) = folder.glob("*.bin")
    frame = struct.pack(">I", len(body)) + body + struct.pack(">I", zlib.crc32(body))
    file.write_bytes(b"\x01" + frame)
    rewrite(
        folder,
        described(lambda v: v.update(sizeInBytes=len(body), cardinality=cardinality)),
        1,
    )


@pytest.mark.parametrize("key", [1, 1_000_000, 2**32 - 1])
def test_a_few_bytes_that_claim_the_end_of_the_world(tmp_path: Path, key: int) -> None:
    """Are an error, of the scan; a crawl goes on with what else there is."""
    bad, good = tmp_path / "bad", tmp_path / "good"
    table_of(bad, 0)
    body = MAGIC + struct.pack("<QI", 1, key) + BitMap([1]).serialize()
    put_vector(bad, body, 1)
    refused(bad)
    write_deltalake(good, words(1))
    found = crawl(Connectors([tmp_path]), f"file://{tmp_path}", ())
    assert "good" in {str(d.name).rpartition(".")[2] for d in found}


def test_places_in_numbers_that_no_memory_holds(tmp_path: Path) -> None:
    """Are an error, though a megabyte of runs claims them rightly."""
    table_of(tmp_path, 0)
    everything = BitMap()
    everything.add_range(0, 2**32 - 1)
    everything.run_optimize()
    put_vector(tmp_path, MAGIC + struct.pack("<QI", 1, 0) + everything.serialize(), 2**32 - 1)
    refused(tmp_path)


def test_a_place_beyond_the_file(tmp_path: Path) -> None:
    """Is an error: the vector is another file's."""
    table_of(tmp_path, 3, 10)
    refused(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"cardinality": 3},
        {"sizeInBytes": 37},
        {"sizeInBytes": 1 << 30},
        {"sizeInBytes": "36"},
        {"offset": 0},
        {"offset": 2},
        {"offset": 1 << 31},
        {"pathOrInlineDv": "short"},
        {"pathOrInlineDv": ""},
        {"storageType": "x"},
        {"storageType": None},
    ],
)
def test_a_log_that_says_other_than_the_vector(tmp_path: Path, change: dict[str, Any]) -> None:
    """Is an error: which rows are deleted is not known."""
    table_of(tmp_path, 0, 1)
    rewrite(tmp_path, described(lambda v: v.update(change)), 1)
    refused(tmp_path)


def test_a_vector_that_is_no_object(tmp_path: Path) -> None:
    """Is an error, not a file without deleted rows."""
    table_of(tmp_path, 0, 1)

    def change(action: dict[str, Any]) -> None:
        if "add" in action:
            action["add"]["deletionVector"] = []

    rewrite(tmp_path, change, 1)
    refused(tmp_path)


@pytest.mark.parametrize("where", ["passwd", "inside", "above"])
def test_vectors_of_elsewhere(tmp_path: Path, where: str) -> None:
    """Are never opened: by an address, one of the table's own folder too, or through `..`."""
    table = tmp_path / "lake-4711"
    vector = table_of(table, 0, 1)
    path = {
        "passwd": "file:///etc/passwd",
        "inside": f"file://{vector}",
        "above": "../" + z85(uuid.UUID(vector.stem.rpartition("_")[2]).bytes),
    }[where]
    kind = "u" if where == "above" else "p"
    rewrite(table, described(lambda v: v.update(storageType=kind, pathOrInlineDv=path)), 1)
    refused(table)


def test_a_vector_in_a_folder_of_the_table(tmp_path: Path) -> None:
    """Is read: its folder stands before its identifier."""
    vector = table_of(tmp_path, 0, 1)
    (tmp_path / "aB-9").mkdir()
    vector.rename(tmp_path / "aB-9" / vector.name)
    rewrite(tmp_path, described(lambda v: v.update(pathOrInlineDv="aB-9" + v["pathOrInlineDv"])), 1)
    assert ids(tmp_path) == list(range(2, 10))


@pytest.mark.parametrize("places", [(0, 1), (9,), (0, 2, 4, 6, 8)])
def test_a_vector_in_the_log(tmp_path: Path, places: tuple[int, ...]) -> None:
    """Is read as one in a file."""
    vector = table_of(tmp_path, *places)
    body = vector.read_bytes()[5:-4]
    vector.unlink()

    def inline(told: dict[str, Any]) -> None:
        told.update(storageType="i", pathOrInlineDv=z85(body + bytes(-len(body) % 4)))
        del told["offset"]

    rewrite(tmp_path, described(inline), 1)
    assert ids(tmp_path) == [i for i in range(10) if i not in places]
    DeltaTable(tmp_path).create_checkpoint()
    assert ids(tmp_path) == [i for i in range(10) if i not in places]


@pytest.mark.parametrize("text", ["~" * 55, "0" * 54, "0" * 55, "#" * 55, "é" * 55])
def test_a_vector_in_the_log_that_is_none(tmp_path: Path, text: str) -> None:
    """Is an error."""
    table_of(tmp_path, 0)
    rewrite(
        tmp_path,
        described(lambda v: v.update(storageType="i", pathOrInlineDv=text, sizeInBytes=44)),
        1,
    )
    refused(tmp_path)


@pytest.mark.parametrize(
    "path",
    ["./p", "x/../p", "%2e/p", "x/%2e%2e/p", "x//p", "x/%2E%2e/p", "p/", "%2e%2e%2fp", "%ff"],
)
def test_paths_that_are_spelled_otherwise(tmp_path: Path, path: str) -> None:
    """Are an error: what is known of deleted rows goes by the path."""
    table = tmp_path / "lake-4711"
    write_deltalake(table, words(*range(10)))
    (file,) = table.glob("*.parquet")
    file.rename(table / "p")

    def change(action: dict[str, Any]) -> None:
        if "add" in action:
            action["add"]["path"] = path

    rewrite(table, change)
    delete_by_vector(table, 0, 1, 2)
    refused(table)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a b", "a%20b"),
        ("a b", "a b"),
        ("a%20b", "a%2520b"),
        ("k=x%3Ay/p", "k=x%253Ay/p"),
        ("k=\u00fc/p", "k=%C3%BC/p"),
        ("k=\u00fc/p", "k=\u00fc/p"),
        ("a+b", "a+b"),
        ("...", "..."),
    ],
)
def test_deleted_rows_of_files_with_odd_names(tmp_path: Path, name: str, path: str) -> None:
    """Are left out, however the log encodes the name."""
    write_deltalake(tmp_path, words(*range(10)))
    (file,) = tmp_path.glob("*.parquet")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    file.rename(tmp_path / name)

    def change(action: dict[str, Any]) -> None:
        if "add" in action:
            action["add"]["path"] = path

    rewrite(tmp_path, change)
    delete_by_vector(tmp_path, 0, 1, 2)
    assert ids(tmp_path) == list(range(3, 10))


@pytest.mark.parametrize("second", ["p", "%70"])
def test_a_file_that_is_added_twice(tmp_path: Path, second: str) -> None:
    """Once with deleted rows and once without is an error, also by two spellings."""
    write_deltalake(tmp_path, words(*range(10)))
    (file,) = tmp_path.glob("*.parquet")
    file.rename(tmp_path / "p")
    rewrite(tmp_path, lambda a: a["add"].update(path="p") if "add" in a else None)
    delete_by_vector(tmp_path, 0)
    log = tmp_path / "_delta_log" / f"{1:020}.json"
    added = json.loads(log.read_text().splitlines()[-1])["add"]
    del added["deletionVector"]
    log.write_text(log.read_text() + "\n" + json.dumps({"add": {**added, "path": second}}))
    refused(tmp_path)


def test_a_key_that_is_written_otherwise(tmp_path: Path) -> None:
    """Names a vector as well."""
    table_of(tmp_path, 0, 1)
    log = tmp_path / "_delta_log" / f"{1:020}.json"
    log.write_text(log.read_text().replace('"deletionVector"', '"deletionV\\u0065ctor"'))
    assert ids(tmp_path) == list(range(2, 10))


def test_checkpoints_name_vectors(tmp_path: Path) -> None:
    """Without the commits before them, and together with those after."""
    table_of(tmp_path, 0, 1)
    DeltaTable(tmp_path).create_checkpoint()
    write_deltalake(tmp_path, words(20), mode="append")
    first, second, third = sorted((tmp_path / "_delta_log").glob("*.json"))
    first.unlink()
    second.unlink()
    assert ids(tmp_path) == [*range(2, 10), 20]
    third.unlink()
    assert ids(tmp_path) == list(range(2, 10))


def test_a_vector_in_place_of_another(tmp_path: Path) -> None:
    """Is the one that counts, in whatever order a commit says so; a version has its own."""
    table_of(tmp_path, 0, 1)
    log = tmp_path / "_delta_log"
    before = json.loads((log / f"{1:020}.json").read_text().splitlines()[-1])["add"]
    delete_by_vector(tmp_path, 0, 1, 2)
    after = json.loads((log / f"{1:020}.json").read_text().splitlines()[-1])["add"]
    gone = {**before, "deletionTimestamp": 1, "dataChange": True}
    for name in ("stats", "modificationTime"):
        gone.pop(name, None)
    first = [{"remove": {**gone, "deletionVector": None}}, {"add": before}]
    (log / f"{1:020}.json").write_text("\n".join(map(json.dumps, first)))
    for order in (1, -1):
        actions = [{"remove": gone}, {"add": after}][::order]
        (log / f"{2:020}.json").write_text("\n".join(map(json.dumps, actions)))
        assert ids(tmp_path) == list(range(3, 10))
        assert ids(tmp_path, version="1") == list(range(2, 10))
    DeltaTable(tmp_path).create_checkpoint()
    assert ids(tmp_path) == list(range(3, 10))


def test_a_checkpoint_that_is_newer_than_the_commits(tmp_path: Path) -> None:
    """Is the newest version: what it no longer has is not shown."""
    for number in range(5):
        write_deltalake(tmp_path, words(number), mode="append")
    DeltaTable(tmp_path).delete("id = 2")
    DeltaTable(tmp_path).create_checkpoint()
    log = tmp_path / "_delta_log"
    for commit in log.glob("*.json"):
        if int(commit.stem) >= 4:
            commit.unlink()
    assert ids(tmp_path) == [0, 1, 3, 4]
    (checkpoint,) = log.glob("*.checkpoint.parquet")
    for name in ("1".zfill(10) + "." + "2".zfill(10), str(uuid.uuid4())):
        checkpoint.rename(log / f"{5:020}.checkpoint.{name}.parquet")
        refused(tmp_path)
        checkpoint = next(log.glob("*.checkpoint.*"))


def test_only_vectors_that_are_named_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others may lie there in any number and size."""
    named = table_of(tmp_path, 0)
    other = tmp_path / "zzz" / f"deletion_vector_{uuid.uuid4()}.bin"
    other.parent.mkdir()
    with other.open("wb") as file:
        file.truncate(1 << 40)
    opened: list[str] = []
    real = Connectors.open_file

    def noted(self: Connectors, uri: str) -> pa.NativeFile:
        opened.append(uri)
        return real(self, uri)

    monkeypatch.setattr(Connectors, "open_file", noted)
    assert ids(tmp_path) == list(range(1, 10))
    assert [uri for uri in opened if uri.endswith(".bin")] == [f"file://{named.resolve()}"]


def test_alphabets(tmp_path: Path) -> None:
    """Differ between the two ways of 85 characters; what is decoded is Delta's."""
    table_of(tmp_path, 0)
    every = bytes(range(256))
    assert base64.b85encode(every).decode() != z85(every)
    assert delta_vectors.decoded(z85(every)) == every


def test_a_column_of_another_type_is_not_named(tmp_path: Path) -> None:
    """To whom it is hidden, as a condition or as a part of a struct."""
    table = pa.table({"id": [1], "word": ["x"]})
    write_deltalake(tmp_path, table)
    (file,) = tmp_path.glob("*.parquet")
    pq.write_table(pa.table({"id": pa.array([1], pa.int64()), "word": [5]}), file)
    with engine_over(tmp_path) as engine:
        error = failure(
            engine, delta_of(tmp_path, *COLUMNS), "GRANT SELECT(id) ON TABLE db.t WHERE word = 'x'"
        )
    assert isinstance(error, SchemaChanged)
    assert "word" not in f"{error.message} {error.hint}"
