"""The whole life of a query: SELECTs of users over what they may see.

    credentials -> principal -> sandbox -> names -> facts -> decisions -> audit -> governed streams
                                                                               -> sandbox -> answer

A sandbox is given the text first, and says which datasets it names; what it says is only a
request. From there each dataset takes the steps of a scan, and what the sandbox computes, it
computes over governed batches. So no text, whatever it does, sees more than scans would show.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyarrow as pa

from privet.catalog.versions import Lru
from privet.model.errors import PrivetError
from privet.model.events import Outcome
from privet.model.names import DatasetName
from privet.model.principals import Principal
from privet.model.requests import Parameters, QueryRequest, smaller
from privet.model.sql_text import EXPLAIN
from privet.query import Asked, Gone
from privet.service.access import authenticate, event_of
from privet.service.asking import Asking, Described, QueryStream
from privet.service.platform import Caller, Platform
from privet.service.query_plans import QueryExplained

_DESCRIPTIONS = 512
_LONGEST_KNOWN = 8_192


def never() -> bool:
    """The client that does not leave."""
    return False


@dataclass(frozen=True, slots=True)
class PlannedQuery:
    """What a query would give, and the ticket that starts it."""

    schema: pa.Schema
    ticket: bytes


@dataclass(frozen=True, slots=True)
class PreparedQuery:
    """A statement that will be run again: the handle holds its text and whose it is, no plan."""

    handle: bytes
    schema: pa.Schema
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """How a statement was described, and what that rested on."""

    asked: Asked
    schemas: Mapping[DatasetName, pa.Schema]
    described: Described


_Key = tuple[str, str, str, str | None, Parameters | None]


class Queries:
    """Asking questions. `gone` says whether the client has left; then the query ends.

    Every method raises:
        Unauthenticated: the credentials do not hold.
        ParseFailed, UnknownName, TypeMismatch, InvalidRequest: the statement is not answered.
        NotFound: a dataset does not exist for this principal.
        Busy, ResourcesExceeded: not now, or not within what one statement may use.
        AuditUnavailable: nothing is read.
        TicketInvalid: a ticket or handle that is altered, expired, or another principal's.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._known: Lru[_Key, _Known] = Lru(_DESCRIPTIONS)

    def warm_up(self) -> None:
        """Begin to make sandboxes ready, in the background; the log says if there cannot be any."""
        self._platform.askers.warm_up()

    def open(self, caller: Caller, request: QueryRequest, gone: Gone = never) -> QueryStream:
        """Start a query; every decision is on record, durably, when this returns."""
        principal = authenticate(self._platform, caller)
        return self._start(principal, caller, request, gone)

    def describe(self, caller: Caller, request: QueryRequest, gone: Gone = never) -> Described:
        """The columns that a query would give; decided and recorded like one."""
        principal = authenticate(self._platform, caller)
        return self._describe(principal, caller, request, gone)

    def plan(self, caller: Caller, request: QueryRequest, gone: Gone = never) -> PlannedQuery:
        """Describe, and give a ticket for this principal."""
        principal = authenticate(self._platform, caller)
        schema = self._describe(principal, caller, request, gone).schema
        return PlannedQuery(schema, self._platform.seal.close(request, principal))

    def ticket(self, caller: Caller, request: QueryRequest) -> bytes:
        """A ticket alone, such as for the next page."""
        return self._platform.seal.close(request, authenticate(self._platform, caller))

    def requested(self, caller: Caller, ticket: bytes) -> QueryRequest:
        """What a ticket asks for."""
        principal = authenticate(self._platform, caller)
        return self._opened(principal, caller, ticket, handle=False)

    def redeem(
        self, caller: Caller, ticket: bytes, gone: Gone = never, limit: int | None = None
    ) -> QueryStream:
        """Start the query that a ticket asks for, deciding again; at most `limit` rows of it."""
        principal = authenticate(self._platform, caller)
        request = self._opened(principal, caller, ticket, handle=False)
        request = replace(request, limit=smaller(request.limit, limit))
        return self._start(principal, caller, request, gone)

    def prepare(self, caller: Caller, request: QueryRequest, gone: Gone = never) -> PreparedQuery:
        """Describe a statement that will be run, perhaps often."""
        principal = authenticate(self._platform, caller)
        described = self._describe(principal, caller, request, gone)
        handle = self._platform.seal.close(request, principal, handle=True)
        return PreparedQuery(handle, described.schema, described.parameters)

    def bind(self, caller: Caller, handle: bytes, parameters: Parameters | None) -> bytes:
        """A handle of the same statement with values."""
        principal = authenticate(self._platform, caller)
        request = self._opened(principal, caller, handle, handle=True)
        bound = replace(request, parameters=parameters)
        return self._platform.seal.close(bound, principal, handle=True)

    def prepared(self, caller: Caller, handle: bytes) -> QueryRequest:
        """The statement of a handle."""
        principal = authenticate(self._platform, caller)
        return self._opened(principal, caller, handle, handle=True)

    def explain(self, caller: Caller, request: QueryRequest, gone: Gone = never) -> QueryExplained:
        """Say what a statement would read, and how its columns are seen."""
        if not EXPLAIN.match(request.text):
            request = replace(request, text=f"EXPLAIN {request.text}")
        principal = authenticate(self._platform, caller)
        with self._planning(principal, caller, request) as asking:
            asking.decide(asking.read(gone))
            return asking.explain()

    def _start(
        self, principal: Principal, caller: Caller, request: QueryRequest, gone: Gone
    ) -> QueryStream:
        asking = self._asking(principal, caller, request, "query.start")
        with asking.recorded():
            asking.decide(asking.read(gone))
            return asking.answer()

    def _describe(
        self, principal: Principal, caller: Caller, request: QueryRequest, gone: Gone
    ) -> Described:
        """As the same statement was described, if this principal sees the same datasets now.

        Clients describe a statement two or three times before they run it. Each time is decided
        and recorded; only the sandbox is spared.
        """
        key = (principal.issuer, principal.user, request.text, request.database, request.parameters)
        known = self._known.get(key)
        with self._planning(principal, caller, request) as asking:
            asked = known.asked if known else asking.read(gone)
            asking.decide(asked)
            schemas = asking.schemas()
            if known and known.schemas == schemas:
                return known.described
            if known:
                asking.read(gone)
            described = asking.describe()
            values = request.parameters.row if request.parameters else b""
            if len(request.text) + len(values) <= _LONGEST_KNOWN:
                self._known.put(key, _Known(asked, schemas, described))
            return described

    @contextmanager
    def _planning(
        self, principal: Principal, caller: Caller, request: QueryRequest
    ) -> Generator[Asking]:
        asking = self._asking(principal, caller, request, "query.plan")
        try:
            with asking.recorded():
                yield asking
        finally:
            asking.close()

    def _asking(
        self, principal: Principal, caller: Caller, request: QueryRequest, action: str
    ) -> Asking:
        event = event_of(principal, caller, action, Outcome.ALLOWED)
        written = request.text if request.original is None else request.original
        return Asking(self._platform, principal, request, replace(event, statement=written))

    def _opened(
        self, principal: Principal, caller: Caller, ticket: bytes, *, handle: bool
    ) -> QueryRequest:
        try:
            return self._platform.seal.open_query(ticket, principal, handle=handle)
        except PrivetError as error:
            refused = event_of(principal, caller, "query.start", Outcome.REFUSED)
            error.audit_id = self._platform.audit.record(replace(refused, error=error.code)).id
            raise
