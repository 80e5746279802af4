"""Planning a statement, running its task, fetching its rows.

Every statement becomes one task: what the published client fetches by several it puts together in
the order in which they arrive. A task is the sealed request and nothing else; running it decides
again, for whoever runs it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any

from privet.model.batches import BatchStream
from privet.model.errors import PrivetError
from privet.model.requests import ScanRequest
from privet.okera.calls import Call, Handler
from privet.okera.columns import dense, has_nested, in_wire_types, schema_of, sparse
from privet.okera.dialect import understood
from privet.okera.errors import Unsupported
from privet.okera.idl import T
from privet.okera.rpc.ddl.expanding import written_out
from privet.okera.rpc.files import warnings_of
from privet.okera.tasks import Handle, Task

_SCAN, _QUERY = b"s", b"q"
_MOST_ROWS = 20_000
_FORMATS = {T.TRecordFormat.Columnar: sparse, T.TRecordFormat.ColumnarNumPy: dense}


def _plan(call: Call, params: Any) -> Any:
    plan = _as_plan(call, *_planned(call, params))
    if call.compatibility:
        plan.warnings = [
            T.TLogMessage(message=each, level=T.TLoggingLevel.WARN, count=1)
            for each in warnings_of(call, params.sql_stmt or "")
        ]
    return plan


def planned_request(call: Call, text: str) -> Any:
    """The plan of a statement of the original's dialect, for our own workers.

    Raises:
        PrivetError: as `PlanRequest`.
    """
    params = T.TPlanRequestParams(
        client_version="1.0", request_type=T.TRequestType.Sql, sql_stmt=text
    )
    return _plan(call, params)


def _as_plan(call: Call, schema: Any, task: bytes) -> Any:
    return T.TPlanRequestResult(
        tasks=[
            T.TTask(
                local_hosts=[_here(call)],
                task=task,
                task_id=_unique(),
                results_ordered=True,
                task_size=0,
            )
        ],
        schema=schema,
        request_id=_unique(),
        hosts=[_here(call)],
        warnings=[],
        supported_result_formats=[*_FORMATS],
    )


def _schema(call: Call, params: Any) -> Any:
    schema, _ = _planned(call, params)
    return T.TGetSchemaResult(schema=schema, warnings=[])


def _planned(call: Call, params: Any) -> tuple[Any, bytes]:
    if params.request_type != T.TRequestType.Sql or params.sampling_params is not None:
        raise Unsupported("only SQL is planned here, without sampling", hint="send a SELECT")
    principal = call.services.sessions.identify(call.caller)
    request = understood(params.sql_stmt or "", principal, partial(written_out, call))
    try:
        if isinstance(request, ScanRequest):
            planned, kind = call.services.scans.plan(call.caller, request), _SCAN
        else:
            planned, kind = call.services.queries.plan(call.caller, request, call.gone), _QUERY
    except PrivetError as error:
        # It is a place in the engine's statement, which the author never saw.
        error.position = None
        raise
    named = b"%b\0" % principal.user.encode() if call.compatibility else b""
    return schema_of(planned.schema), named + kind + planned.ticket


def _here(call: Call) -> Any:
    return T.TNetworkAddress(hostname=call.address.host, port=call.address.port)


def _unique() -> Any:
    parts = secrets.token_bytes(16)
    hi, lo = (int.from_bytes(half, "big", signed=True) for half in (parts[:8], parts[8:]))
    return T.TUniqueId(hi=hi, lo=lo)


def _run(call: Call, params: Any) -> Any:
    wanted = T.TRecordFormat.Columnar if params.record_format is None else params.record_format
    if wanted not in _FORMATS or params.offset:
        raise Unsupported("no such record format or offset", hint="ask for ColumnarNumPy")
    call.tasks.check_room()
    stream = _redeemed(call, params.task or b"", params.limit)
    try:
        schema = _fitting(stream, wanted)
        task = Task(stream, wanted, max(1, min(params.fetch_size or _MOST_ROWS, _MOST_ROWS)))
    except BaseException:
        stream.close()
        raise
    hi, lo = call.tasks.enter(task)
    return T.TExecTaskResult(handle=T.TUniqueId(hi=hi, lo=lo), schema=schema)


def _fitting(stream: BatchStream, record_format: int) -> Any:
    if record_format == T.TRecordFormat.ColumnarNumPy and has_nested(stream.schema):
        raise Unsupported("nested columns need the format Columnar")
    return schema_of(stream.schema)


def _redeemed(call: Call, task: bytes, limit: int | None) -> BatchStream:
    if call.compatibility:
        user, _, task = task.partition(b"\0")
        call = call.of_user(user.decode())
    kind, ticket = task[:1], task[1:]
    if kind == _QUERY:
        return call.services.queries.redeem(call.caller, ticket, call.gone, limit)
    # Whatever else it is, it is refused there, on record.
    return call.services.scans.redeem(call.caller, ticket, limit)


def _fetch(call: Call, params: Any) -> Any:
    task = call.tasks.get(_handle(params.handle))
    with task.lock:
        rows = task.next_part(call.bytes_at_once)
        columns = _FORMATS[task.format](in_wire_types(rows))
        return T.TFetchResult(
            done=task.done,
            task_progress=_progress(task),
            num_records=rows.num_rows,
            record_format=task.format,
            columnar_records=T.TColumnarRecords(cols=columns),
        )


def _progress(task: Task) -> float:
    # How far a task is would tell of rows that are hidden.
    return 1.0 if task.done else 0.0


def _close(call: Call, handle: Any) -> None:
    call.tasks.end(_handle(handle))


def _status(call: Call, handle: Any) -> Any:
    task = call.tasks.get(_handle(handle))
    stats = T.TStats(
        task_progress=_progress(task),
        num_records_read=task.returned,
        num_records_returned=task.returned,
        num_records_skipped=0,
        serialize_time_ms=0,
        client_time_ms=0,
    )
    return T.TTaskStatus(stats=stats, data_errors=[], warnings=[])


def _handle(given: Any) -> Handle:
    if given is None or given.hi is None or given.lo is None:
        return 0, 0
    return given.hi, given.lo


HANDLERS: Mapping[str, Handler] = {
    "PlanRequest": _plan,
    "GetSchema": _schema,
    "ExecTask": _run,
    "Fetch": _fetch,
    "CloseTask": _close,
    "GetTaskStatus": _status,
}
