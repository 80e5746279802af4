"""Tables over files of every format: defined by a statement, governed, and read by everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from doors.doors import Wanted, every_answer
from doors.servers import TrialServer
from doors.steward import Steward, unique
from privet.model.errors import Forbidden, InvalidRequest, NotFound
from query.platforms import Person, Place, open_place
from scan.writing import STORED_AS, WRITERS

TABLES = ("delta", "iceberg")
"""What is no single file."""

SECRET = "555-0123-SECRET"
WHO = pa.struct([("name", pa.string()), ("phone", pa.string())])
ROWS = pa.table(
    {
        "id": pa.array(range(6), pa.int64()),
        "who": pa.array([{"name": f"n{i}", "phone": SECRET} for i in range(6)], WHO),
        "words": pa.array([["a", None], [], None, ["b"], [], []], pa.list_(pa.string())),
        "mrn": [f"MRN-{i:05}" for i in range(6)],
        "opted_out": pa.array([0, 1, 0, 0, None, 1], pa.int64()),
    }
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform with a database `d` and some tags."""
    with open_place(tmp_path_factory.mktemp("formats")) as place:
        place.platform.catalog.databases.create("d", by="root")
        place.tags("phi.mrn", "phi.phone")
        yield place


def stored(form: str) -> str:
    """What the format of files with an ending is called in statements."""
    return STORED_AS[form.partition(".")[0]]


def folder_of(place: Place, form: str, table: pa.Table = ROWS) -> Path:
    """A new folder with one file."""
    folder = place.lake / place.unique("files")
    folder.mkdir()
    WRITERS[form](table, folder / f"part.{form}")
    return folder


def made(place: Place, rest: str) -> str:
    """A new table, given by what follows its name."""
    name = f"d.{place.unique('t')}"
    statement = f"CREATE EXTERNAL TABLE {name} {rest}"
    assert place.services.statements.execute(place.admin.caller, statement).message == "done"
    return name


def in_order(table: pa.Table) -> list[dict[str, Any]]:
    """The rows by their `id`: files of a table have no order."""
    return sorted(table.to_pylist(), key=lambda row: row["id"])


def reader_of(place: Place, name: str, clauses: str = "") -> Person:
    """Somebody who may read a table."""
    return place.person(f"GRANT SELECT ON TABLE {name} {clauses}")


@pytest.mark.parametrize("form", WRITERS)
def test_a_table_is_what_was_written(place: Place, form: str) -> None:
    """Without columns in the statement: those of the files, and every cell."""
    name = made(place, f"STORED AS {stored(form)} LOCATION '{folder_of(place, form)}'")
    assert in_order(place.scan(reader_of(place, name), name)) == ROWS.to_pylist()


@pytest.mark.parametrize("form", WRITERS)
def test_a_policy_on_what_is_inside(place: Place, form: str) -> None:
    """A tag on a field inside hides its column at the table itself; filters and tokens work."""
    columns = (
        "(id BIGINT, who STRUCT<name: STRING, phone: STRING ATTRIBUTE phi.phone>,"
        " mrn STRING ATTRIBUTE phi.mrn, opted_out BIGINT)"
    )
    folder = folder_of(place, form)
    name = made(place, f"{columns} STORED AS {stored(form)} LOCATION '{folder}'")
    reader = reader_of(
        place,
        name,
        "HAVING ATTRIBUTE NOT IN (phi.phone) TRANSFORM phi.mrn WITH tokenize()"
        " WHERE opted_out != 1",
    )
    seen = place.scan(reader, name)
    assert seen.column_names == ["id", "mrn", "opted_out"]
    assert sorted(seen["id"].to_pylist()) == [0, 2, 3]
    assert not set(seen["mrn"].to_pylist()) & set(ROWS["mrn"].to_pylist())
    whole = place.ask(reader, f"SELECT count(*), max(id) FROM {name}")
    assert whole.rows == [(3, 3)]
    refused = place.ask(reader, f"SELECT who.name FROM {name}")
    assert refused.error is not None
    assert not any(SECRET.encode() in part for part in refused.received())


@pytest.mark.parametrize("form", WRITERS)
def test_what_is_said_has_to_be_so(place: Place, form: str) -> None:
    """A table is not made over files of another format, or without a declared column."""
    folder = folder_of(place, form)
    other = next(each for each in STORED_AS.values() if each != stored(form))
    for rest in (f"STORED AS {other}", "(none BIGINT)"):
        with pytest.raises(InvalidRequest):
            made(place, f"{rest} LOCATION '{folder}'")


@pytest.mark.parametrize("form", WRITERS)
def test_a_statement_makes_the_table_again(place: Place, form: str) -> None:
    """What SHOW CREATE TABLE gives is a statement for the same table."""
    name = made(place, f"LOCATION '{folder_of(place, form)}'")
    execute = place.services.statements.execute
    shown = execute(place.admin.caller, f"SHOW CREATE TABLE {name}").rows
    text = "\n".join(row[0] for row in shown)
    execute(place.admin.caller, f"DROP TABLE {name}")
    execute(place.admin.caller, text)
    assert in_order(place.scan(reader_of(place, name), name)) == ROWS.to_pylist()


@pytest.mark.parametrize("form", [form for form in STORED_AS if form not in TABLES])
def test_like_a_file(place: Place, form: str) -> None:
    """The columns of another file are those of the table."""
    other = folder_of(place, form, ROWS.select(["mrn"]))
    folder = folder_of(place, form)
    name = made(place, f"LIKE {stored(form)} '{other}/part.{form}' LOCATION '{folder}'")
    assert place.scan(reader_of(place, name), name).column_names == ["mrn"]


def first_version(folder: Path, form: str) -> str:
    """What the first version of a table is called."""
    if form == "delta":
        return "0"
    newest = max((folder / "metadata").glob("*.metadata.json"))
    return str(json.loads(newest.read_text())["snapshots"][0]["snapshot-id"])


@pytest.mark.parametrize("form", TABLES)
def test_a_version_that_a_steward_chose(place: Place, form: str) -> None:
    """Is what everybody reads, whatever was written since, and what SHOW CREATE TABLE says."""
    folder = folder_of(place, form)
    version = first_version(folder, form)
    properties = f"TBLPROPERTIES ('read.version' = '{version}')"
    name = made(place, f"LOCATION '{folder}' {properties}")
    reader = reader_of(place, name)
    assert place.scan(reader, name).num_rows == 3
    WRITERS[form](ROWS, folder / "more")
    assert place.scan(reader, name).num_rows == 3
    (shown,) = place.services.statements.execute(
        place.admin.caller, f"SHOW CREATE TABLE {name}"
    ).rows
    assert f"'read.version'='{version}'" in shown[0]
    with pytest.raises(InvalidRequest):
        made(place, f"LOCATION '{folder_of(place, form)}' TBLPROPERTIES ('read.version' = '77')")
    with pytest.raises(InvalidRequest):
        made(place, f"LOCATION '{folder_of(place, 'parquet')}' {properties}")


@pytest.mark.parametrize("form", ["parquet", *TABLES])
def test_files_of_a_table_of_a_log_are_not_handed_out(place: Place, form: str) -> None:
    """Whoever reads all of it does not read the rows that it no longer has."""
    folder = folder_of(place, form)
    name = made(place, f"LOCATION '{folder}'")
    file = next(folder.glob("**/*.parquet"))
    reader = place.person(f"GRANT ALL ON TABLE {name}", f"GRANT SELECT ON URI 'file://{folder}'")
    if form == "parquet":
        assert place.services.files.issue_key(reader.caller, str(file))
        return
    with pytest.raises(Forbidden):
        place.services.files.issue_key(reader.caller, str(file))
    assert place.services.files.issue_key(place.admin.caller, str(file))


def test_hidden_and_absent_read_alike(place: Place) -> None:
    """Whatever the files are."""
    name = made(place, f"LOCATION '{folder_of(place, 'json')}'")
    nobody = place.person()
    for asked in (name, "d.none"):
        with pytest.raises(NotFound):
            place.scan(nobody, asked)


@pytest.mark.service
@pytest.mark.parametrize("form", WRITERS)
def test_every_door(server: TrialServer, steward: Steward, form: str) -> None:
    """Crawled, registered and scanned: each door gives the same governed rows."""
    name, database = unique("t"), steward.database()
    folder = server.lake / name
    folder.mkdir()
    WRITERS[form](ROWS, folder / f"part.{form}")
    found = steward.crawl(folder)
    steward.register(found, database)
    dataset = f"{database}.{name}"
    steward.ensure_tag("phi.phone_number")
    steward.sql(f"ALTER TABLE {dataset} ADD COLUMN ATTRIBUTE who.phone phi.phone_number")
    reader = steward.reader(
        f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE NOT IN (phi.phone_number)"
        " WHERE opted_out != 1"
    )
    for door, answer in every_answer(server, reader.token, Wanted(dataset)).items():
        assert answer.table is not None, (door, answer)
        assert sorted(answer.table.column("id").to_pylist()) == [0, 2, 3], door
        assert "who" not in answer.table.column_names
        assert not any(SECRET.encode() in part for part in answer.received), door


STAND_IN = (
    "(col ARRAY<STRING>) PARTITIONED BY (x INT) STORED AS TEXTFILE LOCATION '{}'"
    " TBLPROPERTIES('spark.sql.sources.provider'='{}', 'okera.{}.infer-schema'='{}')"
)


@pytest.mark.parametrize(("form", "property_of"), [("delta", "delta"), ("parquet", "spark-table")])
def test_what_spark_wrote_down_for_hive(place: Place, form: str, property_of: str) -> None:
    """Its properties count where one asks for it: the columns are those of the files.

    Else, and with what is no format of files, the stand-in does not fit the files.
    """
    folder = folder_of(place, form)
    said = STAND_IN.format(folder, form, property_of, "true")
    if form == "parquet":
        said = said.replace("PARTITIONED BY (x INT)", "")
    name = made(place, said)
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    assert place.scan(reader, name).column_names == ROWS.column_names
    for asked, provider in (("false", form), ("true", "jdbc")):
        other = STAND_IN.format(folder_of(place, form), provider, property_of, asked)
        with pytest.raises(InvalidRequest):
            made(place, other)
