"""The beginning of every use case: who calls, and may they; recorded before anything follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from privet.model.errors import (
    AttributesUnavailable,
    AuditUnavailable,
    NotFound,
    PrivetError,
    Revoked,
    TooManyAttempts,
    Unauthenticated,
)
from privet.model.events import Event, Outcome
from privet.model.names import RESERVED_ROLE_PREFIX
from privet.model.permissions import Permission, Scope
from privet.model.principals import Password, Principal
from privet.policy import Need, Passing, Ruling, to_sql
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator


def authenticate(platform: Platform, caller: Caller) -> Principal:
    """Credentials to principal; what does not hold is on record too.

    Raises:
        Unauthenticated: no credentials, or they do not hold.
        TooManyAttempts: too many wrong passwords.
        AttributesUnavailable: they hold, and what is known of the user could not be found out.
        AuditUnavailable: the refusal could not be recorded.
    """
    try:
        principal = platform.identity.authenticate(caller.credentials)
    except (Unauthenticated, TooManyAttempts, AttributesUnavailable) as error:
        claimed = caller.credentials.user if isinstance(caller.credentials, Password) else ""
        event = platform.audit.record(
            Event(
                action="session.authenticate",
                outcome=Outcome.REFUSED,
                user=claimed,
                door=caller.door,
                error=error.code,
                detail={"why": error.message} if isinstance(error, AttributesUnavailable) else {},
            )
        )
        error.audit_id = event.id
        raise
    platform.catalog.principals.note(principal, platform.clock())
    return principal


def event_of(principal: Principal, caller: Caller, action: str, outcome: Outcome) -> Event:
    """An event with its who and where filled in."""
    return Event(
        action=action,
        outcome=outcome,
        user=principal.user,
        issuer=principal.issuer,
        groups=tuple(sorted(principal.groups)),
        door=caller.door,
    )


@dataclass(frozen=True, slots=True)
class Act:
    """What is asked for beside reading data, as it will be recorded, and which rights it needs.

    Without `needs` it is for catalog administrators. What it `creates` belongs to its creator if
    they could create it only so; what owners had, as such, on what it `drops` ends with it.
    `removes` says which permissions go as well: each is in the history of its role.
    """

    action: str
    object: str = ""
    statement: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])
    needs: tuple[Need | Passing, ...] = ()
    creates: Scope | None = None
    drops: Scope | None = None
    removes: Callable[[], Iterable[Permission]] | None = None


@contextmanager
def administer(platform: Platform, caller: Caller, act: Act) -> Generator[Principal]:
    """Authenticate, decide, record, then let the body apply; how it ended is recorded after it.

    Raises:
        Unauthenticated: the credentials do not hold.
        Forbidden, NotFound: the caller lacks a right; recorded.
        AuditUnavailable: nothing is applied; or it is, and only that could not be recorded.
    """
    principal = authenticate(platform, caller)
    with administer_as(platform, principal, caller, act):
        yield principal


@contextmanager
def administer_as(
    platform: Platform, principal: Principal, caller: Caller, act: Act
) -> Generator[Principal]:
    """The same for a principal who is known already; of `caller`, only the door counts."""
    ruling, asked = _rule(platform, principal, caller, act)
    removals = [platform.audit.record(event) for event in _removals(platform, act, asked)]
    try:
        yield principal
        if act.creates is not None and ruling.as_owner:
            platform.catalog.permissions.own(act.creates, principal)
        if act.drops is not None:
            platform.catalog.permissions.disown(act.drops)
    except PrivetError as error:
        error.audit_id = error.audit_id or asked.id
        _record_failure(platform, (asked, *removals), error.code)
        raise
    except BaseException as error:
        _record_failure(platform, (asked, *removals), type(error).__name__)
        raise
    try:
        for event in (asked, *removals):
            _record_end(platform, event, Outcome.COMPLETED, "")
    except AuditUnavailable as error:
        raise AuditUnavailable(
            "it was applied, and its end could not be recorded",
            hint="do not ask again; an administrator finds the end in the server's own log",
            audit_id=asked.id,
        ) from error


def _removals(platform: Platform, act: Act, asked: Event) -> Iterator[Event]:
    """What is on record about each permission that goes with what is dropped."""
    gone = {} if act.removes is None else {p.id: p for p in act.removes()}
    if act.drops is not None:
        on = platform.catalog.permissions.list(database=act.drops.database)
        owned = (p for p in on if p.role.startswith(RESERVED_ROLE_PREFIX))
        gone |= {p.id: p for p in owned if act.drops.holds(p.scope)}
    for permission in gone.values():
        yield replace(
            asked,
            action="permission.delete",
            object=str(permission.scope),
            statement=to_sql(permission, verb="REVOKE"),
            detail={"role": permission.role, "because": asked.id},
        )


def _record_failure(platform: Platform, asked: Iterable[Event], error: str) -> None:
    # Why it failed is what its author has to know; the log tells of an end that is not on record.
    with suppress(AuditUnavailable):
        for event in asked:
            _record_end(platform, event, Outcome.FAILED, error)


def _record_end(platform: Platform, asked: Event, outcome: Outcome, error: str) -> None:
    platform.audit.record(
        replace(asked, outcome=outcome, error=error, parent=asked.id, statement="", detail={})
    )


def _rule(
    platform: Platform, principal: Principal, caller: Caller, act: Act
) -> tuple[Ruling, Event]:
    """Decide and record; raise if it is refused."""
    administrator = Administrator.of(platform, principal)
    ruling = administrator.rule(act.needs)
    error = None if ruling.allowed else administrator.refusal(ruling)
    recorded = platform.audit.record(
        replace(
            event_of(principal, caller, act.action, Outcome.REFUSED if error else Outcome.ALLOWED),
            object=act.object,
            statement=act.statement,
            detail=act.detail,
            bypass=ruling.bypass,
            permissions=ruling.permissions,
            facts_version=administrator.rights.version,
            error=error.code if error else "",
        )
    )
    if error:
        error.audit_id = recorded.id
        raise error
    return ruling, recorded


def steward(platform: Platform, caller: Caller, act: Act) -> Principal:
    """A caller who may see what the catalog holds behind the policy; only refusals are recorded.

    Raises:
        Unauthenticated: the credentials do not hold.
        NotFound: they do, and this caller may not; it reads as if the page were not there.
        Forbidden: they know what is there, and lack the right to see more of it.
        AuditUnavailable: the refusal could not be recorded.
    """
    principal = authenticate(platform, caller)
    administrator = Administrator.of(platform, principal)
    ruling = administrator.rule(act.needs)
    if ruling.allowed:
        return principal
    error = administrator.refusal(ruling)
    if not act.needs:
        error = NotFound("there is nothing here for you", hint="ask a catalog administrator")
    refused = replace(
        event_of(principal, caller, act.action, Outcome.REFUSED),
        object=act.object,
        facts_version=administrator.rights.version,
        error=error.code,
    )
    error.audit_id = platform.audit.record(refused).id
    raise error


def now_and_then(check: Callable[[], None], seconds: float = 1.0) -> Callable[[], None]:
    """A check that is called often, done only so often."""
    looked = time.monotonic()

    def throttled() -> None:
        nonlocal looked
        if time.monotonic() - looked >= seconds:
            looked = time.monotonic()
            check()

    return throttled


def still_allowed(platform: Platform, principal: Principal) -> Callable[[], None]:
    """A check that raises Revoked once the token ended or was revoked, or all time is used."""
    ends = platform.clock() + platform.longest_scan

    def check() -> None:
        if platform.clock() >= ends:
            raise Revoked(
                "the scan took longer than this server allows",
                hint="read fewer columns or rows at a time",
            )
        platform.identity.check_still_valid(principal)

    return check
