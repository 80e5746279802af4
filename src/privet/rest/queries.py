"""Queries over HTTP: the whole answer as a stream, or page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import pyarrow as pa

from privet.model.errors import InvalidRequest, ResourcesExceeded
from privet.model.names import fold
from privet.model.requests import Parameters, QueryRequest
from privet.rest.answers import Answer, Gone, begun
from privet.rest.bodies import SqlBody
from privet.rest.formats import MEDIA_TYPES, ResultFormat, encode
from privet.service import Caller
from privet.service.queries import Queries

NEXT_PAGE = "x-privet-next-page"
LARGEST_PAGE = 10_000
_LARGEST_PAGE_BYTES = 64 * 1024 * 1024
# The cursor is a header, and proxies take no large ones.
_LONGEST_CURSOR = 6 * 1024
_BY_NAME = frozenset({ResultFormat.JSON, ResultFormat.NDJSON})


@dataclass(frozen=True, slots=True)
class Asking:
    """A caller with a query, and the form that its answer shall have."""

    queries: Queries
    caller: Caller
    form: ResultFormat

    def begin(self, body: SqlBody, gone: Gone) -> Answer:
        """Run what is asked for; the decision is on record when this returns.

        Raises:
            InvalidRequest: parts of the body that do not go together, or cannot be.
            TicketInvalid: the page's cursor is altered, expired or another principal's.
            And what `Queries.open` raises.
        """
        if body.page is not None:
            return self._page(self._requested(body), gone)
        request = _request(body)
        if body.page_rows is not None:
            return self._page(request, gone)
        stream = self.queries.open(self.caller, request, gone)
        try:
            chunks = begun(self._encoded(stream.schema, stream.begin()))
        except BaseException:
            stream.close()
            raise
        return Answer(MEDIA_TYPES[self.form], chunks, stream.close)

    def _requested(self, body: SqlBody) -> QueryRequest:
        if body.page is None or body.model_dump(exclude_none=True).keys() != {"page"}:
            raise InvalidRequest(
                "a page is asked for by its cursor alone",
                hint=f"send the `{NEXT_PAGE}` of the page before as `page`, and nothing beside it",
            )
        return self.queries.requested(self.caller, body.page.encode())

    def _page(self, request: QueryRequest, gone: Gone) -> Answer:
        """One page; read whole, so that whether another follows is known when it begins."""
        rows = request.limit or 0
        following = replace(request, offset=request.offset + rows)
        cursor = self.queries.ticket(self.caller, following).decode("ascii")
        if len(cursor) > _LONGEST_CURSOR:
            raise InvalidRequest(
                "the statement and its parameters are too long to be read by pages",
                hint="leave `page_rows` out and read the answer as a stream",
            )
        stream = self.queries.open(self.caller, replace(request, limit=rows + 1), gone)
        try:
            batches = list(_bounded(stream.begin()))
        finally:
            stream.close()
        chunks = begun(self._encoded(stream.schema, _first(batches, rows)))
        more = sum(batch.num_rows for batch in batches) > rows
        headers = {NEXT_PAGE: cursor} if more else {}
        return Answer(MEDIA_TYPES[self.form], chunks, _nothing_to_close, headers)

    def _encoded(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
        if self.form in _BY_NAME and len(set(schema.names)) != len(schema.names):
            raise InvalidRequest(
                "two columns of the answer have one name, which JSON cannot tell apart",
                hint="name them with AS, or ask for csv, arrow or parquet",
            )
        return encode(self.form, schema, batches)


def _request(body: SqlBody) -> QueryRequest:
    if body.page_rows is not None and body.limit is not None:
        raise InvalidRequest(
            "an answer has a `limit` or comes by pages, not both",
            hint="a LIMIT can stand in the statement itself",
        )
    if body.page_rows is not None and body.page_rows > LARGEST_PAGE:
        raise InvalidRequest(
            f"a page of {body.page_rows} rows is too large",
            hint=f"at most {LARGEST_PAGE:,} rows; without `page_rows` the answer is a stream",
        )
    return QueryRequest(
        body.statement or "",
        _parameters(body),
        None if body.database is None else fold(body.database, "database name"),
        body.limit if body.page_rows is None else body.page_rows,
    )


def _parameters(body: SqlBody) -> Parameters | None:
    if not body.parameters:
        return None
    given = body.parameters
    values = given.values() if isinstance(given, dict) else given
    if any(isinstance(value, dict) for value in values):
        raise InvalidRequest(
            "a parameter is text, a number, true, false, null, or a list of these",
            hint="give its parts as parameters of their own",
        )
    return Parameters.of(given)


def _bounded(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    left = _LARGEST_PAGE_BYTES
    for batch in batches:
        left -= batch.nbytes
        if left < 0:
            raise ResourcesExceeded(
                f"the page has more than {_LARGEST_PAGE_BYTES >> 20} MB",
                hint="ask for fewer rows, or leave `page_rows` out and read the answer as a stream",
            )
        yield batch


def _first(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        part = batch.slice(0, rows)
        rows -= part.num_rows
        if part.num_rows:
            yield part


def _nothing_to_close() -> None:
    pass


def preferred(accept: Iterable[str]) -> ResultFormat:
    """The format that the Accept headers like best; NDJSON for clients that take anything."""
    forms = {media.partition(";")[0]: form for form, media in MEDIA_TYPES.items()}
    best, chosen = 0.0, ResultFormat.NDJSON
    for entry in ",".join(accept).split(","):
        media, *options = (part.strip().lower() for part in entry.split(";"))
        weight = _weight(options)
        if media in forms and weight > best:
            best, chosen = weight, forms[media]
    return chosen


def _weight(options: Iterable[str]) -> float:
    for option in options:
        name, _, value = option.partition("=")
        if name.strip() == "q":
            with suppress(ValueError):
                return float(value)
            return 0.0
    return 1.0
