"""Kinds of values and the closed list of functions: the type law of expressions, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

import pyarrow as pa
import pyarrow.types as pat

from privet.model.transforms import is_text


class Kind(StrEnum):
    """What a value is. Numbers are three kinds, since they compare and convert differently."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    OTHER = "other"
    NULL = "null"
    """NULL itself, and a column of which nothing is known: it goes with everything."""


NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})
TIMES = frozenset({Kind.DATE, Kind.TIMESTAMP})
_TEXT = frozenset({Kind.TEXT})
_INTEGER = frozenset({Kind.INTEGER})
_LISTED = NUMBERS | {Kind.TEXT}
_COMPARABLE = NUMBERS | TIMES | {Kind.TEXT, Kind.BOOLEAN}


_DIGITS = 38
"""Two decimals of at most so many digits, on either side of the point, compare within 76."""


def _is_decimal(kind: pa.DataType) -> bool:
    return pat.is_decimal(kind) and kind.precision <= _DIGITS and 0 <= kind.scale <= _DIGITS


def kind_of_type(kind: pa.DataType) -> Kind:
    """The kind of a column of an Arrow type."""
    tests = (
        (pat.is_integer, Kind.INTEGER),
        (_is_decimal, Kind.DECIMAL),
        (pat.is_floating, Kind.FLOAT),
        (is_text, Kind.TEXT),
        (pat.is_boolean, Kind.BOOLEAN),
        (pat.is_date, Kind.DATE),
        (pat.is_timestamp, Kind.TIMESTAMP),
    )
    return next((found for test, found in tests if test(kind)), Kind.OTHER)


@dataclass(frozen=True, slots=True)
class Function:
    """A function's parameters and result.

    `optional` of the last parameters may be missing; with `repeats` the last one may come again.
    `result` is None where it follows from the arguments (`abs`, `coalesce`). `total` functions
    have a value for every row whose arguments have one.
    """

    name: str
    parameters: tuple[frozenset[Kind], ...]
    result: Kind | None
    optional: int = 0
    repeats: bool = False
    total: bool = False

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        least = len(self.parameters) - self.optional
        return least <= count and (self.repeats or count <= len(self.parameters))

    def parameter(self, index: int) -> frozenset[Kind]:
        """The kinds admitted at a place."""
        return self.parameters[min(index, len(self.parameters) - 1)]


CAST = "cast"
"""`cast(x as bigint)` is the value `Call("cast", (x, Literal("bigint")))`."""

FUNCTIONS: dict[str, Function] = {
    f.name: f
    for f in (
        Function("lower", (_TEXT,), Kind.TEXT, total=True),
        Function("upper", (_TEXT,), Kind.TEXT, total=True),
        Function("trim", (_TEXT,), Kind.TEXT, total=True),
        Function("length", (_TEXT,), Kind.INTEGER, total=True),
        Function("substr", (_TEXT, _INTEGER, _INTEGER), Kind.TEXT, optional=1),
        Function("concat", (_TEXT,), Kind.TEXT, repeats=True, total=True),
        Function("abs", (NUMBERS,), None),
        Function("year", (TIMES,), Kind.INTEGER),
        Function("month", (TIMES,), Kind.INTEGER),
        Function("day", (TIMES,), Kind.INTEGER),
        Function("hour", (TIMES,), Kind.INTEGER),
        Function("dayname", (TIMES,), Kind.TEXT),
        Function("coalesce", (_COMPARABLE, _COMPARABLE), None, repeats=True, total=True),
        Function("user", (), Kind.TEXT, total=True),
        Function("now", (), Kind.TIMESTAMP, total=True),
        Function("user_attribute", (_TEXT,), Kind.TEXT, total=True),
        Function("has_roles", (_TEXT,), Kind.BOOLEAN, repeats=True, total=True),
        Function("table_attribute", (_TEXT,), Kind.TEXT, total=True),
        Function("columns_with_attribute", (_TEXT,), None),
        Function("in_set", (_LISTED, _TEXT), Kind.BOOLEAN),
        Function("sets_intersect", (_TEXT, _TEXT), Kind.BOOLEAN),
    )
}
CASTS: dict[str, Function] = {
    target: Function(f"cast as {target}", (takes,), gives)
    for target, takes, gives in (
        ("bigint", NUMBERS | _TEXT | {Kind.BOOLEAN}, Kind.INTEGER),
        ("double", NUMBERS | _TEXT, Kind.FLOAT),
        ("varchar", _INTEGER | _TEXT | {Kind.BOOLEAN, Kind.DATE}, Kind.TEXT),
        ("date", _TEXT | TIMES, Kind.DATE),
    )
}
READER = frozenset({"user", "now", "user_attribute", "has_roles"})
"""Functions whose value is the reader's, or the moment's."""
WRITTEN_OUT = frozenset(
    {"user_attribute", "table_attribute", "columns_with_attribute", "has_roles"}
)
"""Functions whose arguments are written as text, so that all they can name is known."""


def near(name: str, known: Iterable[str]) -> str:
    """A hint with the known names that look like `name`, or nothing."""
    found = get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(f'`{n}`' for n in found)}?" if found else ""
