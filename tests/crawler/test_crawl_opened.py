"""From Avro, ORC and Arrow IPC to columns: what files say themselves, and what is refused."""

from __future__ import annotations

from pathlib import Path

import fastavro
import pyarrow as pa
import pytest

from privet.classifier import BUILTIN_RULES
from privet.connector import Connectors
from privet.crawler import crawl, sample_source
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Format
from scan.writing import WRITERS, write_avro

OPENED = {
    "avro": Format.AVRO,
    "orc": Format.ORC,
    "arrow": Format.ARROW,
    "arrows": Format.ARROW,
    "feather": Format.ARROW,
}
ROWS = pa.table(
    {
        "Id No": pa.array(range(30), pa.int64()),
        "who": pa.array([{"mail": f"a{i}@example.org"} for i in range(30)]),
        "words": pa.array([["a", None]] * 30, pa.list_(pa.string())),
    }
)


def avro_named(table: pa.Table) -> pa.Table:
    """Names of Avro hold no blanks."""
    return table.rename_columns([name.replace(" ", "_") for name in table.column_names])


def found_in(folder: Path) -> FoundDataset:
    (found,) = crawl(Connectors([folder]), str(folder), BUILTIN_RULES)
    return found


def write(table: pa.Table, path: Path, form: str) -> None:
    WRITERS[form](avro_named(table) if form == "avro" else table, path)


@pytest.mark.parametrize("form", OPENED)
def test_columns_are_those_of_the_file(tmp_path: Path, form: str) -> None:
    """Names, nested types, tags by what is inside, and a sample."""
    write(ROWS, tmp_path / f"a.{form}", form)
    found = found_in(tmp_path)
    assert found.problem == ""
    assert found.source.format is OPENED[form]
    assert [(c.name, str(c.type)) for c in found.columns] == [
        ("id_no", "int64"),
        ("who", "struct<mail: string>"),
        ("words", "list<item: string>"),
    ]
    assert {str(t.tag) for t in found.columns[1].field_tags} == {"pii.email"}
    sample = sample_source(Connectors([tmp_path]), found.source, found.columns, limit=7)
    assert sample["id_no"].to_pylist() == list(range(7))
    assert sample["words"].to_pylist() == [["a", None]] * 7


@pytest.mark.parametrize("form", OPENED)
def test_it_is_the_content_that_says_what_a_file_is(tmp_path: Path, form: str) -> None:
    """Without an ending too; a name that says something else than the content is a problem."""
    write(ROWS, tmp_path / "part", form)
    assert found_in(tmp_path).source.format is OPENED[form]
    (tmp_path / "part").rename(tmp_path / "part.parquet")
    assert "not a Parquet file" in found_in(tmp_path).problem
    (tmp_path / "part.parquet").unlink()
    (tmp_path / f"a.{form}").write_text("id,name\n1,SECRET\n")
    problem = found_in(tmp_path).problem
    assert "is not a" in problem
    assert "SECRET" not in problem


def test_a_text_that_begins_as_orc_does(tmp_path: Path) -> None:
    """Is a text."""
    (tmp_path / "a.csv").write_text("ORCID,name\n1,x\n2,y\n")
    assert [c.name for c in found_in(tmp_path).columns] == ["orcid", "name"]


@pytest.mark.parametrize("form", OPENED)
def test_files_that_are_not_alike(tmp_path: Path, form: str) -> None:
    """In columns, types or format: a problem that names the file."""
    write(ROWS, tmp_path / f"a.{form}", form)
    others = {
        "lacks": ROWS.select(["who", "words"]),
        "conflicting types": ROWS.set_column(2, "words", pa.array(range(30), pa.int64())),
    }
    for says, table in others.items():
        write(table, tmp_path / f"b.{form}", form)
        problem = found_in(tmp_path).problem
        assert says in problem
        assert f"b.{form}" in problem
    other = next(each for each in OPENED if OPENED[each] is not OPENED[form])
    write(ROWS, tmp_path / f"b.{form}", other)
    assert f"`b.{form}`: is not a" in found_in(tmp_path).problem


@pytest.mark.parametrize("form", OPENED)
@pytest.mark.parametrize("part", [0.02, 0.5, 0.95])
def test_files_that_break_off(tmp_path: Path, form: str, part: float) -> None:
    """Are a problem, or have a note that no cells could be looked at."""
    write(ROWS, tmp_path / f"a.{form}", form)
    whole = (tmp_path / f"a.{form}").read_bytes()
    (tmp_path / f"a.{form}").write_bytes(whole[: max(3, int(part * len(whole)))])
    found = found_in(tmp_path)
    assert found.problem or any("no cells" in note for note in found.notes)


@pytest.mark.parametrize(
    "kind",
    [pa.dense_union([pa.field("a", pa.int64())]), pa.run_end_encoded(pa.int32(), pa.int64())],
)
def test_types_that_cannot_be_governed(tmp_path: Path, kind: pa.DataType) -> None:
    """Are a problem that names the column."""
    with pa.ipc.new_stream(tmp_path / "a.arrows", pa.schema([("odd", kind)])):
        pass
    problem = found_in(tmp_path).problem
    assert "`odd`" in problem
    assert "cannot be governed" in problem


def test_partitions(tmp_path: Path) -> None:
    """Are columns, whatever the format."""
    for day in ("1", "2"):
        (tmp_path / f"day={day}").mkdir()
        write_avro(avro_named(ROWS), tmp_path / f"day={day}" / "a.avro")
    found = found_in(tmp_path)
    assert [c.name for c in found.columns if c.partition] == ["day"]
    sample = sample_source(Connectors([tmp_path]), found.source, found.columns)
    assert set(sample["day"].to_pylist()) == {1, 2}


def test_what_a_schema_of_avro_documents(tmp_path: Path) -> None:
    """Is the description of the dataset and the comment of a column; rules see it."""
    fields = [{"name": "id", "type": "long"}, {"name": "c", "type": "string", "doc": "any e-mail"}]
    schema = {"type": "record", "name": "r", "doc": "All of them.", "fields": fields}
    with (tmp_path / "a.avro").open("wb") as file:
        fastavro.writer(file, schema, [{"id": 1, "c": "x"}])
    found = found_in(tmp_path)
    assert found.description == "All of them."
    assert [c.comment for c in found.columns] == ["", "any e-mail"]
    (tmp_path / "a.avro").unlink()
    write(ROWS, tmp_path / "b.avro", "avro")
    assert (found_in(tmp_path).description, found_in(tmp_path).columns[0].comment) == ("", "")
