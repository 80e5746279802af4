"""What a permission adds to those that are stored, as far as their statements tell: warnings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from privet.model.datasets import Dataset
from privet.model.errors import InvalidRequest
from privet.model.expressions import Expr, TagExpr
from privet.model.permissions import AccessLevel, Effect, Permission
from privet.policy.binding import check_filter, column_kinds
from privet.policy.bound import matches, tags_in
from privet.policy.fields import check_items, field_kinds
from privet.policy.fold import ALWAYS, NEVER, fold_filter
from privet.policy.functions import Kind
from privet.policy.language.printing import to_sql
from privet.policy.settling import asked_of, of_dataset

_MOST_TAGS = 8
"""Of more tags the combinations are not looked through."""
_SHOWN = 3


def remarks(
    permission: Permission, covered: Iterable[Dataset], beside: Iterable[Permission]
) -> Iterator[str]:
    """What its author may not have meant; none of it makes the permission wrong.

    Args:
        permission: that is to be stored.
        covered: the datasets that it is on.
        beside: what holders of its role hold for sure.
    """
    if permission.having is not None:
        yield from _of_tags(permission, permission.having)
    if permission.where is not None:
        yield from _of_filter(permission, permission.where, covered)
    if permission.effect is Effect.GRANT:
        yield from _of_others(permission, [p for p in beside if p.effect is Effect.GRANT])


def misfit(permission: Permission, dataset: Dataset) -> str:
    """What comes of a filter that does not fit a dataset of its scope; empty where it fits."""
    if permission.where is None or not permission.scope.covers(dataset.name):
        return ""
    settled = of_dataset(permission.where, dataset)
    why = _misfit(settled, dataset, field_kinds(settled, dataset, column_kinds(dataset)))
    loses = "grants nothing" if permission.effect is Effect.GRANT else "closes it"
    return f"{permission.effect.upper()} of role `{permission.role}` {loses}: {why}" if why else ""


def _of_tags(permission: Permission, having: TagExpr) -> Iterator[str]:
    can, must = _outcomes(having)
    if not can:
        what = "grants" if permission.effect is Effect.GRANT else "takes"
        yield f"no column can have tags as HAVING says, so it {what} nothing"
    elif must:
        yield "every column has tags as HAVING says: it means the same without"


def _outcomes(tags: TagExpr) -> tuple[bool, bool]:
    """Whether it is true of some set of tags, and whether of every one."""
    names = sorted({leaf.tag for leaf, _ in tags_in(tags)})
    if len(names) > _MOST_TAGS:
        return True, False
    every = (
        frozenset(n for n, there in zip(names, held, strict=True) if there)
        for held in product((False, True), repeat=len(names))
    )
    found = {matches(tags, held) for held in every}
    return True in found, False not in found


def _of_filter(permission: Permission, where: Expr, covered: Iterable[Dataset]) -> Iterator[str]:
    if asked_of(where):
        # What it is, depends on who asks.
        return
    reduced = {id(f) for d in covered if (f := _reduced(where, d)) is not None}
    grants = permission.effect is Effect.GRANT
    if reduced == {id(NEVER)}:
        does = "grants nothing" if grants else "closes what it is on"
        yield f"its filter is true of no row, so it {does}"
    elif reduced == {id(ALWAYS)}:
        does = "the same without" if grants else "nothing"
        yield f"its filter is true of every row: it means {does}"


def _reduced(where: Expr, dataset: Dataset) -> Expr | None:
    """The filter on a dataset, or None where it does not fit."""
    settled = of_dataset(where, dataset)
    kinds = field_kinds(settled, dataset, column_kinds(dataset))
    return None if _misfit(settled, dataset, kinds) else fold_filter(settled, kinds)


def _misfit(settled: Expr, dataset: Dataset, kinds: Mapping[str, Kind]) -> str:
    try:
        check_filter(settled, kinds)
        check_items(settled, dataset, kinds)
    except InvalidRequest as error:
        return error.message
    return ""


def _of_others(permission: Permission, others: list[Permission]) -> Iterator[str]:
    wider = [p for p in others if _contains(p, permission)]
    if wider:
        yield f"all of it is given already by {_named(wider)}"
        return
    if narrower := [p for p in others if _contains(permission, p) and p.role == permission.role]:
        yield f"it gives all that is given by {_named(narrower)}"
    opposite = [p for p in others if p.role == permission.role and _opposite(p, permission)]
    if opposite:
        yield f"together with {_named(opposite)} it shows every column"


def _named(found: list[Permission]) -> str:
    said = " and ".join(f"`{to_sql(p)}`" for p in found[:_SHOWN])
    return f"{said} and {len(found) - _SHOWN} more" if len(found) > _SHOWN else said


def _contains(one: Permission, other: Permission) -> bool:
    """Whether a grant without clauses gives all that another does, at all times."""
    whole = not (one.columns or one.having or one.transforms or one.where or one.properties)
    levels = one.level in {other.level, AccessLevel.ALL} and other.level not in _APART
    option = one.grant_option or not other.grant_option
    return whole and levels and option and one.scope.holds(other.scope)


_APART = frozenset({AccessLevel.MANAGE_GRANTS, AccessLevel.DETOKENIZE})
"""Not in ALL."""


def _opposite(one: Permission, other: Permission) -> bool:
    """Whether what one of two shows of a table is what the other does not."""
    if one.having is None or other.having is None or one.scope != other.scope:
        return False
    if one.transforms or other.transforms or one.where or other.where:
        return False
    names = {leaf.tag for tags in (one.having, other.having) for leaf, _ in tags_in(tags)}
    if len(names) > _MOST_TAGS:
        return False
    held = (
        frozenset(n for n, there in zip(sorted(names), each, strict=True) if there)
        for each in product((False, True), repeat=len(names))
    )
    return all(matches(one.having, tags) or matches(other.having, tags) for tags in held)
