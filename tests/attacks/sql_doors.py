"""Every door of queries: those of the house, some forms unread, and Flight SQL by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import httpx2
import pyarrow as pa
import pyarrow.flight as fl

from doors.doors import BROKEN, SQL_DOORS, Answer, SqlDoor, Values, as_json, bytes_of
from doors.planted import inside_parquet
from doors.servers import TrialServer
from flight.raw import Speaker, numbered, speaker
from privet.client.errors import from_http
from privet.client.flight_errors import from_flight

Ask = Callable[[Speaker, str, Values | None], pa.Table]


def _at_once(asking: Speaker, text: str, parameters: Values | None) -> pa.Table:
    assert not parameters
    return asking.ask(text)


def _prepared(asking: Speaker, text: str, parameters: Values | None) -> pa.Table:
    made = asking.prepare(text)
    handle = made.prepared_statement_handle
    if parameters:
        row = (
            pa.record_batch({name: [value] for name, value in parameters.items()})
            if isinstance(parameters, Mapping)
            else numbered(*parameters)
        )
        handle = asking.bind(handle, row) or handle
    table = asking.run(handle)
    if made.dataset_schema and not parameters:
        assert pa.ipc.read_schema(pa.py_buffer(made.dataset_schema)).equals(table.schema)
    return table


def _door(ask: Ask) -> SqlDoor:
    def door(
        server: TrialServer,
        token: str,
        text: str,
        parameters: Values | None = None,
        schema: pa.Schema | None = None,
    ) -> Answer:
        answer = Answer()
        with speaker(server, token) as asking:
            try:
                answer.table = ask(asking, text, parameters)
            except (fl.FlightError, pa.ArrowException) as error:
                told = from_flight(error)
                said = str(error).encode() + (getattr(error, "extra_info", b"") or b"")
                answer.received.append(said)
                answer.code, answer.message = told.code, told.message
                return answer
        answer.received += bytes_of(answer.table)
        return answer

    return door


def _unread(form: str) -> SqlDoor:
    """POST /v1/sql in a form that is not read; the table that stands for an answer is empty."""

    def door(
        server: TrialServer,
        token: str,
        text: str,
        parameters: Values | None = None,
        schema: pa.Schema | None = None,
    ) -> Answer:
        body = {"statement": text, "parameters": as_json(parameters)}
        answer = Answer()
        with server.http(token) as http:
            try:
                got = http.post("/v1/sql", json=body, params={"format": form})
            except httpx2.RemoteProtocolError as error:
                answer.code, answer.message = BROKEN, str(error)
                return answer
        answer.received += [got.content, str(got.headers).encode()]
        if got.is_success:
            answer.table = pa.table({})
            if form == "parquet":
                answer.received += inside_parquet(got.content)
        else:
            error = from_http(got.status_code, got.content)
            answer.code, answer.message = error.code, error.message
        return answer

    return door


ALL_SQL_DOORS: Mapping[str, SqlDoor] = {
    **SQL_DOORS,
    **{f"rest {form}": _unread(form) for form in ("csv", "json", "ndjson", "parquet")},
    "flight sql": _door(_at_once),
    "flight sql prepared": _door(_prepared),
}
WITHOUT_VALUES = frozenset({"flight sql", "okera"})
"""Doors that cannot send values for parameters."""
EXACT = frozenset({"rest arrow", "client", "flight sql", "flight sql prepared"})
"""Doors that give an answer in its own types."""
