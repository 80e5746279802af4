"""What grants and safeguards have in common once they meet a dataset.

Everything here depends on the values only and is remembered by their identity: facts are frozen,
and equality would not do as a key (`1 = TRUE = 1.0` in Python).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from privet.model.datasets import Column, Dataset, plain_type
from privet.model.errors import InvalidRequest, UnknownName
from privet.model.expressions import (
    Call,
    Expr,
    HasTag,
    LiteralValue,
    TagAnd,
    TagExpr,
    TagNot,
    TagOr,
)
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Permission
from privet.policy.binding import check_filter, column_kinds, columns_of
from privet.policy.fields import check_items, field_kinds, fields_in, lacks_field
from privet.policy.fold import ALWAYS, fold_filter
from privet.policy.functions import Kind
from privet.policy.settling import Reader, ambiguous, asked_of, of_dataset, settle

T = TypeVar("T")


class Same(Generic[T]):
    """A key that is equal to itself only; it keeps its value alive, so the identity stays its."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value


# ---- scopes


def may_cover(permission: Permission, name: DatasetName) -> bool:
    """Whether a permission covers a dataset of that name, for some reader at least."""
    scope = permission.scope
    return scope.covers(name) or (scope.per_user and scope.kind.holds_data)


def covers_for(permission: Permission, name: DatasetName, user: str) -> bool:
    """Whether a permission covers a dataset of that name for that reader."""
    if not permission.scope.per_user:
        return permission.scope.covers(name)
    scope = permission.scope.of_user(user)
    return scope is not None and scope.covers(name)


# ---- time


@dataclass(frozen=True, slots=True)
class Window:
    """When it is in force, in Unix time. `problem` says why it never is, or cannot be told."""

    start: float
    end: float
    problem: str = ""
    disabled: bool = False

    @property
    def always(self) -> bool:
        """Whether it is the same at every moment."""
        return bool(self.problem) or (self.start <= 0 and self.end == math.inf)

    def closed(self, moment: float) -> str:
        """Why it is not in force at a moment; or nothing."""
        if moment < self.start:
            return "it has not started yet"
        return "" if moment < self.end else "it has ended"


def window_of(properties: Mapping[str, str]) -> Window:
    """The window that the properties say."""
    enabled = properties.get("enabled", "true")
    if enabled == "false":
        return Window(0, 0, "it is disabled", disabled=True)
    unreadable = Window(0, 0, "its properties cannot be read")
    if enabled != "true":
        return unreadable
    try:
        start = int(properties.get("start_datetime", "0"))
        return Window(start, float(properties.get("end_datetime", "inf")))
    except ValueError:
        return unreadable


# ---- tags


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

    def meets(self, tags: TagExpr) -> bool:
        """Whether tags that protect are meant for some field in the column."""
        return matches(tags, self.effective) or matches(tags, self.outer)


def held_by(column: Column, dataset: Dataset) -> Held:
    """The tags of a column of a dataset."""
    return Held(dataset.effective_tags(column), dataset.outer_tags(column))


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


def tags_in(tags: TagExpr, *, negated: bool = False) -> list[tuple[HasTag, bool]]:
    """The leaves of a tag expression, each with whether it stands under an odd count of NOTs."""
    match tags:
        case HasTag():
            return [(tags, negated)]
        case TagNot(part):
            return tags_in(part, negated=not negated)
        case TagAnd(parts) | TagOr(parts):
            return [leaf for part in parts for leaf in tags_in(part, negated=negated)]


@dataclass(frozen=True, eq=False, slots=True)
class TableFacts:
    """What every permission asks of a dataset: kinds by name, tags by place."""

    kinds: Mapping[str, Kind]
    held: tuple[Held, ...]


@lru_cache(maxsize=512)
def facts_of(dataset: Same[Dataset]) -> TableFacts:
    """Work that out once."""
    table = dataset.value
    return TableFacts(column_kinds(table), tuple(held_by(c, table) for c in table.columns))


# ---- filters


@dataclass(frozen=True, eq=False, slots=True)
class Where:
    """A filter on a dataset. `problem` says why it does not fit; `missing`: for want of a column.

    Compared by identity.
    """

    expr: Expr | None
    kinds: Mapping[str, Kind]
    asked: tuple[Call, ...] = ()
    problem: str = ""
    missing: bool = False
    timed: bool = False

    def settle(self, reader: Reader) -> Expr:
        """The filter for one reader, reduced; `ALWAYS` where there is none. Of one identity."""
        if self.expr is None:
            return ALWAYS
        answers = tuple(reader.answer(call) for call in self.asked)
        return (_settled.__wrapped__ if self.timed else _settled)(self, answers)


def where_of(permission: Permission, dataset: Dataset, kinds: Mapping[str, Kind]) -> Where:
    """The filter of a permission on a dataset that it covers."""
    if permission.where is None:
        return Where(None, kinds)
    expr = of_dataset(permission.where, dataset)
    asked = asked_of(expr)
    kinds = field_kinds(expr, dataset, kinds)
    if tag := ambiguous(permission.where, dataset):
        # It is not for want of a column: nobody can tell which is meant.
        return Where(expr, kinds, asked, f"several columns bear `{tag}`")
    try:
        check_filter(expr, kinds)
        check_items(expr, dataset, kinds)
    except InvalidRequest as error:
        return Where(expr, kinds, asked, error.message, _lacks_only(expr, dataset, kinds, error))
    return Where(expr, kinds, asked, timed=any(c.function == "now" for c in asked))


def _lacks_only(
    expr: Expr, dataset: Dataset, kinds: Mapping[str, Kind], error: InvalidRequest
) -> bool:
    """Whether a filter would fit if the dataset had the columns and fields that it lacks."""
    if not isinstance(error, UnknownName):
        return False
    types = {c.name: plain_type(c.type) for c in dataset.columns if c.name in kinds}
    unknown = (r.path for r in fields_in(expr) if r.name not in kinds and r.path[0] in types)
    if not all(lacks_field(types[path[0]], path) for path in unknown):
        return False
    try:
        named = (*columns_of(expr), *(ref.name for ref in fields_in(expr)))
        check_filter(expr, dict.fromkeys(named, Kind.NULL) | dict(kinds))
    except InvalidRequest:
        return False
    return True


@lru_cache(maxsize=16_384)
def _settled(where: Where, answers: tuple[LiteralValue, ...]) -> Expr:
    assert where.expr is not None
    return fold_filter(
        settle(where.expr, dict(zip(where.asked, answers, strict=True))), where.kinds
    )
