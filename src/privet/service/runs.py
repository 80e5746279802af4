"""Scans and queries that run on this server: who may see them, and call them off."""

from __future__ import annotations

from dataclasses import replace

from privet.model.errors import NotFound
from privet.model.events import Outcome
from privet.service.access import authenticate, event_of
from privet.service.platform import Caller, Platform
from privet.service.running import Run

_LONGEST_ID = 64


class Runs:
    """One's own, or as an administrator all of them; those of this server, not of its replicas."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self, caller: Caller) -> tuple[Run, ...]:
        """What runs and the caller may call off, the oldest first."""
        principal = authenticate(self._platform, caller)
        runs = self._platform.running.list()
        return tuple(run for run in runs if principal.admin or run.is_of(principal))

    def kill(self, caller: Caller, identifier: str) -> None:
        """Call a scan or query off; its end is on record when this returns.

        Raises:
            NotFound: nothing of that id runs here, or it is somebody else's: the two read alike.
            AuditUnavailable: it goes on; or it has ended, and only that could not be recorded.
        """
        platform = self._platform
        principal = authenticate(platform, caller)
        run = platform.running.find(identifier)
        may = run is not None and (principal.admin or run.is_of(principal))
        asked = replace(
            event_of(principal, caller, "scan.kill", Outcome.ALLOWED if may else Outcome.REFUSED),
            object=identifier[:_LONGEST_ID],
            error="" if may else NotFound.code,
        )
        recorded = platform.audit.record(asked)
        if run is None or not may or not run.kill(principal):
            raise NotFound(
                "no such scan or query is running",
                hint="it may have ended, or run on another server; `privet scans list` has yours",
                audit_id=recorded.id,
            )
