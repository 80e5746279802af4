"""CSV that is not as registered: an error that tells no value, and no cell in a wrong place."""

from __future__ import annotations

import csv
import gzip
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from enforcement.plans import column
from privet.model.datasets import Column, plain_type
from privet.model.errors import SchemaChanged, SourceInvalid, SourceUnavailable
from privet.scan import csv_blocks
from scan.sources import csv_of, engine_over, failure, rows_of, scan, tell_nothing, texts

NUMBERS = (column("n", pa.int64()), column("t", pa.string()))
SECRET = "hidden-cell-4711"


def written(folder: Path, content: str | bytes, name: str = "part.csv") -> Path:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


@pytest.mark.parametrize(
    "content",
    [
        f"n,t\n1,a\n2,{SECRET},extra\n",
        f"n,t\n1,a\n{SECRET}\n",
        f'n,t\n1,a\n2,"{SECRET}\n',
    ],
    ids=["too many fields", "too few fields", "a quote never closed"],
)
def test_broken_records(tmp_path: Path, content: str) -> None:
    """Nothing is skipped or filled up: the scan ends, and the message holds no cell."""
    with engine_over(written(tmp_path, content)) as engine:
        error = failure(engine, csv_of(tmp_path, *NUMBERS))
    assert isinstance(error, SourceInvalid)
    assert "record" in error.message
    tell_nothing(error, tmp_path, SECRET, "extra")


STRAY = 'n,t\n1,x"\n'


@pytest.mark.parametrize("block", [1, 2, 3, 7, 4096])
@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (STRAY + f'2,"b\n3,{SECRET}\n', False),
        (STRAY + f'2,"b,{SECRET}', False),
        (STRAY + f'2,"b""\n3,{SECRET}\n', False),
        (STRAY + '2,"b""\n"\n3,"""', False),
        (STRAY + '2,"b""\n"\n3,x""\n', True),
        (STRAY + '2,""\n3,""""\n4,"c"\n', True),
        (STRAY + '"2","c"', True),
    ],
)
def test_a_quote_without_end_behind_a_stray_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, content: str, whole: bool
) -> None:
    """What follows an open quote would be one cell, hidden rows and all: it is refused."""
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", block)
    monkeypatch.setattr(csv_blocks, "FIRST_BYTES", 4)
    with engine_over(written(tmp_path, content)) as engine:
        if whole:
            expected = list(csv.reader(io.StringIO(content, newline="")))[1:]
            found = rows_of(scan(engine, csv_of(tmp_path, *NUMBERS)))
            assert found == [(int(n), t) for n, t in expected]
        else:
            error = failure(engine, csv_of(tmp_path, *NUMBERS))
            assert "has no end" in error.message
            tell_nothing(error, tmp_path, SECRET)


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.int64(), pa.int8(), pa.uint32(), pa.float64(), pa.bool_(), pa.date32()),
        *(pa.timestamp("us"), pa.decimal128(10, 2), pa.time32("s")),
    ],
    ids=str,
)
def test_values_of_another_type(tmp_path: Path, kind: pa.DataType) -> None:
    """The column and its type are named; the value, which may be anybody's, is not."""
    written(tmp_path, f"n,t\n,a\n{SECRET},b\n")
    columns = (column("n", kind), column("t", pa.string()))
    with engine_over(tmp_path) as engine:
        error = failure(engine, csv_of(tmp_path, *columns))
    assert error.message == f"a value of column `n` is no {kind}"
    tell_nothing(error, tmp_path, SECRET)


def test_values_beyond_the_registered_type(tmp_path: Path) -> None:
    """An integer that does not fit is no integer of that column; it does not wrap around."""
    with engine_over(written(tmp_path, "n\n1\n128\n")) as engine:
        error = failure(engine, csv_of(tmp_path, column("n", pa.int8())))
    assert isinstance(error, SourceInvalid)
    tell_nothing(error, tmp_path, "128")


def test_a_hidden_column_is_not_named(tmp_path: Path) -> None:
    """A filter may read a column that its reader does not see: the message does not show it."""
    written(tmp_path, f"n,phone\n1,{SECRET}\n")
    data = csv_of(tmp_path, column("n", pa.int64()), column("phone", pa.int64(), "phi.phone"))
    grant = "GRANT SELECT ON TABLE db.t HAVING ATTRIBUTE NOT IN (phi.phone) WHERE phone > 1"
    with engine_over(tmp_path) as engine:
        error = failure(engine, data, grant)
        assert "phone" not in str(error)
        tell_nothing(error, tmp_path, SECRET)
        narrow = failure(engine, data, "GRANT SELECT ON TABLE db.t WHERE phone > 1", columns=("n",))
        assert "phone" not in str(narrow)


@pytest.mark.parametrize("header", ["t,m", "t", f"{SECRET},t", "T,N"])
def test_a_registered_column_is_gone(tmp_path: Path, header: str) -> None:
    """Missing or renamed, also only in its case, also one that nobody asked for: it is changed."""
    with engine_over(written(tmp_path, f"{header}\n1,2\n")) as engine:
        for request in ({}, {"columns": ("t",)}):
            error = failure(engine, csv_of(tmp_path, *NUMBERS), **request)
            assert isinstance(error, SchemaChanged)
            tell_nothing(error, tmp_path, SECRET)


def test_a_header_that_names_a_column_twice(tmp_path: Path) -> None:
    """Which of the two was reviewed cannot be told."""
    with engine_over(written(tmp_path, "n,t,n\n1,a,2\n")) as engine:
        error = failure(engine, csv_of(tmp_path, *NUMBERS))
    assert isinstance(error, SchemaChanged)
    assert "twice" in error.message


@pytest.mark.parametrize("content", ["c,d,e\n", "c,d\n", "c\n"])
def test_without_a_header_positions_are_checked(tmp_path: Path, content: str) -> None:
    """More or fewer fields than were registered are an error: by position nothing may move."""
    data = csv_of(tmp_path, *texts("c1", "c2"), header=False)
    with engine_over(written(tmp_path, content)) as engine:
        if content.count(",") == 1:
            assert rows_of(scan(engine, data)) == [("c", "d")]
        else:
            assert isinstance(failure(engine, data), SchemaChanged | SourceInvalid)


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("n,t\n1,é\n".encode("latin-1"), {}),
        (b"n,t\n1,\xff\xfe\xff\n", {}),
        (b"n,t\n1,a\n", {"encoding": "utf-16"}),
        ("n,t\n1,a\n".encode("utf-16")[:-1], {"encoding": "utf-16"}),
        (b"n,t\n1,\x81\n", {"encoding": "cp1252"}),
    ],
)
def test_another_encoding(tmp_path: Path, content: bytes, options: dict[str, Any]) -> None:
    """Bytes that are no text in the registered encoding are not guessed at."""
    with engine_over(written(tmp_path, content)) as engine:
        error = failure(engine, csv_of(tmp_path, *NUMBERS, **options))
    assert isinstance(error, SourceInvalid | SchemaChanged)
    tell_nothing(error, tmp_path)


@pytest.mark.parametrize("damage", ["no gzip", "cut", "altered"])
def test_broken_compression(tmp_path: Path, damage: str) -> None:
    """A file that cannot be unpacked to its end is no file with fewer rows."""
    content = b"n,t\n" + b"".join(b"%d,%s\n" % (i, SECRET.encode()) for i in range(5000))
    packed = gzip.compress(content)
    broken = {
        "no gzip": content,
        "cut": packed[: len(packed) // 2],
        "altered": packed[:200] + bytes(50) + packed[250:],
    }[damage]
    written(tmp_path, broken, "part.csv.gz")
    with engine_over(tmp_path) as engine:
        error = failure(engine, csv_of(tmp_path, *NUMBERS, compression="gzip"))
    assert isinstance(error, SourceInvalid | SourceUnavailable | SchemaChanged)
    tell_nothing(error, tmp_path, SECRET)


def test_a_record_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: a quote that is opened and never closed does not read on for ever."""
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 1024)
    monkeypatch.setattr(csv_blocks, "FIRST_BYTES", 4)
    monkeypatch.setattr(csv_blocks, "LONGEST_RECORD", 8192)
    with engine_over(written(tmp_path, 'n,t\n1,"' + "x\n" * 50_000)) as engine:
        error = failure(engine, csv_of(tmp_path, *NUMBERS))
    assert "longer than can be read" in error.message
    tell_nothing(error, tmp_path)


def test_a_header_that_cannot_be_read(tmp_path: Path) -> None:
    """A first field beyond every limit is told as such."""
    with engine_over(written(tmp_path, "n" * 200_000 + ",t\n1,a\n")) as engine:
        error = failure(engine, csv_of(tmp_path, *NUMBERS))
    assert isinstance(error, SourceInvalid | SchemaChanged)
    assert "nnn" not in error.message


def test_types_are_the_registered_ones(tmp_path: Path) -> None:
    """Nothing is inferred: text stays text, and each type reads its own spelling."""
    columns: tuple[Column, ...] = (
        column("code", pa.string()),
        column("b", pa.bool_()),
        column("f", pa.float64()),
        column("d", pa.decimal128(10, 2)),
    )
    written(tmp_path, "code,b,f,d\n007,true,1e3,1.50\n1e3,0,-0.5,2\n")
    with engine_over(tmp_path) as engine:
        table = scan(engine, csv_of(tmp_path, *columns))
    assert rows_of(table) == [
        ("007", True, 1000.0, Decimal("1.50")),
        ("1e3", False, -0.5, Decimal("2.00")),
    ]


def test_nothing_is_there_any_more(tmp_path: Path) -> None:
    """An emptied folder, a removed one, and one with hidden files only: the source is gone."""
    folder = tmp_path / "lake-folder"
    folder.mkdir()
    data = csv_of(folder, *NUMBERS)
    with engine_over(tmp_path) as engine:
        for _ in range(2):
            error = failure(engine, data)
            assert isinstance(error, SourceUnavailable)
            tell_nothing(error, folder)
            written(folder, "n,t\n1,a\n", "_marker.csv")
        (folder / "_marker.csv").unlink()
        folder.rmdir()
        error = failure(engine, data)
        assert isinstance(error, SourceUnavailable)
        tell_nothing(error, folder)


def test_a_link_or_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    """A file that became a link to elsewhere is not followed, and its name is not told."""
    (tmp_path / "secrets").mkdir()
    written(tmp_path / "secrets", f"n,t\n1,{SECRET}\n")
    folder = tmp_path / "lake-folder"
    folder.mkdir()
    (folder / "part.csv").symlink_to(tmp_path / "secrets" / "part.csv")
    with engine_over(folder) as engine:
        error = failure(engine, csv_of(folder, *NUMBERS))
    tell_nothing(error, folder, SECRET, "secrets", "part.csv")


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.float16(), pa.float32(), pa.date64(), pa.binary(), pa.null(), pa.duration("s")),
        *(pa.time64("ns"), pa.timestamp("ns", tz="Europe/Berlin"), pa.month_day_nano_interval()),
        *(pa.large_string(), pa.string_view(), pa.decimal32(5, 2), pa.decimal256(50, 2)),
        *(pa.binary(4), pa.list_(pa.int8()), pa.struct([("a", pa.int8())]), pa.uint64()),
    ],
    ids=str,
)
def test_every_type_that_a_steward_can_give(tmp_path: Path, kind: pa.DataType) -> None:
    """A column either is of its type or the scan fails with a typed error that shows no cell."""
    written(tmp_path, f"n,t\n,x\n{SECRET},y\n")
    data = csv_of(tmp_path, column("n", kind), column("t", pa.string()))
    plain = plain_type(kind)
    with engine_over(tmp_path) as engine:
        if pa.types.is_string(plain) or pa.types.is_binary(plain):
            assert scan(engine, data)["n"].type == plain
        else:
            error = failure(engine, data)
            assert isinstance(error, SourceInvalid)
            tell_nothing(error, tmp_path, SECRET)
