"""Row filters on Arrow batches: total, three-valued, failures counted against the row.

The law is docs/reference/expressions.md; `tests/oracle` holds a slow interpreter of the same page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from operator import attrgetter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from privet.enforcement import arithmetic
from privet.enforcement.compare import compare
from privet.enforcement.items import Asked, ask
from privet.enforcement.raw import raw_value
from privet.enforcement.values import (
    DayParts,
    Mask,
    Value,
    Whole,
    day_parts,
    either,
    spread,
    true_rows,
    unify_results,
    valid_rows,
    without,
)
from privet.model.errors import TypeMismatch
from privet.model.expressions import (
    And,
    Arithmetic,
    Call,
    Case,
    ColumnRef,
    Compare,
    CompareOp,
    Expr,
    FieldRef,
    In,
    IsNull,
    Like,
    Literal,
    LiteralValue,
    Negate,
    Not,
    Or,
)
from privet.model.transforms import is_text
from privet.policy import DAY_NAMES, columns_of, elements, fields_in

_LONGEST_LIST = 100_000
_SLICE = 4_096
"""So many rows at once have their items taken out."""
_NULL_BOOL = pa.scalar(None, pa.bool_())
Columns = Mapping[str, pa.Array]


def passing_rows(filter_: Expr | None, columns: Columns, rows: int) -> Mask:
    """The rows for which a filter is TRUE and no part of it failed; None passes all.

    Args:
        filter_: a boolean expression without `user()` and `now()` (the decision bound them).
        columns: the raw columns it names, each of `rows` values.
        rows: the length of the batch.

    Raises:
        TypeMismatch: the filter does not type-check; the decision let no such filter through.
    """
    if filter_ is None:
        return np.ones(rows, np.bool_)
    if not (fields := fields_in(filter_)):
        return _passing(filter_, [Asked(columns, {}, rows)], rows)
    found = np.zeros(rows, np.bool_)
    for start in range(0, rows, _SLICE):
        part = {name: column[start : start + _SLICE] for name, column in columns.items()}
        size = min(_SLICE, rows - start)
        asked = ask(part, columns_of(filter_), fields, size)
        found[start : start + size] = _passing(filter_, asked, size)
    return found


def _passing(filter_: Expr, questions: Iterable[Asked], rows: int) -> Mask:
    """The rows for one question about which a filter is TRUE, and for none of which it failed."""
    found, broken = np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
    for asked in questions:
        value = _Evaluation(asked).boolean(filter_)
        passing = true_rows(value.datum, asked.count)
        at = np.arange(rows) if asked.rows is None else asked.rows
        found[at[passing]] = True
        if value.failed is not None:
            broken[at[value.failed]] = True
    return found & ~broken


class _Evaluation:
    """One batch."""

    def __init__(self, asked: Asked) -> None:
        self._columns = asked.columns
        self._fields = asked.fields
        self._rows = asked.count
        self._values: dict[str, Value] = {}

    def boolean(self, expr: Expr) -> Value:
        value = self.value(expr)
        if pat.is_null(value.datum.type):
            return Value(_NULL_BOOL, value.failed)
        if not pat.is_boolean(value.datum.type):
            raise TypeMismatch(f"a condition is needed, not a value of type `{value.datum.type}`")
        return value

    def value(self, expr: Expr) -> Value:  # noqa: C901 - one case per node
        match expr:
            case Literal(value):
                return Value(literal(value))
            case ColumnRef(name):
                return self._column(name)
            case FieldRef():
                return self._field(expr.name)
            case Compare(op, left, right):
                return compare(op, self.value(left), self.value(right), self._rows)
            case And(parts):
                return self._combine(pc.and_kleene, parts)
            case Or(parts):
                return self._combine(pc.or_kleene, parts)
            case Not(part):
                inner = self.boolean(part)
                return Value(pc.invert(inner.datum), inner.failed)
            case In(subject, options):
                return self._membership(self.value(subject), options)
            case Like(subject, pattern):
                return self._like(self.value(subject), pattern)
            case IsNull(subject):
                return self._is_null(self.value(subject))
            case Case(branches, default):
                return self._case(branches, default)
            case Arithmetic(op, left, right):
                return arithmetic.calculate(op, self.value(left), self.value(right), self._rows)
            case Negate(part):
                return arithmetic.negate(self.value(part), self._rows)
            case Call():
                return self._call(expr)
            case _:
                raise TypeMismatch("this expression has no value in a row filter")

    def _column(self, name: str) -> Value:
        value = self._values.get(name)
        if value is None:
            value = self._values[name] = raw_value(self._columns[name])
        return value

    def _field(self, name: str) -> Value:
        array = self._fields[name]
        if array is None:
            # Nobody knows what it would be.
            return Value(pa.nulls(self._rows), np.ones(self._rows, np.bool_))
        value = self._values.get(name)
        if value is None:
            value = self._values[name] = raw_value(array)
        return value

    def _combine(
        self, kernel: Callable[[object, object], pa.Array], parts: tuple[Expr, ...]
    ) -> Value:
        values = [self.boolean(part) for part in parts]
        result = values[0].datum
        for value in values[1:]:
            result = kernel(result, value.datum)
        return Value(result, either(*(v.failed for v in values)))

    def _membership(self, subject: Value, options: tuple[Expr, ...]) -> Value:
        tests = [
            compare(CompareOp.EQ, subject, self.value(option), self._rows) for option in options
        ]
        result = tests[0].datum
        for test in tests[1:]:
            result = pc.or_kleene(result, test.datum)
        return Value(result, either(subject.failed, *(t.failed for t in tests)))

    def _like(self, subject: Value, pattern: str) -> Value:
        if pat.is_null(subject.datum.type):
            return Value(_NULL_BOOL, subject.failed)
        if not is_text(subject.datum.type):
            raise TypeMismatch(f"LIKE needs text, not a value of type `{subject.datum.type}`")
        return Value(
            pc.match_substring_regex(subject.datum, like_to_regex(pattern)), subject.failed
        )

    def _is_null(self, subject: Value) -> Value:
        known = valid_rows(subject.datum, self._rows)
        return Value(pa.array(~known), subject.failed)

    def _case(self, branches: tuple[tuple[Expr, Expr], ...], default: Expr) -> Value:
        """Failures count in the conditions looked at and in the branch taken, nowhere else."""
        open_rows = np.ones(self._rows, np.bool_)
        failed = np.zeros(self._rows, np.bool_)
        chosen: list[tuple[Mask, Value]] = []
        for condition, result in branches:
            test = self.boolean(condition)
            if test.failed is not None:
                failed |= test.failed & open_rows
            taken = open_rows & true_rows(test.datum, self._rows)
            chosen.append((taken, self.value(result)))
            open_rows = open_rows & ~taken
        chosen.append((open_rows, self.value(default)))
        unified = unify_results([value for _, value in chosen], self._rows)
        result = unified[-1].datum
        for (taken, _), value in zip(chosen, unified, strict=True):
            if value.failed is not None:
                failed |= value.failed & taken
            result = pc.if_else(pa.array(taken), value.datum, result)
        return without(Value(spread(result, self._rows)), failed, self._rows)

    def _call(self, call: Call) -> Value:
        function = _FUNCTIONS.get(call.function)
        if call.function == "cast":
            target = call.arguments[1]
            return _cast(self.value(call.arguments[0]), target, self._rows)
        if function is None:
            raise TypeMismatch(f"`{call.function}` has no value in a row filter")
        return function([self.value(a) for a in call.arguments], self._rows)


def literal(value: LiteralValue) -> pa.Scalar:
    """A constant as an Arrow scalar of a working type."""
    match value:
        case None:
            return pa.scalar(None, pa.null())
        case bool():
            return pa.scalar(value)
        case int():
            if -(2**63) <= value < 2**63:
                return pa.scalar(value, pa.int64())
            return _decimal(Decimal(value))
        case Decimal():
            return _decimal(value)
        case str():
            return pa.scalar(value, pa.string())
        case datetime():
            return pa.scalar(value, pa.timestamp("us", tz="UTC"))
        case date():
            return pa.scalar(value, pa.date32())


def _decimal(value: Decimal) -> pa.Scalar:
    _, digits, exponent = value.as_tuple()
    scale = max(0, -exponent) if isinstance(exponent, int) else 0
    whole = len(digits) + (exponent if isinstance(exponent, int) else 0)
    if not value.is_finite() or scale > 38 or whole > 38:  # noqa: PLR2004 - decimal256 halves
        raise TypeMismatch("a number literal has too many digits")
    return pa.scalar(value, pa.decimal256(76, scale))


def like_to_regex(pattern: str) -> str:
    """A LIKE pattern as an anchored RE2 pattern; a trailing backslash stands for itself."""
    out: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            out.append(re.escape(next(characters, "\\")))
        elif character == "%":
            out.append(".*")
        elif character == "_":
            out.append(".")
        else:
            out.append(re.escape(character))
    return f"(?s)^{''.join(out)}$"


def _cast(value: Value, target: Expr, rows: int) -> Value:
    name = target.value if isinstance(target, Literal) else None
    casts = {
        "bigint": arithmetic.cast_bigint,
        "double": arithmetic.cast_double,
        "varchar": arithmetic.cast_varchar,
        "date": arithmetic.cast_date,
    }
    kinds = {"bigint": pa.int64(), "double": pa.float64(), "varchar": pa.string()}
    if not isinstance(name, str) or name not in casts:
        raise TypeMismatch("no such cast")
    if pat.is_null(value.datum.type):
        return Value(pa.scalar(None, kinds.get(name, pa.date32())), value.failed)
    return casts[name](value, rows)


def _text(value: Value, function: str) -> Value:
    if pat.is_null(value.datum.type):
        return Value(pa.scalar(None, pa.string()), value.failed)
    if not is_text(value.datum.type):
        raise TypeMismatch(f"`{function}` needs text, not `{value.datum.type}`")
    return value


def _text_function(kernel: Callable[[object], pa.Array], values: list[Value], _: int) -> Value:
    text = _text(values[0], "this function")
    return Value(kernel(text.datum), text.failed)


def _substr(values: list[Value], rows: int) -> Value:
    text = _text(values[0], "substr")
    bounds = [v.datum for v in values[1:]]
    if not all(isinstance(b, pa.Scalar) and pat.is_integer(b.type) for b in bounds):
        raise TypeMismatch("the start and count of `substr` are integer literals")
    start, count = bounds[0].as_py(), bounds[1].as_py() if len(bounds) > 1 else None
    if start < 1 or (count is not None and count < 0):
        everywhere = valid_rows(text.datum, rows)
        return without(text, everywhere, rows)
    stop = None if count is None else min(start - 1 + count, 2**31 - 1)
    start = min(start - 1, 2**31 - 1)
    return Value(pc.utf8_slice_codeunits(text.datum, start, stop), text.failed)


def _concat(values: list[Value], _: int) -> Value:
    texts = [_text(v, "concat") for v in values]
    joined = pc.binary_join_element_wise(*(t.datum for t in texts), pa.scalar(""))
    return Value(joined, either(*(t.failed for t in texts)))


def _coalesce(values: list[Value], rows: int) -> Value:
    unified = unify_results(values, rows)
    return Value(pc.coalesce(*(v.datum for v in unified)), either(*(v.failed for v in unified)))


def _date_part(part: Callable[[DayParts], Whole], values: list[Value], rows: int) -> Value:
    value = values[0]
    if pat.is_null(value.datum.type):
        return Value(pa.scalar(None, pa.int64()), value.failed)
    if not (pat.is_date(value.datum.type) or pat.is_timestamp(value.datum.type)):
        raise TypeMismatch(f"a date is needed, not `{value.datum.type}`")
    known = valid_rows(value.datum, rows)
    numbers = np.broadcast_to(part(day_parts(value.datum)), (rows,))
    return Value(pa.array(numbers, pa.int64(), mask=~known), value.failed)


def _day_name(values: list[Value], rows: int) -> Value:
    numbers = _date_part(attrgetter("weekday"), values, rows)
    return Value(pa.array(DAY_NAMES).take(spread(numbers.datum, rows)), numbers.failed)


def _sets_intersect(values: list[Value], rows: int) -> Value:
    """Whether two lists share an element; lists longer than any author writes have no value."""
    sides = [_text(v, "sets_intersect") for v in values]
    columns = [pa.array(spread(s.datum, rows)) for s in sides]
    known = np.logical_and.reduce([valid_rows(s.datum, rows) for s in sides])
    long = np.zeros(rows, np.bool_)
    for column in columns:
        sizes = pc.fill_null(pc.utf8_length(column), 0)
        long |= np.asarray(pc.greater(sizes, _LONGEST_LIST))
    pairs = zip(*(column.to_pylist() for column in columns), known & ~long, strict=True)
    met = [
        not set(elements(one)).isdisjoint(elements(other)) if is_known else None
        for one, other, is_known in pairs
    ]
    failed = either(*(s.failed for s in sides))
    return without(Value(pa.array(met, pa.bool_()), failed), long & known, rows)


_FUNCTIONS: dict[str, Callable[[list[Value], int], Value]] = {
    "lower": partial(_text_function, pc.utf8_lower),
    "upper": partial(_text_function, pc.utf8_upper),
    "trim": partial(_text_function, partial(pc.utf8_trim, characters=" ")),
    "length": partial(_text_function, pc.utf8_length),
    "substr": _substr,
    "concat": _concat,
    "coalesce": _coalesce,
    "sets_intersect": _sets_intersect,
    "abs": lambda values, rows: arithmetic.absolute(values[0], rows),
    "year": partial(_date_part, attrgetter("year")),
    "month": partial(_date_part, attrgetter("month")),
    "day": partial(_date_part, attrgetter("day")),
    "hour": partial(_date_part, attrgetter("hour")),
    "dayname": _day_name,
}
