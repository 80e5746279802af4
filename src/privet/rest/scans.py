"""Reading over HTTP, and what is being read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from anyio import CancelScope, to_thread
from fastapi import APIRouter, Query, status
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool

from privet.model.names import DatasetName, fold
from privet.model.requests import ScanRequest
from privet.rest.bodies import items
from privet.rest.callers import CallerDep, ServicesDep
from privet.rest.formats import MEDIA_TYPES, ResultFormat, encode
from privet.rest.strict import StrictRoute
from privet.service.forms import Json, run_json
from privet.service.scans import GovernedStream

router = APIRouter(route_class=StrictRoute, prefix="/v1", tags=["scans"])


@router.get("/datasets/{database}/{name}/scan", response_class=StreamingResponse)
def scan(  # noqa: PLR0913, PLR0917 - the parameters of the address
    caller: CallerDep,
    services: ServicesDep,
    database: str,
    name: str,
    format: Annotated[ResultFormat, Query()] = ResultFormat.JSON,  # noqa: A002 - the interface
    columns: Annotated[str | None, Query(description="comma-separated")] = None,
    limit: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
) -> StreamingResponse:
    """Stream a dataset as this caller may see it."""
    chosen = (
        None
        if columns is None
        else tuple(fold(c.strip(), "column name") for c in columns.split(","))
    )
    dataset = DatasetName(fold(database, "database name"), fold(name, "dataset name"))
    request = ScanRequest(dataset, chosen, limit)
    stream = services.scans.open(caller, request)
    return StreamingResponse(
        _body(stream, encode(format, stream.schema, stream.begin())),
        media_type=MEDIA_TYPES[format],
        headers={"cache-control": "no-store"},
    )


async def _body(stream: GovernedStream, chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for chunk in iterate_in_threadpool(chunks):
            yield chunk
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(stream.close)


@router.get("/files/{key}", response_class=StreamingResponse)
def read_file(services: ServicesDep, key: str) -> StreamingResponse:
    """The file that somebody asked for at another door: its key is all that it takes, once."""
    chunks = services.files.read(key)
    headers = {"cache-control": "no-store"}
    return StreamingResponse(chunks, media_type="application/octet-stream", headers=headers)


@router.get("/scans")
def list_scans(caller: CallerDep, services: ServicesDep) -> Json:
    """The scans and queries that run on this server: one's own, or as an administrator all."""
    return items([run_json(run) for run in services.runs.list(caller)])


@router.delete("/scans/{identifier}", status_code=status.HTTP_204_NO_CONTENT)
def kill_scan(caller: CallerDep, services: ServicesDep, identifier: str) -> None:
    """Call a scan or query off."""
    services.runs.kill(caller, identifier)
