"""Connections to databases, as this protocol defines and lists them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from privet.model.errors import InvalidRequest, NotFound
from privet.okera.calls import Call, Handler
from privet.okera.errors import Unsupported
from privet.okera.idl import T


def _manage(call: Call, params: Any) -> Any:
    operations = T.TObjectOpType
    connections, said = call.services.connections, params.connection
    match params.op_type:
        case operations.CREATE:
            found = [connections.create(call.caller, said.name, _properties(said))]
        case operations.UPDATE:
            found = [connections.alter(call.caller, said.name, _properties(said))]
        case operations.DELETE:
            connections.drop(call.caller, said.name)
            found = []
        case operations.GET:
            found = _got(call, said.name)
        case operations.LIST:
            found = _chosen(params, connections.list(call.caller))
        case operations.TEST_EXISTING:
            tested = connections.test(call.caller, said.name)
            return _answer([_told(tested.connection, tested=True, problem=tested.problem)])
        case _:
            raise Unsupported("a connection is tried once it is defined")
    return _answer([_told(each) for each in found])


def _answer(told: list[Any]) -> Any:
    return T.TDataRegConnectionResult(connections=told, count=len(told))


def _got(call: Call, name: str) -> list[Any]:
    try:
        return [call.services.connections.get(call.caller, name)]
    except NotFound:
        # The original's answer for a name that is not there.
        return []


def _chosen(params: Any, connections: tuple[Any, ...]) -> list[Any]:
    names = {name.lower() for name in params.connection_names or ()}
    pattern = (params.connection_pattern or "").lower()
    driver = (params.jdbc_driver or "").lower()
    return [
        c
        for c in connections
        if (not names or c.name in names)
        and pattern in c.name
        and (not driver or c.driver == driver)
    ]


def _properties(said: Any) -> dict[str, str]:
    """What a connection of the protocol says, as a statement would."""
    if said.user_name or said.password:
        raise InvalidRequest(
            "secrets are never written into a connection",
            hint="name them in the server's settings, and give their references",
        )
    given = {
        "connection_type": said.type or "JDBC",
        "driver": said.jdbc_driver,
        "host": said.host,
        "port": str(said.port or 0),
        "user": said.user_key,
        "password": said.password_key,
        "database": said.default_catalog,
        "schema": said.default_schema,
    }
    return {k: v for k, v in given.items() if v} | dict(said.connection_properties or {})


def _told(connection: Any, *, tested: bool = False, problem: str = "") -> Any:
    status = {"test_status": "FAILED" if problem else "SUCCESS", "test_error_details": problem}
    return T.TDataRegConnection(
        name=connection.name,
        type="JDBC",
        jdbc_driver=connection.driver,
        host=connection.host,
        port=connection.port,
        user_key=connection.user,
        password_key=connection.password,
        default_catalog=connection.database,
        default_schema=connection.schema,
        connection_properties=dict(connection.properties),
        is_active=True,
        created_by=connection.created_by,
        created_at=_milliseconds(connection.created_at),
        updated_by=connection.updated_by,
        updated_at=_milliseconds(connection.updated_at),
        **(status if tested else {}),
    )


def _milliseconds(at: datetime | None) -> int:
    return int(at.timestamp() * 1000) if at else 0


HANDLERS: Mapping[str, Handler] = {"ManageDataRegConnection": _manage}
