"""Statements of the original at the okera door that have forms of their own."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from doors.servers import TrialServer
from doors.steward import unique
from doors.thrift_client import Wire, log_in, opened
from privet.okera.idl import T


@contextmanager
def connected(server: TrialServer, token: str) -> Generator[Wire]:
    """A connection that is logged in."""
    with opened(server.okera, server.ca) as wire:
        log_in(wire, token)
        yield wire


def run(wire: Wire, text: str) -> Any:
    """What a statement answers."""
    return wire.call("ExecuteDDL2", ddl=T.TExecDDLParams(ddl=text))


@pytest.fixture
def admin(server: TrialServer) -> Iterator[Wire]:
    with connected(server, server.admin_token) as wire:
        yield wire


@pytest.fixture
def reader(server: TrialServer, admin: Wire) -> Iterator[tuple[Wire, str, str]]:
    """Somebody, their name, and their role."""
    user, role, group = unique("reader"), unique("role"), unique("group")
    run(admin, f"CREATE ROLE {role}")
    run(admin, f"GRANT ROLE {role} TO GROUP {group}")
    with connected(server, server.token(user, group)) as wire:
        yield wire, user, role


def test_explain_says_whether_rows_are_left_out(admin: Wire, reader: tuple[Wire, str, str]) -> None:
    """It is planned for whoever asks, names only what they see, and no filter's text."""
    wire, _, role = reader
    table = f"{unique('plandb')}.t"
    run(admin, f"CREATE DATABASE {table.partition('.')[0]}")
    run(admin, f"CREATE TABLE {table} (a int, secret int)")
    statement = f"EXPLAIN SELECT * FROM {table}"
    with pytest.raises(T.TRecordServiceException):
        run(wire, statement)
    run(admin, f"GRANT SELECT(a) ON TABLE {table} WHERE secret = 42 TO ROLE {role}")
    told = run(wire, statement).formatted_result
    assert f"SCAN {table}" in told
    assert "predicates" in told
    assert "secret" not in told
    assert "42" not in told
    run(admin, f"GRANT SELECT(a) ON TABLE {table} TO ROLE {role}")
    assert "predicates" not in run(wire, f"EXPLAIN SELECT a + 1 FROM {table}").formatted_result


def test_a_database_named_for_each_user_is_theirs_to_make(
    admin: Wire, reader: tuple[Wire, str, str]
) -> None:
    """A grant on a name with the user in it lets them make it; one on a fixed name does not."""
    wire, user, role = reader
    prefix = unique("home")
    run(admin, f"CREATE DATABASE {prefix}_fixed")
    run(admin, f"GRANT ALL ON DATABASE {prefix}_fixed TO ROLE {role}")
    run(admin, f"DROP DATABASE {prefix}_fixed")
    run(admin, f"GRANT CREATE ON DATABASE `{prefix}_${{user}}` TO ROLE {role}")
    for name in (f"{prefix}_fixed", f"{prefix}_somebody"):
        with pytest.raises(T.TRecordServiceException):
            run(wire, f"CREATE DATABASE {name}")
    run(wire, f"CREATE DATABASE {prefix}_{user}")
    run(wire, f"CREATE TABLE {prefix}_{user}.t (a int)")


def test_connections_keep_the_case_of_their_names(admin: Wire) -> None:
    """They are found by the name in any case, and shown as they were defined."""
    name = f"Sales_{unique('Link')}"
    said = T.TDataRegConnection(
        name=name,
        type="JDBC",
        jdbc_driver="mysql",
        host="db.example.org",
        user_key=" secret:user ",
        password_key="secret:word",
    )
    operations = T.TObjectOpType

    def manage(operation: int, **more: Any) -> list[Any]:
        params = T.TDataRegConnectionParams(
            requesting_user="admin", op_type=operation, connection=said, **more
        )
        return wire_answer(admin, params)

    assert [c.name for c in manage(operations.CREATE)] == [name]
    (listed,) = manage(operations.LIST, connection_names=[name.upper()])
    assert (listed.name, listed.user_key, listed.connection_properties) == (
        name,
        "secret:user",
        {},
    )
    assert manage(operations.DELETE) == []


def wire_answer(wire: Wire, params: Any) -> list[Any]:
    """The connections that a call answers."""
    return wire.call("ManageDataRegConnection", params=params).connections


def test_a_deny_with_rows_is_refused_by_its_reason(admin: Wire) -> None:
    """DENY hides columns; what leaves out rows is RESTRICT."""
    with pytest.raises(T.TRecordServiceException) as refused:
        run(admin, "DENY SELECT ON CATALOG HAVING ATTRIBUTE a.b WHERE x = 1 FROM ROLE r")
    assert "DENY takes no WHERE" in refused.value.message
