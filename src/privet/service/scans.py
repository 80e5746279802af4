"""The whole life of a scan. Read this file first.

    credentials -> principal -> facts -> decision -> audit -> enforced plan -> governed batches

Every door comes through here, and there is no other way to a row. A ticket is a sealed request:
redeeming one walks the same path again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa

from privet.enforcement import EnforcedPlan, enforce
from privet.model.decisions import Decision
from privet.model.errors import PrivetError
from privet.model.events import Event, Outcome
from privet.model.principals import Principal
from privet.model.requests import ScanRequest, smaller
from privet.scan import GovernedStream, Progress
from privet.service.access import authenticate, event_of, still_allowed
from privet.service.deciding import Decided, decide_by_name
from privet.service.platform import Caller, Platform
from privet.service.running import Run
from privet.service.view_runs import events_behind, start


@dataclass(frozen=True, slots=True)
class PlannedScan:
    """What a scan would give, and the ticket that starts it."""

    schema: pa.Schema
    ticket: bytes


class Scans:
    """Reading datasets."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def open(self, caller: Caller, request: ScanRequest) -> GovernedStream:
        """Start a scan; the decision is on record, durably, when this returns.

        Raises:
            Unauthenticated: the credentials do not hold.
            NotFound: no such dataset or column for this principal.
            AuditUnavailable: nothing is read.
        """
        principal = authenticate(self._platform, caller)
        return self._start(principal, caller, request)

    def plan(self, caller: Caller, request: ScanRequest) -> PlannedScan:
        """Decide and describe, without reading; recorded like a scan.

        Raises:
            As `open`.
        """
        principal = authenticate(self._platform, caller)
        _, plan, _ = self._enforced(principal, caller, request, "scan.plan")
        return PlannedScan(plan.schema, self._platform.seal.close(request, principal))

    def redeem(self, caller: Caller, ticket: bytes, limit: int | None = None) -> GovernedStream:
        """Start the scan that a ticket asks for, deciding again; at most `limit` rows of it.

        Raises:
            TicketInvalid: altered, expired, or another principal's.
            As `open`.
        """
        platform = self._platform
        principal = authenticate(platform, caller)
        try:
            request = platform.seal.open(ticket, principal)
        except PrivetError as error:
            refused = event_of(principal, caller, "scan.start", Outcome.REFUSED)
            error.audit_id = platform.audit.record(replace(refused, error=error.code)).id
            raise
        request = replace(request, limit=smaller(request.limit, limit))
        return self._start(principal, caller, request)

    def _start(self, principal: Principal, caller: Caller, request: ScanRequest) -> GovernedStream:
        decided, plan, started = self._enforced(principal, caller, request, "scan.start")
        running = Run(started, (str(request.dataset),), Progress())
        stream = start(
            self._platform,
            decided,
            plan,
            lambda progress: self._record_end(running, plan, progress),
            check=running.guarding(still_allowed(self._platform, principal)),
        )
        running.progress = stream.progress
        self._platform.running.enter(running, stream.call_off)
        return stream

    def _enforced(
        self, principal: Principal, caller: Caller, request: ScanRequest, action: str
    ) -> tuple[Decided, EnforcedPlan, Event]:
        platform = self._platform
        decided = decide_by_name(platform, principal, request.dataset)
        decision = decided.decision
        recorded = platform.audit.record(_requested(decision, caller, request, action))
        for event in events_behind(recorded, decided):
            platform.audit.record(event)
        decision.require(recorded.id)
        try:
            return (
                decided,
                enforce(decision, request, platform.derive, platform.circumstances),
                recorded,
            )
        except PrivetError as error:
            error.audit_id = recorded.id
            platform.audit.record(_ended(recorded, Outcome.REFUSED, error.code))
            raise

    def _record_end(self, running: Run, plan: EnforcedPlan, progress: Progress) -> None:
        self._platform.running.leave(running)
        killed = running.killed if progress.outcome is Outcome.CANCELLED else {}
        overflowed = {"overflowed": dict(plan.overflowed)} if plan.overflowed else {}
        self._platform.audit.record(
            replace(
                _ended(running.started, progress.outcome, progress.error),
                rows_read=progress.rows_read,
                rows_returned=progress.rows_returned,
                bytes_returned=progress.bytes_returned,
                detail=overflowed | killed,
            )
        )


def _requested(decision: Decision, caller: Caller, request: ScanRequest, action: str) -> Event:
    outcome = Outcome.ALLOWED if decision.allowed else Outcome.REFUSED
    return replace(
        event_of(decision.principal, caller, action, outcome),
        object=str(request.dataset),
        bypass=decision.bypass and decision.allowed,
        permissions=decision.permissions,
        facts_version=decision.version,
        detail={
            "columns": list(request.columns) if request.columns is not None else None,
            "limit": request.limit,
            "decision": decision.digest,
        },
    )


def _ended(started: Event, outcome: Outcome, error: str) -> Event:
    return replace(
        started,
        action=f"{started.action.partition('.')[0]}.end",
        outcome=outcome,
        error=error,
        parent=started.id,
        detail={},
    )
