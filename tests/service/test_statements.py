"""Statements of definition, carried out on a whole platform."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.model.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    PrivetError,
    SchemaChanged,
    UnknownName,
)
from privet.model.names import DatasetName
from privet.service.statements import StatementResult
from query.platforms import Person, Place, open_place

PEOPLE = pa.table(
    {
        "Id": pa.array([1, 2, 3], pa.int64()),
        "Full Name": ["ada", "bob", "cid"],
        "seen": pa.array([1, 2, 3], pa.timestamp("ns", tz="UTC")),
        "at": pa.array([{"City": "x", "no": 1}] * 3),
    }
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform with a database `d` and some tags."""
    with open_place(tmp_path_factory.mktemp("statements")) as place:
        place.platform.catalog.databases.create("d", by="root")
        place.tags("pii.name", "pii.city", "geo.town")
        yield place


def run(place: Place, text: str, person: Person | None = None) -> StatementResult:
    """Carry out a statement, as an administrator unless it is somebody else's."""
    return place.services.statements.execute((person or place.admin).caller, text)


def files(place: Place, table: pa.Table = PEOPLE, below: str = "") -> Path:
    """A folder with one Parquet file."""
    folder = place.lake / place.unique("files")
    (folder / below).mkdir(parents=True)
    pq.write_table(table, folder / below / "part.parquet")
    return folder


def text_files(place: Place, *lines: str) -> Path:
    """A folder with one text file."""
    folder = place.lake / place.unique("texts")
    folder.mkdir()
    (folder / "part.csv").write_text("\n".join(lines) + "\n")
    return folder


def made(place: Place, rest: str) -> str:
    """A new table, given by what follows its name."""
    name = f"d.{place.unique('t')}"
    assert run(place, f"CREATE EXTERNAL TABLE {name} {rest}").message == "done"
    return name


def reader_of(place: Place, name: str, clauses: str = "") -> Person:
    """Somebody who may read a table."""
    return place.person(f"GRANT SELECT ON TABLE {name} {clauses}")


# ---- tables over Parquet


def test_a_table_has_the_columns_of_its_statement(place: Place) -> None:
    """Under folded names, with comments and tags, also those of rules; others are not there."""
    name = made(
        place,
        "(full_name STRING ATTRIBUTE pii.name COMMENT 'who', id BIGINT,"
        " at STRUCT<`City`: STRING ATTRIBUTE pii.city, `no`: BIGINT>)"
        f" ATTRIBUTE geo.town COMMENT 'all of them' STORED AS PARQUET LOCATION '{files(place)}'"
        " TBLPROPERTIES ('made by' = 'us')",
    )
    assert run(place, f"DESCRIBE {name}").rows == (
        ("full_name", "string", "who", "pii.name pii.person_name"),
        ("id", "bigint", "", ""),
        ("at", "struct<`City`:string,`no`:bigint>", "", "pii.city"),
    )
    dataset = place.platform.catalog.datasets.find(DatasetName.parse(name))
    assert dataset is not None
    assert all(column.reviewed for column in dataset.columns)
    assert (dataset.description, dict(dataset.properties)) == ("all of them", {"made by": "us"})
    assert place.scan(reader_of(place, name), name).column("full_name").to_pylist() == [
        "ada",
        "bob",
        "cid",
    ]


def test_without_columns_they_are_those_of_the_files(place: Place) -> None:
    """With `LIKE`, those of another file."""
    whole = made(place, f"LOCATION '{files(place)}'")
    shown = [row[0] for row in run(place, f"DESCRIBE {whole}").rows]
    assert shown == ["id", "full_name", "seen", "at"]
    other, like = files(place), files(place, PEOPLE.select(["Id"]))
    name = made(place, f"LIKE PARQUET '{like}/part.parquet' LOCATION '{other}'")
    assert run(place, f"DESCRIBE {name}").rows == (("id", "bigint", "", ""),)


def test_a_moment_is_of_the_unit_and_zone_of_the_files(place: Place) -> None:
    """Unless a type is written to the letter."""
    name = made(place, f"(seen TIMESTAMP) LOCATION '{files(place)}'")
    assert run(place, f"DESCRIBE {name}").rows[0][1] == "'timestamp[ns, tz=UTC]'"
    assert place.scan(reader_of(place, name), name).num_rows == 3


def test_types_that_the_files_do_not_have_end_scans(place: Place) -> None:
    """The author is told at once; the scan's error is typed."""
    name = f"d.{place.unique('t')}"
    columns = "(id INT, full_name STRING)"
    told = run(place, f"CREATE TABLE {name} {columns} LOCATION '{files(place)}'")
    assert "`id` is bigint in the files and int here" in told.warnings[0]
    assert told.warnings[1] == "rules put tags on columns: full_name pii.person_name"
    with pytest.raises(SchemaChanged):
        place.scan(reader_of(place, name), name)


def test_partitions_are_folders(place: Place) -> None:
    """They are declared in their order, listed with their files, and read by their type."""
    folder = files(place, PEOPLE.select(["Id"]), "year=2024/town=x")
    (folder / "year=2025/town=y").mkdir(parents=True)
    pq.write_table(PEOPLE.select(["Id"]), folder / "year=2025/town=y/part.parquet")
    name = made(place, f"(id BIGINT) PARTITIONED BY (year INT, town STRING) LOCATION '{folder}'")
    shown = run(place, f"SHOW PARTITIONS {name}")
    assert shown.columns == ("year", "town", "files", "bytes")
    assert [row[:3] for row in shown.rows] == [("2024", "x", "1"), ("2025", "y", "1")]
    assert run(place, f"ALTER TABLE {name} RECOVER PARTITIONS").message.startswith("nothing to do")
    for text in ("ADD PARTITION (year=2026, town='z')", "DROP PARTITION (year=2024)"):
        with pytest.raises(InvalidRequest, match="folders named"):
            run(place, f"ALTER TABLE {name} {text}")


def test_readers_see_the_partitions_of_their_rows(place: Place) -> None:
    """Neither those of hidden rows, nor clear values where a transform is."""
    folder = files(place, PEOPLE.select(["Id"]), "town=secret")
    (folder / "town=open").mkdir()
    pq.write_table(PEOPLE.select(["Id"]), folder / "town=open/part.parquet")
    name = made(place, f"(id BIGINT) PARTITIONED BY (town STRING) LOCATION '{folder}'")
    some = reader_of(place, name, "WHERE town = 'open'")
    assert run(place, f"SHOW PARTITIONS {name}", some) == StatementResult(
        "rows", columns=("town",), rows=(("open",),)
    )
    run(place, f"ALTER TABLE {name} ADD COLUMN ATTRIBUTE town pii.city")
    masked = reader_of(place, name, "TRANSFORM pii.city WITH mask()")
    assert run(place, f"SHOW PARTITIONS {name}", masked).rows == (("XXXX",), ("XXXXXX",))
    without = reader_of(place, name, "HAVING ATTRIBUTE NOT pii.city")
    with pytest.raises(InvalidRequest, match="not partitioned"):
        run(place, f"SHOW PARTITIONS {name}", without)


# ---- tables over text


def test_text_with_a_header_is_bound_by_name(place: Place) -> None:
    """Whatever delimits it, and in whatever order the columns are declared."""
    folder = text_files(place, "Name|Born", "ada|1815", "bob|1900")
    name = made(
        place,
        "(born INT, name STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'"
        f" STORED AS TEXTFILE LOCATION '{folder}' TBLPROPERTIES('skip.header.line.count'='1')",
    )
    assert place.scan(reader_of(place, name), name).to_pylist()[0] == {"born": 1815, "name": "ada"}


def test_text_without_a_header_is_bound_by_position(place: Place) -> None:
    """All columns are declared, under any names."""
    folder = text_files(place, "ada|lovelace", "bob|martin")
    clauses = f"LOCATION '{folder}' TBLPROPERTIES('skip.header.line.count'='0')"
    name = made(place, f"(first STRING, last STRING) {clauses}")
    assert place.scan(reader_of(place, name), name).to_pylist()[0] == {
        "first": "ada",
        "last": "lovelace",
    }
    with pytest.raises(InvalidRequest, match="1 columns are declared; the files have 2"):
        run(place, f"CREATE TABLE d.other (first STRING) {clauses}")


def test_what_is_said_of_text_is_not_guessed(place: Place) -> None:
    """A character that no guess would take, and a first line that looks like no header."""
    folder = text_files(place, "ada#x", "bob#y")
    name = made(
        place,
        f"ROW FORMAT DELIMITED FIELDS TERMINATED BY '#' LOCATION '{folder}'"
        " TBLPROPERTIES('skip.header.line.count'='1')",
    )
    assert place.scan(reader_of(place, name), name).to_pylist() == [{"ada": "bob", "x": "y"}]


QUOTES = ("1,'it is", "2,'so'", '3,"said"', '4,"a', "5,b")


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        ("WITH SERDEPROPERTIES('quoteChar'='')", ["'it is", "'so'", '"said"', '"a', "b"]),
        ("TBLPROPERTIES('okera.text-table.default-quote-char'='')", ["'it is", "'so'", '"said"']),
        ("WITH SERDEPROPERTIES('quoteChar'='''')", ["it is\n2,so'", '"said"', '"a', "b"]),
    ],
)
def test_what_quotes_text_is_said(place: Place, clause: str, words: list[str]) -> None:
    """By a property of how it is read or, where that says nothing, by one of the table."""
    folder = text_files(place, "n,word", *(QUOTES if len(words) != 3 else QUOTES[:3]))
    name = made(place, f"(n INT, word STRING) LOCATION '{folder}' {clause}")
    assert place.scan(reader_of(place, name), name)["word"].to_pylist() == words
    if "TBL" not in clause:
        assert_made_again(place, name, folder)


def test_text_is_cut_otherwise_from_now_on(place: Place) -> None:
    """Into the same columns; what would make others is refused, and so is a table of no text."""
    folder = text_files(place, "n,word", '1,"abc', '2,"123')
    name = made(place, f"(n INT, word STRING) LOCATION '{folder}'")
    reader = reader_of(place, name)
    assert place.scan(reader, name).to_pylist() == [{"n": 1, "word": "abc\n2,123"}]
    run(place, f"ALTER TABLE {name} SET SERDEPROPERTIES('quoteChar'='', 'field.delim'=',')")
    assert place.scan(reader, name).to_pylist() == [
        {"n": 1, "word": '"abc'},
        {"n": 2, "word": '"123'},
    ]
    assert "'quoteChar'=''" in run(place, f"SHOW CREATE TABLE {name}").rows[0][0]
    with pytest.raises(InvalidRequest, match="other columns"):
        run(place, f"ALTER TABLE {name} SET SERDEPROPERTIES('field.delim'='|')")
    parquet = made(place, f"LOCATION '{files(place)}'")
    with pytest.raises(InvalidRequest, match="only tables of text"):
        run(place, f"ALTER TABLE {parquet} SET SERDEPROPERTIES('field.delim'='|')")
    with pytest.raises(InvalidRequest, match="nothing is quoted"):
        made(place, f"LOCATION '{files(place)}' WITH SERDEPROPERTIES('quoteChar'='')")


def test_who_cuts_text_otherwise_may_read_all_of_it(place: Place) -> None:
    """To alter the table is not enough: cells come into other columns by it."""
    folder = text_files(place, "open;x,secret;y", "a;b,c;d")
    name = made(place, f"LOCATION '{folder}' WITH SERDEPROPERTIES('field.delim'=';')")
    statement = f"ALTER TABLE {name} SET SERDEPROPERTIES('quoteChar'='')"
    person = place.person(f"GRANT ALTER ON TABLE {name}", f"GRANT SELECT(open) ON TABLE {name}")
    with pytest.raises(Forbidden, match="SELECT on the URI"):
        run(place, statement, person)
    place.grant(f"GRANT SELECT ON URI 'file://{folder}'", person.role)
    # Of what lies below a table, that reads nothing.
    with pytest.raises(Forbidden, match="MANAGE_GRANTS"):
        run(place, statement, person)
    place.grant(f"GRANT MANAGE_GRANTS ON TABLE {name}", person.role)
    with pytest.raises(Forbidden, match="REMOVE_ATTRIBUTE"):
        run(place, statement, person)
    for on in (f"TABLE {name}", "ATTRIBUTE NAMESPACE security"):
        place.grant(f"GRANT REMOVE_ATTRIBUTE ON {on}", person.role)
    assert run(place, statement, person).message == "done"


# ---- what is refused


@pytest.mark.parametrize(
    ("rest", "error", "says", "at"),
    [
        ("(nope INT) LOCATION '{f}'", InvalidRequest, "no column `nope`", "nope"),
        ("", InvalidRequest, "a table has columns", "d."),
        ("(id INT) LOCATION '{f}/none'", NotFound, "/none", "LOCATION"),
        ("(id INT) LOCATION '/etc'", InvalidRequest, "outside", "LOCATION"),
        ("(id INT) LOCATION 'ftp://x/y'", InvalidRequest, "scheme", "LOCATION"),
        ("(id INT) LOCATION '{e}'", InvalidRequest, "no files", "LOCATION"),
        ("(id INT) STORED AS TEXTFILE LOCATION '{f}'", InvalidRequest, "PARQUET", "STORED AS"),
        (
            "(id INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' LOCATION '{f}'",
            InvalidRequest,
            "nothing terminates",
            "ROW FORMAT",
        ),
        (
            "(id INT) PARTITIONED BY (y INT) LOCATION '{f}'",
            InvalidRequest,
            "not in partition folders",
            "PARTITIONED",
        ),
        ("(id INT) LOCATION '{p}'", InvalidRequest, "folders `year`", "LOCATION"),
        ("(id INT ATTRIBUTE no.such) LOCATION '{f}'", UnknownName, "`no.such`", "no.such"),
        ("(id INT) ATTRIBUTE no.such LOCATION '{f}'", UnknownName, "`no.such`", "no.such"),
        (
            "(id INT) LOCATION '{f}' TBLPROPERTIES('skip.header.line.count'='2')",
            InvalidRequest,
            "'0' or '1'",
            "TBLPROPERTIES",
        ),
    ],
)
def test_tables_that_cannot_be(
    place: Place, rest: str, error: type[PrivetError], says: str, at: str
) -> None:
    """The error says why and where, and nothing is made."""
    empty = place.lake / "empty"
    empty.mkdir(exist_ok=True)
    words = {"f": files(place), "e": empty, "p": files(place, PEOPLE, "year=1")}
    text = f"CREATE TABLE d.{place.unique('t')} {rest.format(**words)}"
    with pytest.raises(error, match=re.escape(says)) as caught:
        run(place, text)
    assert caught.value.position is not None
    assert text[caught.value.position.offset :].startswith(at)


def test_a_path_has_one_owner(place: Place) -> None:
    """IF NOT EXISTS is about the name: it does not hide that the path is another's."""
    folder = files(place)
    name = made(place, f"LOCATION '{folder}'")
    again = f"TABLE IF NOT EXISTS d.another LOCATION '{folder}'"
    with pytest.raises(Conflict, match="path"):
        run(place, f"CREATE {again}")
    assert run(place, f"CREATE TABLE IF NOT EXISTS {name} LOCATION '/x'").message == "nothing to do"
    with pytest.raises(Conflict, match="already exists"):
        run(place, f"CREATE TABLE {name} LOCATION '{folder}'")


# ---- SHOW CREATE


def test_what_is_shown_can_be_carried_out(place: Place) -> None:
    """Over a copy of the files, under another name, it makes the same table."""
    folder = files(place, PEOPLE, "year=2024")
    name = made(
        place,
        "(`id` BIGINT COMMENT 'it''s', full_name STRING ATTRIBUTE pii.name geo.town,"
        " seen TIMESTAMP, at STRUCT<`City`: STRING ATTRIBUTE pii.city, `no`: BIGINT>)"
        f" ATTRIBUTE geo.town PARTITIONED BY (year INT COMMENT 'when') COMMENT 'c'"
        f" LOCATION '{folder}'"
        " TBLPROPERTIES('a''b'='c')",
    )
    assert_made_again(place, name, folder)


def test_text_tables_can_be_made_again(place: Place) -> None:
    """With what says how the text is read."""
    folder = text_files(place, "a\tb", "c\td")
    said = "ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'"
    header = "TBLPROPERTIES('skip.header.line.count'='0')"
    name = made(place, f"(x STRING, y STRING) {said} LOCATION '{folder}' {header}")
    assert_made_again(place, name, folder)


def assert_made_again(place: Place, name: str, folder: Path) -> None:
    """What SHOW CREATE shows of a table, carried out anew, shows the same."""
    shown = run(place, f"SHOW CREATE TABLE {name}").rows[0][0]
    again, copy = place.unique("again"), place.lake / place.unique("copy")
    shutil.copytree(folder, copy)
    renamed = shown.replace(f"`{name[2:]}`", f"`{again}`", 1).replace(str(folder), str(copy))
    assert run(place, renamed).message == "done"
    assert run(place, f"SHOW CREATE TABLE d.{again}").rows[0][0] == renamed
    described = (run(place, f"DESCRIBE {n}") for n in (name, f"d.{again}"))
    assert next(described) == next(described)


def test_a_reader_is_not_shown_where_data_lies(place: Place) -> None:
    """DESCRIBE FORMATTED shows what a scan would; SHOW CREATE is for those who administer."""
    folder = files(place)
    name = made(place, f"(id BIGINT, full_name STRING ATTRIBUTE pii.name) LOCATION '{folder}'")
    reader = reader_of(place, name, "HAVING ATTRIBUTE NOT pii.name")
    with pytest.raises(Forbidden):
        run(place, f"SHOW CREATE TABLE {name}", reader)
    seen = run(place, f"DESCRIBE FORMATTED {name}", reader)
    assert str(folder) not in str(seen)
    assert "full_name" not in str(seen)
    assert str(folder) in str(run(place, f"DESCRIBE FORMATTED {name}"))


# ---- changing and dropping


def test_tags_come_and_go(place: Place) -> None:
    """On tables, columns, fields inside columns, and databases."""
    name = made(place, f"(id BIGINT, at STRUCT<`City`: STRING>) LOCATION '{files(place)}'")
    run(place, f"ALTER TABLE {name} ADD ATTRIBUTE geo.town")
    run(place, f"ALTER TABLE {name} ADD COLUMN ATTRIBUTE at.city pii.city")
    assert run(place, f"DESCRIBE {name}").rows[1][3] == "pii.city"
    assert ("table attribute", name[2:], "geo.town") in run(
        place, f"DESCRIBE FORMATTED {name}"
    ).rows
    run(place, f"ALTER TABLE {name} DROP ATTRIBUTE geo.town")
    run(place, f"ALTER TABLE {name} DROP COLUMN ATTRIBUTE at.city pii.city")
    assert run(place, f"DESCRIBE {name}").rows[1][3] == ""
    with pytest.raises(NotFound):
        run(place, f"ALTER TABLE {name} DROP ATTRIBUTE geo.town")
    with pytest.raises(InvalidRequest, match="no field"):
        run(place, f"ALTER TABLE {name} ADD COLUMN ATTRIBUTE at.street pii.city")
    run(place, "ALTER DATABASE d ADD ATTRIBUTE geo.town")
    assert ("attributes", "geo.town") in run(place, "DESCRIBE DATABASE d").rows
    run(place, "ALTER DATABASE d DROP ATTRIBUTE geo.town")


def test_autotag_puts_on_what_rules_propose_now(place: Place) -> None:
    """Of columns that are there already; tags that are on them stay."""
    mails = pa.table({"reach": [f"someone{n}@example.com" for n in range(40)]})
    name = made(place, f"(reach STRING ATTRIBUTE geo.town) LOCATION '{files(place, mails)}'")
    tags = run(place, f"DESCRIBE {name}").rows[0][3].split()
    proposed = [tag for tag in tags if tag != "geo.town"]
    assert proposed
    for tag in proposed:
        run(place, f"ALTER TABLE {name} DROP COLUMN ATTRIBUTE reach {tag}")
    assert run(place, f"ALTER TABLE {name} EXECUTE AUTOTAG").rows == tuple(
        ("reach", tag) for tag in proposed
    )
    assert run(place, f"DESCRIBE {name}").rows[0][3].split() == tags
    assert run(place, f"ALTER TABLE {name} EXECUTE AUTOTAG").rows == ()


def test_safeguards_do_not_end_with_a_name(place: Place) -> None:
    """What is granted on a table, and what takes away from it, is on it under its new name."""
    name = made(
        place, f"(id BIGINT, full_name STRING ATTRIBUTE pii.name) LOCATION '{files(place)}'"
    )
    reader = place.person("GRANT SELECT ON DATABASE d")
    place.safeguard(f"DENY SELECT ON TABLE {name} HAVING ATTRIBUTE pii.name", reader.role)
    new = f"d.{place.unique('renamed')}"
    run(place, f"ALTER TABLE {name} RENAME TO {new}")
    assert place.scan(reader, new).column_names == ["id"]
    with pytest.raises(NotFound):
        place.scan(reader, name)
    held = run(place, f"SHOW GRANT ROLE {reader.role} ON TABLE {new}")
    assert [row[held.columns.index("effect")] for row in held.rows] == ["deny"]
    with pytest.raises(InvalidRequest, match="stays in its database"):
        run(place, f"ALTER TABLE {new} RENAME TO elsewhere.t")


def test_dropping_with_and_without_permissions(place: Place) -> None:
    """They stay and are marked, or go; a new table of the name meets those that stayed."""
    folder = files(place)
    name = made(place, f"LOCATION '{folder}'")
    reader = reader_of(place, name)
    run(place, f"DROP TABLE {name}")
    shown = run(place, f"SHOW GRANT ROLE {reader.role}")
    lost = shown.columns.index("dangling")
    assert [row[lost] for row in shown.rows] == ["true"]
    told = run(place, f"CREATE TABLE {name} LOCATION '{folder}'")
    assert f"permissions that were written on `{name}` before count again" in told.warnings
    assert place.scan(reader, name).num_rows == 3
    assert run(place, f"SHOW GRANT ROLE {reader.role}").rows[0][lost] == "false"
    run(place, f"DROP TABLE {name} INCLUDING PERMISSIONS")
    assert run(place, f"SHOW GRANT ROLE {reader.role}").rows == ()


def test_statements_over_what_was_dropped(place: Place) -> None:
    """What is left can be revoked; what is gone cannot be changed, nor dropped twice."""
    name = made(place, f"LOCATION '{files(place)}'")
    reader = reader_of(place, name)
    run(place, f"DROP TABLE {name}")
    run(place, f"REVOKE SELECT ON TABLE {name} FROM ROLE {reader.role}")
    assert run(place, f"SHOW GRANT ROLE {reader.role}").rows == ()
    for rest in ("ADD ATTRIBUTE geo.town", "RENAME TO d.x", "SET TBLPROPERTIES('a'='b')"):
        with pytest.raises(NotFound) as caught:
            run(place, f"ALTER TABLE {name} {rest}")
        assert caught.value.position == (1, 13, 12)
    with pytest.raises(NotFound):
        run(place, f"DROP TABLE {name}")


def test_a_database_goes_with_what_is_in_it(place: Place) -> None:
    """Only if that is said."""
    run(place, "CREATE DATABASE gone COMMENT 'soon' DBPROPERTIES('k'='v')")
    run(place, "ALTER DATABASE gone SET DBPROPERTIES('k'='w', 'l'='m')")
    described = run(place, "DESCRIBE DATABASE gone").rows
    assert {("comment", "soon"), ("k", "w"), ("l", "m")} <= set(described)
    run(place, f"CREATE TABLE gone.t LOCATION '{files(place)}'")
    reader = place.person("GRANT SELECT ON TABLE gone.t", "GRANT SELECT ON DATABASE gone")
    assert ("k", "w") not in run(place, "DESCRIBE DATABASE gone", reader).rows
    with pytest.raises(Conflict, match="not empty"):
        run(place, "DROP DATABASE gone")
    run(place, "DROP DATABASE gone CASCADE INCLUDING PERMISSIONS")
    assert run(place, f"SHOW GRANT ROLE {reader.role}").rows == ()
    assert run(place, "DROP DATABASE IF EXISTS gone").message == "nothing to do"


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE IF EXISTS {name}",
        "DROP TABLE {name}",
        "DROP VIEW IF EXISTS {name}",
        "DROP TABLE IF EXISTS {name} INCLUDING PERMISSIONS",
        "ALTER TABLE {name} ADD ATTRIBUTE geo.town",
        "ALTER TABLE {name} EXECUTE AUTOTAG",
        "ALTER TABLE {name} RENAME TO {name}x",
        "ALTER TABLE {name} SET TBLPROPERTIES('a'='b')",
        "ALTER TABLE {name} SET LOCATION '/x'",
        "ALTER TABLE {name} RECOVER PARTITIONS",
        "ALTER TABLE {name} DROP PARTITION (a=1)",
        "ALTER VIEW {name} AS SELECT 1",
        "SHOW CREATE TABLE {name}",
        "SHOW PARTITIONS {name}",
        "DESCRIBE {name}",
        "DESCRIBE FORMATTED {name}",
        "DESCRIBE DATABASE {database}",
        "DROP DATABASE IF EXISTS {database} CASCADE INCLUDING PERMISSIONS",
        "DROP DATABASE {database}",
        "ALTER DATABASE {database} SET DBPROPERTIES('a'='b')",
        "ALTER DATABASE {database} ADD ATTRIBUTE geo.town",
        "SHOW TABLES IN {database}",
        "SHOW VIEWS IN {database}",
        "CREATE TABLE {database}.new LOCATION '/nowhere'",
        "CREATE TABLE IF NOT EXISTS {name} LOCATION '/nowhere'",
        "CREATE VIEW IF NOT EXISTS {name} AS SELECT 1 AS a",
        "SHOW GRANT ROLE {role}",
        "DROP CRAWLER IF EXISTS {crawl}",
    ],
)
def test_hidden_and_absent_read_alike(place: Place, text: str) -> None:
    """Statements on what one does not see answer like those on what is not there."""
    if place.platform.catalog.databases.find("hidden") is None:
        run(place, "CREATE DATABASE hidden")
        run(place, f"CREATE TABLE hidden.table1 LOCATION '{files(place)}'")
        run(place, "CREATE ROLE hider")
        run(place, f"CREATE CRAWLER hidden SOURCE '{files(place)}'")
    there = {"name": "hidden.table1", "database": "hidden", "role": "hider", "crawl": "hidden"}
    nowhere = {"name": "absent.table1", "database": "absent", "role": "absen", "crawl": "absent"}
    reader = place.person()
    said: list[str] = []
    for names in (there, nowhere):
        try:
            got = repr(run(place, text.format(**names), reader))
        except PrivetError as error:
            got = repr((type(error), error.message, error.hint, error.position))
        for name in sorted(names.values(), key=len, reverse=True):
            got = got.replace(name, "*")
        said.append(got)
    assert said[0] == said[1]


def test_kinds_are_not_mistaken(place: Place) -> None:
    """A view is dropped and shown as a view, a table as a table."""
    role = place.role(place.admin)
    name = made(place, f"(id BIGINT) LOCATION '{files(place)}'")
    place.grant(f"GRANT SELECT ON TABLE {name}", role)
    view = f"d.{place.unique('v')}"
    text = f"SELECT id AS it FROM {name} -- all; of 'it'"
    run(place, f"CREATE VIEW {view} AS\n  {text}\n;")
    assert run(place, f"SHOW CREATE VIEW {view}").rows == (
        (f"CREATE VIEW `d`.`{view[2:]}` AS {text}",),
    )
    assert (view[2:],) in run(place, "SHOW VIEWS IN d").rows
    assert (name[2:],) not in run(place, "SHOW VIEWS IN d").rows
    for text in (f"DROP TABLE {view}", f"DROP VIEW {name}", f"SHOW CREATE TABLE {view}"):
        with pytest.raises(InvalidRequest, match=r"is a (view|table)"):
            run(place, text)
    with pytest.raises(InvalidRequest, match="is a view"):
        run(place, f"ALTER TABLE {view} EXECUTE AUTOTAG")
    run(place, f"ALTER VIEW {view} AS SELECT id + 1 AS more FROM {name}")
    assert [row[0] for row in run(place, f"DESCRIBE {view}").rows] == ["more"]
    run(place, f"DROP VIEW {view}")


def test_errors_in_a_view_stand_in_the_statement(place: Place) -> None:
    """The text is a part of it."""
    text = "CREATE VIEW d.wrong AS\n   SELECT a\n   FROM no.such"
    with pytest.raises(PrivetError) as caught:
        run(place, text)
    position = caught.value.position
    assert position is not None
    assert text[position.offset :].startswith("no.such")
    assert (position.line, position.column) == (3, 9)


# ---- roles, crawlers, connections


def test_roles_and_who_holds_them(place: Place) -> None:
    """A role with groups; all roles, one's own, and those of a group."""
    run(place, "CREATE ROLE carers WITH GROUPS nurses, 'Night shift'")
    assert ("carers", "Night shift, nurses") in run(place, "SHOW ALL ROLES").rows
    assert run(place, "SHOW ROLE GRANT GROUP 'Night shift'").rows == (("carers",),)
    reader = place.person()
    mine = {row[0] for row in run(place, "SHOW CURRENT ROLES", reader).rows}
    assert mine == {reader.role, "public_role"}
    assert "carers" not in {row[0] for row in run(place, "SHOW ROLES", reader).rows}
    assert run(place, "SHOW ROLE GRANT GROUP nurses", reader).rows == ()
    with pytest.raises(NotFound):
        run(place, "SHOW ALL ROLES", reader)
    with pytest.raises(NotFound):
        run(place, "SHOW GRANT ROLE carers", reader)
    run(place, "DROP ROLE carers")


def test_a_grant_that_is_there(place: Place) -> None:
    """Twice is an error, unless the statement says that it may be."""
    text = f"SELECT ON DATABASE d TO ROLE {place.person().role}"
    run(place, f"GRANT {text}")
    with pytest.raises(Conflict):
        run(place, f"GRANT {text}")
    assert run(place, f"GRANT IF NOT EXISTS {text}").message == "nothing to do"


def test_grants_by_tag(place: Place) -> None:
    """Those that name it, on an object or in it."""
    name = made(place, f"(id BIGINT) LOCATION '{files(place)}'")
    role = reader_of(place, name, "HAVING ATTRIBUTE NOT geo.town").role
    shown = run(place, f"SHOW GRANT ATTRIBUTE geo.town ON TABLE {name}")
    written = shown.columns.index("permission")
    assert [row[written].endswith(f"ROLE {role}") for row in shown.rows] == [True]
    assert run(place, "SHOW GRANT ATTRIBUTE pii.city ON DATABASE nowhere").rows == ()


def test_grants_are_shown_in_the_columns_of_the_original(place: Place) -> None:
    """Sixteen, in its order, a row for each column; what only we have comes after them."""
    name = made(place, f"(id BIGINT, full_name STRING) LOCATION '{files(place)}'")
    role = place.person(
        f"GRANT SELECT(id, full_name) ON TABLE {name}",
        "GRANT SELECT ON DATABASE d HAVING ATTRIBUTE pii.name TRANSFORM pii.name WITH mask()"
        " WHERE user() = 'ada'",
        "GRANT ADD_ATTRIBUTE ON ATTRIBUTE NAMESPACE pii",
    ).role
    shown = run(place, f"SHOW GRANT ROLE {role}")
    assert shown.columns[:10] == (
        "scope", "database", "table", "column", "uri", "attribute_namespace", "role", "crawler",
        "data_connection", "privilege",
    )  # fmt: skip
    assert shown.columns[16:] == ("effect", "dangling", "permission", "id")
    rows = {row[:4]: dict(zip(shown.columns, row, strict=True)) for row in shown.rows}
    table = name.removeprefix("d.")
    of_table = [("column", "d", table, c) for c in ("full_name", "id")]
    assert list(rows) == [
        *of_table, ("database", "d", "", ""), ("attribute_namespace", "", "", ""),
    ]  # fmt: skip
    of_database = rows["database", "d", "", ""]
    assert of_database["attribute_expression"] == "pii.name"
    assert of_database["transform_expression"] == "pii.name:mask()"
    assert of_database["filter"] == "user() = 'ada'"
    assert rows["attribute_namespace", "", "", ""]["attribute_namespace"] == "pii"


def test_crawlers(place: Place) -> None:
    """They are made once, listed, and dropped."""
    folder = files(place)
    run(place, f"CREATE CRAWLER walker SOURCE '{folder}'")
    with pytest.raises(Conflict):
        run(place, f"CREATE CRAWLER walker SOURCE '{folder}'")
    while run(place, "SHOW CRAWLERS").rows[0][2] == "running":
        pass
    shown = {row[0]: row[1:] for row in run(place, "SHOW CRAWLERS").rows}
    assert shown["walker"] == (f"file://{folder}", "completed", "1", "")
    run(place, "DROP CRAWLER walker")
    assert run(place, "DROP CRAWLER IF EXISTS walker").message == "nothing to do"
    with pytest.raises(NotFound):
        run(place, "DROP CRAWLER walker")
