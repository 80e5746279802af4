"""Commands of our own client: JSON, for a scan or a query."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import pyarrow as pa

from privet.flight.values import only_row
from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName, fold
from privet.model.requests import Parameters, QueryRequest, ScanRequest
from privet.model.strict_json import read_json

_SCAN = frozenset({"dataset", "columns", "limit"})
_QUERY = frozenset({"statement", "parameters", "database", "limit"})


def read_command(command: bytes) -> ScanRequest | QueryRequest:
    """What a command in JSON asks for.

    Raises:
        InvalidRequest: nothing that this server knows.
    """
    match read_json(command):
        case {"scan": dict(asked), **others} if not others and set(asked) <= _SCAN:
            return _scan(asked)
        case {"query": dict(asked), **others} if not others and set(asked) <= _QUERY:
            return _query(asked)
        case _:
            raise InvalidRequest(
                "the command is neither a scan nor a query",
                hint='send {"scan": {"dataset": "database.name"}}, or speak Flight SQL',
            )


def _scan(asked: dict[str, Any]) -> ScanRequest:
    dataset, columns = asked.get("dataset"), asked.get("columns")
    texts = columns is None or (
        isinstance(columns, list) and all(isinstance(c, str) for c in columns)
    )
    if not isinstance(dataset, str) or not texts:
        raise InvalidRequest("a dataset name and a list of column names are expected")
    chosen = None if columns is None else tuple(fold(c, "column name") for c in columns)
    return ScanRequest(DatasetName.parse(dataset), chosen, _limit(asked))


def _query(asked: dict[str, Any]) -> QueryRequest:
    statement, database, row = (asked.get(k) for k in ("statement", "database", "parameters"))
    texts = all(value is None or isinstance(value, str) for value in (database, row))
    if not isinstance(statement, str) or not texts:
        raise InvalidRequest("a statement, parameters in base64 and a database are expected")
    return QueryRequest(
        statement,
        None if row is None else _parameters(row),
        None if database is None else fold(database, "database name"),
        _limit(asked),
    )


def _limit(asked: dict[str, Any]) -> int | None:
    limit = asked.get("limit")
    if type(limit) not in (int, type(None)):
        raise InvalidRequest("a limit is a whole number")
    return limit


def _parameters(text: str) -> Parameters:
    try:
        stream = base64.b64decode(text, validate=True)
        with pa.ipc.open_stream(stream) as reader:
            row = only_row(reader)
    except (pa.ArrowException, OSError, binascii.Error) as error:
        raise InvalidRequest(
            "the parameters are damaged", hint="send an Arrow IPC stream in base64"
        ) from error
    if row is None:
        raise InvalidRequest("parameters are exactly one row", hint="leave out what is not there")
    return Parameters.of_batch(row)
