"""Safeguards that go with the rows they protect: what those on a dataset mean for its copies.

A copy is a table of its own. Grants on what it was made of say nothing about it; safeguards would
be got rid of by copying, so they bind there as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from privet.model.datasets import Dataset
from privet.model.decisions import Facts
from privet.model.expressions import Call, ColumnRef, Expr, FieldRef
from privet.model.names import DatasetName
from privet.model.permissions import Permission, on_dataset
from privet.policy.binding import children, columns_of, rebuild
from privet.policy.bound import Same, covers_for
from privet.policy.settling import of_dataset

_LENIENT = "missing_columns"
_OF_DATASETS = frozenset({"columns_with_attribute", "table_attribute"})


@lru_cache(maxsize=2_048)
def carry(copy: Same[Facts], origins: tuple[Same[Facts], ...], users: frozenset[str]) -> Facts:
    """The facts about a copy, with the safeguards on what it was made of.

    Which columns a HAVING means, and which a TRANSFORM, the tags of the copy say: it took them
    along. A WHERE is about the columns of the origin. Where these do not stand in the copy
    unchanged, row for row, it closes what it is on, as on any dataset that lacks them.

    Args:
        copy: about it alone.
        origins: about each dataset that it was made of, and the same reader; gone ones too.
        users: the reader and, through a view, all on the way: who `${user}` may be.
    """
    facts = copy.value
    dataset = facts.dataset
    made = dataset.copy if dataset else None
    if dataset is None or made is None:
        return facts
    carried = {
        (each.value.name, guard.id): guard
        for each in origins
        for guard in _of(each.value, made.origins, dataset, users)
    }
    return replace(facts, safeguards=(*facts.safeguards, *carried.values()))


def _of(
    origin: Facts,
    plain: Mapping[DatasetName, Mapping[str, str]],
    copy: Dataset,
    users: frozenset[str],
) -> Iterator[Permission]:
    names = plain[origin.name]
    for guard in origin.safeguards:
        if not any(covers_for(guard, origin.name, user) for user in users):
            continue
        scope = on_dataset(copy.name)
        if guard.where is None:
            yield replace(guard, scope=scope)
            continue
        where, base = guard.where, origin.dataset
        if base is not None:
            where = of_dataset(where, base)
        kept = dict(guard.properties)
        there = {c.name for c in base.columns} if base else {*columns_of(where)}
        if columns_of(where).keys() <= there:
            # It fits the origin, so a copy without its columns is no reason to pass it over.
            kept.pop(_LENIENT, None)
        yield replace(guard, scope=scope, where=_moved(where, names), properties=kept)


def _moved(expr: Expr, names: Mapping[str, str]) -> Expr:
    """An expression over the copy; what does not stand there is called as no column can be."""
    if isinstance(expr, ColumnRef):
        return ColumnRef(_copied(expr.name, names), expr.position)
    if isinstance(expr, FieldRef):
        column, *inside = expr.path
        return FieldRef((_copied(column, names), *inside), expr.position)
    if isinstance(expr, Call) and expr.function in _OF_DATASETS:
        # Of an origin that is gone; the copy's own tags are no answer.
        return ColumnRef(f"{expr.function} of what was copied", expr.position)
    parts = children(expr)
    return rebuild(expr, [_moved(p, names) for p in parts]) if parts else expr


def _copied(column: str, names: Mapping[str, str]) -> str:
    return names.get(column, f"{column} as it was copied")
