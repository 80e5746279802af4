"""SQL over HTTP: one address for statements that govern and for queries."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from privet.model.errors import InvalidRequest
from privet.model.sql_text import is_query
from privet.rest.answers import Streamed
from privet.rest.bodies import SqlBody
from privet.rest.callers import CallerDep, ServicesDep
from privet.rest.formats import MEDIA_TYPES, ResultFormat
from privet.rest.queries import NEXT_PAGE, Asking, preferred
from privet.rest.strict import StrictRoute
from privet.service.forms import statement_json

router = APIRouter(route_class=StrictRoute, prefix="/v1")
_DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Of a query its rows; of a policy statement an object that says what it did",
        "content": {media.partition(";")[0]: {} for media in MEDIA_TYPES.values()},
        "headers": {
            NEXT_PAGE: {
                "description": "The cursor of the next page, where there is one",
                "schema": {"type": "string"},
            }
        },
    }
}


@router.post("/sql", tags=["sql"], response_class=Response, responses=_DESCRIBED)
async def run(
    request: Request,
    caller: CallerDep,
    services: ServicesDep,
    body: SqlBody,
    format: Annotated[ResultFormat | None, Query()] = None,  # noqa: A002 - the interface
) -> Response:
    """Carry out one policy statement, or stream the rows of one query.

    The rows come in the `format` asked for, else in one that the Accept header names, else as
    NDJSON. A policy statement answers in JSON and takes no other option.
    """
    text = body.statement or ""
    if body.page is None and not is_query(text):
        _alone(body, format)
        done = await run_in_threadpool(services.statements.execute, caller, text)
        return JSONResponse(statement_json(done))
    form = format or preferred(request.headers.getlist("accept"))
    asking = Asking(services.queries, caller, form)
    return Streamed(lambda gone: asking.begin(body, gone))


def _alone(body: SqlBody, form: ResultFormat | None) -> None:
    """Refuse options that a policy statement would not heed, before anything is done."""
    beside = sorted(body.model_dump(exclude_none=True).keys() - {"statement"})
    if form not in (None, ResultFormat.JSON):
        beside.append("format")
    if beside:
        names = ", ".join(f"`{name}`" for name in beside)
        raise InvalidRequest(
            f"this is no query, and {names} can only be given for a query",
            hint="queries begin with SELECT, WITH, FROM or VALUES; leave the options out otherwise",
        )
