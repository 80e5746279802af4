"""One safeguard, alone, on one dataset: what it takes away, whatever grants show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from privet.model.datasets import Dataset
from privet.model.errors import InvalidRequest
from privet.model.expressions import Expr
from privet.model.permissions import Effect, Permission
from privet.policy.bound import Same, Where, Window, facts_of, may_cover, where_of, window_of
from privet.policy.fold import ALWAYS, NEVER
from privet.policy.grants import Way, strictest
from privet.policy.language.printing import filter_sql
from privet.policy.settling import Reader

_MISSING = "missing_columns"


@dataclass(frozen=True, eq=False, slots=True)
class BoundGuard:
    """A safeguard on a dataset. Compared by identity.

    Attributes:
        permission: a denial or restriction.
        meant: the places of the columns that its HAVING means; all columns without one.
        hidden: places of columns that it hides whoever asks, with the reason.
        ways: how it transforms what is left of a column, by place.
        where: its filter.
        window: when it is in force.
    """

    permission: Permission
    meant: frozenset[int]
    hidden: Mapping[int, str]
    ways: Mapping[int, Way]
    where: Where
    window: Window

    def closed(self, moment: float) -> str:
        """Why it is not in force at a Unix time; or nothing. What cannot be read is in force."""
        if self.window.problem:
            return self.window.problem if self.window.disabled else ""
        return self.window.closed(moment)


@dataclass(frozen=True, eq=False, slots=True)
class FiringGuard:
    """A safeguard whose filter is settled for one reader and moment. Compared by identity.

    `filter` is None where it takes nothing; `empty` says why no row can meet it, or nothing.
    """

    guard: BoundGuard
    filter: Expr | None = None
    text: str = ""
    empty: str = ""

    @property
    def whole_rows(self) -> bool:
        """Whether its filter is for rows, not for the cells of the columns that are meant."""
        return self.guard.permission.having is None


@lru_cache(maxsize=128)
def guarding(
    permissions: Same[tuple[Permission, ...]], dataset: Same[Dataset]
) -> tuple[BoundGuard, ...]:
    """Those of the safeguards that may cover the dataset, bound to it."""
    name = dataset.value.name
    return tuple(bind_guard(Same(p), dataset) for p in permissions.value if may_cover(p, name))


@lru_cache(maxsize=16_384)
def bind_guard(permission: Same[Permission], dataset: Same[Dataset]) -> BoundGuard:
    """Work out what a safeguard takes of a dataset that it covers."""
    guard, table = permission.value, dataset.value
    facts = facts_of(dataset)
    meant = frozenset(
        place
        for place, held in enumerate(facts.held)
        if guard.having is None or held.meets(guard.having)
    )
    hides = guard.effect is Effect.DENY or not (guard.transforms or guard.where)
    hidden = dict.fromkeys(meant, "it takes these columns") if hides else {}
    ways: dict[int, Way] = {}
    for place in meant - hidden.keys():
        clauses = [c for c in guard.transforms if facts.held[place].meets(c.tags)]
        if not clauses:
            continue
        try:
            ways[place] = strictest(clauses, table.columns[place], table)
        except InvalidRequest as error:
            hidden[place] = error.message
    where = where_of(guard, table, facts.kinds)
    return BoundGuard(guard, meant, hidden, ways, where, window_of(guard.properties))


def fire_guard(guard: BoundGuard, reader: Reader) -> FiringGuard:
    """Settle the safeguard's filter."""
    where = guard.where
    if where.problem:
        ignored = where.missing and guard.permission.properties.get(_MISSING) == "ignore"
        return _unfit(guard, "" if ignored else where.problem)
    return _firing(guard, Same(where.settle(reader)))


@lru_cache(maxsize=4_096)
def _unfit(guard: BoundGuard, problem: str) -> FiringGuard:
    return FiringGuard(
        guard, empty=f"its filter does not fit this dataset: {problem}" if problem else ""
    )


@lru_cache(maxsize=16_384)
def _firing(guard: BoundGuard, settled: Same[Expr]) -> FiringGuard:
    if settled.value is ALWAYS:
        return FiringGuard(guard)
    if settled.value is NEVER:
        return FiringGuard(guard, empty="its filter is true for no row")
    return FiringGuard(guard, settled.value, filter_sql(settled.value))
