"""From JSON lines to columns: types wide enough for the sample, and what cannot be registered."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from privet.classifier import BUILTIN_RULES
from privet.connector import Connectors
from privet.crawler import crawl, sample_source
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Format

ROW = b'{"id": 1, "who": {"email": "a@example.org", "tags": ["x"]}, "n": 1}\n'


def found_in(folder: Path, *files: bytes, name: str = "part{}.json") -> FoundDataset:
    for number, content in enumerate(files):
        (folder / name.format(number)).write_bytes(content)
    (found,) = crawl(Connectors([folder]), str(folder), BUILTIN_RULES)
    return found


def types(found: FoundDataset) -> dict[str, str]:
    assert found.problem == ""
    return {c.source_name: str(c.type) for c in found.columns}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2"], "int64"),
        (["1", "2.5", "null"], "double"),
        ([str(2**53 + 1)], "int64"),
        ([str(2**53 + 1), "0.5"], "string"),
        ([str(2**64)], "string"),
        (["1" * 100], "string"),
        (["true", "null"], "bool"),
        (["true", "1"], "string"),
        (['"a"', "1"], "string"),
        (['"2024-01-01"'], "string"),
        (["null"], "string"),
        (["[]"], "list<item: string>"),
        (["[1, null]", "[2.5]"], "list<item: double>"),
        (["[1]", "[[1]]"], "list<item: string>"),
        (["{}"], "string"),
        (['{"a": 1}', '{"b": [true]}'], "struct<a: int64, b: list<item: bool>>"),
        (['{"a": 1}', "7"], "string"),
        (["[" * 40 + "]" * 40], "list<item: " * 16 + "string" + ">" * 16),
        (["NaN", "1.0"], "double"),
    ],
)
def test_types(tmp_path: Path, values: list[str], kind: str) -> None:
    """The narrowest type that holds every value as it is written; else text, which holds all."""
    lines = "\n".join(f'{{"x": {value}}}' for value in values)
    found = found_in(tmp_path, lines.encode())
    expected = kind
    if kind.count("list") == 16:
        depth = str(found.columns[0].type).count("list")
        assert 10 < depth <= 17
        return
    assert types(found) == {"x": expected}


def test_many_names_are_values(tmp_path: Path) -> None:
    """An object whose names differ from row to row is a map, not thousands of fields."""
    lines = "\n".join(f'{{"x": {{"k{i}": {i}}}}}' for i in range(400))
    assert types(found_in(tmp_path, lines.encode())) == {"x": "map<string, int64>"}


def test_files_are_taken_together(tmp_path: Path) -> None:
    """What one lacks is NULL there; a type holds the values of both."""
    found = found_in(tmp_path, ROW, b'{"id": 1.5, "who": {"no": 1}, "more": "x"}\n')
    assert types(found) == {
        "id": "double",
        "who": "struct<email: string, tags: list<item: string>, no: int64>",
        "n": "int64",
        "more": "string",
    }
    sample = sample_source(Connectors([tmp_path]), found.source, found.columns)
    assert sample["id"].to_pylist() == [1.0, 1.5]
    assert sample["more"].to_pylist() == [None, "x"]


def test_tags_of_what_is_inside(tmp_path: Path) -> None:
    """A rule that finds an address in a field tags the column."""
    found = found_in(tmp_path, ROW * 20)
    tagged = {c.name: {str(t.tag) for t in c.field_tags} for c in found.columns}
    assert tagged["who"] == {"pii.email"}


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("a.json", bytes),
        ("a.jsonl", bytes),
        ("a.ndjson", bytes),
        ("a.json.gz", gzip.compress),
        ("a.jsonl.bz2", bz2.compress),
        ("a.json.zst", lambda data: pa.Codec("zstd").compress(data).to_pybytes()),
        ("noending", bytes),
        ("a.txt", bytes),
        ("lying.csv", bytes),
        ("lying.json", gzip.compress),
    ],
)
def test_names_and_compressions(
    tmp_path: Path, name: str, packed: Callable[[bytes], bytes]
) -> None:
    """It is the content that says what a file is."""
    found = found_in(tmp_path, packed(ROW * 3), name=name)
    assert types(found)["who"].startswith("struct")
    assert found.source.format is Format.JSON
    sample = sample_source(Connectors([tmp_path]), found.source, found.columns)
    assert sample.num_rows == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[\n" + ROW + b"]\n", "line 1 is no JSON object"),
        (b'{\n"id": 1\n}\n', "line 1 is no JSON object"),
        (b'{"id": 1, "id": 2}\n', "has a field twice"),
        (b'{"id": {"a": 1}}\n{"id": "SECRET}\n', "line 2 is no JSON object"),
        (b"id,name\n1,SECRET\n", "line 1 is no JSON object"),
        (b"\n \n", "holds no objects"),
        (b"{}\n", "has no columns"),
        (b'{"a\\u0000b": 1}\n', "NUL"),
        (b'{"a": "' + b"x" * (2 << 20) + b'"}\n', "first line"),
        (b'{"a": "\x00SECRET"}\n', "neither text"),
    ],
)
def test_what_cannot_be_registered(tmp_path: Path, content: bytes, says: str) -> None:
    """The problem says why, and holds no cell."""
    found = found_in(tmp_path, content)
    assert says in found.problem
    assert "SECRET" not in found.problem
    assert found.source.format is Format.JSON


@pytest.mark.parametrize(
    "content", [gzip.compress(ROW * 9)[:-30], b"BZh91AY&SY junk", b"\x28\xb5\x2f\xfdjunk"]
)
def test_broken_compression(tmp_path: Path, content: bytes) -> None:
    """Is a problem of its dataset."""
    assert found_in(tmp_path, content).problem


def test_a_bomb_is_looked_at_no_further_than_anything_else(tmp_path: Path) -> None:
    """A few bytes of compressed blanks do not become all their blanks."""
    packed = pa.Codec("zstd").compress(ROW * 3_000_000).to_pybytes()
    assert types(found_in(tmp_path, packed))["id"] == "int64"


def test_some_compressed_and_some_not(tmp_path: Path) -> None:
    """Is a problem: a scan reads all of them in one way."""
    found = found_in(tmp_path, ROW, gzip.compress(ROW))
    assert "conflicting compression" in found.problem
