"""Reading the audit log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from privet.model.errors import Forbidden
from privet.model.events import Event, Outcome
from privet.service.access import authenticate, event_of
from privet.service.platform import Caller, Platform


class Audits:
    """Administrators read every event; everybody else their own."""

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
        own = user if principal.admin else principal.user
        return self._platform.audit.list_events(user=own, **filters)
