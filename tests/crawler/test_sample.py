"""Samples of described sources: for re-crawls and previews."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.connector import Connectors
from privet.crawler import crawl, sample, sample_source
from privet.model.crawling.crawls import FoundDataset
from privet.model.errors import NotFound, SchemaChanged, SourceInvalid


def describe(folder: Path) -> tuple[Connectors, FoundDataset]:
    connectors = Connectors([folder])
    (found,) = crawl(connectors, str(folder), ())
    assert found.problem == ""
    return connectors, found


def test_csv_rows_have_the_described_names_and_types(tmp_path: Path) -> None:
    """From several compressed and partitioned files, as many rows as asked for."""
    for year in (2023, 2024):
        file = tmp_path / f"year={year}" / "a.csv.gz"
        file.parent.mkdir()
        file.write_bytes(gzip.compress(f"Some Id;t\n1;é{year}\n2;NA\n".encode("cp1252")))
    connectors, found = describe(tmp_path)
    table = sample_source(connectors, found.source, found.columns, limit=3)
    assert table.to_pylist() == [
        {"some_id": 1, "t": "é2023", "year": 2023},
        {"some_id": 2, "t": "NA", "year": 2023},
        {"some_id": 1, "t": "é2024", "year": 2024},
    ]


def test_parquet_rows_are_plain(tmp_path: Path) -> None:
    """Encodings are undone, and the limit holds."""
    cells = pa.array(["a", None, "b"]).dictionary_encode()
    pq.write_table(pa.table({"X.y": cells, "n": [1, 2, 3]}), tmp_path / "a.parquet")
    connectors, found = describe(tmp_path)
    table = sample_source(connectors, found.source, found.columns, limit=2)
    assert table.schema.types == [pa.string(), pa.int64()]
    assert table.to_pylist() == [{"x_y": "a", "n": 1}, {"x_y": None, "n": 2}]


def test_a_sample_of_long_texts_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file can hold any amount of the same text; a sample takes some of it."""
    monkeypatch.setattr(sample, "_MOST_BYTES", 100_000)
    pq.write_table(pa.table({"n": range(2000), "t": ["x" * 1000] * 2000}), tmp_path / "a.parquet")
    connectors, found = describe(tmp_path)
    table = sample_source(connectors, found.source, found.columns)
    assert 100 <= table.num_rows < 200
    assert table["n"].to_pylist() == list(range(table.num_rows))


def test_headerless_rows_are_bound_by_position(tmp_path: Path) -> None:
    """Also when only some columns are asked for."""
    (tmp_path / "a.csv").write_text("1,x\n2,y\n")
    connectors, found = describe(tmp_path)
    table = sample_source(connectors, found.source, found.columns[1:])
    assert table.to_pylist() == [{"c2": "x"}, {"c2": "y"}]


def test_a_source_that_changed_is_a_typed_error_without_a_cell(tmp_path: Path) -> None:
    """A missing column, another type, a missing folder: each its own error."""
    file = tmp_path / "a.csv"
    file.write_text("id,n\n1,2\n")
    connectors, found = describe(tmp_path)
    file.write_text("id\n1\n")
    with pytest.raises(SchemaChanged, match="`n`"):
        sample_source(connectors, found.source, found.columns)
    file.write_text("id,n\n1,secret\n")
    with pytest.raises(SourceInvalid) as raised:
        sample_source(connectors, found.source, found.columns)
    assert "secret" not in str(raised.value)
    file.unlink()
    assert sample_source(connectors, found.source, found.columns).num_rows == 0
    tmp_path.rmdir()
    with pytest.raises(NotFound):
        sample_source(connectors, found.source, found.columns)
