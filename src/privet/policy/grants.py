"""One grant, alone, on one dataset: which columns it shows, how, and in which rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from privet.model.datasets import Column, Dataset
from privet.model.decisions import TransformUse
from privet.model.errors import InvalidRequest
from privet.model.expressions import Call, Expr
from privet.model.names import FieldPath, TagName, paths_text
from privet.model.permissions import Effect, Permission, TransformClause
from privet.model.transforms import (
    CLEAR_RANK,
    PER_PRINCIPAL_RANK,
    PER_TABLE_RANK,
    TOKEN_RANK,
    check_fit,
    find_spec,
    is_per_user,
    specs_of,
    steps,
)
from privet.policy.bound import (
    Held,
    Same,
    Where,
    Window,
    facts_of,
    may_cover,
    tags_in,
    where_of,
    window_of,
)
from privet.policy.fields import are_within, listed_fields
from privet.policy.fold import ALWAYS, NEVER
from privet.policy.language.printing import filter_sql, transform_sql
from privet.policy.settling import Reader

_UNKNOWN_RANK = 1_000


@dataclass(frozen=True, slots=True)
class Way:
    """A way to show a cell. Ways compare by `order`: protectiveness, text, token domain.

    With `fields` these are all that is shown of it, in clear.
    """

    transform: TransformUse | None
    order: tuple[int, str, str, bool]
    fields: frozenset[FieldPath] | None = None


CLEAR = Way(None, (CLEAR_RANK, "", "", False))


@dataclass(frozen=True, eq=False, slots=True)
class BoundGrant:
    """A grant on a dataset. `shown` goes by the column's place; `warnings` go by column name.

    `problem` says why it grants nothing there whoever asks. Compared by identity.
    """

    permission: Permission
    shown: Mapping[int, Way]
    where: Where
    warnings: Mapping[str, str]
    problem: str
    window: Window

    def closed(self, moment: float) -> str:
        """Why it grants nothing at a Unix time, whatever its filter; or nothing."""
        return self.problem or self.window.closed(moment)


@dataclass(frozen=True, eq=False, slots=True)
class Firing:
    """A grant whose filter is settled for one reader and moment. Compared by identity."""

    grant: BoundGrant
    filter: Expr | None
    text: str = ""
    """The filter's canonical text; empty where every row is shown."""


@lru_cache(maxsize=128)
def covering(
    permissions: Same[tuple[Permission, ...]], dataset: Same[Dataset]
) -> tuple[BoundGrant, ...]:
    """Those of the grants that may cover the dataset, bound to it."""
    name = dataset.value.name
    return tuple(bind_grant(Same(p), dataset) for p in permissions.value if may_cover(p, name))


@lru_cache(maxsize=16_384)
def bind_grant(permission: Same[Permission], dataset: Same[Dataset]) -> BoundGrant:
    """Work out what a permission shows of a dataset that it covers."""
    grant, table = permission.value, dataset.value
    facts = facts_of(dataset)
    shown, warnings = _shown(grant, table, facts.held)
    window = window_of(grant.properties)
    where = where_of(grant, table, facts.kinds)
    problem = window.problem or _level_problem(grant)
    if not problem and where.problem:
        problem = f"its filter does not fit this dataset: {where.problem}"
    if not problem and not shown:
        problem = "it shows no column of this dataset"
    return BoundGrant(grant, shown, where, warnings, problem, window)


def fire(grant: BoundGrant, reader: Reader) -> Firing | None:
    """Settle the grant's filter; None if it is TRUE for no row."""
    settled = grant.where.settle(reader)
    return None if settled is NEVER else _firing(grant, Same(settled))


@lru_cache(maxsize=16_384)
def _firing(grant: BoundGrant, settled: Same[Expr]) -> Firing:
    if settled.value is ALWAYS:
        return Firing(grant, None)
    return Firing(grant, settled.value, filter_sql(settled.value))


def adds_to(way: Way, other: Way) -> bool:
    """Whether a way shows what the other does not."""
    if way.fields is not None and other.fields is not None:
        return not are_within(way.fields, other.fields)
    return way.order < other.order


def use_of(clause: TransformClause, column: Column, dataset: Dataset) -> TransformUse:
    """How a clause would transform a column: its token domain, and whether that admits us.

    Raises:
        TypeMismatch: the transform does not fit the column's type in that domain.
        InvalidRequest: a transform that this version does not know, or wrong arguments.
    """
    specs = specs_of(clause.call)
    use = TransformUse(clause.call)
    if any(spec.keyed for spec in specs):
        domain = _domain_of(clause, dataset.effective_tags(column))
        own = any(map(is_per_user, steps(clause.call)))
        use = TransformUse(clause.call, domain, domain in dataset.domains, own)
    canonical = dataset.domains[use.domain].canonical if use.admitted else None
    for spec, step in zip(specs, steps(clause.call), strict=True):
        check_fit(spec, column.type, canonical, step)
    return use


def _domain_of(clause: TransformClause, held: frozenset[TagName]) -> str:
    named = {leaf.tag for leaf, negated in tags_in(clause.tags) if not negated} & held
    return str(min(named or held)) if held else ""


def _rank_of(call: Call, *, admitted: bool) -> int:
    """The protectiveness of a transform; one that this version does not know counts as highest.

    Tokens of a dataset that is not admitted to the domain are the dataset's own.
    """
    return max(_step_rank(step, admitted=admitted) for step in steps(call))


def _step_rank(step: Call, *, admitted: bool) -> int:
    spec = find_spec(step.function)
    if spec is None:
        return _UNKNOWN_RANK
    if is_per_user(step):
        return max(spec.rank, PER_PRINCIPAL_RANK)
    return PER_TABLE_RANK if spec.rank == TOKEN_RANK and not admitted else spec.rank


def _shown(
    grant: Permission, dataset: Dataset, tags: tuple[Held, ...]
) -> tuple[dict[int, Way], dict[str, str]]:
    shown: dict[int, Way] = {}
    warnings: dict[str, str] = {}
    for place, column in enumerate(dataset.columns):
        fields = listed_fields(grant, column)
        if not column.reviewed or fields == frozenset():
            continue
        held = tags[place]
        clauses = [c for c in grant.transforms if held.meets(c.tags)]
        if not held.grants(grant.having) and not any(c.excepted for c in clauses):
            continue
        if not clauses:
            shown[place] = CLEAR if fields is None else _of_fields(fields)
            continue
        if fields is not None:
            warnings[column.name] = "it is on fields of the column, and transforms are of all of it"
            continue
        try:
            shown[place] = strictest(clauses, column, dataset)
        except InvalidRequest as error:
            warnings[column.name] = error.message
    return shown, warnings


def _of_fields(fields: frozenset[FieldPath]) -> Way:
    """Some fields in clear: less protective than any transform of the whole."""
    return Way(None, (CLEAR_RANK, paths_text(fields), "", False), fields)


def strictest(clauses: Sequence[TransformClause], column: Column, dataset: Dataset) -> Way:
    """The most protective of the clauses of one permission that are meant for a column.

    Raises:
        InvalidRequest: as `use_of`; that a milder one would fit does not count.
    """
    held = dataset.effective_tags(column)
    clause = max(clauses, key=lambda c: _protectiveness(c, held, dataset))
    return _way(use_of(clause, column, dataset))


def _protectiveness(
    clause: TransformClause, held: frozenset[TagName], dataset: Dataset
) -> tuple[int, str, str]:
    domain = _domain_of(clause, held)
    rank = _rank_of(clause.call, admitted=domain in dataset.domains)
    return rank, transform_sql(clause.call), domain


def _way(use: TransformUse) -> Way:
    rank = _rank_of(use.call, admitted=use.admitted)
    return Way(use, (rank, transform_sql(use.call), use.domain, not use.admitted))


def _level_problem(grant: Permission) -> str:
    if grant.effect is Effect.GRANT and grant.level.reads:
        return ""
    return "it does not grant SELECT"
