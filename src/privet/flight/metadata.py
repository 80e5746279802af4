"""What Flight SQL clients ask about the catalog; only what the caller may see is in the answers.

A database of Privet is a schema there, and all are in one catalog.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from google.protobuf.message import Message

from privet.flight import flight_sql_pb2 as pb
from privet.flight.sql_info import SQL_INFO, sql_info
from privet.flight.type_info import TYPE_INFO, type_info, type_name
from privet.model.errors import InvalidRequest
from privet.service import Caller, Services
from privet.service.datasets import DatasetView

CATALOG = "privet"
_TABLE = "TABLE"
_LONGEST_PATTERN = 1024


def _schema(**fields: str) -> pa.Schema:
    """A schema from type names; a `!` stands for NOT NULL."""
    return pa.schema(
        [
            pa.field(name, pa.type_for_alias(kind.rstrip("!")), nullable=not kind.endswith("!"))
            for name, kind in fields.items()
        ]
    )


_CATALOGS = _schema(catalog_name="string!")
_DB_SCHEMAS = _schema(catalog_name="string", db_schema_name="string!")
_TABLE_TYPES = _schema(table_type="string!")
_TABLES = _schema(
    catalog_name="string", db_schema_name="string", table_name="string!", table_type="string!"
)
_TABLES_IN_FULL = _TABLES.append(pa.field("table_schema", pa.binary(), nullable=False))
_PRIMARY_KEYS = _schema(
    catalog_name="string",
    db_schema_name="string",
    table_name="string!",
    column_name="string!",
    key_name="string",
    key_sequence="int32!",
)
_FOREIGN_KEYS = _schema(
    pk_catalog_name="string",
    pk_db_schema_name="string",
    pk_table_name="string!",
    pk_column_name="string!",
    fk_catalog_name="string",
    fk_db_schema_name="string",
    fk_table_name="string!",
    fk_column_name="string!",
    key_sequence="int32!",
    fk_key_name="string",
    pk_key_name="string",
    update_rule="uint8!",
    delete_rule="uint8!",
)


class Metadata:
    """Answers to the commands of `privet.flight.messages.METADATA`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def schema(self, caller: Caller, command: Message) -> pa.Schema:
        """The schema of an answer.

        Raises:
            Unauthenticated: the credentials do not hold.
        """
        self._services.sessions.whoami(caller)
        return _schema_of(command)

    def table(self, caller: Caller, command: Message) -> pa.Table:
        """An answer.

        Raises:
            Unauthenticated: the credentials do not hold.
            InvalidRequest: a pattern is too long.
        """
        self._services.sessions.whoami(caller)
        schema = _schema_of(command)
        rows = self._rows(caller, command)
        if isinstance(rows, pa.Table):
            return rows
        return pa.Table.from_pylist(rows, schema)

    def _rows(self, caller: Caller, command: Message) -> list[dict[str, Any]] | pa.Table:
        match command:
            case pb.CommandGetCatalogs():
                return [{"catalog_name": CATALOG}]
            case pb.CommandGetTableTypes():
                return [{"table_type": _TABLE}]
            case pb.CommandGetDbSchemas():
                return self._db_schemas(caller, command)
            case pb.CommandGetTables():
                return self._tables(caller, command)
            case pb.CommandGetSqlInfo():
                return sql_info(command.info)
            case pb.CommandGetXdbcTypeInfo():
                return type_info(command.data_type if command.HasField("data_type") else None)
            case _:
                # Keys: datasets have none.
                return []

    def _db_schemas(self, caller: Caller, command: pb.CommandGetDbSchemas) -> list[dict[str, Any]]:
        wanted = _pattern(command, "db_schema_filter_pattern")
        if not _in_catalog(command):
            return []
        return [
            {"catalog_name": CATALOG, "db_schema_name": database.name}
            for database in self._services.datasets.list_databases(caller)
            if wanted(database.name)
        ]

    def _tables(self, caller: Caller, command: pb.CommandGetTables) -> list[dict[str, Any]]:
        in_database = _pattern(command, "db_schema_filter_pattern")
        named = _pattern(command, "table_name_filter_pattern")
        if not _in_catalog(command) or (command.table_types and _TABLE not in command.table_types):
            return []
        return [
            {
                "catalog_name": CATALOG,
                "db_schema_name": view.dataset.name.database,
                "table_name": view.dataset.name.name,
                "table_type": _TABLE,
                "table_schema": _described(view) if command.include_schema else None,
            }
            for view in self._services.datasets.list(caller)
            if view.decision.allowed
            and in_database(view.dataset.name.database)
            and named(view.dataset.name.name)
        ]


def _schema_of(command: Message) -> pa.Schema:
    match command:
        case pb.CommandGetTables(include_schema=True):
            return _TABLES_IN_FULL
        case _:
            return _SCHEMAS[type(command)]


_SCHEMAS: dict[type[Message], pa.Schema] = {
    pb.CommandGetCatalogs: _CATALOGS,
    pb.CommandGetDbSchemas: _DB_SCHEMAS,
    pb.CommandGetTables: _TABLES,
    pb.CommandGetTableTypes: _TABLE_TYPES,
    pb.CommandGetSqlInfo: SQL_INFO,
    pb.CommandGetXdbcTypeInfo: TYPE_INFO,
    pb.CommandGetPrimaryKeys: _PRIMARY_KEYS,
    pb.CommandGetImportedKeys: _FOREIGN_KEYS,
    pb.CommandGetExportedKeys: _FOREIGN_KEYS,
    pb.CommandGetCrossReference: _FOREIGN_KEYS,
}


def _described(view: DatasetView) -> bytes:
    """The columns of a dataset as the caller gets them, with what drivers read from metadata."""
    where = {"CATALOG_NAME": CATALOG, "DB_SCHEMA_NAME": view.dataset.name.database}
    comments = {c.column.name: c.column.comment for c in view.decision.visible}
    fields = [
        field.with_metadata(
            {
                f"ARROW:FLIGHT:SQL:{key}": value
                for key, value in {
                    **where,
                    "TABLE_NAME": view.dataset.name.name,
                    "TYPE_NAME": type_name(field.type),
                    "REMARKS": comments[field.name],
                    "IS_AUTO_INCREMENT": "0",
                    "IS_READ_ONLY": "1",
                    "IS_SEARCHABLE": "1",
                }.items()
                if value
            }
        )
        for field in view.schema
    ]
    return pa.schema(fields).serialize().to_pybytes()


def _in_catalog(command: pb.CommandGetDbSchemas | pb.CommandGetTables) -> bool:
    return not command.HasField("catalog") or command.catalog == CATALOG


def _pattern(command: Message, name: str) -> Callable[[str], bool]:
    return like(getattr(command, name)) if command.HasField(name) else lambda _: True


def like(pattern: str) -> Callable[[str], bool]:
    """Whether a name fits a pattern of LIKE: `%`, `_`, and a backslash before what is meant.

    Raises:
        InvalidRequest: the pattern is too long.
    """
    if len(pattern) > _LONGEST_PATTERN:
        raise InvalidRequest(
            "the pattern is too long", hint=f"{_LONGEST_PATTERN} characters at most"
        )
    parts = [""]
    for escaped, sign in re.findall(r"\\(.)|(.)", pattern, re.DOTALL):
        if sign == "%":
            parts.append("")
        else:
            parts[-1] += "." if sign == "_" else re.escape(escaped or sign)
    first, *others = parts
    # A part between two `%` is taken where it first fits and never looked for again, so that a
    # pattern made for backtracking takes no longer than any other.
    middle = "".join(f"(?>.*?{part})" for part in others[:-1] if part)
    last = f".*{others[-1]}" if others else ""
    fits = re.compile(first + middle + last, re.IGNORECASE | re.DOTALL).fullmatch
    return lambda name: fits(name) is not None
