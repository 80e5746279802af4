"""AuthorizeQuery over the wire, with tokens: what may be read elsewhere, said or refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from test_okera_door_catalog import Client, client

from doors.servers import TrialServer
from doors.steward import unique
from privet.okera.idl import T

CLIENT = T.TAuthorizeQueryClient


@pytest.fixture
def admin(server: TrialServer) -> Iterator[Client]:
    with client(server, server.admin_token, "admin") as connected:
        yield connected


@pytest.fixture
def database(admin: Client) -> str:
    """A database with a table of four columns, of which two are tagged."""
    name = unique("elsewhere")
    columns = (
        f"id bigint, region string, phone string ATTRIBUTE {name}.pii,"
        f" score int ATTRIBUTE {name}.soft"
    )
    admin.ddl(f"CREATE ATTRIBUTE IF NOT EXISTS {name}.pii")
    admin.ddl(f"CREATE ATTRIBUTE IF NOT EXISTS {name}.soft")
    admin.ddl(f"CREATE DATABASE {name}")
    admin.ddl(f"CREATE TABLE {name}.t ({columns})")
    return name


@pytest.fixture
def granted(server: TrialServer, admin: Client, database: str) -> Iterator[Client]:
    """Somebody who sees the north, without phones, and no scores."""
    user, role, group = unique("reader"), unique("role"), unique("group")
    admin.ddl(f"CREATE ROLE {role}")
    admin.ddl(f"GRANT ROLE {role} TO GROUP {group}")
    admin.ddl(
        f"GRANT SELECT ON TABLE {database}.t HAVING ATTRIBUTE NOT ({database}.pii)"
        f" TRANSFORM {database}.soft WITH null() WHERE region = 'north' TO ROLE {role}"
    )
    with client(server, server.token(user, group), user) as connected:
        yield connected


def asked(who: Client, **said: Any) -> Any:
    """What the call answers."""
    return who.call("AuthorizeQuery", T.TAuthorizeQueryParams(**said))


def refused(who: Client, **said: Any) -> Any:
    """What the call raises."""
    with pytest.raises(T.TRecordServiceException) as raised:
        asked(who, **said)
    return raised.value


def test_a_statement_is_rewritten(granted: Client, database: str) -> None:
    """The dataset is its visible rows and columns, in the SQL of the engine."""
    told = asked(granted, sql=f"select * from {database}.t as x", client=CLIENT.PRESTO)
    assert "'north'" in told.result_sql
    assert "phone" not in told.result_sql
    assert set(told.referenced_tables) == {f"{database}.t"}


def test_an_administrator_reads_the_table_as_it_is(admin: Client, database: str) -> None:
    """There is nothing to leave out, and the table is described."""
    told = asked(admin, db=[database], dataset="t", client=CLIENT.POSTGRES)
    assert told.full_access
    assert "WHERE" not in told.result_sql
    assert told.table.name == "t"


def test_a_dataset_for_a_reader(granted: Client, database: str) -> None:
    """Rows and columns are said, and no name of a column that is hidden."""
    told = asked(granted, db=[database], dataset="t", client=CLIENT.REST_API)
    assert not told.full_access
    assert told.filter == "region = 'north'"
    assert {name: a.accessible for name, a in told.column_access.items()} == {
        "id": True,
        "region": True,
        "score": False,
    }
    assert told.column_access["score"].transform == "null"
    assert "phone" not in repr(told)


def test_hidden_reads_as_absent(granted: Client, database: str) -> None:
    """Of a dataset without a grant one hears what one hears of none."""
    texts = [
        refused(granted, sql=f"select * from {name}", client=CLIENT.APACHE_SPARK).message
        for name in (f"{database}.nothing", "okera_nowhere.t")
    ]
    assert texts[0].replace(database, "okera_nowhere").replace("nothing", "t") == texts[1]


@pytest.mark.parametrize(
    "more",
    [
        {"client": CLIENT.REDSHIFT},
        {"client": CLIENT.MYSQL},
        {"use_session_local_tables": True},
        {"ignore_unknown_tables": True},
        {"is_create_tmp_view": True},
        {"request_filter": "TRUE"},
        {"privilege_level": T.TAccessPermissionLevel.INSERT},
        {"client": CLIENT.SNOWFLAKE_POLICY_SYNC},
        {"client": CLIENT.PRESTO, "plan_request": True},
    ],
)
def test_what_is_not_served_says_so(granted: Client, database: str, more: Any) -> None:
    """An engine that compares texts otherwise, and options that would widen, are refused."""
    error = refused(granted, sql=f"select * from {database}.t", **more)
    assert error.code == T.TErrorCode.UNSUPPORTED_REQUEST


@pytest.mark.parametrize("text", ["drop table x", "set role all", "abc", "show tables", "x; y"])
def test_commands_do_not_pass_a_proxy(granted: Client, text: str) -> None:
    """Whoever does not hold ALL on a connection sends nothing but SELECTs through it."""
    error = refused(
        granted, sql=text, client=CLIENT.SNOWFLAKE, connection_proxy_host="db.example.com"
    )
    assert "Unsupported or invalid statement" in error.message


def test_commands_pass_for_who_owns_the_connection(admin: Client) -> None:
    """An administrator's go on as they are, if there is a connection to that host."""
    name = unique("proxied")
    host = f"{name.replace('_', '-')}.example.com"
    said = {"sql": "set x = 1", "client": CLIENT.POSTGRES, "connection_proxy_host": host}
    refused(admin, **said)
    admin.ddl(
        f"CREATE DATACONNECTION {name} CXNPROPERTIES('driver'='postgresql', 'host'='{host}',"
        " 'user'='secret:u', 'password'='secret:p')"
    )
    assert asked(admin, **said).result_sql == "set x = 1"


def test_records_of_a_reader(granted: Client, database: str) -> None:
    """Records are filtered, hidden and unknown members left out, others transformed."""
    records = [
        {"ID": 1, "region": "north", "phone": "555-0101", "score": 7, "stranger": "x"},
        {"id": 2, "region": "south", "phone": "555-0102", "score": 8},
        {"id": 3, "phone": "555-0103"},
        {"region": "north"},
    ]
    told = asked(
        granted,
        db=[database],
        dataset="t",
        records=[json.dumps(r) for r in records],
        return_records=True,
        client=CLIENT.REST_API,
    )
    assert told.filtered_records == [True, False, False, True]
    assert [json.loads(r) for r in told.result_records] == [
        {"ID": 1, "region": "north", "score": None},
        {"region": "north"},
    ]


@pytest.mark.parametrize(
    "record",
    [
        "[1]",
        "{",
        '{"id": 1, "ID": 2}',
        '{"id": 1, "id": 2}',
        '{"region": 5}',
        '{"region": ["north"]}',
        '{"id": "1", "region": "north"}',
        '{"id": true}',
        '{"id": 1.5}',
        '{"region": "\\ud800"}',
    ],
)
def test_records_that_are_no_rows(granted: Client, database: str, record: str) -> None:
    """What two readers could read in two ways is refused, and no cell is in the error."""
    good = '{"region": "SECRET-0042"}'
    error = refused(
        granted, db=[database], dataset="t", records=[good, record], client=CLIENT.REST_API
    )
    assert error.code == T.TErrorCode.INVALID_REQUEST
    assert "SECRET" not in str(error)


def test_keys_of_answers_that_may_be_kept(admin: Client, granted: Client, database: str) -> None:
    """Equal for one statement however it is spelt, other for another decision; none for chance."""

    def key(who: Client, sql: str) -> str | None:
        return asked(who, sql=sql, client=CLIENT.OKERA_CACHE_KEY).result_sql

    first = key(granted, f"select id from {database}.t")
    assert first is not None
    assert first == key(granted, f"SELECT `id`  FROM {database.upper()}.T -- again")
    others = (
        key(granted, f"select region from {database}.t"),
        key(granted, f"select id from {database}.t where region = 'x'"),
        key(admin, f"select id from {database}.t"),
    )
    assert len({first, *others}) == 4
    assert key(granted, "select 1") is None
    assert key(granted, f"select current_timestamp() from {database}.t") is None
    assert "north" not in first
    refused(granted, sql="select id from okera_nowhere.t", client=CLIENT.OKERA_CACHE_KEY)


def test_a_note_of_what_ran_elsewhere(granted: Client) -> None:
    """It is recorded, and says and grants nothing, whatever it names."""
    told = asked(granted, sql="select * from nowhere.t", audit_only=True)
    assert told.result_sql is None
    assert told.table is None


def test_a_note_in_the_call_of_its_own(server: TrialServer, granted: Client) -> None:
    """`AuditQuery` records the statement and what its client says it read, and no more."""
    params = T.TAuditQueryParams(
        query="select * from lake.far", accessed_datasets={"lake.far", "lake.away"}
    )
    assert granted.call("AuditQuery", params) is not None
    (event, *_) = server.events(action="query.note")
    assert event["statement"] == "select * from lake.far"
    assert event["detail"] == {"datasets": ["lake.away", "lake.far"]}
    with pytest.raises(T.TRecordServiceException):
        granted.call("AuditQuery", T.TAuditQueryParams(query="x", requesting_user="somebody"))


def test_a_long_note(server: TrialServer, granted: Client) -> None:
    """Its beginning is kept, and enough of the rest to know it by: anybody may send one."""
    text = "select " + "1, " * 300_000 + "1"
    asked(granted, sql=text, audit_only=True)
    (event, *_) = server.events(action="query.note")
    assert text.startswith(event["statement"])
    assert len(event["statement"]) <= 4096
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert event["detail"] == {"length": len(text), "sha256": digest}


def test_a_note_of_many_datasets(server: TrialServer, granted: Client) -> None:
    """They leave room for what tells the statement, however many are named and in what letters."""
    text = "select " + "1, " * 3_000 + "1"
    named = {f"{n:04}" + "\U0001f600" * 300 for n in range(2_000)}
    granted.call("AuditQuery", T.TAuditQueryParams(query=text, accessed_datasets=named))
    (event, *_) = server.events(action="query.note")
    assert event["detail"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert len(event["detail"]["datasets"]) + event["detail"]["more_datasets"] == 2_000


def test_a_statement_of_megabytes(granted: Client) -> None:
    """It is told that it is too large, at once."""
    error = refused(granted, sql="select " + "1," * 600_000 + "1", client=CLIENT.PRESTO)
    assert "larger than the maximum" in error.message


def test_a_plan_is_a_governed_scan(granted: Client, database: str) -> None:
    """Asked for a plan, the door plans for its own workers what the reader may see."""
    told = asked(granted, sql=f"select * from {database}.t", plan_request=True)
    assert [c.name for c in told.plan.schema.cols] == ["id", "region", "score"]
