"""What is sent for a query."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from privet.model.errors import InvalidRequest
from privet.model.requests import Parameters

Values = Sequence[Any] | Mapping[str, Any]

_LABEL = 40


def query_command(
    statement: str, parameters: Values | None, database: str | None, limit: int | None
) -> bytes:
    """The command that asks the Flight door for a query.

    Raises:
        InvalidRequest: parameters that are no values, or a statement that is no text.
    """
    row = Parameters.of(parameters).row if parameters else None
    asked = {
        "statement": statement,
        "parameters": None if row is None else base64.b64encode(row).decode("ascii"),
        "database": database,
        "limit": limit,
    }
    try:
        return json.dumps({"query": asked}, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest("the statement is not text") from error


def label(statement: str) -> str:
    """The beginning of a statement, for people who wait for its rows."""
    words = " ".join(statement.split())
    return words if len(words) <= _LABEL else f"{words[:_LABEL]}..."
