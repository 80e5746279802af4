"""Connections to databases, as this protocol defines and lists them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from privet.model.errors import Conflict, Forbidden, InvalidRequest, NotFound, PrivetError
from privet.model.permissions import AccessLevel, on_connection
from privet.model.sources import SCHEME
from privet.okera.calls import Call, Handler
from privet.okera.errors import Unsupported
from privet.okera.idl import T
from privet.okera.rpc.held import Held

_Used = TypeVar("_Used")
_DISPLAYED = "okera.display-name"
_LEVELS = frozenset(
    {AccessLevel.ALL, AccessLevel.SHOW, AccessLevel.ALTER, AccessLevel.DROP, AccessLevel.USE}
)
_REFERENCE = re.compile(r"[a-z][a-z0-9+.-]*:\S+")
_VERBS = {
    T.TObjectOpType.CREATE: "CREATE",
    T.TObjectOpType.UPDATE: "ALTER",
    T.TObjectOpType.DELETE: "DROP",
    T.TObjectOpType.GET: "SHOW",
}


def _manage(call: Call, params: Any) -> Any:
    try:
        return _managed(call, params)
    except (NotFound, Forbidden) as error:
        if call.compatibility:
            say_refused(call, error, _VERBS.get(params.op_type, "test"))
        raise


def say_refused(call: Call, error: PrivetError, verb: str) -> None:
    """Say a refusal as the original does; administrators hear what is not there."""
    caller = call.services.sessions.identify(call.caller)
    if not caller.admin:
        error.message = (
            f"User '{caller.user}' does not have privileges to {verb} this data connection."
            f" The user must have the appropriate permissions ({error.message})"
        )


def hidden(call: Call, name: str) -> bool:
    """Whether a connection is there that the caller does not see: in compatibility mode alone."""
    with suppress(NotFound):
        call.of_user("").services.connections.get(call.of_user("").caller, name)
        return True
    return False


def _managed(call: Call, params: Any) -> Any:
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
        case operations.TEST_EXISTING | operations.TEST_CREATE | operations.TEST_EDIT:
            tested = _tried(call, params.op_type, said)
            return _answer([_told(tested.connection, tested=True, problem=tested.problem)])
        case _:
            raise Unsupported("this is not done with connections")
    held = Held.of(call)
    return _answer([_told(each, held=held) for each in found])


def _tried(call: Call, operation: int, said: Any) -> Any:
    connections, operations = call.services.connections, T.TObjectOpType
    if operation == operations.TEST_EXISTING:
        return connections.test(call.caller, said.name)
    if operation == operations.TEST_EDIT:
        return connections.try_changed(call.caller, said.name, _properties(said))
    try:
        return connections.try_new(call.caller, said.name, _properties(said))
    except Conflict as error:
        if call.compatibility:
            # The original's own spelling.
            error.message = f"Please use a different conneciton name. ({error.message})"
        raise


def _answer(told: list[Any]) -> Any:
    return T.TDataRegConnectionResult(connections=told, count=len(told))


def _got(call: Call, name: str) -> list[Any]:
    try:
        return [call.services.connections.get(call.caller, name)]
    except NotFound:
        # The original's answer for a name that is not there.
        if call.compatibility and hidden(call, name):
            raise
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
    password = (said.password_key or said.password or "").strip()
    if said.user_name or (said.password and not _REFERENCE.fullmatch(said.password.strip())):
        raise InvalidRequest(
            "secrets are never written into a connection",
            hint="name them in the server's settings, and give their references",
        )
    given = {
        "connection_type": said.type or "JDBC",
        "driver": said.jdbc_driver,
        "host": said.host,
        "port": str(said.port or 0),
        "user": (said.user_key or "").strip(),
        "password": password,
        "database": said.default_catalog,
        "schema": said.default_schema,
    }
    shown = {_DISPLAYED: said.name} if said.name != said.name.lower() else {}
    others = {k: v for k, v in (said.connection_properties or {}).items() if k != _DISPLAYED}
    return {k: v for k, v in given.items() if v} | others | shown


def _told(
    connection: Any, *, tested: bool = False, problem: str = "", held: Held | None = None
) -> Any:
    status = {"test_status": "FAILED" if problem else "SUCCESS", "test_error_details": problem}
    return T.TDataRegConnection(
        name=connection.properties.get(_DISPLAYED, connection.name),
        type="JDBC",
        jdbc_driver=connection.driver,
        host=connection.host,
        port=connection.port,
        user_key=connection.user,
        password_key=connection.password,
        default_catalog=connection.database,
        default_schema=connection.schema,
        connection_properties={k: v for k, v in connection.properties.items() if k != _DISPLAYED},
        is_active=True,
        created_by=connection.created_by,
        created_at=_milliseconds(connection.created_at),
        updated_by=connection.updated_by,
        updated_at=_milliseconds(connection.updated_at),
        access_levels=held.levels_on(on_connection(connection.name), _LEVELS) if held else None,
        **(status if tested else {}),
    )


def _milliseconds(at: datetime | None) -> int:
    return int(at.timestamp() * 1000) if at else 0


def _discover(call: Call, params: Any) -> Any:
    """What lies behind a connection: its database, the schemas in one, or the tables in one."""
    database, schema = params.jdbc_catalog or "", params.jdbc_schema or ""
    name = params.connection.name
    connections = call.services.connections
    names = _using(call, lambda: connections.browse(call.caller, name, database, schema))
    found = [_in(database, schema, each) for each in names]
    dataset = T.TCrawlerDiscoveryDataset(connection=params.connection, jdbc_datasets=found)
    return T.TDiscoverCrawlerResult(crawler_discover_datasets=[dataset], count=len(found))


def _in(database: str, schema: str, name: str) -> Any:
    if not database:
        return T.TJDBCDataset(jdbc_catalog=name)
    if not schema:
        return T.TJDBCDataset(jdbc_catalog=database, jdbc_schema=name)
    return T.TJDBCDataset(jdbc_catalog=database, jdbc_schema=schema, jdbc_table=name)


def _crawl(call: Call, params: Any) -> Any:
    """Crawl the schema of a connection, under the connection's name."""
    if params.op_type not in (T.TCrawlerOpType.CRAWL, T.TCrawlerOpType.RECRAWL):
        raise Unsupported("a crawler is started here, and nothing else")
    name = params.connection.name
    starter = call
    if call.compatibility:
        # With the original whoever may use a connection may crawl it.
        _using(call, lambda: call.services.connections.browse(call.caller, name))
        starter = call.of_user("")
    with suppress(Conflict):
        # It runs already, which is what was asked for.
        starter.services.crawls.start(starter.caller, name, f"{SCHEME}://{name.lower()}")
    return T.TCrawlerResult(status=T.TCrawlStatus.CRAWLING)


def _using(call: Call, use: Callable[[], _Used]) -> _Used:
    try:
        return use()
    except (NotFound, Forbidden) as error:
        if call.compatibility:
            say_refused(call, error, "USE")
        raise


HANDLERS: Mapping[str, Handler] = {
    "ManageDataRegConnection": _manage,
    "DiscoverCrawler": _discover,
    "ManageCrawler": _crawl,
}
