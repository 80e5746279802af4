"""Insert or update, spelled alike on both databases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Write one row; where its primary key exists, the other values given replace the old ones."""
    keys = [column.name for column in table.primary_key]
    others = {name: value for name, value in values.items() if name not in keys}
    if connection.dialect.name == "postgresql":
        connection.execute(
            postgresql.insert(table)
            .values(values)
            .on_conflict_do_update(index_elements=keys, set_=others)
        )
    else:
        connection.execute(
            sqlite.insert(table)
            .values(values)
            .on_conflict_do_update(index_elements=keys, set_=others)
        )
