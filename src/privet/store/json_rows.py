"""Rows within a row: what a subquery finds, as one JSON array of arrays."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from privet.store.kinds import DOCUMENT


class json_rows(FunctionElement[Any]):  # noqa: N801 - it is used like a function
    """Aggregates columns of text, numbers and truth values, in no order; `[]` if there is no row.

    Truth values come as 0 and 1 from SQLite. JSON columns are cast to text before: what they hold
    is not looked into on the way.
    """

    inherit_cache = True
    type = DOCUMENT

    def __init__(self, *columns: ColumnElement[Any]) -> None:
        super().__init__(*columns)


@compiles(json_rows, "sqlite")
def _sqlite(element: json_rows, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **options)}))"


@compiles(json_rows, "postgresql")
def _postgres(element: json_rows, compiler: SQLCompiler, **options: Any) -> str:
    row = f"json_build_array({compiler.process(element.clauses, **options)})"
    return f"coalesce(json_agg({row}), '[]')"
