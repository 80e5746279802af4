"""Ways around the policy through statements that are rewritten for another engine."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from sqlglot import exp, parse_one

from privet.enforcement.rewriting import Foreign, get_engine, list_engines
from privet.model.datasets import Column, Dataset, Format, Source
from privet.model.decisions import CellOption, ColumnDecision, Decision, Verdict
from privet.model.errors import InvalidRequest, ResourcesExceeded
from privet.model.expressions import And, ColumnRef, Compare, CompareOp, Expr, In, Literal
from privet.model.names import DatasetName
from privet.model.principals import Principal

NAME = DatasetName("d", "t")
SECRET = "SECRET-0042"
_OPEN = Compare(CompareOp.EQ, ColumnRef("open"), Literal(1))


def decided(where: Expr | None = _OPEN, database: str = "d") -> Decision:
    """Two columns are seen, of the rows that are open; the third is hidden."""
    columns = tuple(
        Column(name, kind, name)
        for name, kind in (("code", pa.string()), ("open", pa.int64()), ("hidden", pa.string()))
    )
    name = DatasetName(database, "t")
    dataset = Dataset("1", name, Source("file:///t", Format.PARQUET), columns)
    shown = (CellOption(None, frozenset({0})),)
    verdicts = (
        ColumnDecision(columns[0], Verdict.CLEAR, shown),
        ColumnDecision(columns[1], Verdict.CLEAR, shown),
        ColumnDecision(columns[2], Verdict.HIDDEN),
    )
    return Decision(Principal("ada"), name, 1, dataset, filters=(where,), columns=verdicts)


def rewritten(text: str, engine: str = "duckdb") -> str:
    """A statement over that dataset and its like, rewritten."""
    asked = Foreign(text, get_engine(engine))
    return asked.rewrite(dict.fromkeys(asked.datasets, decided()))


def answer(text: str) -> list[tuple[object, ...]]:
    """What the other engine says to a statement that was rewritten."""
    return over_raw_rows(rewritten(text))


def over_raw_rows(sql: str) -> list[tuple[object, ...]]:
    """What the other engine says."""
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA d")
        connection.execute("CREATE TABLE d.t (code TEXT, open BIGINT, hidden TEXT)")
        rows = [("1", 1, SECRET), ("2", 1, SECRET), (SECRET, 0, SECRET)]
        connection.executemany("INSERT INTO d.t VALUES (?, ?, ?)", rows)
        connection.execute("CREATE TABLE t AS SELECT * FROM d.t")
        return connection.sql(sql).fetchall()


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        ("duckdb", "SELECT * FROM read_csv('/etc/passwd')"),
        ("duckdb", "SELECT * FROM '/etc/passwd'"),
        ("duckdb", "SELECT * FROM d.t; DROP TABLE d.t"),
        ("duckdb", "COPY d.t TO 'x'"),
        ("duckdb", "SELECT * FROM query('SELECT 1')"),
        ("duckdb", "SELECT getenv('HOME') FROM d.t"),
        ("duckdb", "WITH privet_raw AS (SELECT 1) SELECT * FROM privet_raw"),
        ("duckdb", "SELECT * FROM d.t AS PRIVET_raw"),
        ("duckdb", 'SELECT * FROM d.t AS "PR\u0130VET_raw"'),
        ("duckdb", 'SELECT * FROM d.t AS "\uff50rivet_raw"'),
        ("duckdb", "SELECT * FROM d.t TABLESAMPLE 10%"),
        ("duckdb", "SELECT * FROM d.t AT (VERSION => 3)"),
        ("duckdb", "SELECT * FROM d.t, LATERAL (SELECT 1) l"),
        ("duckdb", "SELECT * FROM t"),
        ("duckdb", "SELECT * FROM c.d.t"),
        ("duckdb", "SELECT COLUMNS('.*') FROM d.t"),
        ("duckdb", "SELECT 'a\\' FROM d.t"),
        ("duckdb", 'SELECT 1 AS "a""b" FROM d.t'),
        ("duckdb", "SELECT 'a\nb' FROM d.t"),
        ("postgres", "SELECT pg_read_file('x')"),
        ("postgres", "SELECT * FROM dblink('x')"),
        ("postgres", "SELECT query_to_xml('SELECT * FROM d.t', true, true, '')"),
        ("postgres", "SELECT 'd.secret'::regclass"),
        ("postgres", "SELECT $$x$$"),
        ("postgres", "SELECT U&'\\0041'"),
        ("postgres", 'SELECT * FROM "D"."T"'),
        ("postgres", "SELECT * FROM ONLY d.t"),
        ("postgres", "SELECT * INTO x FROM d.t"),
        ("postgres", "SELECT * FROM d.t FOR UPDATE"),
        ("postgres", "SELECT * FROM ROWS FROM (generate_series(1, 2))"),
        ("snowflake", "SELECT * FROM TABLE(result_scan('x'))"),
        ("snowflake", "SELECT * FROM @stage"),
        ("snowflake", "SELECT * FROM d.t AT (OFFSET => -60)"),
        ("snowflake", 'SELECT * FROM "d"."t"'),
        ("snowflake", "SELECT * FROM IDENTIFIER('d.secret')"),
        ("snowflake", "SELECT system$typeof(1)"),
        ("bigquery", "SELECT * FROM EXTERNAL_QUERY('x', 'SELECT 1')"),
        ("bigquery", "SELECT * FROM d.t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()"),
        ("bigquery", "SELECT * FROM `d.t*`"),
        ("bigquery", "SELECT 'it\\'s'"),
        ("bigquery", "SELECT r'''x'''"),
        ("spark", "SELECT * FROM csv.`/etc/passwd`"),
        ("spark", "SELECT java_method('java.lang.System', 'getenv')"),
        ("spark", "SELECT /*+ BROADCAST(t) */ code FROM d.t"),
        ("spark", "SELECT * FROM d.t VERSION AS OF 1"),
        ("spark", "SELECT * FROM d.t LATERAL VIEW explode(a) x"),
        ("spark", "SELECT ${x} FROM d.t"),
        ("hive", "SELECT TRANSFORM (code) USING 'cat' FROM d.t"),
        ("hive", "SELECT in_file('a', '/x') FROM d.t"),
        ("mysql", "SELECT load_file('/etc/passwd')"),
        ("mysql", "SELECT @@version"),
        ("mysql", "SELECT * FROM D.T"),
        ("trino", "SELECT * FROM TABLE(system.query('x'))"),
        ("trino", 'SELECT * FROM d."t$partitions"'),
    ],
)
def test_what_is_not_known_is_refused(engine: str, text: str) -> None:
    """Functions, tables and texts whose meaning another engine decides are not written for it."""
    with pytest.raises(InvalidRequest):
        rewritten(text, engine)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM d.t",
        "SELECT code, open FROM D.T",
        "SELECT d.t.code, t.open FROM d.t",
        "SELECT x.* FROM d.t AS x -- hidden",
        "WITH d AS (SELECT 1 AS x) SELECT t.* FROM d.t, d",
        "WITH t AS (SELECT * FROM d.t) SELECT * FROM t",
        "WITH x AS (SELECT * FROM d.t), t AS (SELECT * FROM x) SELECT * FROM t",
        "WITH RECURSIVE t AS (SELECT * FROM d.t UNION SELECT * FROM t) SELECT * FROM t",
        "SELECT * FROM (SELECT * FROM d.t) AS t",
        "SELECT a.* FROM (d.t AS a JOIN d.t AS b ON a.code = b.code)",
        "SELECT a.* FROM d.t AS a, (SELECT 1) AS b",
        "SELECT * FROM d.t UNION SELECT * FROM d.t",
        "SELECT DISTINCT a.code, b.open FROM d.t AS a JOIN d.t AS b ON a.code = b.code",
    ],
)
def test_names_mean_the_governed_rows(text: str) -> None:
    """However a dataset is named, only its visible rows and columns are there."""
    assert sorted(answer(text)[:2]) in (
        [("1", 1), ("2", 1)],
        [("1", 1, 1), ("2", 1, 1)],
    )
    assert SECRET not in str(answer(text))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT hidden FROM d.t",
        "SELECT t.hidden FROM d.t",
        "SELECT privet_with1.hidden FROM d.t",
        "SELECT code FROM d.t WHERE hidden = 'x'",
        "SELECT (SELECT hidden) FROM d.t",
        "SELECT o.code FROM d.t AS o WHERE EXISTS (SELECT 1 FROM d.t WHERE hidden = o.code)",
        "SELECT code FROM d.t ORDER BY hidden",
    ],
)
def test_hidden_columns_cannot_be_named(text: str) -> None:
    """The engine has no such column, wherever it is asked for."""
    with pytest.raises((duckdb.BinderException, InvalidRequest)):
        answer(text)


def test_cells_out_of_view_are_null_before_rows_are_left_out() -> None:
    """An engine that computes ahead of a filter, whose errors show values, finds none there."""
    tree = parse_one(rewritten("SELECT * FROM d.t"), read="duckdb")
    for select in tree.find_all(exp.Select):
        select.set("where", None)
    assert sorted(over_raw_rows(tree.sql("duckdb")), key=str) == [
        ("1", 1),
        ("2", 1),
        (None, None),
    ]


@pytest.mark.parametrize(
    "text",
    ["SELECT (SELECT max(code) FROM d.t)", "SELECT 1 + (SELECT 1 FROM d.t LIMIT 1) UNION SELECT 2"],
)
def test_names_of_columns_do_not_tell_of_the_policy(text: str) -> None:
    """An engine calls a column without a name after its text, in which filters stand."""
    first = parse_one(rewritten(text), read="duckdb").find(exp.Select)
    assert first is not None
    assert [each.alias for each in first.expressions] == ["_c0"]


def test_a_column_around_cannot_stand_for_one_that_is_missing() -> None:
    """A filter's column that the table lacks there is not looked for further out."""
    text = "SELECT (SELECT count(*) FROM d.t) FROM (SELECT 1 AS open) AS o"
    sql = rewritten(text)
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA d")
        connection.execute("CREATE TABLE d.t (code TEXT, hidden TEXT)")
        connection.execute("INSERT INTO d.t VALUES ('1', 'x')")
        with pytest.raises(duckdb.BinderException):
            connection.sql(sql).fetchall()


@pytest.mark.parametrize("engine", list_engines())
def test_every_engine_has_only_governed_tables(engine: str) -> None:
    """In each dialect the one table is below the filter, by its whole name."""
    text = "WITH t AS (SELECT code FROM d.t) SELECT * FROM t, d.t AS u"
    sql = rewritten(text, engine)
    dialect = get_engine(engine).dialect
    tables = [t for t in parse_one(sql, read=dialect).find_all(exp.Table) if t.db]
    assert [(t.db.lower(), t.name.lower()) for t in tables] == [("d", "t"), ("d", "t")]
    for table in tables:
        select = table.find_ancestor(exp.Select)
        assert select is not None
        condition = select.args["where"].find(exp.EQ)
        assert (condition.this.name.lower(), condition.expression.name) == ("open", "1")


def test_statements_do_not_grow_without_bound() -> None:
    """Neither by naming a dataset often, nor by a long filter over many columns."""
    many = f"SELECT 1 FROM {', '.join(f'd.t a{n}' for n in range(5_000))}"
    with pytest.raises(ResourcesExceeded):
        rewritten(many)
    for length in (4_000, 60_000):
        values = tuple(Literal(n) for n in range(length))
        parts = tuple(In(ColumnRef("open"), values) for _ in range(8))
        asked = Foreign("SELECT * FROM d.t", get_engine("duckdb"))
        with pytest.raises(InvalidRequest, match="too long"):
            asked.rewrite({NAME: decided(And(parts))})


@pytest.mark.parametrize(
    ("engine", "value"),
    [
        ("spark", "it's"),
        ("bigquery", "it's"),
        ("snowflake", "it's"),
        ("mysql", "x"),
        ("redshift", "x"),
        ("duckdb", "a\\"),
        ("duckdb", "a\x00b"),
        ("postgres", "a\nb"),
    ],
)
def test_texts_of_policies_that_engines_read_in_several_ways(engine: str, value: str) -> None:
    """A filter with such a text, or where texts compare by other rules, is not written."""
    where = Compare(CompareOp.EQ, ColumnRef("code"), Literal(value))
    with pytest.raises(InvalidRequest):
        Foreign("SELECT * FROM d.t", get_engine(engine)).rewrite({NAME: decided(where)})


def test_a_database_that_is_called_like_a_format() -> None:
    """For engines that read files by such names, nothing is written."""
    name = DatasetName("parquet", "t")
    asked = Foreign("SELECT * FROM parquet.t", get_engine("spark"))
    with pytest.raises(InvalidRequest):
        asked.rewrite({name: decided(database="parquet")})
