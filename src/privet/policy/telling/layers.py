"""What is seen through views: a decision, with those about what is behind it, in a few words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from privet.model.decisions import ColumnDecision, Decision, Verdict
from privet.model.names import DatasetName
from privet.policy.telling.differences import (
    Change,
    Portion,
    Rows,
    Shown,
    change_of,
    rows_of,
    shown_as,
)

Named = Callable[[DatasetName], bool]
"""Whether a dataset behind a view may be named, and what is seen of it told."""


class Layered(Protocol):
    """A decision, and those about what a view reads, by name."""

    @property
    def decision(self) -> Decision:
        """About the dataset itself."""
        ...

    @property
    def bases(self) -> Mapping[DatasetName, Layered]:
        """About what it reads, if it is a view in sight."""
        ...


def compare_layers(before: Layered, after: Layered, named: Named) -> Change | None:
    """What differs between two ways to see a dataset, itself or what it is made of.

    Args:
        before: for one principal and one dataset.
        after: for the same.
        named: which datasets behind a view are spoken of.
    """
    if _digests(before) == _digests(after):
        return None
    shown = (
        (b.column.name, shown_through(before, b, named), shown_through(after, a, named))
        for b, a in zip(before.decision.columns, after.decision.columns, strict=True)
    )
    return change_of(rows_through(before, named), rows_through(after, named), shown)


def rows_through(layered: Layered, named: Named) -> Rows:
    """Which rows are seen, and of which rows behind they are made."""
    own = rows_of(layered.decision)
    behind = {(name, rows_of(base.decision)) for name, base in _all_behind(layered) if named(name)}
    some = (pair for pair in behind if pair[1].portion is not Portion.ALL)
    return Rows(own.portion, own.filter, own.english, tuple(sorted(some, key=_in_words)))


def shown_through(layered: Layered, column: ColumnDecision, named: Named) -> Shown:
    """What is seen of a column, and how the columns behind it are seen."""
    own = shown_as(column, layered.decision)
    if own.verdict is Verdict.HIDDEN:
        return own
    parts = {
        (name, each.column.name, shown)
        for name, base, each in _parts(layered, column.column.name)
        if named(name) and (shown := shown_as(each, base.decision)).verdict is not Verdict.CLEAR
    }
    return Shown(own.verdict, own.how, tuple(sorted(parts, key=_in_words)))


def _in_words(pair: tuple[object, ...]) -> list[str]:
    return [str(each) for each in pair]


def _parts(layered: Layered, column: str) -> Iterator[tuple[DatasetName, Layered, ColumnDecision]]:
    """The columns that a view's column rests on, at every depth; once for each way to decide."""
    waiting, seen = [(layered, column)], set[tuple[int, str]]()
    while waiting:
        above, wanted = waiting.pop()
        dataset = above.decision.dataset
        view = dataset.view if dataset and above.bases else None
        for name, part in sorted(view.rests.get(wanted, ())) if view else ():
            base = above.bases[name]
            if (id(base), part) in seen:
                continue
            seen.add((id(base), part))
            waiting.append((base, part))
            yield from ((name, base, c) for c in base.decision.columns if c.column.name == part)


def _all_behind(layered: Layered) -> Iterator[tuple[DatasetName, Layered]]:
    waiting, seen = [layered], set[int]()
    while waiting:
        for name, base in waiting.pop().bases.items():
            if id(base) not in seen:
                seen.add(id(base))
                waiting.append(base)
                yield name, base


def _digests(layered: Layered) -> frozenset[tuple[DatasetName | None, str]]:
    behind = ((name, base.decision.digest) for name, base in _all_behind(layered))
    return frozenset({(None, layered.decision.digest), *behind})
