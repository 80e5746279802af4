"""Folders that no dataset is of, for crawlers to find something in."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fastavro import parse_schema, writer

_PILLS = 42
_AVRO: dict[str, Any] = {"type": "record", "name": "row", "fields": [
    {"name": "id", "type": "long"}, {"name": "word", "type": "string"},
]}  # fmt: skip
_DOCUMENTED = {
    **_AVRO,
    "doc": "This dataset stores what users agreed to.",
    "fields": [
        {"name": "uid", "type": "string", "doc": "The user."},
        {"name": "email", "type": "boolean", "doc": "Indicates if the user may be written to."},
    ],
}
_PAID = {
    **_AVRO,
    "doc": "This dataset stores what was paid.",
    "fields": [
        *({"name": name, "type": "string"} for name in ("txnid", "day", "sku", "userid", "price")),
        {"name": "ccn", "type": "string", "doc": "The credit card number, in clear."},
    ],
}
_ENUM: dict[str, Any] = {
    **_AVRO,
    "fields": [
        {"name": "enum1", "type": {"type": "enum", "name": "e", "symbols": ["A", "B", "UNKNOWN"]}}
    ],
}
_PARTS = range(0, 50_000, 101)
"""Of which 9999 is the last by name."""
_ROWS: list[dict[str, Any]] = [{"id": n, "word": f"word {n}"} for n in range(5)]


def write(lake: Path) -> None:
    """Write the files below the folder that holds a folder for each bucket."""
    test, customers = lake / "cerebrodata-test", lake / "cerebro-customers"
    nations = "n_nationkey,n_name,n_regionkey,n_comment\n0,ALGERIA,0,first\n1,ARGENTINA,1,second\n"
    _file(test / "tpch-nation-integration-test" / "nation.csv", nations)
    _file(test / "hidden_files_only" / ".hidden.csv", "a,b\n1,2\n")
    _file(test / "tpch_nation" / "nation.csv", "s,n,t,d\n0,ALGERIA,0,first\n1,ARGENTINA,1,x\n")
    for table in ("one", "two"):
        for year in (2016, 2017):
            _file(test / "partitions-test2" / table / f"year={year}" / "d.csv", "a,b\n1,x\n")
    _file(test / "alltypes-parquet" / "d.parquet", _parquet())
    for part in _PARTS:
        _file(test / "partitioned_flat_50000" / f"part={part}" / "data_0.csv", "id,word\n1,a\n")
    for name in ("atp", "topbabynamesbystate"):
        _file(test / "crawler_flat_structure" / f"{name}.csv", "year,name\n2019,one\n2020,two\n")
    agreed = [{"uid": f"u{n}", "email": n % 2 == 0} for n in range(5)]
    comments = test / "crawler-schema-comments"
    _file(comments / "avro_whitelist" / "rows.avro", _avro(_DOCUMENTED, agreed))
    _file(comments / "avro_no_comments" / "rows.avro", _avro(_AVRO, _ROWS))
    paid = {"day": "2020-04-01", "sku": "s", "userid": "u", "price": "1.5"}
    cards = [{**paid, "txnid": str(n), "ccn": f"{4_539_797_705_756_008 + n}"} for n in range(9)]
    _file(lake / "okera-datalake" / "gdpr-avro" / "transactions" / "rows.avro", _avro(_PAID, cards))
    enums = test / "avro_test" / "enums" / "bad-enums"
    _file(enums / "bad_enums_1.avro", _avro_of_one(_ENUM, bytes([2 * 10])))
    for folder in ("first", "second"):
        _file(test / "crawler_dupe_names" / folder / "transactions" / "t.csv", "id,price\n1,2.5\n")
    _file(test / "put-test2" / "d.csv", "id,word\n1,a\n2,b\n")
    _file(test / "long-col-names" / "d.csv", f"id,{'c' * 300}\n1,a\n")
    _file(lake / "cerebro-datasets" / "empty-json" / "empty.json", "")
    _file(
        lake / "cerebro-datasets" / "cedilla_sample" / "d.txt", "id\u00e7word\n1\u00e7a\n2\u00e7b\n"
    )
    _file(
        lake / "okera-demo" / "consent-management" / "whitelist" / "w.csv",
        "uid,email,phone\nu1,true,false\nu2,false,false\nu3,true,true\n",
    )
    _file(customers / "chase" / "zd1475" / "dotted" / "d.csv", "a.b,c\n1,x\n")
    _file(customers / "chase" / "zd1475" / "plain" / "d.csv", "a,c\n1,x\n")
    _file(lake / "cerebro-test-kevin" / "covid_19_daily" / "a.csv", "day,cases\n2020-04-01,17\n")
    columns = "\t".join(f"column{n}" for n in range(_PILLS))
    pills = "\t".join(str(n) for n in range(_PILLS))
    _file(lake / "cerebro-test-kevin" / "dea_pain_pills" / "p.tsv", f"{columns}\n{pills}\n")
    bare = lake / "okera-ui" / "autotagger" / "no-postfix"
    _file(bare / "csv" / "rows", "id,word\n1,a\n2,b\n")
    _file(bare / "json" / "rows", "".join(json.dumps(row) + "\n" for row in _ROWS))
    _file(bare / "parquet" / "rows", _parquet())
    _file(bare / "avro" / "rows", _avro(_AVRO, _ROWS))


def _parquet() -> bytes:
    into = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(_ROWS), into)
    return into.getvalue()


def _avro(schema: dict[str, Any], rows: list[dict[str, Any]]) -> bytes:
    into = io.BytesIO()
    writer(into, parse_schema(schema), rows)
    return into.getvalue()


def _avro_of_one(schema: dict[str, Any], row: bytes) -> bytes:
    """A container of one row in bytes as they are, which may be none of the schema."""
    empty = _avro(schema, [])
    sync = empty[-16:]
    return empty + bytes([2, 2 * len(row)]) + row + sync


def _file(file: Path, content: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
