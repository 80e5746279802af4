"""Expressions over constants, evaluated exactly as `docs/reference/expressions.md` says.

Values are those of literals and 64-bit floats, which arithmetic and casts can give. A part that
has no value raises `Fails`; one that this module leaves to the engine raises `Undecided`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from privet.model.expressions import ArithmeticOp, CompareOp, LiteralValue
from privet.policy.functions import CAST
from privet.policy.sets import elements

Value = LiteralValue | float
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_INT64 = range(-(2**63), 2**63)
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,18})?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,20}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LONG = 256

_COMPARE: dict[CompareOp, Callable[[int, int], bool]] = {
    CompareOp.EQ: operator.eq,
    CompareOp.NE: operator.ne,
    CompareOp.LT: operator.lt,
    CompareOp.LE: operator.le,
    CompareOp.GT: operator.gt,
    CompareOp.GE: operator.ge,
}


class Fails(Exception):
    """The part has no value."""


class Undecided(Exception):
    """The part has a value that only the engine computes."""


def compare(op: CompareOp, left: Value, right: Value) -> bool | None:
    """`left op right`.

    Raises:
        Fails: a conversion that the comparison needs is not exact.
    """
    if left is None or right is None:
        return None
    return _COMPARE[op](_order(left, right), 0)


def arithmetic(op: ArithmeticOp, left: Value, right: Value) -> Value:
    """`left op right` on numbers.

    Raises:
        Fails: overflow, division by zero, inexact conversion.
    """
    if left is None or right is None:
        return None
    if op is not ArithmeticOp.DIV and isinstance(left, int) and isinstance(right, int):
        return _in_range(_integers(op, left, right))
    a, b = to_float(left), to_float(right)
    if op in {ArithmeticOp.DIV, ArithmeticOp.MOD} and b == 0:
        raise Fails
    return _finite(_FLOATS[op](a, b))


def negate(value: Value) -> Value:
    """Unary minus.

    Raises:
        Fails: the lowest integer has no opposite.
    """
    if value is None:
        return None
    return _in_range(-value) if isinstance(value, int) else -to_float(value)


def like(subject: Value, pattern: str) -> bool | None:
    """`subject LIKE pattern`, by code points.

    Raises:
        Undecided: text or pattern is long, and matching could take long.
    """
    if subject is None:
        return None
    text = str(subject)
    if max(len(text), len(pattern)) > _LONG:
        raise Undecided
    # One row of the match table at a time: what ends where, no backtracking.
    ends = {0}
    for kind, character in _pattern_parts(pattern):
        if kind == "%":
            ends = set(range(min(ends), len(text) + 1)) if ends else ends
        else:
            ends = {e + 1 for e in ends if e < len(text) and (kind or text[e] == character)}
    return len(text) in ends


def call(function: str, arguments: Sequence[Value]) -> Value:
    """A function of the closed list, but for `user` and `now`.

    Raises:
        Fails: it has no value for these arguments.
    """
    if function == "coalesce":
        return next((a for a in arguments if a is not None), None)
    if any(a is None for a in arguments):
        return None
    if function == CAST:
        return _CASTS[str(arguments[1])](arguments[0])
    return _CALLS[function](*arguments)


def to_float(value: Value) -> float:
    """A number as 64-bit float: integers exactly, decimals to the nearest.

    Raises:
        Fails: an integer that no 64-bit float equals.
    """
    if isinstance(value, int):
        nearest = float(value)
        if int(nearest) != value:
            raise Fails
        return nearest
    if isinstance(value, float | Decimal):
        return float(value)
    raise Fails


def _order(left: Value, right: Value) -> int:
    """Negative, zero or positive, as left is less than, equal to or greater than right."""
    if isinstance(left, datetime) or isinstance(right, datetime):
        return _sign(_moment(left), _moment(right))
    if isinstance(left, str) != isinstance(right, str):
        left, right = _number(left), _number(right)
    if isinstance(left, float) or isinstance(right, float):
        left, right = to_float(left), to_float(right)
        if math.isnan(left) or math.isnan(right):
            return int(math.isnan(left)) - int(math.isnan(right))
    return _sign(left, right)


def _sign(left: Value, right: Value) -> int:
    return int(left > right) - int(left < right)  # type: ignore[operator]  # of one kind by now


def _moment(value: Value) -> Value:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    return value


def _number(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    if not _NUMBER.fullmatch(value):
        raise Fails
    return Decimal(value)


def _in_range(value: int) -> int:
    if value not in _INT64:
        raise Fails
    return value


def _integers(op: ArithmeticOp, left: int, right: int) -> int:
    if op is ArithmeticOp.MOD:
        if right == 0:
            raise Fails
        size = abs(left) % abs(right)
        return -size if left < 0 else size
    return _INTEGERS[op](left, right)


_INTEGERS: dict[ArithmeticOp, Callable[[int, int], int]] = {
    ArithmeticOp.ADD: operator.add,
    ArithmeticOp.SUB: operator.sub,
    ArithmeticOp.MUL: operator.mul,
}
_FLOATS: dict[ArithmeticOp, Callable[[float, float], float]] = {
    ArithmeticOp.ADD: operator.add,
    ArithmeticOp.SUB: operator.sub,
    ArithmeticOp.MUL: operator.mul,
    ArithmeticOp.DIV: operator.truediv,
    ArithmeticOp.MOD: math.fmod,
}


def _finite(value: float) -> float:
    # Constants are finite, so an infinity can only be an overflow.
    if not math.isfinite(value):
        raise Fails
    return value


def _pattern_parts(pattern: str) -> list[tuple[str, str]]:
    """Pairs of kind (`%`, `_` or nothing) and the character to match."""
    parts: list[tuple[str, str]] = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            parts.append(("", next(characters, "\\")))
        else:
            parts.append((character if character in "%_" else "", character))
    return parts


def _lower(text: str) -> str:
    # Python's own mapping may change the number of code points; Arrow's is the simple one.
    return pc.utf8_lower(pa.scalar(text)).as_py()


def _upper(text: str) -> str:
    return pc.utf8_upper(pa.scalar(text)).as_py()


def _substr(text: str, start: int, count: int | None = None) -> str:
    if start < 1 or (count is not None and count < 0):
        raise Fails
    begin = start - 1
    return text[begin:] if count is None else text[begin : begin + count]


def _abs(value: Value) -> Value:
    if isinstance(value, int):
        return _in_range(abs(value))
    return abs(to_float(value))


def _utc(value: date) -> date:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _cast_bigint(value: Value) -> int:
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise Fails
        return _in_range(int(value))
    if isinstance(value, float | Decimal) and value != int(value):
        raise Fails
    return _in_range(int(value))  # type: ignore[arg-type]  # a number or a boolean


def _cast_varchar(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _cast_date(value: Value) -> date:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise Fails
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Fails from None


_CALLS: dict[str, Callable[..., Value]] = {
    "lower": _lower,
    "upper": _upper,
    "trim": lambda text: text.strip(" "),
    "length": len,
    "substr": _substr,
    "concat": lambda *texts: "".join(texts),
    "abs": _abs,
    "year": lambda d: _utc(d).year,
    "month": lambda d: _utc(d).month,
    "day": lambda d: _utc(d).day,
    "hour": lambda d: d.astimezone(UTC).hour if isinstance(d, datetime) else 0,
    "dayname": lambda d: DAY_NAMES[_utc(d).weekday()],
    "sets_intersect": lambda one, other: not set(elements(one)).isdisjoint(elements(other)),
}
_CASTS: dict[str, Callable[[Value], Value]] = {
    "bigint": _cast_bigint,
    "double": lambda v: to_float(_number(v)),
    "varchar": _cast_varchar,
    "date": _cast_date,
}
