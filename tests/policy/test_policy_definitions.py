"""Statements that define and that ask: what each is, what is refused, where, with what advice."""

from __future__ import annotations

import time
from contextlib import suppress

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privet.model.errors import InvalidRequest, ParseFailed, Position, PrivetError
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Scope, ScopeKind
from privet.policy import CreateRole, Statement, parse, type_sql
from privet.policy import definitions as d
from privet.policy import shows as s

T = DatasetName("d", "t")
PII, GEO = TagName("pii", "name"), TagName("geo", "town")


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        (
            "CREATE DATABASE IF NOT EXISTS D DBPROPERTIES('k'='v') COMMENT 'it''s'",
            d.CreateDatabase("d", True, "it's", {"k": "v"}),
        ),
        (
            "drop database if exists d cascade including permissions;",
            d.DropDatabase("d", True, True, True),
        ),
        ("ALTER DATABASE d ADD ATTRIBUTE pii.name", d.TagDatabase("d", PII, True)),
        ("ALTER DATABASE d DROP ATTRIBUTE pii.name", d.TagDatabase("d", PII, False)),
        (
            "ALTER DATABASE d SET DBPROPERTIES('a'='b','c'='')",
            d.SetDatabaseProperties("d", {"a": "b", "c": ""}),
        ),
        (
            "ALTER DATABASE d LOAD DEFINITIONS(A, `Mixed Case`)",
            d.LoadDefinitions("d", ("a", "Mixed Case")),
        ),
        ("alter database d load definitions ()", d.LoadDefinitions("d")),
        (
            "CREATE TABLE d.t STORED AS jdbc TBLPROPERTIES('table'='x')",
            d.CreateTable(T, format="JDBC", properties={"table": "x"}),
        ),
        (
            "CREATE TABLE d.t OVER DATACONNECTION Shop TABLE 'Orders' SCHEMA 'a.b' COMMENT 'c'",
            d.CreateTable(T, comment="c", over=d.TableOver("shop", "Orders", "a.b")),
        ),
        (
            "CREATE TABLE d.over (over INT) OVER DATACONNECTION c TABLE 't'",
            d.CreateTable(
                DatasetName("d", "over"),
                columns=(d.ColumnDefinition("over", pa.int32(), True),),
                over=d.TableOver("c", "t"),
            ),
        ),
        (
            "CREATE EXTERNAL TABLE IF NOT EXISTS d.t LOCATION 's3://b/k'",
            d.CreateTable(T, True, location="s3://b/k"),
        ),
        (
            "CREATE EXTERNAL TABLE d.t LIKE PARQUET '/a.parquet' LOCATION '/a'",
            d.CreateTable(T, like="/a.parquet", location="/a"),
        ),
        (
            """CREATE TABLE d.t (`A` INT) TBLPROPERTIES('x'='y') LOCATION '/a' ATTRIBUTE pii.name
            geo.town STORED AS textfile ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'
            PARTITIONED BY (p STRING) COMMENT 'c'""",
            d.CreateTable(
                T,
                columns=(d.ColumnDefinition("a", pa.int32(), True),),
                partitions=(d.ColumnDefinition("p", pa.string()),),
                location="/a",
                format="TEXTFILE",
                delimiter="\t",
                comment="c",
                tags=(d.TagAt(PII), d.TagAt(GEO)),
                properties={"x": "y"},
            ),
        ),
        ("DROP TABLE d.t", d.DropDataset(T)),
        (
            "DROP VIEW IF EXISTS d.t INCLUDING PERMISSIONS",
            d.DropDataset(T, True, True, True),
        ),
        ("ALTER TABLE d.t ADD ATTRIBUTE pii.name", d.TagDataset(T, PII, True)),
        ("ALTER VIEW d.t DROP ATTRIBUTE pii.name", d.TagDataset(T, PII, False)),
        (
            "ALTER TABLE d.t ADD COLUMN ATTRIBUTE a.B.c pii.name",
            d.TagDataset(T, PII, True, ("a", "b", "c")),
        ),
        (
            "ALTER TABLE d.t DROP COLUMN ATTRIBUTE a pii.name",
            d.TagDataset(T, PII, False, ("a",)),
        ),
        ("ALTER TABLE d.t ADD ATTRIBUTE pii.name CASCADE", d.TagDataset(T, PII, True)),
        ("ALTER DATABASE d DROP ATTRIBUTE pii.name cascade", d.TagDatabase("d", PII, False)),
        ("DROP VIEW d.t EXCLUDING PERMISSIONS", d.DropDataset(T, view=True)),
        ("DROP DATABASE d EXCLUDING PERMISSIONS", d.DropDatabase("d")),
        (
            "ALTER TABLE d.t REPLACE COLUMNS (`A` INT, b STRING COMMENT 'x' ATTRIBUTE pii.name)",
            d.ReplaceColumns(
                T,
                (
                    d.ColumnDefinition("a", pa.int32(), True),
                    d.ColumnDefinition("b", pa.string(), False, "x", (d.TagAt(PII, ("b",)),)),
                ),
            ),
        ),
        ("ALTER TABLE d.t EXECUTE AUTOTAG", d.Autotag(T)),
        ("EXECUTE AUTOTAG d.t", d.Autotag(T)),
        ("execute autotag", d.Autotag(None)),
        ("ALTER TABLE d.t RENAME TO d.u", d.Rename(T, DatasetName("d", "u"))),
        ("ALTER VIEW d.t SET TBLPROPERTIES('a'='b')", d.SetProperties(T, {"a": "b"})),
        ("ALTER TABLE d.t SET SERDEPROPERTIES('quoteChar'='')", d.SetReading(T, quote="")),
        (
            "ALTER TABLE d.t SET SERDEPROPERTIES('separatorChar'='\\t', 'quotechar'='\"')",
            d.SetReading(T, "\t", '"'),
        ),
        (
            "CREATE TABLE d.t WITH SERDEPROPERTIES('field.delim'='\u00e7', 'quoteChar'='''')",
            d.CreateTable(T, delimiter="\u00e7", quote="'"),
        ),
        (
            (
                "CREATE TABLE d.t ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' WITH"
                " SERDEPROPERTIES('field.delim'='|', 'serialization.format'='|')"
            ),
            d.CreateTable(T, delimiter="|"),
        ),
        (
            (
                "CREATE TABLE d.t WITH SERDEPROPERTIES('field.delim'='\\t',"
                " 'serialization.format'='\\t')"
            ),
            d.CreateTable(T, delimiter="\t"),
        ),
        ("ALTER TABLE d.t SET LOCATION '/x'", d.SetLocation(T, "/x")),
        ("ALTER TABLE d.t RECOVER PARTITIONS", d.AlterPartitions(T, "RECOVER")),
        (
            "ALTER TABLE d.t ADD PARTITION (j=-1, k='x') LOCATION '/x' PARTITION (j=2)",
            d.AlterPartitions(T, "ADD"),
        ),
        ("ALTER TABLE d.t ADD PARTITION '/x/j=1'", d.AlterPartitions(T, "ADD")),
        ("ALTER TABLE d.t DROP PARTITION (j=1)", d.AlterPartitions(T, "DROP")),
        ("CREATE CRAWLER c SOURCE '/x'", d.CreateCrawler("c", "/x")),
        ("CREATE CRAWLER c SOURCE DATACONNECTION 'x'", d.CreateCrawler("c", "connection://x")),
        ("CREATE CRAWLER c SOURCE DATACONNECTION X", d.CreateCrawler("c", "connection://x")),
        ("DROP CRAWLER IF EXISTS c", d.DropCrawler("c", True)),
        (
            "CREATE DATACONNECTION IF NOT EXISTS c CXNPROPERTIES('user'='u')",
            d.DefineConnection("c", "CREATE", True, {"user": "u"}),
        ),
        (
            "ALTER DATACONNECTION c CXNPROPERTIES('user'='u')",
            d.DefineConnection("c", "ALTER", False, {"user": "u"}),
        ),
        ("DROP DATACONNECTION c", d.DefineConnection("c", "DROP")),
        (
            "CREATE ROLE r WITH GROUPS a, 'b c', `d`, a",
            CreateRole("r", groups=("a", "b c", "d")),
        ),
        ("SHOW VIEWS IN d", s.ShowTables("d", True)),
        ("SHOW ALL ROLES", s.ShowRoles(s.Which.ALL)),
        ("SHOW CURRENT ROLES", s.ShowRoles(s.Which.CURRENT)),
        ("SHOW ROLE GRANT GROUP 'a b'", s.ShowRolesOfGroup("a b")),
        ("SHOW CRAWLERS", s.ShowCrawlers()),
        (
            "SHOW GRANT ROLE r ON DATABASE d",
            s.ShowGrantRole("r", Scope(ScopeKind.DATABASE, "d")),
        ),
        (
            "SHOW GRANT ATTRIBUTE pii.name ON TABLE d.t",
            s.ShowGrantTag(PII, Scope(ScopeKind.TABLE, "d", "t")),
        ),
        ("SHOW GRANT ATTRIBUTE pii.name", s.ShowGrantTag(PII)),
        ("SHOW PARTITIONS d.t", s.ShowPartitions(T)),
        ("SHOW CREATE TABLE d.t", s.ShowCreate(T)),
        ("SHOW CREATE VIEW d.t", s.ShowCreate(T, True)),
        ("DESCRIBE FORMATTED d.t", s.Describe(T, True)),
        ("DESCRIBE EXTENDED d.t", s.Describe(T, True)),
        ("DESC d.t", s.Describe(T)),
        ("DESCRIBE DATABASE d", s.DescribeDatabase("d")),
    ],
)
def test_statements(text: str, statement: Statement) -> None:
    """Each is its value, whatever the order of its clauses."""
    assert parse(text) == statement


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("BOOLEAN", pa.bool_()),
        ("tinyint", pa.int8()),
        ("SMALLINT", pa.int16()),
        ("INT", pa.int32()),
        ("integer", pa.int32()),
        ("BIGINT", pa.int64()),
        ("FLOAT", pa.float32()),
        ("DOUBLE", pa.float64()),
        ("STRING", pa.string()),
        ("VARCHAR(20)", pa.string()),
        ("CHAR(1)", pa.string()),
        ("BINARY", pa.binary()),
        ("DATE", pa.date32()),
        ("TIMESTAMP", pa.timestamp("us")),
        ("DECIMAL", pa.decimal128(10, 0)),
        ("DECIMAL(5)", pa.decimal128(5, 0)),
        ("DECIMAL(38, 38)", pa.decimal128(38, 38)),
        ("DECIMAL(76, 2)", pa.decimal256(76, 2)),
        ("'uint16'", pa.uint16()),
        ("'timestamp[ns, tz=Europe/Berlin]'", pa.timestamp("ns", tz="Europe/Berlin")),
        ("ARRAY<ARRAY<INT>>", pa.list_(pa.list_(pa.int32()))),
        ("MAP<STRING, 'uint8'>", pa.map_(pa.string(), pa.uint8())),
        (
            "STRUCT<a: INT, `B c`: STRUCT<d: DATE>>",
            pa.struct([("a", pa.int32()), ("B c", pa.struct([("d", pa.date32())]))]),
        ),
    ],
)
def test_column_types(written: str, kind: pa.DataType) -> None:
    """Each word means one Arrow type, and what is printed of that means it again."""
    for text in (written, type_sql(kind)):
        statement = parse(f"CREATE TABLE d.t (c {text})")
        assert isinstance(statement, d.CreateTable)
        assert statement.columns[0].type == kind


def test_tags_inside_a_type() -> None:
    """They are on the field's path, through lists; what is printed says the same."""
    first = "`Zip`:string ATTRIBUTE geo.town pii.name"
    inner = f"struct<{first},`x`:array<struct<`y`:int ATTRIBUTE geo.town>>>"
    statement = parse(f"CREATE TABLE d.t (c array<{inner}> ATTRIBUTE pii.name)")
    assert isinstance(statement, d.CreateTable)
    column = statement.columns[0]
    assert [(t.path, t.tag) for t in column.tags] == [
        (("c",), PII),
        (("c", "zip"), GEO),
        (("c", "zip"), PII),
        (("c", "x", "y"), GEO),
    ]
    below = [(t.path[1:], t.tag) for t in column.tags if len(t.path) > 1]
    assert type_sql(column.type, below) == f"array<{inner}>"


@pytest.mark.parametrize(
    ("before", "text", "position"),
    [
        ("CREATE VIEW d.v AS ", "SELECT 1", Position(1, 20, 19)),
        ("CREATE VIEW d.v AS\n\n  ", "SELECT ')' AS \"x;\" /* ; x */, ';'", Position(3, 3, 22)),
        ("create external view if not exists d.v\nas\t", "with a as (select 1)\nfrom a",
         Position(2, 4, 42)),
        ("ALTER VIEW d.v AS(", "", None),
    ],
)  # fmt: skip
def test_the_text_of_a_view_is_not_read(before: str, text: str, position: Position | None) -> None:
    """It goes to the end of the statement, without the semicolon, and remembers where it began."""
    if position is None:
        statement = parse(f"{before}SELECT 1);")
        assert isinstance(statement, d.AlterView)
        assert statement.text == "(SELECT 1)"
        return
    for end in ("", ";", " ;\n", ";;", "; -- told; why", ";\n/* ; */ ;"):
        statement = parse(before + text + end)
        assert isinstance(statement, d.CreateView)
        assert (statement.text, statement.text_position) == (text, position)
        assert (before + text)[position.offset :] == text


@pytest.mark.parametrize(
    ("text", "offset", "advice"),
    [
        ("CREATE DATABASE", 15, "a name"),
        ("CREATE DATABASE d COMMENT 'a' COMMENT 'b'", 30, ""),
        ("CREATE DATABASE d DBPROPERTIES('a'='b', 'a'='c')", 40, ""),
        ("CREATE DATABASE d DBPROPERTIES(''='b')", 31, ""),
        ("DROP DATABASE d INCLUDING PERMISSION", 26, "`PERMISSIONS`"),
        ("DROP DATABASE d INCLUDING PERMISSIONS CASCADE", 38, "the end"),
        ("ALTER DATABASE d ADD ATTRIBUTE name", 35, "expected ."),
        ("CREATE TABLE t (a INT)", 15, "expected ."),
        ("CREATE TABLE d.t ()", 18, "a name"),
        ("CREATE TABLE d.t (a)", 19, ""),
        ("CREATE TABLE d.t (a INTT)", 20, "`int`"),
        ("CREATE TABLE d.t (a INT(3))", 24, ""),
        ("CREATE TABLE d.t (a VARCHAR(0))", 20, "varchar(20)"),
        ("CREATE TABLE d.t (a VARCHAR(1, 2))", 20, "varchar(20)"),
        ("CREATE TABLE d.t (a DECIMAL(77, 2))", 20, "decimal(10,2)"),
        ("CREATE TABLE d.t (a DECIMAL(5, 6))", 20, "decimal(10,2)"),
        ("CREATE TABLE d.t (a DECIMAL(1, 1, 1))", 20, "decimal(10,2)"),
        ("CREATE TABLE d.t (a 'no type')", 20, "Arrow type"),
        ("CREATE TABLE d.t (a INT, b INT, A INT)", 32, ""),
        ("CREATE TABLE d.t (a INT) PARTITIONED BY (a INT)", 41, ""),
        ("CREATE TABLE d.t (a STRUCT<b: INT, B: INT>)", 35, ""),
        ("CREATE TABLE d.t (a STRUCT<` `: INT>)", 27, ""),
        ("CREATE TABLE d.t (a MAP<STRING, STRUCT<b: INT ATTRIBUTE x.y>>)", 56, "the column"),
        ("CREATE TABLE d.t (a INT ATTRIBUTE x.y x.Y)", 38, ""),
        ("CREATE TABLE d.t (a INT COMMENT 'x' COMMENT 'y')", 36, ""),
        ("CREATE TABLE d.t (a INT) LOCATION '/a' LOCATION '/b'", 39, ""),
        ("CREATE TABLE d.t (a INT) STORED AS SEQUENCEFILE", 35, "DELTA and ICEBERG"),
        (
            "CREATE TABLE d.t STORED AS RCFILE TBLPROPERTIES('x'='y')",
            27,
            "DELTA and ICEBERG",
        ),
        ("CREATE TABLE d.t (a INT) STORED AS PARQET", 35, "`PARQUET`"),
        ("CREATE TABLE d.t (a INT) STORED AS INPUTFORMAT 'x' OUTPUTFORMAT 'y'", 35, "TEXTFILE"),
        ("CREATE TABLE d.t (a INT) ROW FORMAT SERDE 'x'", 25, "DELIMITED"),
        ("CREATE TABLE d.t (a INT) WITH SERDEPROPERTIES('x'='y')", 46, "'field.delim'"),
        ("CREATE TABLE d.t (a INT) WITH SERDEPROPERTIES('quoteChar'='xy')", 58, ""),
        (
            (
                "CREATE TABLE d.t ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'"
                " WITH SERDEPROPERTIES('field.delim'=',')"
            ),
            17,
            "leave out one",
        ),
        (
            "CREATE TABLE d.t WITH SERDEPROPERTIES('field.delim'='|', 'serialization.format'=';')",
            80,
            "",
        ),
        (
            "CREATE TABLE d.t (a INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY 'ab'",
            67,
            "'|'",
        ),
        (
            "CREATE TABLE d.t (a INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\"'",
            67,
            "'|'",
        ),
        (
            "CREATE TABLE d.t (a INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\u00a6'",
            67,
            "'|'",
        ),
        ("CREATE TABLE d.t LIKE RCFILE '/x'", 22, "LIKE PARQUET"),
        ("CREATE TABLE d.t (a INT); DROP TABLE d.t", 26, "the end"),
        ("DROP TABLE IF EXIST d.t", 14, "`EXISTS`"),
        ("DROP TABLE d.t CASCADE", 11, "one by one"),
        ("ALTER TABLE d.t ADD ATTRIBUTE a.b DO NOT CASCADE", 30, "column of the view"),
        ("ALTER TABLE d.t SET SERDEPROPERTIES('a'='b')", 36, "'quoteChar'"),
        ("ALTER TABLE d.t SET SERDEPROPERTIES('field.delim'='ab')", 50, "'|'"),
        (
            "ALTER TABLE d.t SET SERDEPROPERTIES('quoteChar'='', 'quotechar'='')",
            52,
            "'quoteChar'",
        ),
        ("ALTER TABLE d.t SET SERDE 'x'", 12, "ROW FORMAT DELIMITED"),
        ("CREATE CRAWLER c SOURCE '/x' CRAWLER_PROPERTIES('a'='b')", 29, "CRAWLER_PROPERTIES"),
        ("CREATE EXTERNAL VIEW d.v (a INT) SKIP_ANALYSIS AS SELECT 1", 21, "leave it out"),
        ("CREATE VIEW d.v (a, A) AS SELECT 1, 2", 20, ""),
        ("CREATE VIEW d.v COMMENT 'x' COMMENT 'y' AS SELECT 1", 28, ""),
        ("CREATE VIEW d.v (a INT COMMENT 'x' COMMENT 'y') AS SELECT 1", 35, ""),
        ("ALTER TABLE d.t", 15, "ADD"),
        ("ALTER TABLE d.t ADD COLUMN ATTRIBUTE a pii", 42, "expected ."),
        ("ALTER TABLE d.t EXECUTE AUTOTAGS", 24, "`AUTOTAG`"),
        ("ALTER TABLE d.t RENAME d.u", 23, "TO"),
        ("DROP TABLEd.t", 5, "`TABLE`"),
        ("SHOW TABLESIN d", 5, "`TABLES`"),
        ("GRANT SELECT ONCATALOG TO r", 13, ""),
        ("ALTER TABLE d.t ADD PARTITION (j>1)", 32, "="),
        ("CREATE VIEW d.v", 15, "AS"),
        ("CREATE VIEW d.v SELECT 1", 16, "AS"),
        ("CREATE VIEW d.v AS ;", 19, "AS SELECT"),
        ("CREATE CRAWLER c SOURCE /x", 24, "text"),
        ("CREATE DATACONNECTION c", 23, "CXNPROPERTIES"),
        ("SHOW TABLES d", 12, "IN"),
        ("SHOW GRANT r", 11, "ROLE"),
        ("SHOW CREATE d.t", 12, "TABLE"),
        ("DESCRIBE t", 10, "expected ."),
        ("CREATE ROLE r WITH GROUPS 'user:bob'", 26, ""),
    ],
)
def test_refusals_say_where_and_what(text: str, offset: int, advice: str) -> None:
    """A refusal points at the first thing that does not fit and says what would."""
    with pytest.raises(InvalidRequest) as caught:
        parse(text)
    assert caught.value.position is not None
    assert caught.value.position.offset == offset
    assert advice in caught.value.hint


NAMES = (
    "CREATE DATABASE {}",
    "DROP DATABASE {}",
    "ALTER DATABASE {} ADD ATTRIBUTE a.b",
    "ALTER DATABASE d ADD ATTRIBUTE {}.b",
    "ALTER DATABASE d DROP ATTRIBUTE a.{}",
    "ALTER DATABASE {} SET DBPROPERTIES('a'='b')",
    "CREATE TABLE {}.t (a INT)",
    "CREATE TABLE d.{} (a INT)",
    "CREATE TABLE d.t ({} INT)",
    "CREATE TABLE d.t (a {})",
    "CREATE TABLE d.t (a ARRAY<{}>)",
    "CREATE TABLE d.t (a INT ATTRIBUTE {}.b)",
    "CREATE TABLE d.t (a INT ATTRIBUTE a.{})",
    "CREATE TABLE d.t (a INT) PARTITIONED BY ({} INT)",
    "CREATE TABLE d.t (a INT) ATTRIBUTE {}.b",
    "CREATE TABLE d.t (a INT) STORED AS {}",
    "DROP TABLE {}.t",
    "DROP VIEW d.{}",
    "ALTER TABLE d.{} EXECUTE AUTOTAG",
    "ALTER TABLE d.t ADD COLUMN ATTRIBUTE {} a.b",
    "ALTER TABLE d.t ADD COLUMN ATTRIBUTE a.{} a.b",
    "ALTER TABLE d.t RENAME TO {}.u",
    "ALTER TABLE d.t RENAME TO d.{}",
    "ALTER TABLE d.t DROP PARTITION ({}=1, x=2, +)",
    "CREATE VIEW {}.v AS SELECT 1",
    "CREATE VIEW d.{} AS SELECT 1",
    "CREATE VIEW d.v ({}) AS SELECT 1",
    "ALTER VIEW d.{} AS SELECT 1",
    "CREATE CRAWLER {} SOURCE '/x'",
    "CREATE VIEW d.v (a INT, {} INT) AS SELECT 1",
    "CREATE VIEW d.v (a ATTRIBUTE {}.b) AS SELECT 1",
    "ALTER TABLE {}.t REPLACE COLUMNS (a INT)",
    "ALTER TABLE d.t REPLACE COLUMNS ({} INT)",
    "ALTER DATABASE {} LOAD DEFINITIONS()",
    "DROP CRAWLER {}",
    "DROP DATACONNECTION {}",
    "CREATE ROLE {} WITH GROUPS g",
    "SHOW TABLES IN {}",
    "SHOW VIEWS IN {}",
    "SHOW GRANT ROLE {}",
    "SHOW GRANT ROLE r ON DATABASE {}",
    "SHOW GRANT ATTRIBUTE {}.b",
    "SHOW PARTITIONS {}.t",
    "SHOW CREATE TABLE d.{}",
    "DESCRIBE d.{}",
    "DESCRIBE FORMATTED {}.t",
    "DESCRIBE DATABASE {}",
)
TRICKS = (
    "\u0430bc", "\uff44", "\u212aelvin", "lo\u017ft", "r\u00f6le", "a\u200bb", "`\u0430`",
    "a\u00a0b", "`a.b`", "`a b`", "``", "`a", "a`", "'a'", '"a"', "a;b", "a/**/b", "a--b", "`a`b",
    "`${user}`x", "`a\n`", "a" * 129, "`" + "a" * 129 + "`",
)  # fmt: skip


@pytest.mark.parametrize("text", NAMES)
def test_names_are_nothing_but_names(text: str) -> None:
    """Look-alikes, quotes, comments and long ones are refused with their position, everywhere.

    A field inside a column is called as the source has it, in back quotes.
    """
    inside = "a.{} " in text
    for trick in TRICKS:
        if inside and trick in {"`\u0430`", "`a.b`", "`a b`"}:
            assert parse(text.format(trick)).path == ("a", trick[1:-1])  # type: ignore[union-attr]
            continue
        with pytest.raises(ParseFailed) as caught:
            parse(text.format(trick))
        if caught.value.position is not None:
            assert caught.value.position.offset <= len(text.format(trick))


@pytest.mark.parametrize("text", [n for n in NAMES if "+)" not in n and "AS {}" not in n])
def test_names_may_be_quoted_and_in_any_case(text: str) -> None:
    """They are the same then; types are words, not names."""
    if text in {"CREATE TABLE d.t (a {})", "CREATE TABLE d.t (a ARRAY<{}>)"}:
        return
    plain = parse(text.format("name_1"))
    assert parse(text.format("`NAME_1`")) == plain
    assert parse(text.format("Name_1")) == plain


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE d.t (a " + "ARRAY<" * 10_000,
        "CREATE TABLE d.t (a " + "ARRAY<" * 200 + "INT" + ">" * 200 + ")",
        "CREATE TABLE d.t (a " + "STRUCT<b:" * 30 + "INT" + ">" * 30 + ")",
        "CREATE TABLE d.t (a " + "MAP<INT,ARRAY<" * 20 + "INT" + ">>" * 20 + ")",
        "CREATE TABLE d.t (a INT COMMENT '" + "x" * 2**20 + "')",
        "CREATE VIEW d.v AS SELECT '" + "x" * 2**20 + "'",
        "CREATE VIEW d.v AS SELECT " + "(" * 300 + "1" + ")" * 300,
        "CREATE TABLE d.t (" + "(" * 30_000,
        "ALTER TABLE d.t ADD COLUMN ATTRIBUTE " + "a." * 30_000,
        "CREATE VIEW d.v AS SELECT '\0'",
        "CREATE DATABASE d COMMENT '\ud800'",
    ],
    ids=lambda text: text[:40].encode("ascii", "backslashreplace").decode(),
)
def test_hostile_statements(text: str) -> None:
    """Huge and deep ones get a typed error, soon."""
    begin = time.thread_time()
    with pytest.raises(ParseFailed):
        parse(text)
    assert time.thread_time() - begin < 20


def test_wide_is_fine() -> None:
    """A table may have many columns."""
    columns = ", ".join(f"c{n} INT ATTRIBUTE a.b" for n in range(2_000))
    statement = parse(f"CREATE TABLE d.t ({columns})")
    assert isinstance(statement, d.CreateTable)
    assert len(statement.columns) == 2_000


def test_secrets_are_not_in_what_is_printed() -> None:
    """The properties of a connection may hold a password."""
    assert "hush" not in repr(parse("CREATE DATACONNECTION c CXNPROPERTIES('password'='hush')"))


WORDS = sorted({word for text in NAMES for word in text.format("d").split()} | {"(", ")", ",", "."})


@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
@settings(deadline=None, max_examples=200)
def test_any_words(text: str) -> None:
    """Whatever the words, there is a statement or a typed error, and nothing else."""
    with suppress(PrivetError):
        parse(text)
