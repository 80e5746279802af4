"""The closed expression language of row filters and transforms, as values.

Only shapes: parsing, printing, checking and folding live in `privet.policy`, evaluation on Arrow
batches in `privet.enforcement`. Equality is structural; positions do not take part in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from privet.model.errors import Position
from privet.model.names import FieldPath, TagName

LiteralValue = None | bool | int | Decimal | str | date | datetime
"""Numbers with a point or exponent are `Decimal`; `datetime` values are UTC and aware."""


class CompareOp(StrEnum):
    """Comparison operators, as printed."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


class ArithmeticOp(StrEnum):
    """Arithmetic operators, as printed."""

    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "/"
    MOD = "%"


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: LiteralValue


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A column by its folded name."""

    name: str
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field inside a column, by folded names: the column's, then one for each step inwards.

    Lists on the way are no step: what is said of their items is said of one item at a time.
    """

    path: FieldPath
    position: Position | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The path as it is written; none of its parts has a point in it."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class ColumnSlot:
    """`__COLUMN__`: the column that a transform is applied to."""


@dataclass(frozen=True, slots=True)
class Compare:
    """`left op right`."""

    op: CompareOp
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class And:
    """Conjunction of two or more parts."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Disjunction of two or more parts."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    part: Expr


@dataclass(frozen=True, slots=True)
class In:
    """`subject [NOT] IN (options)`; NOT IN is `Not(In(...))`."""

    subject: Expr
    options: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """`subject LIKE pattern` with `%` and `_`; backslash escapes."""

    subject: Expr
    pattern: str


@dataclass(frozen=True, slots=True)
class IsNull:
    """`subject IS NULL`; IS NOT NULL is `Not(IsNull(...))`."""

    subject: Expr


@dataclass(frozen=True, slots=True)
class Case:
    """Searched CASE: the first branch whose condition is true, else `default`."""

    branches: tuple[tuple[Expr, Expr], ...]
    default: Expr


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left op right` on numbers."""

    op: ArithmeticOp
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Negate:
    """Unary minus."""

    part: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the closed list, by its folded canonical name.

    `spelled` is the name that its author wrote instead, or of what stands for another function.
    """

    function: str
    arguments: tuple[Expr, ...]
    position: Position | None = field(default=None, compare=False, repr=False)
    spelled: str = field(default="", compare=False, repr=False)


Expr = (
    Literal
    | ColumnRef
    | FieldRef
    | ColumnSlot
    | Compare
    | And
    | Or
    | Not
    | In
    | Like
    | IsNull
    | Case
    | Arithmetic
    | Negate
    | Call
)


@dataclass(frozen=True, slots=True)
class HasTag:
    """A tag expression's leaf."""

    tag: TagName
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TagNot:
    """Negation of a tag expression."""

    part: TagExpr


@dataclass(frozen=True, slots=True)
class TagAnd:
    """Conjunction of tag expressions."""

    parts: tuple[TagExpr, ...]


@dataclass(frozen=True, slots=True)
class TagOr:
    """Disjunction of tag expressions; `IN (a, b)` is one of these."""

    parts: tuple[TagExpr, ...]


TagExpr = HasTag | TagNot | TagAnd | TagOr
