"""Reading the audit log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from privet.audit import Reach
from privet.model.errors import Forbidden
from privet.model.events import Event, Outcome
from privet.model.permissions import CATALOG, AccessLevel, ScopeKind
from privet.policy import Need
from privet.service.access import authenticate, event_of
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator

_READER_DETAIL = frozenset({"columns", "limit"})


class Audits:
    """Whoever holds VIEW_AUDIT reads the events of others; everybody their own, as far as theirs.

    On the catalog it is every event, on a database those about it and what is in it.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self, caller: Caller, **filters: Any) -> tuple[Event, ...]:
        """Events, newest first. See `AuditLog.list_events` for the filters.

        Raises:
            Forbidden: somebody else's events are asked for by one who may see none of them.
        """
        principal = authenticate(self._platform, caller)
        administrator = Administrator.of(self._platform, principal)
        ruling = administrator.rule([Need(AccessLevel.VIEW_AUDIT, CATALOG)])
        reach = None if ruling.allowed else Reach(principal.user, _audited(administrator))
        user = filters.pop("user", None)
        if reach and not reach.databases and user not in (None, principal.user):
            self._platform.audit.record(event_of(principal, caller, "audit.list", Outcome.REFUSED))
            raise Forbidden(
                "reading the audit of others needs VIEW_AUDIT",
                hint="leave out the user to read your own",
            )
        self._platform.audit.record(
            replace(
                event_of(principal, caller, "audit.list", Outcome.ALLOWED),
                permissions=ruling.permissions,
                detail={k: str(v) for k, v in filters.items() if v is not None},
            )
        )
        events = self._platform.audit.list_events(user=user, reach=reach, **filters)
        if reach is None:
            return events
        # Whoever reads a view has no right to know what is behind it.
        known = (e for e in events if e.action != "view.read" or reach.about(e))
        return tuple(_within(reach, e) for e in known)


def _audited(administrator: Administrator) -> frozenset[str]:
    """The databases whose audit somebody may see; also those that are gone."""
    user = administrator.principal.user
    scopes = (p.scope.of_user(user) for p in administrator.rights.permissions)
    return frozenset(
        scope.database
        for scope in scopes
        if scope is not None
        and scope.kind is ScopeKind.DATABASE
        and administrator.may(AccessLevel.VIEW_AUDIT, scope)
    )


def _within(reach: Reach, event: Event) -> Event:
    """An event as far as its reader may see it."""
    own = event.user == reach.user
    if not reach.about(event):
        # Of others there are only those that are about a database.
        return _as_reader(event)
    # A statement may name what is elsewhere.
    return event if own or not event.action.startswith("query.") else replace(event, statement="")


def _as_reader(event: Event) -> Event:
    """An event as its own subject may read it: nothing that their scan did not tell.

    Rows read, beside rows returned, would count the hidden ones; permissions, digests and versions
    would tell of other people's changes, and overflow counts of values behind tokens.
    """
    asked = {k: v for k, v in event.detail.items() if k in _READER_DETAIL}
    return replace(event, rows_read=None, permissions=(), facts_version=0, detail=asked)
