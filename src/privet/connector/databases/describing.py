"""What a database says of its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from privet.connector.databases.shapes import ServerColumn, TableShape
from privet.model.errors import NotFound, SourceInvalid
from privet.model.sources import TablePlace

if TYPE_CHECKING:
    import psycopg

_TABLE = """
SELECT c.oid, c.reltuples::int8, obj_description(c.oid, 'pg_class'),
  c.relkind IN ('v', 'f')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
_COLUMNS = """
WITH RECURSIVE kinds AS (
  SELECT attnum, attname, atttypid AS kind, atttypmod AS modifier
  FROM pg_attribute WHERE attrelid = %(table)s AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT k.attnum, k.attname, t.typbasetype, t.typtypmod
  FROM kinds k JOIN pg_type t ON t.oid = k.kind WHERE t.typtype = 'd'
)
SELECT k.attname::text,
  CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname::text ELSE '' END,
  format_type(k.kind, k.modifier),
  CASE WHEN e.oid IS NULL THEN '' WHEN e.typnamespace = 'pg_catalog'::regnamespace
    THEN e.typname::text ELSE 'unknown' END,
  coalesce(col_description(%(table)s, k.attnum), '')
FROM kinds k
JOIN pg_type t ON t.oid = k.kind AND t.typtype <> 'd'
LEFT JOIN pg_type e ON e.typarray = t.oid
ORDER BY k.attnum
"""
_NAMES = """
SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND has_table_privilege(c.oid, 'SELECT')
ORDER BY c.relname COLLATE "C"
"""

_SCHEMAS = """
SELECT nspname::text FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
  AND has_schema_privilege(oid, 'USAGE')
ORDER BY nspname COLLATE "C"
"""


def describe(connection: psycopg.Connection[tuple[Any, ...]], place: TablePlace) -> TableShape:
    """The columns of a table.

    Raises:
        NotFound: there is no such table.
        SourceInvalid: the database does not say in which encoding its text is.
    """
    _check_encoding(connection)
    found = connection.execute(_TABLE, (place.schema, place.table)).fetchone()
    if found is None:
        raise NotFound(
            f"there is no table `{place.schema[:64]}.{place.table[:64]}` behind connection "
            f"`{place.connection}`",
            hint="names are taken literally, with their upper and lower case",
        )
    table, rows, comment, computed = found
    columns = connection.execute(_COLUMNS, {"table": table}).fetchall()
    described = tuple(ServerColumn(*column) for column in columns)
    return TableShape(described, rows, comment or "", computed)


def names(connection: psycopg.Connection[tuple[Any, ...]], schema: str) -> tuple[str, ...]:
    """The tables of a schema that the connection's user may read, without parts of others."""
    return tuple(name for (name,) in connection.execute(_NAMES, (schema,)))


def schemas(connection: psycopg.Connection[tuple[Any, ...]]) -> tuple[str, ...]:
    """The schemas that the connection's user may use, without the server's own."""
    return tuple(name for (name,) in connection.execute(_SCHEMAS))


def _check_encoding(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    found = connection.execute("SELECT getdatabaseencoding()").fetchone()
    if found == ("SQL_ASCII",):
        raise SourceInvalid(
            "the database does not say in which encoding its text is",
            hint="tables of a database with the encoding SQL_ASCII cannot be read",
        )
