"""Files by their address, for those whom a grant on the URI allows it.

Such a grant is about bytes, and knows no columns or rows. A file of a dataset may hold columns
that nobody has reviewed, or that were dropped from it. So it is only for those who administer all
of that dataset, and read all of it anyway; everybody else asks for the dataset.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from privet.model.datasets import Format
from privet.model.decisions import Decision, Verdict
from privet.model.errors import Busy, Forbidden, InvalidRequest, NotFound, PrivetError
from privet.model.events import Event, Outcome
from privet.model.names import DatasetName
from privet.model.permissions import AccessLevel, Permission, Scope, ScopeKind, on_dataset
from privet.model.principals import Principal
from privet.policy import may
from privet.service.access import authenticate, event_of, now_and_then, still_allowed
from privet.service.deciding import decide_by_name
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator

_VALID = timedelta(minutes=1)
_MOST_WAITING = 1_024
_MOST_OF_ONE = 32
_MOST_LISTED = 10_000
_AT_ONCE = 2**20
_LOGGED = frozenset({Format.DELTA, Format.ICEBERG})


class FileUse(Enum):
    """What somebody wants to do with a file, and the level that its URI has to be granted at."""

    LIST = AccessLevel.SHOW
    READ = AccessLevel.SELECT
    WRITE = AccessLevel.INSERT
    DELETE = AccessLevel.DELETE


@dataclass(frozen=True, slots=True)
class _Waiting:
    caller: Caller
    principal: tuple[str, str]
    uri: str
    until: datetime


class Files:
    """Listing files, and handing them out as they are."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._waiting: dict[str, _Waiting] = {}
        self._lock = threading.Lock()

    def check(self, caller: Caller, use: FileUse, uri: str) -> None:
        """Whether the caller may do something with what is at an address, or would be.

        Raises:
            Forbidden: they may not, whether something is there or not; recorded.
            InvalidRequest: it is no address that this server opens.
        """
        self._allowed(caller, use, uri, "file.check")

    def list(self, caller: Caller, uri: str) -> tuple[str, ...]:
        """The addresses of the files at or below an address; none if nothing is there.

        Raises:
            As `check`; SourceUnavailable: the source cannot be read.
        """
        where = self._allowed(caller, FileUse.LIST, uri, "file.list")[1]
        found: list[str] = []
        try:
            for info in self._platform.connectors.walk(where):
                found.append(info.uri)
                if len(found) > _MOST_LISTED:
                    raise InvalidRequest(
                        f"there are more than {_MOST_LISTED} files", hint="list a folder below it"
                    )
        except NotFound:
            return ()
        return tuple(found)

    def issue_key(self, caller: Caller, uri: str) -> str:
        """A key by which the file can be read once, within a minute, without credentials.

        Raises:
            As `check`; Busy: too many keys wait for their use.
        """
        principal, where, _ = self._allowed(caller, FileUse.READ, uri, "file.plan")
        whose = (principal.issuer, principal.user)
        now = self._platform.clock()
        with self._lock:
            for key, old in list(self._waiting.items()):
                if old.until < now:
                    del self._waiting[key]
            own = sum(w.principal == whose for w in self._waiting.values())
            if own >= _MOST_OF_ONE or len(self._waiting) >= _MOST_WAITING:
                raise Busy("too many files are about to be read", hint="try again in a minute")
            key = secrets.token_urlsafe(32)
            self._waiting[key] = _Waiting(caller, whose, where, now + _VALID)
        return key

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes of the file of a key; decided again, and on record before the first of them.

        Raises:
            NotFound: no such key (any more), or nothing at its address, or not one file alone.
            As `check`, for whoever asked for the key.
        """
        with self._lock:
            waiting = self._waiting.pop(key, None)
        if waiting is None or waiting.until < self._platform.clock():
            raise NotFound("there is no such file", hint="ask for its address again")
        principal, where, event = self._allowed(
            waiting.caller, FileUse.READ, waiting.uri, "file.read"
        )
        check = now_and_then(still_allowed(self._platform, principal))
        return self._recorded(event, self._bytes(self._only(where), check))

    def _only(self, where: str) -> str:
        """The one file at an address, or of the folder there."""
        found = self._platform.connectors.walk(where)
        first = next(found, None)
        if first is None or next(found, None) is not None:
            raise NotFound("not one file is there", hint="list the folder, and read one of them")
        return first.uri

    def _bytes(self, uri: str, check: Callable[[], None]) -> Generator[bytes]:
        with self._platform.connectors.open_stream(uri) as stream:
            while chunk := stream.read(_AT_ONCE):
                check()
                yield chunk

    def _recorded(self, started: Event, chunks: Generator[bytes]) -> Generator[bytes]:
        outcome, error, size = Outcome.CANCELLED, "", 0
        try:
            with closing(chunks):
                for chunk in chunks:
                    size += len(chunk)
                    yield chunk
            outcome = Outcome.COMPLETED
        except PrivetError as failure:
            outcome, error = Outcome.FAILED, failure.code
            raise
        finally:
            self._platform.audit.record(
                replace(
                    started,
                    action="file.end",
                    outcome=outcome,
                    error=error,
                    parent=started.id,
                    bytes_returned=size,
                )
            )

    def _allowed(
        self, caller: Caller, use: FileUse, uri: str, action: str
    ) -> tuple[Principal, str, Event]:
        principal = authenticate(self._platform, caller)
        where = self._platform.connectors.canonical(uri)
        administrator = Administrator.of(self._platform, principal)
        giving = self._giving(administrator, use, where)
        allowed = principal.admin or bool(giving)
        if allowed and use is FileUse.READ:
            allowed = self._has_all(administrator, where)
        error = None if allowed else _refusal(use)
        outcome = Outcome.ALLOWED if allowed else Outcome.REFUSED
        event = self._platform.audit.record(
            replace(
                event_of(principal, caller, action, outcome),
                object=where,
                bypass=allowed and not giving,
                permissions=tuple(p.id for p in giving),
                facts_version=administrator.rights.version,
                error=error.code if error else "",
                detail={"use": use.name.lower()},
            )
        )
        if error:
            error.audit_id = event.id
            raise error
        return principal, where, event

    def _giving(
        self, administrator: Administrator, use: FileUse, where: str
    ) -> tuple[Permission, ...]:
        """The grants that say so themselves: who may read a file need not learn of others."""
        on = Scope(ScopeKind.URI, name=where)
        found = may(administrator.rights, use.value, on, self._platform.clock())
        return tuple(p for p in found if p.level in {use.value, AccessLevel.ALL})

    def _has_all(self, administrator: Administrator, where: str) -> bool:
        """Whether nothing there is of a dataset that somebody else has to answer for.

        The files of a table of a log hold rows that were deleted, which nobody reads by it.
        """
        principal = administrator.principal
        for name in self._datasets_at(where):
            decision = decide_by_name(self._platform, principal, name).decision
            dataset = decision.dataset
            if not _whole(decision) or dataset is None:
                return False
            if principal.admin:
                continue
            whole = administrator.may(AccessLevel.ALL, on_dataset(name))
            if not whole or dataset.source.format in _LOGGED:
                return False
        return True

    def _datasets_at(self, where: str) -> Iterator[DatasetName]:
        on = Scope(ScopeKind.URI, name=where)
        for dataset in self._platform.catalog.datasets.list():
            if dataset.view is None and dataset.source.uri:
                other = Scope(ScopeKind.URI, name=dataset.source.uri)
                if other.holds(on) or on.holds(other):
                    yield dataset.name


def _whole(decision: Decision) -> bool:
    return (
        decision.allowed
        and None in decision.filters
        and not decision.restrictions
        and all(
            c.verdict is Verdict.CLEAR and not c.safeguards and not c.cell_filters
            for c in decision.columns
        )
    )


def _refusal(use: FileUse) -> Forbidden:
    return Forbidden(
        f"no access to this address: it needs {use.value.upper()} on its URI",
        hint="ask for the dataset, if the file belongs to one",
    )
