"""Tables of a real PostgreSQL: what is read means what it means there, or is not read."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest

from privet.connector import Databases, Endpoint, Reading
from privet.connector.databases import ServerColumn
from privet.connector.databases.selecting import Selected, select
from privet.model.datasets import Column
from privet.model.errors import (
    CalledOff,
    InvalidRequest,
    NotFound,
    PrivetError,
    SchemaChanged,
    SourceInvalid,
    SourceUnavailable,
)
from privet.model.expressions import And, ColumnRef, Compare, CompareOp, Expr, In, Literal, Or
from privet.model.sources import TablePlace
from services.postgres import DATABASE, PASSWORD, READER, SourceServer, free_port, source_server

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def source() -> Iterator[SourceServer]:
    with source_server() as server:
        server.run("CREATE TYPE mood AS ENUM ('glad', 'sad')")
        server.run("CREATE DOMAIN amount AS numeric(8, 3) CHECK (value > 0)")
        yield server


def at(table: str, schema: str = "public") -> TablePlace:
    return TablePlace("c", DATABASE, schema, table)


def endpoint(source: SourceServer) -> Endpoint:
    return Endpoint("postgresql", "127.0.0.1", source.port, READER, PASSWORD)


def databases(source: SourceServer, seconds: int = 60) -> Databases:
    return Databases(lambda _: endpoint(source), seconds=seconds)


def patient() -> None:
    """Waits for as long as it takes."""


def columns(source: SourceServer, table: str) -> tuple[Column, ...]:
    shape = databases(source).describe(at(table))
    return tuple(Column(c.name, c.kind, c.name) for c in shape.columns)


def read(
    source: SourceServer,
    table: str,
    condition: Expr | None = None,
    own: tuple[Column, ...] | None = None,
) -> pa.Table:
    """All of a table."""
    own = columns(source, table) if own is None else own
    reading = Reading(own, own, condition)
    with databases(source).read(at(table), reading, patient) as batches:
        return pa.Table.from_batches(list(batches), pa.schema([(c.name, c.type) for c in own]))


TYPES = (
    ("boolean", "true", pa.bool_(), True),
    ("smallint", "-32768", pa.int16(), -32768),
    ("integer", "7", pa.int32(), 7),
    ("bigint", "9223372036854775807", pa.int64(), 2**63 - 1),
    ("oid", "4294967295", pa.int64(), 2**32 - 1),
    ("real", "1.5", pa.float32(), 1.5),
    ("double precision", "'-Infinity'", pa.float64(), float("-inf")),
    ("numeric(10, 2)", "-12.50", pa.decimal128(10, 2), Decimal("-12.50")),
    ("numeric(38, 0)", "9" * 38, pa.decimal128(38, 0), Decimal("9" * 38)),
    ("numeric", "1.234567890123456789012345", pa.string(), "1.234567890123456789012345"),
    ("numeric(60, 2)", "1", pa.string(), "1.00"),
    ("amount", "1.5", pa.decimal128(8, 3), Decimal("1.500")),
    ("text", "'Zoë'", pa.string(), "Zoë"),
    ("varchar(9)", "'a\\b''\"'", pa.string(), "a\\b'\""),
    ("char(5)", "'ab'", pa.string(), "ab"),
    ("name", "'n'", pa.string(), "n"),
    ("bytea", "'\\x00ff'", pa.binary(), b"\x00\xff"),
    ("date", "'2020-02-29'", pa.date32(), dt.date(2020, 2, 29)),
    ("time", "'23:59:59.999999'", pa.time64("us"), dt.time(23, 59, 59, 999999)),
    (
        "timestamp",
        "'1969-12-31 23:59:59.5'",
        pa.timestamp("us"),
        dt.datetime(1969, 12, 31, 23, 59, 59, 500000),  # noqa: DTZ001 - it has no zone
    ),
    (
        "timestamptz",
        "'2020-01-01 01:00+02'",
        pa.timestamp("us", tz="UTC"),
        dt.datetime(2019, 12, 31, 23, tzinfo=dt.UTC),
    ),
    ("uuid", "'11111111-2222-3333-4444-555555555555'", pa.string(), None),
    ("json", """'{"a": [1]}'""", pa.string(), '{"a": [1]}'),
    ("jsonb", """'{"a":[1]}'""", pa.string(), '{"a": [1]}'),
    ("mood", "'sad'", pa.string(), "sad"),
    ("interval", "'1 month 2 days 03:04'", pa.string(), "1 mon 2 days 03:04:00"),
    ("inet", "'10.0.0.1'", pa.string(), "10.0.0.1/32"),
    ("int4range", "'[1,5)'", pa.string(), "[1,5)"),
    ("integer[]", "'{1,NULL,3}'", pa.list_(pa.int32()), [1, None, 3]),
    ("text[]", "'{}'", pa.list_(pa.string()), []),
    ("mood[]", "'{glad,NULL}'", pa.list_(pa.string()), ["glad", None]),
    ("numeric(4, 1)[]", "'{1.5}'", pa.list_(pa.string()), ["1.5"]),
)


@pytest.mark.parametrize(("kind", "literal", "expected", "value"), TYPES, ids=[t[0] for t in TYPES])
def test_types(
    source: SourceServer, kind: str, literal: str, expected: pa.DataType, value: object
) -> None:
    """Each type arrives as ours, or as its server's own text; NULL stays NULL."""
    source.run(f"DROP TABLE IF EXISTS typed; CREATE TABLE typed (v {kind})")
    source.run(f"INSERT INTO typed VALUES ({literal}), (NULL)")
    table = read(source, "typed")
    table.validate(full=True)
    assert table.schema.field("v").type == expected
    got, nothing = table["v"].to_pylist()
    assert nothing is None
    assert got == (literal.strip("'") if value is None else value)


@pytest.mark.parametrize(
    ("kind", "literal"),
    [
        ("timestamp", "'infinity'"),
        ("timestamptz", "'-infinity'"),
        ("timestamp", "'294276-12-31'"),
        ("date", "'infinity'"),
        ("time", "'24:00'"),
        ("numeric(5, 2)", "'NaN'"),
        ("integer[]", "'{{1,2},{3,4}}'"),
    ],
)
def test_what_a_type_cannot_say(source: SourceServer, kind: str, literal: str) -> None:
    """Such a row ends the reading instead of becoming another value; as text it can be read."""
    source.run(f"DROP TABLE IF EXISTS odd; CREATE TABLE odd (v {kind})")
    source.run(f"INSERT INTO odd VALUES ({literal})")
    with pytest.raises(SourceInvalid) as told:
        read(source, "odd")
    assert literal.strip("'") not in f"{told.value} {told.value.__context__}"
    assert read(source, "odd", own=(Column("v", pa.string(), "v"),))["v"].null_count == 0


def test_numbers_as_a_steward_says(source: SourceServer) -> None:
    """A number without a scale is read as any that holds it whole; one that does not ends it."""
    source.run("DROP TABLE IF EXISTS numbers; CREATE TABLE numbers (v numeric)")
    source.run("INSERT INTO numbers VALUES (1.25), (300)")
    for kind, expected in (
        (pa.decimal128(10, 4), [Decimal("1.2500"), Decimal("300.0000")]),
        (pa.float64(), [1.25, 300.0]),
        (pa.string(), ["1.25", "300"]),
    ):
        assert read(source, "numbers", own=(Column("v", kind, "v"),))["v"].to_pylist() == expected
    for kind in (pa.int64(), pa.decimal128(10, 1)):
        with pytest.raises(SourceInvalid) as told:
            read(source, "numbers", own=(Column("v", kind, "v"),))
        assert "1.25" not in str(told.value)


def test_odd_names(source: SourceServer) -> None:
    """Names are quoted whatever they hold."""
    source.run('DROP SCHEMA IF EXISTS "a.b;--" CASCADE; CREATE SCHEMA "a.b;--"')
    source.run(f'GRANT USAGE ON SCHEMA "a.b;--" TO {READER}')
    source.run('CREATE TABLE "a.b;--"."t""x{}%s" ("select" int, "Ä ""q""" text)')
    source.run(f'GRANT SELECT ON ALL TABLES IN SCHEMA "a.b;--" TO {READER}')
    place = at('t"x{}%s', "a.b;--")
    shape = databases(source).describe(place)
    assert [c.name for c in shape.columns] == ["select", 'Ä "q"']
    own = tuple(Column(f"c{n}", c.kind, c.name) for n, c in enumerate(shape.columns))
    with databases(source).read(place, Reading(own, own), patient) as batches:
        assert sum(b.num_rows for b in batches) == 0
    assert databases(source).names("c", DATABASE, "a.b;--") == ('t"x{}%s',)


def ref(op: CompareOp, name: str, value: object) -> Compare:
    return Compare(op, ColumnRef(name), Literal(value))  # type: ignore[arg-type]


TEXTS = ("a", "A", "ä", "b'; DROP TABLE said; --", "\\", "")


@pytest.mark.parametrize(
    "condition",
    [
        ref(CompareOp.EQ, "n", 3),
        ref(CompareOp.NE, "n", 3),
        ref(CompareOp.LT, "n", 3),
        ref(CompareOp.GE, "n", -(2**31)),
        In(ColumnRef("n"), (Literal(1), Literal(4))),
        ref(CompareOp.EQ, "b", value=True),
        And((ref(CompareOp.GT, "n", 1), ref(CompareOp.EQ, "t", "a"))),
        Or((ref(CompareOp.EQ, "n", 1), ref(CompareOp.EQ, "t", "\\"))),
        *(ref(op, "t", text) for text in TEXTS for op in (CompareOp.EQ, CompareOp.NE)),
        In(ColumnRef("t"), tuple(map(Literal, TEXTS[:4]))),
    ],
    ids=str,
)
def test_conditions_spare_only_what_fails_them(source: SourceServer, condition: Expr) -> None:
    """The server gives exactly the rows for which Python says so."""
    source.run("DROP TABLE IF EXISTS said; CREATE TABLE said (n int, b bool, t text, c char(9))")
    values = ", ".join(
        f"({n}, {n % 2 == 0}, E'{t}', 'x')"
        for n in range(1, 6)
        for t in (t.replace("\\", "\\\\").replace("'", "''") for t in TEXTS)
    )
    source.run(f"INSERT INTO said VALUES {values}, (NULL, NULL, NULL, NULL)")
    everything = read(source, "said").to_pylist()
    wanted = [row for row in everything if holds(condition, row)]
    got = read(source, "said", condition).to_pylist()
    assert Counter(map(repr, got)) == Counter(map(repr, wanted))
    assert len(got) < len(everything)


def holds(condition: Expr, row: dict[str, object]) -> bool:
    """A condition, by Python."""
    match condition:
        case And(parts):
            return all(holds(p, row) for p in parts)
        case Or(parts):
            return any(holds(p, row) for p in parts)
        case In(ColumnRef(name), options):
            return row[name] in [o.value for o in options if isinstance(o, Literal)]
        case Compare(op, ColumnRef(name), Literal(value)):
            found = row[name]
            return found is not None and {
                "=": found == value,
                "!=": found != value,
                "<": isinstance(value, int) and isinstance(found, int) and found < value,
                ">": isinstance(value, int) and isinstance(found, int) and found > value,
                ">=": isinstance(value, int) and isinstance(found, int) and found >= value,
            }.get(op.value, False)
        case _:
            raise AssertionError(condition)


def test_texts_differ_by_their_bytes() -> None:
    """A language in which two texts are one must not leave out rows where they differ."""
    column, there = Column("t", pa.string(), "T"), ServerColumn("T", "text", "text")
    differs, same = ref(CompareOp.NE, "t", "a"), ref(CompareOp.EQ, "t", "b")
    written = select(at("x"), (Selected(column, there),), (differs, same), None)
    assert """"T" COLLATE "C" <> 'a'""" in written
    assert """("T" = 'b' AND "T" COLLATE "C" = 'b')""" in written


def test_what_cannot_be_said_spares_nothing(source: SourceServer) -> None:
    """An order of texts, which is another in every language, and what no text there can hold."""
    source.run("DROP TABLE IF EXISTS unsaid; CREATE TABLE unsaid AS SELECT 'b'::text AS t")
    for condition in (ref(CompareOp.LT, "t", "a"), ref(CompareOp.EQ, "t", "a\0")):
        assert read(source, "unsaid", condition).num_rows == 1


def test_only_what_is_asked_for_is_read(source: SourceServer) -> None:
    """The server is asked for the columns and rows that are needed, and can use its index."""
    source.run("DROP TABLE IF EXISTS big; CREATE TABLE big (id int PRIMARY KEY, wide text, n int)")
    source.run("INSERT INTO big SELECT g, repeat('x', 100), g % 7 FROM generate_series(1, 20000) g")
    source.run("ANALYZE big")
    source.setting("log_statement", "'all'")
    own = tuple(c for c in columns(source, "big") if c.name != "wide")
    table = read(source, "big", ref(CompareOp.EQ, "id", 77), own)
    assert table.to_pylist() == [{"id": 77, "n": 0}]
    asked = [line for line in source.log.splitlines() if "COPY (" in line and '"big"' in line][-1]
    statement = asked.partition("COPY (")[2].rpartition(") TO STDOUT")[0]
    source.setting("log_statement", "'none'")
    assert "wide" not in statement
    plan = "\n".join(line for (line,) in source.run(f"EXPLAIN {statement}"))
    assert "Index" in plan
    assert "id = 77" in plan


def test_rows_come_in_batches(source: SourceServer) -> None:
    """However large the table, only some of it is held."""
    source.run("DROP TABLE IF EXISTS long")
    source.run(
        "CREATE TABLE long AS SELECT repeat('x', 1000) AS v FROM generate_series(1, 40000) g"
    )
    own = columns(source, "long")
    with databases(source).read(at("long"), Reading(own, own), patient) as batches:
        sizes = [(b.num_rows, b.nbytes) for b in batches]
    assert sum(rows for rows, _ in sizes) == 40000
    assert max(size for _, size in sizes) < 8 * 1024 * 1024


def ends(source: SourceServer) -> None:
    """Wait until no statement of the reader runs."""
    until = time.monotonic() + 60
    while source.ours():
        assert time.monotonic() < until, source.ours()
        time.sleep(0.05)


def test_calling_off_ends_the_statement(source: SourceServer) -> None:
    """Also while the server has not given a row; and the session ends."""
    source.run("CREATE OR REPLACE VIEW slow AS SELECT 1 AS v FROM pg_sleep(600)")
    own = columns(source, "slow")
    called = threading.Event()

    def waiting() -> None:
        if called.is_set():
            raise CalledOff("enough")
        if any("slow" in query for query in source.ours()):
            called.set()

    with (
        pytest.raises(CalledOff),
        databases(source).read(at("slow"), Reading(own), waiting) as batches,
    ):
        next(batches)
    ends(source)


def test_leaving_early_ends_the_statement(source: SourceServer) -> None:
    """Whoever takes one batch of many leaves no statement behind."""
    source.run("CREATE OR REPLACE VIEW endless AS SELECT generate_series(1, 2000000000) AS v")
    own = columns(source, "endless")
    with databases(source).read(at("endless"), Reading(own), patient) as batches:
        assert next(batches).num_rows
    ends(source)


def test_a_statement_may_take_so_long(source: SourceServer) -> None:
    """The server ends it by itself, whatever becomes of us."""
    source.run("CREATE OR REPLACE VIEW slow AS SELECT 1 AS v FROM pg_sleep(600)")
    own = columns(source, "slow")
    with (
        pytest.raises(SourceUnavailable),
        databases(source, seconds=1).read(at("slow"), Reading(own), patient) as batches,
    ):
        next(batches)
    ends(source)


def test_a_session_that_breaks(source: SourceServer) -> None:
    """What was received is no whole table, and nobody takes it for one."""
    source.run("CREATE OR REPLACE VIEW endless AS SELECT generate_series(1, 2000000000) AS v")
    own = columns(source, "endless")
    with databases(source).read(at("endless"), Reading(own), patient) as batches:
        next(batches)
        source.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{READER}'"
        )
        with pytest.raises(SourceUnavailable):
            list(batches)


def test_a_row_that_cannot_be_computed(source: SourceServer) -> None:
    """The error holds no value."""
    source.run(
        "CREATE OR REPLACE VIEW broken AS"
        " SELECT ('n' || g)::int AS v FROM generate_series(4711, 4712) g"
    )
    with pytest.raises(PrivetError) as told:
        read(source, "broken")
    assert "4711" not in str(told.value)


def test_nothing_can_be_written(source: SourceServer) -> None:
    """Not by a function behind a view either."""
    source.run("CREATE TABLE IF NOT EXISTS written (v int)")
    source.run(f"GRANT INSERT ON written TO {READER}")
    source.run(
        "CREATE OR REPLACE FUNCTION writes() RETURNS int LANGUAGE sql AS"
        " 'INSERT INTO public.written VALUES (1) RETURNING v'"
    )
    source.run("CREATE OR REPLACE VIEW writing AS SELECT writes() AS v")
    with pytest.raises(SourceUnavailable):
        read(source, "writing")
    assert source.run("SELECT count(*) FROM written") == [(0,)]


def test_tables_that_changed(source: SourceServer) -> None:
    """A column that is gone, or of another type, ends it; one that came is not read."""
    source.run("DROP TABLE IF EXISTS changing; CREATE TABLE changing (a int, b numeric(5, 2))")
    own = columns(source, "changing")
    source.run("ALTER TABLE changing ADD COLUMN c text")
    assert read(source, "changing", own=own).column_names == ["a", "b"]
    source.run("ALTER TABLE changing ALTER COLUMN b TYPE numeric(9, 4)")
    with pytest.raises(SchemaChanged):
        read(source, "changing", own=own)
    source.run("ALTER TABLE changing DROP COLUMN b")
    with pytest.raises(SchemaChanged):
        read(source, "changing", own=own)
    source.run("DROP TABLE changing")
    with pytest.raises(NotFound):
        read(source, "changing", own=own)


def test_who_may_not_read(source: SourceServer) -> None:
    """A table that is not granted is described, and not read."""
    source.run("DROP TABLE IF EXISTS secret; CREATE TABLE secret (v int)")
    source.run(f"REVOKE ALL ON secret FROM {READER}")
    with pytest.raises(SourceUnavailable, match="denies"):
        read(source, "secret")
    assert "secret" not in databases(source).names("c", DATABASE, "public")


def test_servers_that_are_away(source: SourceServer) -> None:
    """Nobody there, a wrong password, another database: each says so, and tells no secret."""
    here = endpoint(source)
    for there, said in (
        (replace(here, port=free_port()), "nobody answers"),
        (replace(here, password="hunter2"), "let us in"),
        (replace(here, driver="mysql"), "this server has postgresql"),
    ):
        with pytest.raises((SourceUnavailable, InvalidRequest)) as told:
            Databases(lambda _, there=there: there).describe(at("any"))
        words = f"{told.value}"
        assert said in words
        assert PASSWORD not in words
        assert "hunter2" not in words
    with pytest.raises(SourceUnavailable):
        databases(source).describe(TablePlace("c", "nowhere", "public", "t"))


def test_unknown_encodings(source: SourceServer) -> None:
    """A database that does not say what its bytes mean is not read."""
    source.server.execute("DROP DATABASE IF EXISTS raw")
    source.server.execute("CREATE DATABASE raw ENCODING 'SQL_ASCII' TEMPLATE template0")
    with pytest.raises(SourceInvalid, match="encoding"):
        databases(source).describe(TablePlace("c", "raw", "public", "t"))


def test_generators_are_closed(source: SourceServer) -> None:
    """A reading that nobody began asks nothing."""
    source.run("DROP TABLE IF EXISTS idle; CREATE TABLE idle (v int)")
    own = columns(source, "idle")
    with databases(source).read(at("idle"), Reading(own, own), patient) as batches:
        assert closing(batches)
    ends(source)


def test_numbers_that_were_registered_as_whole(source: SourceServer) -> None:
    """Are not compared at the server, which has them as text by then: all rows come."""
    source.run("CREATE TABLE whole (n numeric)")
    source.run("INSERT INTO whole VALUES (5), (6)")
    own = (Column("n", pa.int64(), "n"),)
    for condition in (
        Compare(CompareOp.EQ, ColumnRef("n"), Literal(5)),
        In(ColumnRef("n"), (Literal(5),)),
    ):
        assert read(source, "whole", condition, own)["n"].to_pylist() == [5, 6]
