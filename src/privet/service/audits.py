"""Reading the audit log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from privet.model.errors import Forbidden
from privet.model.events import Event, Outcome
from privet.service.access import authenticate, event_of
from privet.service.platform import Caller, Platform

_READER_DETAIL = frozenset({"columns", "limit"})


class Audits:
    """Administrators read every event; everybody else their own, as far as it is theirs."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self, caller: Caller, **filters: Any) -> tuple[Event, ...]:
        """Events, newest first. See `AuditLog.list_events` for the filters.

        Raises:
            Forbidden: somebody else's events are asked for by one who is no administrator.
        """
        principal = authenticate(self._platform, caller)
        user = filters.pop("user", None)
        if not principal.admin and user not in (None, principal.user):
            self._platform.audit.record(event_of(principal, caller, "audit.list", Outcome.REFUSED))
            raise Forbidden(
                "only an administrator can read the audit of others",
                hint="leave out the user to read your own",
            )
        self._platform.audit.record(
            replace(
                event_of(principal, caller, "audit.list", Outcome.ALLOWED),
                detail={k: str(v) for k, v in filters.items() if v is not None},
            )
        )
        if principal.admin:
            return self._platform.audit.list_events(user=user, **filters)
        events = self._platform.audit.list_events(user=principal.user, **filters)
        return tuple(_as_reader(event) for event in events)


def _as_reader(event: Event) -> Event:
    """An event as its own subject may read it: nothing that their scan did not tell.

    Rows read, beside rows returned, would count the hidden ones; permissions, digests and versions
    would tell of other people's changes, and overflow counts of values behind tokens.
    """
    asked = {k: v for k, v in event.detail.items() if k in _READER_DETAIL}
    return replace(event, rows_read=None, permissions=(), facts_version=0, detail=asked)
