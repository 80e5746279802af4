"""What the okera door says of the catalog, and changes in it, over the wire with tokens."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from doors.servers import TrialServer
from doors.steward import unique
from doors.thrift_client import Wire, log_in, opened
from privet.okera.idl import T


class Client:
    """Calls of one user."""

    def __init__(self, wire: Wire, user: str) -> None:
        self._wire = wire
        self.user = user

    def ddl(self, text: str) -> list[list[str]]:
        """The rows that a statement answers."""
        params = T.TExecDDLParams(ddl=text)
        return self._wire.call("ExecuteDDL2", ddl=params).tabular_result

    def text(self, text: str) -> str:
        """The one text that a statement answers."""
        return self._wire.call("ExecuteDDL2", ddl=T.TExecDDLParams(ddl=text)).formatted_result

    def call(self, name: str, params: Any) -> Any:
        """The answer of a call with one argument."""
        return self._wire.call(name, params=params)


@contextmanager
def client(server: TrialServer, token: str, user: str) -> Generator[Client]:
    """A connection of a user."""
    with opened(server.okera, server.ca) as wire:
        log_in(wire, token)
        yield Client(wire, user)


@pytest.fixture
def admin(server: TrialServer) -> Iterator[Client]:
    with client(server, server.admin_token, "admin") as connected:
        yield connected


@pytest.fixture
def database(admin: Client) -> str:
    """A database with a table and a tag on one of its columns."""
    name = unique("okeradb")
    admin.ddl(f"CREATE ATTRIBUTE IF NOT EXISTS {name}.pii")
    admin.ddl(f"CREATE DATABASE {name}")
    admin.ddl(f"CREATE TABLE {name}.t (a int, b string COMMENT 'said', s struct<x: int>)")
    assigned = T.TAttributeValue(
        attribute=T.TAttribute(attribute_namespace=name, key="pii"),
        value="true",
        database=name,
        table="t",
        column="b",
    )
    admin.call(
        "AssignAttributes", T.TAssignAttributesParams(requesting_user="admin", mappings=[assigned])
    )
    return name


@pytest.fixture
def reader(server: TrialServer, admin: Client, database: str) -> Iterator[Client]:
    """Somebody who is granted the columns that are not tagged."""
    user, role, group = unique("reader"), unique("role"), unique("group")
    admin.ddl(f"CREATE ROLE {role}")
    admin.ddl(f"GRANT ROLE {role} TO GROUP {group}")
    tag = f"{database}.pii"
    admin.ddl(f"GRANT SELECT ON DATABASE {database} HAVING ATTRIBUTE NOT ({tag}) TO ROLE {role}")
    with client(server, server.token(user, group), user) as connected:
        yield connected


def datasets(connected: Client, database: str) -> list[Any]:
    """What is listed of a database."""
    return connected.call("GetDatasets", T.TGetDatasetsParams(databases=[database])).datasets


def test_listings_are_what_a_scan_would_give(admin: Client, reader: Client, database: str) -> None:
    """A reader is told of the columns that they see; who administers the dataset, of all."""
    (all_of_it,), (seen,) = datasets(admin, database), datasets(reader, database)
    assert [c.name for c in all_of_it.schema.cols] == ["a", "b", "s", "x"]
    assert [c.name for c in seen.schema.cols] == ["a", "s", "x"]
    assert all_of_it.location
    assert seen.location is None


def test_tags_are_on_their_columns(admin: Client, database: str) -> None:
    """A tag is told on the column that bears it, and on no other."""
    (told,) = datasets(admin, database)
    tagged = {c.name: [v.attribute.key for v in c.attribute_values or ()] for c in told.schema.cols}
    assert tagged == {"a": [], "b": ["pii"], "s": [], "x": []}
    assert told.attribute_values is None


def test_describe_has_a_row_for_each_bracket(admin: Client, reader: Client, database: str) -> None:
    """A struct spans rows, and a hidden column has none."""
    rows = admin.ddl(f"DESCRIBE {database}.t")
    assert [row[1] for row in rows] == ["int", "string", "struct<", "  x:int", ">"]
    assert rows[1] == ["b", "string", "said", f"{database}.pii"]
    assert [row[0] for row in reader.ddl(f"DESCRIBE {database}.t")] == ["a", "s", "", ""]
    assert "Columns With Attributes:" in admin.text(f"DESCRIBE FORMATTED {database}.t")


def test_tags_inside_lists_are_on_their_fields(admin: Client, database: str) -> None:
    """Paths look through lists: a tag is told on the field, and not on the item or the list."""
    admin.ddl(
        f"CREATE TABLE {database}.u (parts array<struct<code: string, at: struct<x: int>>>,"
        " by map<string, struct<y: int>>)"
    )
    for path in ("parts.code", "parts.at.x"):
        admin.ddl(f"ALTER TABLE {database}.u ADD COLUMN ATTRIBUTE {path} {database}.pii")
    tag = f"{database}.pii"
    assert [[row[1], row[3]] for row in admin.ddl(f"DESCRIBE {database}.u")] == [
        ["array<struct<", ""],
        ["  code:string,", tag],
        ["  at:struct<", ""],
        ["    x:int", tag],
        ["  >", ""],
        [">>", ""],
        ["map<string,struct<", ""],
        ["  y:int", ""],
        [">>", ""],
    ]
    (told,) = (d for d in datasets(admin, database) if d.name == "u")
    tagged = [v.column for c in told.schema.cols for v in c.attribute_values or ()]
    assert tagged == ["parts.code", "parts.at.x"]


def test_hidden_and_absent_read_alike(server: TrialServer, database: str) -> None:
    """To a stranger, a database that is there reads as one that is not, by every call."""
    user = unique("stranger")
    with client(server, server.token(user), user) as stranger:

        def told(name: str) -> list[str]:
            texts: list[str] = []
            for act in (
                lambda: stranger.call("GetTables", T.TGetTablesParams(database=[name])),
                lambda: stranger.ddl(f"DESCRIBE {name}.t"),
                lambda: stranger.ddl(f"SHOW TABLES IN {name}"),
                lambda: stranger.ddl(f"DESCRIBE DATABASE {name}"),
            ):
                with pytest.raises(T.TRecordServiceException) as raised:
                    act()
                texts.append(raised.value.message.replace(name, "NAME"))
            return texts

        assert told(database) == told(unique("nothing"))
        assert datasets(stranger, database) == []
        listed = stranger.call("ListDatabases", T.TListDatabasesParams()).databases
        assert database not in {d.name[0] for d in listed}


def test_grants_are_rows_of_sixteen(admin: Client) -> None:
    """A grant is one row: its scope first, the privilege tenth, the grant option fourteenth."""
    role = unique("role")
    admin.ddl(f"CREATE ROLE {role}")
    admin.ddl(f"GRANT DROP ON ROLE {role} TO ROLE {role} WITH GRANT OPTION")
    (row,) = admin.ddl(f"SHOW GRANT ROLE {role}")
    assert len(row) == 16
    assert (row[0], row[6], row[9], row[13]) == ("role", role, "drop", "true")
    found = admin.call("GetRole", T.TGetRoleParams(role_name=role)).role
    assert [p.privilege_level for p in found.privileges] == [T.TAccessPermissionLevel.DROP]
    assert found.is_user_role is False


def test_roles_come_in_pages(admin: Client) -> None:
    """Pages follow each other by their tokens, in order of names, and know how many there are."""
    name = unique("paged")
    for number in range(3):
        admin.ddl(f"CREATE ROLE {name}_{number}")
    params = T.TListRolesParams(role_name_substring=name, limit=2)
    first = admin.call("ListRoles", params)
    params.page_token = first.next_page_token
    second = admin.call("ListRoles", params)
    assert [r.role_name for r in (*first.roles, *second.roles)] == [f"{name}_{n}" for n in range(3)]
    assert (first.total_count, first.prev_page_token, second.next_page_token) == (3, None, None)


def test_attributes_come_and_go(admin: Client) -> None:
    """Making one again is no error, and dropping says whether it was there."""
    attribute = T.TAttribute(attribute_namespace=unique("ns"), key="k")
    making = T.TCreateAttributesParams(attributes=[attribute], requesting_user="admin")
    dropping = T.TDeleteAttributesParams(attributes=[attribute], requesting_user="admin")
    admin.call("CreateAttributes", making)
    admin.call("CreateAttributes", making)
    counts = [admin.call("DeleteAttributes", dropping).delete_count for _ in range(2)]
    assert counts == [1, 0]


def test_rules_are_changed_by_configs(admin: Client) -> None:
    """A rule keeps its name when it changes; one that is none is refused, and nothing changes."""
    name = unique("rule")
    params = {"name": name, "namespace": unique("ns"), "tag": "t", "expression": "a.*"}
    kind = T.TConfigType.AUTOTAGGER_REGEX
    admin.call("UpsertConfig", T.TConfigUpsertParams(config_type=kind, params=params))
    broken = T.TConfigUpsertParams(
        config_type=kind, key=[name], params={**params, "expression": "*"}
    )
    with pytest.raises(T.TRecordServiceException):
        admin.call("UpsertConfig", broken)
    admin.call("DeleteConfig", T.TConfigDeleteParams(config_type=kind, key=[name]))
    with pytest.raises(T.TRecordServiceException):
        admin.call("DeleteConfig", T.TConfigDeleteParams(config_type=kind, key=[name]))


def test_settings_are_not_changed_by_calls(admin: Client) -> None:
    """What is in the server's settings file is refused, also from an administrator."""
    params = T.TConfigUpsertParams(
        config_type=T.TConfigType.SYSTEM_CONFIG, key=["a"], params={"value": "b"}
    )
    with pytest.raises(T.TRecordServiceException) as raised:
        admin.call("UpsertConfig", params)
    assert raised.value.code == T.TErrorCode.UNSUPPORTED_REQUEST


def test_only_administrators_ask_about_others(reader: Client) -> None:
    """A user learns their own attributes, and nobody else's."""
    own = reader.call("GetUserAttributes", T.TGetUserAttributesParams())
    assert list(own.attributes) == [reader.user]
    for params in (
        T.TGetUserAttributesParams(all_users=True),
        T.TGetUserAttributesParams(user="x"),
    ):
        with pytest.raises(T.TRecordServiceException):
            reader.call("GetUserAttributes", params)


def test_connections_to_databases(server: TrialServer, admin: Client) -> None:
    """They are defined, listed, tried and dropped; strangers are told of none, secrets nobody."""
    operations, name = T.TObjectOpType, unique("link")

    def manage(who: Client, operation: int, **said: Any) -> list[Any]:
        given = {
            "type": "JDBC",
            "jdbc_driver": "mysql",
            "host": "db.example.org",
            "port": 3306,
            "user_key": "secret:user",
            "password_key": "secret:word",
            "default_catalog": "sales",
        }
        params = T.TDataRegConnectionParams(
            requesting_user=who.user,
            op_type=operation,
            connection=T.TDataRegConnection(name=name, **(given | said)),
            connection_pattern=name,
        )
        return who.call("ManageDataRegConnection", params).connections

    (made,) = manage(admin, operations.CREATE)
    assert (made.name, made.jdbc_driver, made.port) == (name, "mysql", 3306)
    (changed,) = manage(admin, operations.UPDATE, port=3307, connection_properties={"a": "b"})
    assert (changed.port, changed.connection_properties) == (3307, {"a": "b"})
    assert [c.port for c in manage(admin, operations.LIST)] == [3307]
    (tested,) = manage(admin, operations.TEST_EXISTING)
    assert tested.test_status == "FAILED"
    user = unique("stranger")
    with client(server, server.token(user), user) as stranger:
        assert manage(stranger, operations.LIST) == []
        assert manage(stranger, operations.GET) == []
        for operation in (operations.CREATE, operations.UPDATE, operations.DELETE):
            with pytest.raises(T.TRecordServiceException):
                manage(stranger, operation)
    with pytest.raises(T.TRecordServiceException) as told:
        manage(admin, operations.UPDATE, password="hunter2")
    assert "hunter2" not in str(told.value)
    assert manage(admin, operations.DELETE) == []
    assert manage(admin, operations.GET) == []
