"""One grant, alone, on one dataset: which columns it shows, how, and in which rows.

Everything here depends on the values only and is remembered by their identity: facts are frozen,
and equality would not do as a key (`1 = TRUE = 1.0` in Python).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Generic, TypeVar

from privet.model.datasets import Column, Dataset
from privet.model.decisions import TransformUse
from privet.model.errors import InvalidRequest
from privet.model.expressions import Call, Expr, HasTag, TagAnd, TagExpr, TagNot, TagOr
from privet.model.names import TagName
from privet.model.permissions import (
    AccessLevel,
    Effect,
    Permission,
    ScopeKind,
    TransformClause,
)
from privet.model.transforms import (
    CLEAR_RANK,
    PER_TABLE_RANK,
    TOKEN_RANK,
    check_call,
    check_fit,
    find_spec,
)
from privet.policy.binding import check_filter, column_kinds
from privet.policy.fold import ALWAYS, NEVER, depends_on, fold_filter
from privet.policy.functions import Kind
from privet.policy.printing import filter_sql, transform_sql

T = TypeVar("T")
_UNKNOWN_RANK = 1_000


class Same(Generic[T]):
    """A key that is equal to itself only; it keeps its value alive, so the identity stays its."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value


@dataclass(frozen=True, slots=True)
class Way:
    """A way to show a cell. Ways compare by `order`: protectiveness, text, token domain."""

    transform: TransformUse | None
    order: tuple[int, str, str, bool]


CLEAR = Way(None, (CLEAR_RANK, "", "", False))


@dataclass(frozen=True, eq=False, slots=True)
class BoundGrant:
    """A grant on a dataset. `shown` goes by the column's place; `warnings` go by column name.

    `problem` says why it grants nothing there whoever asks. Compared by identity.
    """

    permission: Permission
    shown: Mapping[int, Way]
    kinds: Mapping[str, Kind]
    warnings: Mapping[str, str]
    problem: str
    start: float
    end: float
    uses_user: bool = False
    uses_now: bool = False

    def closed(self, moment: float) -> str:
        """Why it grants nothing at a Unix time, whatever its filter; or nothing."""
        if self.problem:
            return self.problem
        if moment < self.start:
            return "it has not started yet"
        return "" if moment < self.end else "it has ended"


@dataclass(frozen=True, eq=False, slots=True)
class Firing:
    """A grant whose filter is settled for one reader and moment. Compared by identity."""

    grant: BoundGrant
    filter: Expr | None
    text: str = field(default="")
    """The filter's canonical text; empty where every row is shown."""


@lru_cache(maxsize=128)
def covering(
    permissions: Same[tuple[Permission, ...]], dataset: Same[Dataset]
) -> tuple[BoundGrant, ...]:
    """Those of the permissions that cover the dataset, bound to it."""
    database, name = dataset.value.name
    catalog, whole = ScopeKind.CATALOG, ScopeKind.DATABASE
    found: list[BoundGrant] = []
    for permission in permissions.value:
        scope = permission.scope
        kind = scope.kind
        if kind is catalog or (
            scope.database == database and (kind is whole or scope.dataset == name)
        ):
            found.append(bind_grant(Same(permission), dataset))
    return tuple(found)


@lru_cache(maxsize=16_384)
def bind_grant(permission: Same[Permission], dataset: Same[Dataset]) -> BoundGrant:
    """Work out what a permission shows of a dataset that it covers."""
    grant, table = permission.value, dataset.value
    kinds, held = _facts_of(dataset)
    shown, warnings = _shown(grant, table, held)
    start, end, window_problem = _window(grant.properties)
    problem = window_problem or _filter_problem(grant, kinds) or _level_problem(grant)
    if not problem and not shown:
        problem = "it shows no column of this dataset"
    return BoundGrant(grant, shown, kinds, warnings, problem, start, end, *depends_on(grant.where))


def fire(grant: BoundGrant, user: str, now: datetime) -> Firing | None:
    """Settle the grant's filter; None if it is TRUE for no row."""
    if grant.uses_now:
        return _fire.__wrapped__(grant, user, now)
    return _fire(grant, user if grant.uses_user else "", None)


@lru_cache(maxsize=16_384)
def _fire(grant: BoundGrant, user: str, now: datetime | None) -> Firing | None:
    where = grant.permission.where
    if where is None:
        return Firing(grant, None)
    folded = fold_filter(where, grant.kinds, user, now or datetime.min)  # noqa: DTZ901 - unused
    if folded is ALWAYS:
        return Firing(grant, None)
    return None if folded is NEVER else Firing(grant, folded, filter_sql(folded))


def matches(tags: TagExpr, held: frozenset[TagName]) -> bool:
    """Whether a tag expression is true of a column that effectively bears these tags."""
    match tags:
        case HasTag(tag):
            return tag in held
        case TagNot(part):
            return not matches(part, held)
        case TagAnd(parts):
            return all(matches(part, held) for part in parts)
        case TagOr(parts):
            return any(matches(part, held) for part in parts)


@dataclass(frozen=True, slots=True)
class Held:
    """The tags of a column: those that count for it, and those that are on all of it.

    They differ where a field inside the column has tags. Such a tag counts for the whole column, as
    long as that protects: it says nothing in favour of the fields beside it.
    """

    effective: frozenset[TagName]
    outer: frozenset[TagName]

    def grants(self, having: TagExpr | None) -> bool:
        """Whether a grant's HAVING is true of every field in the column."""
        return having is None or (matches(having, self.effective) and matches(having, self.outer))

    def transforms(self, tags: TagExpr) -> bool:
        """Whether a transform is meant for some field in the column."""
        return matches(tags, self.effective) or matches(tags, self.outer)


def held_by(column: Column, dataset: Dataset) -> Held:
    """The tags of a column of a dataset."""
    return Held(dataset.effective_tags(column), dataset.outer_tags(column))


def tags_in(tags: TagExpr, *, negated: bool = False) -> list[tuple[HasTag, bool]]:
    """The leaves of a tag expression, each with whether it stands under an odd count of NOTs."""
    match tags:
        case HasTag():
            return [(tags, negated)]
        case TagNot(part):
            return tags_in(part, negated=not negated)
        case TagAnd(parts) | TagOr(parts):
            return [leaf for part in parts for leaf in tags_in(part, negated=negated)]


def use_of(clause: TransformClause, column: Column, dataset: Dataset) -> TransformUse:
    """How a clause would transform a column: its token domain, and whether that admits us.

    Raises:
        TypeMismatch: the transform does not fit the column's type in that domain.
        InvalidRequest: a transform that this version does not know, or wrong arguments.
    """
    spec = check_call(clause.call)
    use = TransformUse(clause.call)
    if spec.keyed:
        domain = _domain_of(clause, dataset.effective_tags(column))
        admitted = domain in dataset.domains
        use = TransformUse(clause.call, domain, admitted)
    canonical = dataset.domains[use.domain].canonical if use.admitted else None
    check_fit(spec, column.type, canonical)
    return use


def _domain_of(clause: TransformClause, held: frozenset[TagName]) -> str:
    named = {leaf.tag for leaf, negated in tags_in(clause.tags) if not negated} & held
    return str(min(named or held)) if held else ""


def _rank_of(call: Call, *, admitted: bool) -> int:
    """The protectiveness of a transform; one that this version does not know counts as highest.

    Tokens of a dataset that is not admitted to the domain are the dataset's own.
    """
    spec = find_spec(call.function)
    if spec is None:
        return _UNKNOWN_RANK
    return PER_TABLE_RANK if spec.rank == TOKEN_RANK and not admitted else spec.rank


@lru_cache(maxsize=512)
def _facts_of(dataset: Same[Dataset]) -> tuple[dict[str, Kind], tuple[Held, ...]]:
    """What every grant on a dataset asks of it: kinds by name, tags by place."""
    table = dataset.value
    return column_kinds(table), tuple(held_by(column, table) for column in table.columns)


def _shown(
    grant: Permission, dataset: Dataset, tags: tuple[Held, ...]
) -> tuple[dict[int, Way], dict[str, str]]:
    shown: dict[int, Way] = {}
    warnings: dict[str, str] = {}
    for place, column in enumerate(dataset.columns):
        if not column.reviewed:
            continue
        held = tags[place]
        clauses = [c for c in grant.transforms if held.transforms(c.tags)]
        if not held.grants(grant.having) and not any(c.excepted for c in clauses):
            continue
        if not clauses:
            shown[place] = CLEAR
            continue
        clause = max(clauses, key=lambda c: _protectiveness(c, held.effective, dataset))
        try:
            shown[place] = _way(use_of(clause, column, dataset))
        except InvalidRequest as error:
            warnings[column.name] = error.message
    return shown, warnings


def _protectiveness(
    clause: TransformClause, held: frozenset[TagName], dataset: Dataset
) -> tuple[int, str, str]:
    domain = _domain_of(clause, held)
    rank = _rank_of(clause.call, admitted=domain in dataset.domains)
    return rank, transform_sql(clause.call), domain


def _way(use: TransformUse) -> Way:
    rank = _rank_of(use.call, admitted=use.admitted)
    return Way(use, (rank, transform_sql(use.call), use.domain, not use.admitted))


def _window(properties: Mapping[str, str]) -> tuple[float, float, str]:
    """Start, end and whether it is closed at any time; what cannot be read is closed."""
    enabled = properties.get("enabled", "true")
    if enabled != "true":
        return 0, 0, "it is disabled" if enabled == "false" else "its properties cannot be read"
    try:
        start = int(properties.get("start_datetime", "0"))
        end = float(properties.get("end_datetime", "inf"))
    except ValueError:
        return 0, 0, "its properties cannot be read"
    return start, end, ""


def _filter_problem(grant: Permission, kinds: Mapping[str, Kind]) -> str:
    if grant.where is None:
        return ""
    try:
        check_filter(grant.where, kinds)
    except InvalidRequest as error:
        return f"its filter does not fit this dataset: {error.message}"
    return ""


def _level_problem(grant: Permission) -> str:
    if grant.effect is Effect.GRANT and grant.level is AccessLevel.SELECT:
        return ""
    return "it does not grant SELECT"
