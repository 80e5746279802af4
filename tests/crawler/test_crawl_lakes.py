"""Tables of Delta Lake and Iceberg among other folders: one dataset each, taken as a whole."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from privet.classifier import BUILTIN_RULES
from privet.connector import Connectors
from privet.crawler import Given, crawl, look, sample_source
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Format
from scan.writing import WRITERS

LAKES = {"delta": Format.DELTA, "iceberg": Format.ICEBERG}
ROWS = pa.table({"id": [1, 2], "mail": ["a@example.org", "b@example.org"]})


def found_at(folder: Path) -> dict[str, FoundDataset]:
    return {f.name: f for f in crawl(Connectors([folder]), str(folder), BUILTIN_RULES)}


def written(folder: Path, form: str, table: pa.Table = ROWS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    WRITERS[form](table, folder / "x")
    return folder


@pytest.mark.parametrize("form", LAKES)
def test_a_table_is_one_dataset(tmp_path: Path, form: str) -> None:
    """Beside others, and with everything below it."""
    written(tmp_path / "deep" / "table", form)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.csv").write_text("id,name\n1,x\n")
    found = found_at(tmp_path)
    assert list(found) == ["table", "plain"]
    table = found["table"]
    assert (table.problem, table.source.format) == ("", LAKES[form])
    assert table.source.uri == f"file://{tmp_path}/deep/table"
    assert [(c.name, str(c.type)) for c in table.columns] == [("id", "int64"), ("mail", "string")]
    sample = sample_source(Connectors([tmp_path]), table.source, table.columns)
    assert sorted(sample["id"].to_pylist()) == [1, 2]


@pytest.mark.parametrize("form", LAKES)
def test_a_table_can_be_the_address_itself(tmp_path: Path, form: str) -> None:
    """Of a crawl, and of a statement, which may choose a version."""
    folder = written(tmp_path / "t", form)
    assert list(found_at(folder)) == ["t"]
    connectors = Connectors([tmp_path])
    table = look(connectors, str(folder), BUILTIN_RULES)
    assert table is not None
    assert table.problem == ""
    for version in ("99", "-1", "x"):
        chosen = look(connectors, str(folder), BUILTIN_RULES, Given(version=version))
        assert chosen is not None
        assert "version" in chosen.problem or "snapshot" in chosen.problem


@pytest.mark.parametrize("form", LAKES)
def test_a_table_that_cannot_be_read(tmp_path: Path, form: str) -> None:
    """Is a problem without a word of the log; its data files are no dataset of their own."""
    folder = written(tmp_path / "lake" / "t", form)
    for file in (*folder.glob("_delta_log/*.json"), *folder.glob("metadata/*.json")):
        file.write_text('{"SECRET":')
    (found,) = found_at(tmp_path / "lake").values()
    assert found.problem
    assert "SECRET" not in str(found)


@pytest.mark.parametrize("log", ["nothing", "link", "file"])
def test_a_log_that_is_none(tmp_path: Path, log: str) -> None:
    """Does not make plain files of a table of Delta Lake: deleted rows would be back."""
    folder = written(tmp_path / "lake" / "t", "delta")
    moved = tmp_path / "log"
    (folder / "_delta_log").rename(moved)
    if log == "link":
        (folder / "_delta_log").symlink_to(moved)
    elif log == "file":
        (folder / "_delta_log").write_text("x")
    else:
        (folder / "_delta_log").mkdir()
        (folder / "_delta_log" / "_last_checkpoint").write_text("{}")
    (found,) = found_at(tmp_path / "lake").values()
    assert found.source.format is Format.DELTA
    assert found.problem
