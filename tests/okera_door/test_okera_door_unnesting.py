"""What is inside columns, in the original's dialect: `SELECT **`, and lists named in FROM."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pyarrow as pa
import pytest
from sqlglot import exp

from doors.servers import TrialServer
from doors.steward import Steward, unique
from doors.thrift_client import fetched, logged_in, planned
from privet.model.errors import InvalidRequest, ResourcesExceeded
from privet.model.principals import Principal
from privet.model.requests import QueryRequest
from privet.okera.dialect import as_stored, understood
from privet.okera.idl import T
from privet.okera.unnesting import unnested

PART = pa.struct([("code", pa.string()), ("marks", pa.list_(pa.int64()))])
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("at", pa.struct([("town", pa.string()), ("Geo", pa.struct([("lat", pa.int64())]))])),
        ("parts", pa.list_(PART)),
        ("said", pa.map_(pa.string(), pa.int64())),
    ]
)
ROWS = [
    {
        "id": 1,
        "at": {"town": "Wien", "Geo": {"lat": 48}},
        "parts": [{"code": "a", "marks": [1, 2]}, {"code": "b", "marks": [3]}],
        "said": [("k", 7)],
    },
    {
        "id": 2,
        "at": None,
        "parts": [{"code": "c", "marks": [4]}],
        "said": [("k", 8), ("l", 9)],
    },
    {"id": 3, "at": {"town": "Graz", "Geo": None}, "parts": [], "said": None},
]


def described(tree: exp.Expr, times: list[str]) -> pa.Schema:
    """What every table is here."""
    times.append(tree.sql())
    return SCHEMA


def written(text: str, describe: Callable[[exp.Expr], pa.Schema] | None = None) -> str:
    """The engine's statement."""
    by = describe or partial(described, times=[])
    request = understood(text, Principal("u"), lambda tree: unnested(tree, by))
    assert isinstance(request, QueryRequest)
    assert request.original == text
    return request.text


def test_structs_are_written_out_by_their_fields() -> None:
    """Each innermost field is a column named after its path; the rest of the statement stays."""
    flat = pa.schema([SCHEMA.field("id"), SCHEMA.field("at")])
    assert written("select ** from d.t where id > 1 limit 3", lambda _: flat) == (
        'SELECT "t"."id" AS "id", "t"."at"."town" AS "at__town",'
        ' "t"."at"."Geo"."lat" AS "at__geo__lat" FROM "d"."t" WHERE "id" > 1 LIMIT 3'
    )
    assert as_stored("select a.** from d.t a", lambda t: unnested(t, lambda _: flat)).endswith(
        'AS "at__geo__lat" FROM "d"."t" AS "a"'
    )


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("select ** from d.t", ["SELECT * FROM d.t"]),
        ("select ** from d.t a join d.t b on a.id = b.id",
         ["SELECT * FROM d.t AS a", "SELECT * FROM d.t AS b"]),
        ("select ** from d.t; ", ["SELECT * FROM d.t"]),
        ("select id from d.t, t.parts", ["SELECT * FROM d.t"]),
        ("select '**' from d.t", []),
        ("select count(*) from d.t, d.u", []),
    ],
)  # fmt: skip
def test_only_what_is_written_out_is_asked_about(text: str, asked: list[str]) -> None:
    """Planning looks at a table for no other reason."""
    times: list[str] = []
    understood(text, Principal("u"), lambda t: unnested(t, partial(described, times=times)))
    assert times == asked


@pytest.mark.parametrize(
    "text", ["select **", "select count(`**`) from d.t", "select ** from (select 1)"]
)
def test_what_stands_for_no_columns_is_refused(text: str) -> None:
    """Beside the SELECT list, without a table, or of a table without a name."""
    with pytest.raises(InvalidRequest):
        written(text)


def test_writing_out_has_an_end() -> None:
    """Neither many tables nor wide ones make a short statement a long one for ever."""
    many = ", ".join(f"d.t{n}" for n in range(30))
    with pytest.raises(ResourcesExceeded):
        written(f"select ** from {many}")
    wide = pa.schema([(f"c{n}", pa.int64()) for n in range(20_000)])
    with pytest.raises(ResourcesExceeded):
        written("select ** from d.t", lambda _: wide)
    inner = "select ** from d.t"
    for number in range(30):
        inner = f"select ** from ({inner}) x{number}"
    with pytest.raises(ResourcesExceeded):
        written(inner)


@pytest.mark.service
@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (
            "select id, at.** from NAME at where id < 0",
            [],
        ),
        (
            "select id, said.key, said.value from NAME, NAME.said order by id, said.key",
            [(1, "k", 7), (2, "k", 8), (2, "l", 9)],
        ),
        (
            "select x.id, p.item.code as code from NAME x, x.parts p order by code",
            [(1, "a"), (1, "b"), (2, "c")],
        ),
        (
            "select p.*, m.item as mark from NAME x, x.parts p, p.item.marks m order by mark",
            [("a", [1, 2], 1), ("a", [1, 2], 2), ("b", [3], 3), ("c", [4], 4)],
        ),
        (
            "with two as (select ** from NAME) select ** from two where id > 1 order by said__key",
            [
                (2, None, None, "c", 4, "k", 8),
                (2, None, None, "c", 4, "l", 9),
            ],
        ),
    ],
)
def test_rows_of_what_is_inside(
    server: TrialServer, steward: Steward, sql: str, rows: list[tuple[object, ...]]
) -> None:
    """A row for each item, and for each of every other list; without items there is none."""
    dataset = steward.dataset(pa.Table.from_pylist(ROWS, SCHEMA), suffix="parquet")
    with logged_in(server.okera, server.ca, server.admin_token) as wire:
        told = fetched(wire, planned(wire, sql.replace("NAME", dataset)))
    assert list(zip(*told.to_pydict().values(), strict=True)) == rows


@pytest.mark.service
def test_all_of_it_is_what_the_reader_sees(server: TrialServer, steward: Steward) -> None:
    """A hidden column has no fields here either, in a statement and in a view made of it."""
    dataset = steward.dataset(pa.Table.from_pylist(ROWS, SCHEMA), suffix="parquet")
    database = dataset.partition(".")[0]
    reader = steward.reader(
        f"GRANT SELECT(id, parts) ON TABLE {dataset} WHERE id < 2",
        f"GRANT CREATE ON DATABASE {database}",
    )
    names = ["id", "parts__code", "parts__marks"]
    with logged_in(server.okera, server.ca, reader.token) as wire:
        told = fetched(wire, planned(wire, f"select ** from {dataset}"))
        assert told.column_names == names
        assert set(told.column("id").to_pylist()) == {1}
        for hidden in (f"{dataset}, {dataset}.said", f"{dataset} t, t.said"):
            with pytest.raises(T.TRecordServiceException) as caught:
                planned(wire, f"select id from {hidden}")
            with pytest.raises(T.TRecordServiceException) as absent:
                planned(wire, f"select id from {hidden.replace('said', 'nothing')}")
            assert caught.value.message.replace("said", "nothing") == absent.value.message
        view = f"{database}.{unique('v')}"
        made = T.TExecDDLParams(ddl=f"CREATE VIEW {view} AS SELECT ** FROM {dataset}")
        wire.call("ExecuteDDL2", ddl=made)
    with logged_in(server.okera, server.ca, server.admin_token) as wire:
        shown = wire.call("ExecuteDDL2", ddl=T.TExecDDLParams(ddl=f"DESCRIBE {view}"))
        assert [row[0] for row in shown.tabular_result] == names
        rows = fetched(wire, planned(wire, f"select * from {view}"))
        assert rows.sort_by("parts__marks").column("parts__marks").to_pylist() == [1, 2, 3]
