"""Statements for other engines: the life of a scan, with SQL at its end instead of rows.

What a caller is given names the filters that bind them, so a server does this only where it was
told to.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from typing import Any

from privet.enforcement.rewriting import Foreign, get_engine, is_select, whole
from privet.model.datasets import Format
from privet.model.decisions import Decision
from privet.model.errors import Forbidden, InvalidRequest, NotExpressible, PrivetError
from privet.model.events import Event, Outcome
from privet.model.names import DatasetName
from privet.model.permissions import AccessLevel, on_connection
from privet.model.principals import Principal
from privet.model.transforms import get_spec, steps
from privet.policy import NEVER, NEVER_TRUE, filter_sql, rows_of
from privet.service.access import authenticate, event_of
from privet.service.deciding import decide_by_name
from privet.service.platform import Caller, Platform
from privet.service.records import Filtered, ended, filter_records
from privet.service.rights import Administrator

_ACTION = "query.rewrite"
_NOTED = 4096
"""Characters of a statement that ran elsewhere: anybody may send one, and none was decided."""
_MOST_NOTED, _LONGEST_NOTED = 16, 256
"""Names of datasets that such a one is said to have read, and characters of each."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A statement for an engine, and the decisions that are in it.

    Attributes:
        sql: the statement.
        decisions: by the datasets that it names.
    """

    sql: str
    decisions: Mapping[DatasetName, Decision]


@dataclass(frozen=True, slots=True)
class Ruled:
    """What somebody may read of a dataset; `filter` says which rows, in our SQL, if not all."""

    decision: Decision
    filter: str | None


class Rewrites:
    """Deciding for engines that read by themselves."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def statement(
        self, caller: Caller, engine: str, text: str, database: str | None = None
    ) -> Rewritten:
        """A statement in which each dataset is what the caller may see of it.

        Args:
            caller: whose decisions count.
            engine: whose SQL it is, and will be; see `privet.enforcement.rewriting.list_engines`.
            text: one SELECT.
            database: where names without one are.

        Raises:
            Unauthenticated: the credentials do not hold.
            Forbidden: this server does not.
            ParseFailed, InvalidRequest, ResourcesExceeded: no statement that is rewritten.
            NotFound: a dataset does not exist for the caller.
            NotExpressible: the engine cannot make the same of something.
            AuditUnavailable: it could not be recorded.
        """
        principal = self._admitted(caller)
        asked = replace(event_of(principal, caller, _ACTION, Outcome.ALLOWED), statement=text)
        asked = replace(asked, detail={"engine": engine[:64]})
        foreign = self._read(asked, engine, text, database)
        decisions, started = self._decided(principal, asked, foreign.datasets)
        try:
            return Rewritten(foreign.rewrite(decisions), decisions)
        except PrivetError as error:
            self._record_refusal(started, error)
            raise

    def cache_key(
        self, caller: Caller, engine: str, text: str, database: str | None = None
    ) -> str | None:
        """A text that two statements share only if they say the same of the same rows.

        Args:
            caller: whose decisions are part of it.
            engine: whose SQL it is.
            text: one SELECT.
            database: where names without one are.

        Returns:
            None where an answer cannot be kept: no dataset is read, or the time is asked for.

        Raises:
            As `statement`.
        """
        principal = authenticate(self._platform, caller)
        asked = replace(event_of(principal, caller, "query.plan", Outcome.ALLOWED), statement=text)
        foreign = self._read(asked, engine, text, database)
        canonical = foreign.canonical()
        decisions, started = self._decided(principal, asked, foreign.datasets)
        try:
            digests = [(str(n), d.require().digest) for n, d in sorted(decisions.items())]
        except PrivetError as error:
            self._record_refusal(started, error)
            raise
        if not decisions or not foreign.steady:
            return None
        return sha256(json.dumps([engine, database, canonical, digests]).encode()).hexdigest()

    def dataset(self, caller: Caller, engine: str, name: DatasetName) -> Rewritten:
        """All that the caller may see of a dataset, as a statement.

        Raises:
            As `statement`.
        """
        return self.statement(caller, engine, whole(name, get_engine(engine)))

    def rule(
        self, caller: Caller, name: DatasetName, statement: str = "", *, empty: bool = False
    ) -> Ruled:
        """Decide about a dataset, for somebody else to keep to.

        Args:
            caller: whose decision counts.
            name: the dataset.
            statement: for the record.
            empty: whether to tell of a dataset of which filters leave no row that there is one,
                as the compatibility mode does; to others it is as one that there is not.

        Raises:
            Unauthenticated: the credentials do not hold.
            Forbidden: this server tells nobody.
            NotFound: the dataset does not exist for the caller.
            NotExpressible: it is a view.
            AuditUnavailable: it could not be recorded.
        """
        principal = self._admitted(caller)
        asked = replace(event_of(principal, caller, _ACTION, Outcome.ALLOWED), statement=statement)
        decisions, started = self._decided(principal, asked, (name,))
        try:
            if empty and not decisions[name].allowed and _is_emptied(decisions[name]):
                return Ruled(decisions[name], filter_sql(NEVER))
            decision = _of_rows(decisions[name])
        except PrivetError as error:
            self._record_refusal(started, error)
            raise
        return Ruled(decision, rows_of(decision).filter or None)

    def records(
        self, caller: Caller, name: DatasetName, texts: Sequence[str], *, strangers: bool = False
    ) -> Filtered:
        """What the caller may see of records, by the policy of the dataset whose rows they are.

        Args:
            caller: whose decision counts.
            name: the dataset.
            texts: the records, an object of JSON each.
            strangers: whether members that are no columns stay, for who sees every column.

        Raises:
            Unauthenticated: the credentials do not hold.
            Forbidden: this server does not: whoever tries values learns what filters let pass.
            NotFound: the dataset does not exist for the caller.
            NotExpressible: a column is a token, and values are not looked up so; or it is a view.
            InvalidRequest: some record is no row of it.
            AuditUnavailable: nothing is told.
        """
        principal = self._admitted(caller)
        asked = event_of(principal, caller, "records.start", Outcome.ALLOWED)
        decisions, started = self._decided(principal, asked, (name,))
        try:
            decision = _of_rows(decisions[name])
            _check_unkeyed(decision)
            found = filter_records(self._platform, decision, texts, strangers=strangers)
        except PrivetError as error:
            self._record_refusal(started, error)
            raise
        self._platform.audit.record(ended(started, found))
        return found

    def proxied(
        self, caller: Caller, engine: str, text: str, host: str, database: str | None = None
    ) -> Rewritten:
        """What a proxy sends on to a host: a SELECT rewritten, any other command as it is.

        Raises:
            As `statement` and `command`.
        """
        if is_select(text, get_engine(engine)):
            return self.statement(caller, engine, text, database)
        self.command(caller, text, host)
        return Rewritten(text, {})

    def command(self, caller: Caller, text: str, host: str) -> None:
        """Let a command pass, as it is, to the databases behind a host.

        It may be anything at all, so it is for those who hold ALL on every connection to them.

        Raises:
            Unauthenticated: the credentials do not hold.
            InvalidRequest: they do not; it reads as for a command that there is not.
            AuditUnavailable: it could not be recorded.
        """
        principal = self._admitted(caller)
        administrator = Administrator.of(self._platform, principal)
        known = [c for c in self._platform.catalog.connections.list() if _same(c.host, host)]
        allowed = all(
            administrator.may(AccessLevel.ALL, on_connection(each.name)) for each in known
        )
        outcome = Outcome.ALLOWED if known and allowed else Outcome.REFUSED
        asked = replace(event_of(principal, caller, "query.command", outcome), statement=text)
        recorded = self._platform.audit.record(replace(asked, object=host[:256]))
        if outcome is Outcome.REFUSED:
            raise InvalidRequest(
                "Unsupported or invalid statement: only a SELECT is rewritten",
                hint="commands pass for those who hold ALL on the connection",
                audit_id=recorded.id,
            )

    def note(self, caller: Caller, text: str, datasets: Collection[str] = ()) -> None:
        """Record a statement that ran elsewhere; nothing is decided, and nothing granted by it.

        Of a long one the beginning is kept, with the length and SHA-256 of all of it.

        Raises:
            Unauthenticated: the credentials do not hold.
            AuditUnavailable: it could not be recorded.
        """
        principal = authenticate(self._platform, caller)
        noted = event_of(principal, caller, "query.note", Outcome.COMPLETED)
        detail: dict[str, Any] = {}
        if datasets:
            detail["datasets"] = [each[:_LONGEST_NOTED] for each in islice(datasets, _MOST_NOTED)]
        if len(datasets) > _MOST_NOTED:
            # Else so many of them would leave no room for what tells the statement.
            detail["more_datasets"] = len(datasets) - _MOST_NOTED
        if len(text) > _NOTED:
            whole_text = text.encode(errors="surrogatepass")
            detail |= {"length": len(text), "sha256": sha256(whole_text).hexdigest()}
        self._platform.audit.record(replace(noted, statement=text[:_NOTED], detail=detail))

    def _read(self, asked: Event, engine: str, text: str, database: str | None) -> Foreign:
        """The statement; that it is none is on record."""
        try:
            return Foreign(text, get_engine(engine), database)
        except PrivetError as error:
            refused = replace(asked, outcome=Outcome.REFUSED, error=error.code)
            error.audit_id = self._platform.audit.record(refused).id
            raise

    def _admitted(self, caller: Caller) -> Principal:
        """Whoever asks, if this server tells anybody the filters that bind them."""
        principal = authenticate(self._platform, caller)
        if not self._platform.rewriting:
            refused = event_of(principal, caller, _ACTION, Outcome.REFUSED)
            error = Forbidden(
                "this server has no statements for other engines",
                hint="an administrator allows it with the setting `rewriting`",
            )
            recorded = self._platform.audit.record(replace(refused, error=error.code))
            error.audit_id = recorded.id
            raise error
        return principal

    def _decided(
        self, principal: Principal, asked: Event, names: Collection[DatasetName]
    ) -> tuple[Mapping[DatasetName, Decision], Event]:
        """The decisions, each on record before anything is told; one event if there are none."""
        decisions = {n: decide_by_name(self._platform, principal, n).decision for n in names}
        events = [_about(asked, decision) for decision in decisions.values()] or [asked]
        started = self._platform.audit.record(events[0])
        for event in events[1:]:
            self._platform.audit.record(replace(event, parent=started.id))
        return decisions, started

    def _record_refusal(self, started: Event, error: PrivetError) -> None:
        error.audit_id = started.id
        self._platform.audit.record(
            replace(
                started,
                action=f"{started.action.partition('.')[0]}.end",
                outcome=Outcome.REFUSED,
                error=error.code,
                parent=started.id,
                detail={},
            )
        )


def _same(host: str, other: str) -> bool:
    """Whether two spellings are of one name."""
    return host.casefold().rstrip(".") == other.casefold().rstrip(".")


def _is_emptied(decision: Decision) -> bool:
    """Whether somebody granted this reader rows of which there are none."""
    return decision.dataset is not None and NEVER_TRUE in decision.ignored.values()


def _of_rows(decision: Decision) -> Decision:
    """A decision that says all about its rows: of a view, those behind it say more.

    Raises:
        NotFound: nothing is visible.
        NotExpressible: it is about a view.
    """
    dataset = decision.require().dataset
    if dataset is not None and dataset.source.format is Format.VIEW:
        raise NotExpressible(
            f"what is seen of `{decision.name}` is more than a filter over it can say",
            hint="it is a view: read it here, or ask about what it is made of",
        )
    return decision


def _check_unkeyed(decision: Decision) -> None:
    """Refuse where values that a caller thinks up would become tokens of the dataset's keys.

    Raises:
        NotExpressible: they would.
    """
    for each in decision.visible:
        uses = (*(option.transform for option in each.options), *each.safeguards)
        if any(get_spec(s.function).keyed for use in uses if use for s in steps(use.call)):
            raise NotExpressible(
                f"`{each.column.name}` is a token, and tokens of chosen values are not given out",
                hint="read the dataset here; DETOKENIZE is for those who may look values up",
            )


def _about(asked: Event, decision: Decision) -> Event:
    return replace(
        asked,
        outcome=Outcome.ALLOWED if decision.allowed else Outcome.REFUSED,
        object=str(decision.name),
        bypass=decision.bypass and decision.allowed,
        permissions=decision.permissions,
        facts_version=decision.version,
        detail={**asked.detail, "decision": decision.digest},
    )
