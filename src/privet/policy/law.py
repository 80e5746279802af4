"""The law of union: what all grants together give one principal of one dataset.

Pure: `decide` depends on its arguments only, and never raises because of facts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from privet.model.datasets import Column, Dataset
from privet.model.decisions import (
    CellOption,
    ColumnDecision,
    Decision,
    Facts,
    Reason,
    TransformUse,
    Verdict,
)
from privet.model.expressions import Expr
from privet.model.names import FieldPath, paths_text
from privet.model.permissions import Permission
from privet.model.principals import Principal
from privet.model.transforms import find_spec, steps
from privet.policy.bound import Same, covers_for
from privet.policy.fields import with_fields
from privet.policy.grants import Firing, Way, covering, fire
from privet.policy.guards import FiringGuard, fire_guard, guarding
from privet.policy.language.printing import filter_sql, transform_sql
from privet.policy.settling import Reader

_EVERY_ROW = ""
NEVER_TRUE = "its filter is true for no row"
"""Why a permission grants nothing to this reader, though it might to another."""


@dataclass(frozen=True, slots=True)
class _Option:
    """A way to show cells, by the text of its filters, before filters have numbers."""

    use: TransformUse | None
    filters: frozenset[str]
    fields: frozenset[FieldPath] | None = None


@dataclass(frozen=True, slots=True)
class _Shown:
    """A column with its options."""

    column: Column
    options: tuple[_Option, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Taken:
    """What safeguards take of a column that some grant shows."""

    hidden: bool
    safeguards: tuple[TransformUse, ...]
    cell_filters: tuple[Expr, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What some firing grants give, whoever asks."""

    filters: tuple[Expr | None, ...]
    columns: tuple[ColumnDecision, ...]
    permissions: tuple[str, ...]
    warnings: tuple[str, ...]
    digest: str
    personal: bool
    restrictions: tuple[Expr, ...] = ()


def decide(principal: Principal, facts: Facts, now: datetime) -> Decision:
    """Decide what a principal gets of a dataset at a moment (aware).

    The outcome is data, refusals too: `Decision.require` is what raises.
    """
    dataset = facts.dataset
    if dataset is None or dataset.name != facts.name:
        return Decision(
            principal, facts.name, facts.version, None, digest=_digest("none"), roles=facts.roles
        )
    for known in facts.remembered:
        if known.principal is principal or known.principal == principal:
            return known
    if principal.admin:
        decision, fixed = _bypass(principal, facts, dataset), True
    else:
        decision, fixed = _weigh(principal, facts, dataset, now)
    if fixed:
        facts.remembered[:] = [decision]
    return decision


def _weigh(
    principal: Principal, facts: Facts, dataset: Dataset, now: datetime
) -> tuple[Decision, bool]:
    """The decision, and whether it depends on neither the moment nor anything the reader is."""
    ignored: dict[str, str] = {}
    considered: dict[str, Permission] = {}
    firing: list[Firing] = []
    guards: list[FiringGuard] = []
    moment, through, fixed = now.timestamp(), facts.through, True
    user = through.user if through else principal.user
    bound_users = {user, principal.user, *(through.others if through else ())}
    reader = Reader(principal, through.asking if through else facts.roles, now)
    for grant in covering(Same(facts.permissions), Same(dataset)):
        permission = grant.permission
        if permission.role not in facts.roles or not covers_for(permission, facts.name, user):
            continue
        fixed = fixed and grant.window.always and not grant.where.asked
        considered[permission.id] = permission
        reason = grant.closed(moment)
        fired = None if reason else fire(grant, reader)
        if fired is None:
            ignored[permission.id] = reason or NEVER_TRUE
        else:
            firing.append(fired)
    for guard in guarding(Same(facts.safeguards), Same(dataset)):
        bound = (covers_for(guard.permission, facts.name, u) for u in bound_users)
        if not any(bound):
            continue
        fixed = fixed and guard.window.always and not guard.where.asked
        considered[guard.permission.id] = guard.permission
        if reason := guard.closed(moment):
            ignored[guard.permission.id] = reason
        else:
            guards.append(fire_guard(guard, reader))
    outcome = _unite(Same(dataset), tuple(firing), tuple(guards))
    decision = Decision(
        principal,
        facts.name,
        facts.version,
        dataset,
        filters=outcome.filters,
        columns=outcome.columns,
        permissions=outcome.permissions,
        warnings=outcome.warnings,
        digest=_personal(outcome, principal),
        roles=facts.roles,
        restrictions=outcome.restrictions,
        ignored=ignored,
        considered=considered,
    )
    return decision, fixed


def _bypass(principal: Principal, facts: Facts, dataset: Dataset) -> Decision:
    clear = (CellOption(None, frozenset({0})),)
    reasons = (Reason("shows", detail="catalog admins see everything"),)
    return Decision(
        principal,
        facts.name,
        facts.version,
        dataset,
        bypass=True,
        filters=(None,),
        columns=tuple(ColumnDecision(c, Verdict.CLEAR, clear, reasons) for c in dataset.columns),
        digest=_digest("bypass", dataset.id, dataset.revision),
        roles=facts.roles,
    )


@lru_cache(maxsize=1_024)
def _unite(
    table: Same[Dataset], firing: tuple[Firing, ...], guards: tuple[FiringGuard, ...]
) -> _Outcome:
    """Cell by cell: the least protective of what the grants that hold for the row show.

    Then the safeguards take away.
    """
    dataset = table.value
    ordered = sorted(firing, key=lambda f: (f.grant.permission.id, f.text))
    expressions = {f.text: f.filter for f in ordered}
    bound = sorted(guards, key=lambda g: (g.guard.permission.id, g.text))
    taken = [_take(place, bound) for place in range(len(dataset.columns))]
    # What is taken whole is in no grant: one that shows nothing else makes no row visible.
    shown = [
        _unite_column(place, c, [] if t.hidden else ordered)
        for place, (c, t) in enumerate(zip(dataset.columns, taken, strict=True))
    ]
    # Filters that only lead to what another filter leads to anyway are gone from the options.
    texts = sorted({text for s in shown for o in s.options for text in o.filters})
    numbers = {text: number for number, text in enumerate(texts)}
    columns = tuple(_decide_column(s, numbers, t) for s, t in zip(shown, taken, strict=True))
    restrictions = {g.text: g.filter for g in bound if g.whole_rows and g.filter is not None}
    rows = sorted(restrictions)
    return _Outcome(
        filters=tuple(expressions[text] for text in texts),
        columns=columns,
        permissions=tuple(
            sorted(
                {f.grant.permission.id for f in ordered} | {g.guard.permission.id for g in bound}
            )
        ),
        warnings=_warnings(ordered, columns),
        digest=_digest(dataset.id, dataset.revision, texts, rows, _digestible(dataset, columns)),
        personal=any(_is_personal(c) for c in columns),
        restrictions=tuple(restrictions[text] for text in rows),
    )


def _take(place: int, guards: list[FiringGuard]) -> _Taken:
    """What safeguards take of a column."""
    hidden = False
    ways: dict[tuple[int, str, str, bool], TransformUse] = {}
    filters: dict[str, Expr] = {}
    reasons: list[Reason] = []
    for fired in guards:
        guard = fired.guard
        name = guard.permission.id
        meant = place in guard.meant
        if place in guard.hidden or (fired.empty and (fired.whole_rows or meant)):
            hidden = True
            reasons.append(Reason("takes", name, guard.hidden.get(place) or fired.empty))
            continue
        way = guard.ways.get(place)
        if way is not None and way.transform is not None:
            ways[way.order] = way.transform
            reasons.append(Reason("transforms", name, transform_sql(way.transform.call)))
        if fired.filter is not None and (fired.whole_rows or meant):
            what = "shows rows" if fired.whole_rows else "shows it"
            reasons.append(Reason("takes", name, f"{what} only where {fired.text}"))
            if not fired.whole_rows:
                filters[fired.text] = fired.filter
    return _Taken(
        hidden,
        tuple(ways[order] for order in sorted(ways)),
        tuple(filters[text] for text in sorted(filters)),
        tuple(reasons),
    )


def _unite_column(place: int, column: Column, firing: list[Firing]) -> _Shown:
    ways: dict[tuple[int, str, str, bool], Way] = {}
    filters: dict[tuple[int, str, str, bool], set[str]] = {}
    for fired in firing:
        if way := fired.grant.shown.get(place):
            ways[way.order] = way
            filters.setdefault(way.order, set()).add(fired.text)
    options: list[_Option] = []
    covered: set[str] = set()
    in_part: set[str] = set()
    for order in sorted(ways):
        way = ways[order]
        # Fields that one grant shows are no reason to leave out those that another does.
        known = covered if way.fields is not None else covered | in_part
        fresh = filters[order] - known
        if _EVERY_ROW in known or not fresh:
            continue
        if _EVERY_ROW in fresh:
            fresh = {_EVERY_ROW}
        options.append(_Option(way.transform, frozenset(fresh), way.fields))
        (covered if way.fields is None else in_part).update(fresh)
    shown = {way.fields for way in ways.values()}
    fields = frozenset[FieldPath]().union(*(f for f in shown if f is not None))
    left = with_fields(column, fields) if shown and None not in shown else column
    return _Shown(left, _personalise(options), tuple(_reasons(place, column, firing)))


def _personalise(options: list[_Option]) -> tuple[_Option, ...]:
    """Beside clear cells, tokens are the reader's own: else the column is its own dictionary."""
    if len(options) < 2 or options[0].use is not None:  # noqa: PLR2004 - a clear one and another
        return tuple(options)
    return tuple(
        replace(o, use=replace(o.use, per_principal=_is_keyed(o.use)) if o.use else None)
        for o in options
    )


def _is_keyed(use: TransformUse) -> bool:
    specs = (find_spec(step.function) for step in steps(use.call))
    return any(spec is not None and spec.keyed for spec in specs)


def _reasons(place: int, column: Column, firing: list[Firing]) -> Iterable[Reason]:
    if not column.reviewed:
        yield Reason("hides", detail="a steward has not reviewed it yet")
        return
    if not firing:
        yield Reason("hides", detail="no permission in force shows it")
    for fired in firing:
        grant = fired.grant
        way = grant.shown.get(place)
        where = f" where {fired.text}" if fired.text else ""
        if way is None:
            detail = grant.warnings.get(column.name, "it is not among the columns it shows")
            yield Reason("hides", grant.permission.id, detail)
        elif way.fields is not None:
            named = paths_text(way.fields)
            yield Reason("shows", grant.permission.id, f"its fields {named} in clear{where}")
        elif way.transform is None:
            yield Reason("shows", grant.permission.id, f"in clear{where}")
        else:
            detail = f"{transform_sql(way.transform.call)}{where}"
            yield Reason("transforms", grant.permission.id, detail)


def _decide_column(shown: _Shown, numbers: Mapping[str, int], taken: _Taken) -> ColumnDecision:
    reasons = shown.reasons + taken.reasons
    options = tuple(
        CellOption(o.use, frozenset(numbers[text] for text in o.filters), o.fields)
        for o in shown.options
    )
    covered = frozenset[str]().union(*(o.filters for o in shown.options))
    withheld = bool(taken.cell_filters) or (
        _EVERY_ROW not in covered and len(covered) < len(numbers)
    )
    match options:
        case ():
            return ColumnDecision(shown.column, Verdict.HIDDEN, (), reasons)
        case (option,) if not withheld and option.fields is None:
            clear = option.transform is None and not taken.safeguards
            verdict = Verdict.CLEAR if clear else Verdict.TRANSFORMED
        case _:
            verdict = Verdict.PARTLY
    return ColumnDecision(
        shown.column, verdict, options, reasons, taken.safeguards, taken.cell_filters
    )


def _warnings(firing: list[Firing], columns: tuple[ColumnDecision, ...]) -> tuple[str, ...]:
    found = {
        f"column `{name}` is hidden in permission {fired.grant.permission.id or 'unnamed'}: {why}"
        for fired in firing
        for name, why in fired.grant.warnings.items()
    }
    found |= {
        f"column `{c.column.name}` is clear in some rows, so its tokens in the others are the "
        "reader's own and join with nobody else's"
        for c in columns
        if _is_personal(c) and c.options and c.options[0].transform is None
    }
    return tuple(sorted(found))


def _is_personal(column: ColumnDecision) -> bool:
    uses = (*(o.transform for o in column.options), *column.safeguards)
    return any(use is not None and use.per_principal for use in uses)


def _digestible(dataset: Dataset, columns: tuple[ColumnDecision, ...]) -> list[object]:
    return [
        (
            c.column.name,
            [
                (sorted(o.filters), _use_parts(dataset, o.transform), sorted(o.fields or ()))
                for o in c.options
            ],
            [_use_parts(dataset, use) for use in c.safeguards],
            [filter_sql(f) for f in c.cell_filters],
        )
        for c in columns
        if c.options
    ]


def _use_parts(dataset: Dataset, use: TransformUse | None) -> tuple[object, ...]:
    if use is None:
        return ()
    domain = dataset.domains.get(use.domain) if use.admitted else None
    key = (domain.name, domain.version, domain.canonical) if domain else ()
    return (transform_sql(use.call), use.domain, use.admitted, use.per_principal, key)


def _personal(outcome: _Outcome, principal: Principal) -> str:
    if not outcome.personal:
        return outcome.digest
    return _digest(outcome.digest, principal.issuer, principal.user)


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()
