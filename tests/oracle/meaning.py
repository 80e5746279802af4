"""What an expression means for one row: docs/reference/expressions.md, word for word.

Slow and literal on purpose. Written from the page alone; shares no code with `privet.policy` or
`privet.enforcement`. A part that fails raises `Failed`, and since nothing here skips a part but
CASE, it fails the whole filter.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from cells import (
    NANOSECONDS,
    NANOSECONDS_A_DAY,
    Cell,
    Day,
    Moment,
    civil,
    from_date,
    from_datetime,
)
from kinds import NUMBERS, UNITS, kind_of

from privet.model.expressions import (
    And,
    Arithmetic,
    Call,
    Case,
    ColumnRef,
    Compare,
    Expr,
    In,
    IsNull,
    Like,
    Literal,
    Negate,
    Not,
    Or,
)

Row = Mapping[str, Cell]
Kinds = Mapping[str, str]

LEAST, GREATEST = -(2**63), 2**63 - 1
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,18})?")
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Failed(Exception):
    """A part has no value for this row."""


def holds(expr: Expr, row: Row, kinds: Kinds) -> bool:
    """Whether a row is visible under a filter: TRUE, and no part of it failed."""
    try:
        return value(expr, row, kinds) is True
    except Failed:
        return False


def value(expr: Expr, row: Row, kinds: Kinds) -> Cell:  # noqa: C901 - a case per node
    """The value of an expression for a row.

    Raises:
        Failed: a part that counts has none.
    """

    def of(part: Expr) -> Cell:
        return value(part, row, kinds)

    match expr:
        case Literal(held):
            return constant(held)
        case ColumnRef(name):
            return row[name]
        case And(parts):
            return conjunction([of(p) for p in parts])
        case Or(parts):
            return negation(conjunction([negation(of(p)) for p in parts]))
        case Not(part):
            return negation(of(part))
        case IsNull(subject):
            return of(subject) is None
        case Case(branches, default):
            for condition, result in branches:
                if of(condition) is True:
                    return into(of(result), kind_of(result, kinds), kind_of(expr, kinds))
            return into(of(default), kind_of(default, kinds), kind_of(expr, kinds))
    return apply(expr, kinds, [of(part) for part in parts_of(expr)])


def parts_of(expr: Expr) -> tuple[Expr, ...]:
    """The operands of a part that needs all of them."""
    match expr:
        case Compare(_, left, right) | Arithmetic(_, left, right):
            return left, right
        case In(subject, options):
            return subject, *options
        case Like(subject, _):
            return (subject,)
        case Negate(part):
            return (part,)
        case Call("cast", (part, _)):
            return (part,)
        case Call(_, arguments):
            return arguments
    raise AssertionError(expr)


def apply(expr: Expr, kinds: Kinds, values: list[Cell]) -> Cell:
    """The value of such a part for values of its operands.

    Raises:
        Failed: it has none.
    """
    held = [kind_of(part, kinds) for part in parts_of(expr)]
    match expr:
        case Compare(op, _, _):
            return compare(op, values, held)
        case In():
            subject, *options = zip(values, held, strict=True)
            found = [
                compare("=", [subject[0], option[0]], [subject[1], option[1]]) for option in options
            ]
            return negation(conjunction([negation(v) for v in found]))
        case Like(_, pattern):
            return None if values[0] is None else like(values[0], pattern)
        case Arithmetic(op, _, _):
            return arithmetic(op, values, held)
        case Negate():
            return negate(values[0])
        case Call("cast", (_, Literal(target))):
            return None if values[0] is None else CASTS[target](values[0])
        case Call("coalesce", _):
            goal = kind_of(expr, kinds)
            same = [into(v, k, goal) for v, k in zip(values, held, strict=True)]
            return next((v for v in same if v is not None), None)
        case Call(name, _):
            return None if None in values else FUNCTIONS[name](*values)
    raise AssertionError(expr)


def constant(held: object) -> Cell:
    """A literal as a cell."""
    if isinstance(held, datetime):
        return from_datetime(held)
    return from_date(held) if isinstance(held, date) else held


# ---- three-valued logic


def negation(v: Cell) -> bool | None:
    """Kleene's NOT."""
    return None if v is None else not v


def conjunction(values: list[Cell]) -> bool | None:
    """Kleene's AND."""
    if False in values:
        return False
    return None if None in values else True


# ---- comparison


def compare(op: str, values: list[Cell], held: list[str]) -> bool | None:
    """`left op right`; each side is converted on its own before NULL is looked at."""
    if "null" in held:
        return None
    left, right = alike(values[0], *held), alike(values[1], *held[::-1])
    if left is None or right is None:
        return None
    sign = order(left, right)
    tests: dict[str, Callable[[int, int], bool]] = {
        "=": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
    return tests[op](sign, 0)


def alike(v: Cell, own: str, other: str) -> Cell:
    """A side of a comparison in the form in which it meets the other side."""
    if v is None:
        return None
    if own == "text" and other in NUMBERS:
        v, own = number_of(v), "decimal"
    if other == "float" and own in {"integer", "decimal"}:
        return to_float(v)
    if own == "date" and other in UNITS:
        return Moment(v.days * NANOSECONDS_A_DAY)
    return v


def order(left: Cell, right: Cell) -> int:
    """-1, 0 or 1; NaN equals NaN and is greatest."""
    if isinstance(left, float) and isinstance(right, float):
        nans = math.isnan(left), math.isnan(right)
        if any(nans):
            return nans[0] - nans[1]
    return (left > right) - (left < right)


def like(text: str, pattern: str) -> bool:
    """Whether a text matches a LIKE pattern."""
    wanted, rest = "", iter(pattern)
    for sign in rest:
        if sign == "\\":
            wanted += re.escape(next(rest))
        else:
            wanted += {"%": ".*", "_": "."}.get(sign, re.escape(sign))
    return re.fullmatch(wanted, text, re.DOTALL) is not None


# ---- numbers


def number_of(text: str) -> Decimal:
    """The plain decimal number that a text is."""
    if not _NUMBER.fullmatch(text):
        raise Failed
    return Decimal(text)


def to_float(v: float | Decimal) -> float:
    """A number as a 64-bit float: integers exactly, decimals to nearest."""
    found = float(v)
    if isinstance(v, int) and int(found) != v:
        raise Failed
    return found


def whole(v: int) -> int:
    """A 64-bit integer."""
    if not LEAST <= v <= GREATEST:
        raise Failed
    return v


def into(v: Cell, own: str, goal: str) -> Cell:
    """A branch of CASE or coalesce in the kind that all its branches share."""
    if v is None:
        return None
    if goal in UNITS and own != goal:
        whole(v.nanoseconds // NANOSECONDS[goal])
    if goal == "integer":
        return whole(v)
    return to_float(v) if goal == "float" else v


def arithmetic(op: str, values: list[Cell], held: list[str]) -> Cell:
    """`left op right` on numbers."""
    exact = op != "/" and set(held) <= {"integer", "null"}
    left, right = (v if v is None else whole(v) if exact else to_float(v) for v in values)
    if left is None or right is None:
        return None
    if op in {"/", "%"} and right == 0:
        raise Failed
    if exact:
        return whole(_INTEGERS[op](left, right))
    return finite(_FLOATS[op](left, right), left, right)


def _remainder(left: int, right: int) -> int:
    return int(math.copysign(1, left)) * (abs(left) % abs(right))


def _float_remainder(left: float, right: float) -> float:
    return math.nan if math.isinf(left) or math.isnan(right) else math.fmod(left, right)


_INTEGERS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "%": _remainder,
}
_FLOATS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": _float_remainder,
}


def finite(result: float, *operands: float) -> float:
    """A float; an infinity must come from one."""
    if math.isinf(result) and not any(math.isinf(v) for v in operands):
        raise Failed
    return result


def negate(v: Cell) -> Cell:
    """Unary minus."""
    if v is None:
        return None
    return whole(-whole(v)) if isinstance(v, int) else -to_float(v)


# ---- functions


def absolute(v: Cell) -> Cell:
    """`abs`, which fails where unary minus does."""
    return whole(abs(whole(v))) if isinstance(v, int) else abs(to_float(v))


def simple_lower(text: str) -> str:
    """One code point to one: the simple mapping of Unicode."""
    return "".join(c.lower() if len(c.lower()) == 1 else {"\u0130": "i"}.get(c, c) for c in text)


def simple_upper(text: str) -> str:
    """One code point to one: the simple mapping of Unicode."""
    return "".join(
        c.upper() if len(c.upper()) == 1 else c.title() if len(c.title()) == 1 else c for c in text
    )


def substr(text: str, start: int, count: int | None = None) -> str:
    """Code points from `start`, 1-based."""
    if start < 1 or (count is not None and count < 0):
        raise Failed
    return text[start - 1 :] if count is None else text[start - 1 : start - 1 + count]


def day_of(v: Day | Moment) -> int:
    """Days since 1970-01-01, in UTC."""
    return v.days if isinstance(v, Day) else v.nanoseconds // NANOSECONDS_A_DAY


FUNCTIONS: dict[str, Callable[..., Cell]] = {
    "lower": simple_lower,
    "upper": simple_upper,
    "trim": lambda t: t.strip(" "),
    "length": len,
    "substr": substr,
    "concat": lambda *texts: "".join(texts),
    "abs": absolute,
    "year": lambda d: civil(day_of(d))[0],
    "month": lambda d: civil(day_of(d))[1],
    "day": lambda d: civil(day_of(d))[2],
}


def cast_bigint(v: Cell) -> int:
    """To a 64-bit integer, or not at all."""
    if isinstance(v, str):
        if not _WHOLE.fullmatch(v):
            raise Failed
        return whole(int(v))
    if isinstance(v, float) and not math.isfinite(v):
        raise Failed
    if int(v) != v:
        raise Failed
    return whole(int(v))


def cast_varchar(v: Cell) -> str:
    """Integers in decimal, `true` and `false`, dates as YYYY-MM-DD."""
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, Day):
        year, month, day = civil(v.days)
        if not 0 < year < 10_000:
            raise Failed
        return f"{year:04}-{month:02}-{day:02}"
    return str(v)


def cast_date(v: Cell) -> Day:
    """From YYYY-MM-DD, a timestamp's day in UTC, or a date."""
    if not isinstance(v, str):
        return Day(day_of(v))
    if not _DATE.fullmatch(v):
        raise Failed
    try:
        return from_date(date.fromisoformat(v))
    except ValueError:
        raise Failed from None


CASTS: dict[str, Callable[[Cell], Cell]] = {
    "bigint": cast_bigint,
    "double": lambda v: to_float(number_of(v) if isinstance(v, str) else v),
    "varchar": cast_varchar,
    "date": cast_date,
}
