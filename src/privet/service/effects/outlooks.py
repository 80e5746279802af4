"""What would be if a permission was stored or removed: asked before, by the same law."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from privet.catalog import Snapshot
from privet.model.errors import Conflict, InvalidRequest, PrivetError
from privet.model.names import DatasetName, TagName
from privet.model.permissions import CATALOG, AccessLevel, Permission, Scope
from privet.model.principals import Principal
from privet.policy import (
    Change,
    Grant,
    Need,
    Revoke,
    Vocabulary,
    check,
    compare_layers,
    parse,
    to_sql,
)
from privet.service.access import Act, administer
from privet.service.deciding import Decided
from privet.service.effects.beforehand import Beforehand, Definers
from privet.service.effects.counting import RowCounter
from privet.service.effects.reach import Reach
from privet.service.effects.subjects import Deadline, Subject, find_subjects
from privet.service.permissions import known_vocabulary
from privet.service.platform import Caller, Platform

MOST_STATEMENTS = 500
_WHO_READS = re.compile(r"\b(?:user|current_user|session_user|current_role)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is about to be done before: names created, and permissions removed, by their ids."""

    tags: frozenset[TagName] = frozenset()
    roles: frozenset[str] = frozenset()
    databases: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StatementVerdict:
    """What carrying out one statement would say.

    Attributes:
        permission: what it is about, if it could be read.
        removes: whether it takes that permission away.
        warnings: what its author would be told.
        problem: why it would be refused, if it would.
    """

    text: str
    permission: Permission | None = None
    removes: bool = False
    warnings: tuple[str, ...] = ()
    problem: PrivetError | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """The same change for some subjects of one dataset; counts are None where nobody counted."""

    dataset: DatasetName
    change: Change
    subjects: tuple[Subject, ...]
    count_before: int | None
    count_after: int | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """The difference that statements would make.

    Attributes:
        verdicts: one for each statement, in turn.
        effects: by dataset.
        unchanged: the subjects for whom nothing changes.
        unknown: users about whom not enough could be found out.
        complete: false where the time did not last for every subject and dataset.
        version: of the catalog that this is about.
    """

    verdicts: tuple[StatementVerdict, ...]
    effects: tuple[Effect, ...] = ()
    unchanged: int = 0
    unknown: tuple[str, ...] = ()
    complete: bool = True
    version: int = 0


@dataclass(frozen=True, slots=True)
class _Changing:
    """The catalog before and after, and whether rows are counted."""

    before: Snapshot
    after: Snapshot
    counting: bool


@dataclass(slots=True)
class _Group:
    """Subjects with one change, and the decisions of the first of them."""

    before: Decided
    after: Decided
    subjects: list[Subject] = field(default_factory=list[Subject])


class Outlooks:
    """Looking ahead. Nothing is stored."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def check(
        self, caller: Caller, statements: Sequence[str], assumed: Assumed | None = None
    ) -> tuple[StatementVerdict, ...]:
        """What each of these statements would say if they were carried out in turn.

        Raises:
            Forbidden: the caller may not see everything about what the statements are on.
            InvalidRequest: too many statements.
        """
        _check_number(statements)
        act = Act(
            "permission.check",
            detail={"statements": len(statements)},
            needs=_needs(statements),
        )
        with administer(self._platform, caller, act) as asker:
            given, snapshot = assumed or Assumed(), self._platform.catalog.snapshot()
            kept = tuple(p for p in snapshot.permissions if p.id not in given.without)
            snapshot = replace(snapshot, permissions=kept)
            return self._carry_out(snapshot, statements, self._vocabulary(asker, given))[0]

    def what_if(self, caller: Caller, statements: Sequence[str], *, count: bool = True) -> Outlook:
        """Who would see more, who less, and how, if these statements were carried out in turn.

        Those that would be refused change nothing.

        Raises:
            Forbidden: the caller may not see everything about what the statements are on.
            InvalidRequest: too many statements.
        """
        _check_number(statements)
        act = Act(
            "permission.what_if",
            statement="; ".join(statements),
            detail={"count": count},
            needs=_needs(statements),
        )
        with administer(self._platform, caller, act) as asker:
            before = self._platform.catalog.snapshot()
            vocabulary = self._vocabulary(asker, Assumed())
            verdicts, after = self._carry_out(before, statements, vocabulary)
            # Filters of one's own choice would read rows by counting them.
            change = _Changing(before, after, counting=count and asker.admin)
            return self._compare(asker, change, verdicts)

    def _carry_out(
        self, snapshot: Snapshot, statements: Sequence[str], vocabulary: Vocabulary
    ) -> tuple[tuple[StatementVerdict, ...], Snapshot]:
        verdicts: list[StatementVerdict] = []
        for text in statements:
            verdict, snapshot = self._carry_out_one(snapshot, text, vocabulary)
            verdicts.append(verdict)
        return tuple(verdicts), snapshot

    def _carry_out_one(
        self, snapshot: Snapshot, text: str, vocabulary: Vocabulary
    ) -> tuple[StatementVerdict, Snapshot]:
        verdict = StatementVerdict(text)
        try:
            statement = parse(text)
            if not isinstance(statement, Grant | Revoke):
                raise InvalidRequest(
                    "this is no statement about a permission",
                    hint="it begins with GRANT, REVOKE, DENY, RESTRICT or DROP",
                )
            removes = isinstance(statement, Revoke)
            verdict = replace(verdict, permission=statement.permission, removes=removes)
            return self._with(snapshot, statement, verdict, vocabulary)
        except PrivetError as error:
            return replace(verdict, problem=error), snapshot

    def _with(
        self,
        snapshot: Snapshot,
        statement: Grant | Revoke,
        verdict: StatementVerdict,
        vocabulary: Vocabulary,
    ) -> tuple[StatementVerdict, Snapshot]:
        """The snapshot after a statement.

        Raises:
            PrivetError: what carrying it out would raise.
        """
        permission, existing = statement.permission, snapshot.permissions
        kept = self._platform.catalog.permissions
        if isinstance(statement, Revoke):
            return verdict, replace(snapshot, permissions=kept.removed(existing, permission))
        warnings = check(
            permission,
            vocabulary,
            snapshot.datasets,
            existing,
            places=statement.places,
            profiles=self._platform.catalog.domains.profiles(),
        )
        if not permission.level.reads:
            warnings += ("it shows no cells, so nobody sees more or less by it",)
        verdict = replace(verdict, warnings=warnings)
        # Permissions to be have no id; reasons and `considered` go by it.
        fresh = replace(permission, id=f"new {to_sql(permission)}")
        try:
            return verdict, replace(snapshot, permissions=kept.added(existing, fresh))
        except Conflict:
            if statement.if_not_exists:
                return verdict, snapshot
            raise

    def _vocabulary(self, asker: Principal, assumed: Assumed) -> Vocabulary:
        """The names that may be used, as far as the asker may know of them."""
        known = known_vocabulary(self._platform, asker)
        return replace(
            known,
            tags=known.tags | assumed.tags,
            roles=known.roles | assumed.roles,
            databases=known.databases | assumed.databases,
        )

    def _compare(
        self, asker: Principal, change: _Changing, verdicts: tuple[StatementVerdict, ...]
    ) -> Outlook:
        changed = tuple(v.permission for v in verdicts if v.permission and not v.problem)
        reach = Reach.of(self._platform, asker, change.before, changed)
        deadline, definers = Deadline(), Definers(self._platform)
        subjects = find_subjects(self._platform, change.before, deadline)
        sides = [
            Beforehand(snapshot, reach.datasets, reach.lineages, definers)
            for snapshot in (change.before, change.after)
        ]
        wider = reach.whoever_reads(sides[0].roles_of)
        now = self._platform.clock()
        groups: dict[tuple[DatasetName, Change], _Group] = {}
        touched: set[int] = set()
        complete = True
        for number, subject in enumerate(subjects.known):
            bound = not subject.principal.admin and bool(reach.roles & subject.roles.bound)
            names = reach.datasets if bound else wider
            if names and deadline.passed:
                complete = False
                break
            before, after = (side.of(subject, now) for side in sides)
            for name in names:
                was, will = before.on(name), after.on(name)
                if found := compare_layers(was, will, reach.named):
                    group = groups.setdefault((name, found), _Group(was, will))
                    group.subjects.append(subject)
                    touched.add(number)
        counter = RowCounter(self._platform, deadline) if change.counting else None
        effects = (_effect(key, group, counter) for key, group in sorted(groups.items(), key=_name))
        return Outlook(
            verdicts,
            version=change.before.version.number,
            effects=tuple(effects),
            unchanged=len(subjects.known) - len(touched),
            unknown=subjects.unknown,
            complete=complete,
        )


def _needs(statements: Sequence[str]) -> tuple[Need, ...]:
    """Everything about what they are on; what is on no data, or on none yet, is the catalog's."""
    scopes: dict[Scope, None] = {}
    for text in statements:
        try:
            statement = parse(text)
        except PrivetError:
            continue
        if isinstance(statement, Grant | Revoke):
            scope = statement.permission.scope
            own = scope.kind.holds_data and not scope.per_user
            scopes[scope if own else CATALOG] = None
    wanted = scopes or {CATALOG: None}
    return tuple(Need(AccessLevel.VIEW_COMPLETE_METADATA, scope) for scope in wanted)


def _check_number(statements: Sequence[str]) -> None:
    if not 0 < len(statements) <= MOST_STATEMENTS:
        raise InvalidRequest(f"give at least one statement, and at most {MOST_STATEMENTS}")


def _name(item: tuple[tuple[DatasetName, Change], _Group]) -> DatasetName:
    return item[0][0]


def _asks_who_reads(decided: Decided) -> bool:
    """Whether a view may have other rows for each reader: its statement names them."""
    datasets = (d.dataset for d in (decided.decision, *decided.behind()))
    views = (dataset.view for dataset in datasets if dataset is not None)
    return any(_WHO_READS.search(view.text) for view in views if view is not None)


def _effect(key: tuple[DatasetName, Change], group: _Group, counter: RowCounter | None) -> Effect:
    if _asks_who_reads(group.before) or _asks_who_reads(group.after):
        counter = None
    return Effect(
        dataset=key[0],
        change=key[1],
        subjects=tuple(group.subjects),
        count_before=counter.count(group.before) if counter else None,
        count_after=counter.count(group.after) if counter else None,
    )
