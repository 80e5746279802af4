"""What a crawl describes, a scan reads in the same way: same files, rows, names and types."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.connector import Connectors
from privet.crawler import crawl, sample_source
from privet.enforcement import enforce
from privet.model.datasets import Dataset
from privet.model.decisions import Facts
from privet.model.names import DatasetName
from privet.model.principals import Principal
from privet.model.requests import ScanRequest
from privet.policy import decide
from privet.scan import Engine, run

NAME = DatasetName("db", "t")
FILES = {
    "cp1252": "id;nä me;x\n1;'é;€';1.5\n2;'b';\n".encode("cp1252"),
    "utf16": "id\tn\n1\tü\n2\tx\n".encode("utf-16"),
    "mark": b"\xef\xbb\xbfid,t\n1,a\n",
    "no header": b"1,x\n2,y\n",
    "newlines": b'"i\nd",t\n1,"a\nb"\n2,c\n',
    "returns": b"id,t\r1,a\r2,b\r",
    "types": b"i,d,b,dt,ts,tz,z\n"
    b"1,1.5,true,2024-01-01,2024-01-01 10:00:00,2024-01-01T10:00:00Z,01\n"
    b"NA,,false,,,,\n",
    "header alone": b"a,b\n",
    "index": b",a\n0,x\n1,y\n",
    "trailing": b"a,b,\n1,2,\n3,4,\n",
    "letter": 'idçnä me\n1çx\n2ç"yçz"\n'.encode(),
    "letter of latin": "idþt\n1þx\n2þy\n".encode("cp1252"),
    "one column": b"word\nfoo\nbar\n",
}


def scanned_and_sampled(folder: Path) -> tuple[pa.Table, pa.Table]:
    connectors = Connectors([folder])
    (found,) = crawl(connectors, str(folder), ())
    assert found.problem == ""
    dataset = Dataset("1", NAME, found.source, found.columns)
    facts = Facts(1, NAME, dataset)
    decision = decide(Principal("admin", admin=True), facts, datetime(2026, 1, 1, tzinfo=UTC))
    plan = enforce(decision, ScanRequest(NAME), lambda *_, **__: bytes(32))
    engine = Engine(connectors)
    with run(plan, engine, lambda *_: None, check=lambda: None) as stream:
        batches = list(stream)
    engine.close()
    sample = sample_source(connectors, found.source, found.columns)
    return pa.Table.from_batches(batches, None if batches else sample.schema), sample


@pytest.mark.parametrize("kind", FILES)
def test_csv(tmp_path: Path, kind: str) -> None:
    """Each dialect, encoding and type: the scan's rows are those that the crawl looked at."""
    (tmp_path / "a.csv").write_bytes(FILES[kind])
    scanned, sampled = scanned_and_sampled(tmp_path)
    assert scanned.to_pylist() == sampled.to_pylist()
    assert scanned.schema.types == sampled.schema.types


def test_partitioned_parquet(tmp_path: Path) -> None:
    """Encoded and nested columns, and a partition that is NULL."""
    cells = pa.array(["a", None]).dictionary_encode()
    lists = pa.array([["a"], []], pa.large_list(pa.large_string()))
    for value in ("1", "__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / f"k={value}").mkdir()
        table = pa.table({"X y": cells, "lists": lists, "nothing": pa.nulls(2)})
        pq.write_table(table, tmp_path / f"k={value}" / "a.parquet")
    scanned, sampled = scanned_and_sampled(tmp_path)
    assert scanned.num_rows == 4
    assert scanned.to_pylist() == sampled.to_pylist()
    assert scanned.schema.types == sampled.schema.types
