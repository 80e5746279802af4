"""Sealed requests: what two-phase protocols carry between planning and reading.

A ticket holds what was asked for and by whom, encrypted and expiring; never a plan, a decision or
a key. Redeeming it decides again, for the same principal only.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from privet.model.errors import PrivetError
from privet.model.names import DatasetName
from privet.model.principals import Principal
from privet.model.requests import Parameters, QueryRequest, ScanRequest
from privet.privacy import Derive


class TicketInvalid(PrivetError):
    """A ticket that is altered, expired, or another principal's."""

    code = "ticket_invalid"
    status = 401


_REFUSED = "the ticket is not valid, has expired or belongs to somebody else"
_HINT = "ask again to get a new one"
_HANDLE_SECONDS = 12 * 3600


class Seal:
    """Seals and opens requests with a key of its own (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(
        self,
        derive: Derive,
        *,
        lifetime: timedelta = timedelta(minutes=10),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._box = Fernet(base64.urlsafe_b64encode(derive("ticket", "1")))
        self._lifetime = int(lifetime.total_seconds())
        self._clock = clock

    def close(
        self, request: ScanRequest | QueryRequest, principal: Principal, *, handle: bool = False
    ) -> bytes:
        """The request as an opaque ticket for this principal, or a handle, which lives longer."""
        body = {
            "for": [principal.issuer, principal.user],
            "handle": handle,
            **_body(request),
        }
        return self._box.encrypt_at_time(json.dumps(body).encode(), int(self._clock()))

    def open(self, ticket: bytes, principal: Principal) -> ScanRequest:
        """The scan in a ticket.

        Raises:
            TicketInvalid: altered, expired, of another kind or another principal's; one text.
        """
        body = self._opened(ticket, principal, self._lifetime)
        if "dataset" not in body or body["handle"]:
            raise TicketInvalid(_REFUSED, hint=_HINT)
        columns = body["columns"]
        return ScanRequest(
            DatasetName(*body["dataset"]),
            None if columns is None else tuple(columns),
            body["limit"],
        )

    def open_query(self, ticket: bytes, principal: Principal, *, handle: bool) -> QueryRequest:
        """The query in a ticket, or in the handle of a prepared statement, which lives longer.

        Raises:
            TicketInvalid: as `open`.
        """
        body = self._opened(ticket, principal, _HANDLE_SECONDS if handle else self._lifetime)
        if "text" not in body or body["handle"] is not handle:
            raise TicketInvalid(_REFUSED, hint=_HINT)
        row = body["parameters"]
        return QueryRequest(
            body["text"],
            None if row is None else Parameters(base64.b64decode(row)),
            body["database"],
            body["limit"],
            body["offset"],
            body["original"],
        )

    def _opened(self, ticket: bytes, principal: Principal, lifetime: int) -> dict[str, Any]:
        try:
            sealed = self._box.decrypt_at_time(ticket, lifetime, int(self._clock()))
        except (InvalidToken, TypeError) as error:
            raise TicketInvalid(_REFUSED, hint=_HINT) from error
        body = json.loads(sealed)
        if body["for"] != [principal.issuer, principal.user]:
            raise TicketInvalid(_REFUSED, hint=_HINT)
        return body


def _body(request: ScanRequest | QueryRequest) -> dict[str, Any]:
    if isinstance(request, ScanRequest):
        return {
            "dataset": list(request.dataset),
            "columns": request.columns,
            "limit": request.limit,
        }
    values = request.parameters
    return {
        "text": request.text,
        "parameters": None if values is None else base64.b64encode(values.row).decode("ascii"),
        "database": request.database,
        "limit": request.limit,
        "offset": request.offset,
        "original": request.original,
    }
