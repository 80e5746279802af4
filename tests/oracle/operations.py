"""What operators and functions of filters make of values: docs/reference/expressions.md.

Written from the page alone, as `meaning` is, which says how they come together.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from asked import elements
from cells import NANOSECONDS, NANOSECONDS_A_DAY, Cell, Day, Moment, civil, from_date
from kinds import UNITS

LEAST, GREATEST = -(2**63), 2**63 - 1
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,18})?")
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Failed(Exception):
    """A part has no value for this row."""


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
    "sets_intersect": lambda a, b: bool(set(elements(a)) & set(elements(b))),
    "abs": absolute,
    "year": lambda d: civil(day_of(d))[0],
    "month": lambda d: civil(day_of(d))[1],
    "day": lambda d: civil(day_of(d))[2],
    "hour": lambda d: 0 if isinstance(d, Day) else d.nanoseconds // 3_600_000_000_000 % 24,
    "dayname": lambda d: (
        *("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"),
    )[day_of(d) % 7],
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
