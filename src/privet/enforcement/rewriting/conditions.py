"""Row filters as conditions of another engine, where it would pass the very same rows.

Only parts that have a value in every row are said: comparisons of one kind with one kind. A
conversion, a sum or a function may fail or differ elsewhere, so what has one is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import pyarrow as pa
import pyarrow.types as pat
from sqlglot import exp

from privet.enforcement.rewriting.engines import Engine
from privet.model.expressions import (
    And,
    ColumnRef,
    Compare,
    CompareOp,
    Expr,
    In,
    IsNull,
    Like,
    Literal,
    LiteralValue,
    Not,
    Or,
)
from privet.model.transforms import is_text

Named = Callable[[str], exp.Expr]
"""A column of the raw table by its catalog name."""
_OPERATORS: Mapping[CompareOp, type[exp.Binary]] = {
    CompareOp.EQ: exp.EQ,
    CompareOp.NE: exp.NEQ,
    CompareOp.LT: exp.LT,
    CompareOp.LE: exp.LTE,
    CompareOp.GT: exp.GT,
    CompareOp.GE: exp.GTE,
}
_EXACT_DIGITS = 15
"""So many digits, and a point among them, every engine reads as the nearest 64-bit float."""
_LARGEST = 2**63
_MOST_OPTIONS = 10_000
_LONGEST_DECIMAL = 18
"""So long a decimal and an integer are compared within the 38 digits that engines have."""


class Kind(StrEnum):
    """What values can be compared with each other without being converted."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    MOMENT = "moment"
    NULL = "null"
    OTHER = "other"


_EXACT = {Kind.INTEGER, Kind.DECIMAL}
_CHECKS: tuple[tuple[Callable[[pa.DataType], bool], Kind], ...] = (
    (is_text, Kind.TEXT),
    (pat.is_boolean, Kind.BOOLEAN),
    (pat.is_signed_integer, Kind.INTEGER),
    (lambda kind: pat.is_unsigned_integer(kind) and kind.bit_width < 64, Kind.INTEGER),  # noqa: PLR2004
    (pat.is_decimal128, Kind.DECIMAL),
    (lambda kind: pat.is_float32(kind) or pat.is_float64(kind), Kind.FLOAT),
    (pat.is_date32, Kind.DATE),
    # Nanoseconds end in 2262, and engines that have them fail on a moment beyond.
    (lambda kind: pat.is_timestamp(kind) and not kind.tz and kind.unit != "ns", Kind.MOMENT),
)


def kind_of(kind: pa.DataType) -> Kind:
    """The kind of a column's values."""
    return next((known for check, known in _CHECKS if check(kind)), Kind.OTHER)


class Conditions:
    """Filters over the columns of one table, for one engine."""

    def __init__(self, engine: Engine, types: Mapping[str, pa.DataType], named: Named) -> None:
        """Take the engine, the plain types of the table's columns, and how columns are named."""
        self._engine = engine
        self._types = types
        self._named = named
        self._options_left = _MOST_OPTIONS

    def of(self, expr: Expr) -> exp.Expr:
        """A filter as a condition.

        Raises:
            NotExpressible: the engine might pass other rows.
        """
        match expr:
            case And(parts):
                return self._joined(exp.And, [self.of(p) for p in parts])
            case Or(parts):
                return self._joined(exp.Or, [self.of(p) for p in parts])
            case Not(part):
                return exp.Not(this=exp.Paren(this=self.of(part)))
            case Literal(value):
                return self._truth(value)
            case ColumnRef(name) if self._kind(expr) is Kind.BOOLEAN:
                self._check_booleans()
                return self._named(name)
            case Compare(op, left, right):
                return self._compare(op, left, right)
            case In(subject, options):
                return self._membership(subject, options)
            case IsNull(ColumnRef(name)) if self._kind(expr.subject) is not Kind.OTHER:
                return exp.Is(this=self._named(name), expression=exp.null())
            case Like(ColumnRef(name), pattern) if self._kind(expr.subject) is Kind.TEXT:
                return self._like(name, pattern)
            case _:
                raise self._refusal("converts or computes values, or asks about nested ones")

    def _refusal(self, why: str) -> Exception:
        return self._engine.refusal("the row filter of a dataset", why)

    def _joined(self, joint: type[exp.Connector], parts: list[exp.Expr]) -> exp.Expr:
        joined = exp.Paren(this=parts[0])
        for part in parts[1:]:
            joined = joint(this=joined, expression=exp.Paren(this=part))
        return joined

    def _truth(self, value: LiteralValue) -> exp.Expr:
        if value is None or isinstance(value, bool):
            one = exp.Literal.number(1)
            truth = exp.EQ(this=one, expression=exp.Literal.number(1 if value else 0))
            # `NULL` alone has no type in some engines; neither it nor FALSE lets a row through,
            # but below NOT they differ.
            return truth if value is not None else exp.EQ(this=one.copy(), expression=exp.null())
        raise self._refusal("has a constant that is no condition")

    def _kind(self, expr: Expr) -> Kind:
        match expr:
            case ColumnRef(name):
                return kind_of(self._types[name])
            case Literal(value):
                return _kind_of_literal(value)
            case _:
                raise self._refusal("computes values")

    def _compare(self, op: CompareOp, left: Expr, right: Expr) -> exp.Expr:
        kinds = {self._kind(left), self._kind(right)}
        self._check(op, kinds)
        self._check_numbers(left, right)
        if Kind.FLOAT in kinds:
            this, other = self._float(left), self._float(right)
        else:
            this, other = self._side(left), self._side(right)
        if kinds == {Kind.TEXT} and self._engine.collates:
            this = exp.Collate(this=this, expression=exp.to_identifier("C", quoted=True))
        return _OPERATORS[op](this=this, expression=other)

    def _check(self, op: CompareOp, kinds: set[Kind]) -> None:
        if Kind.NULL in kinds or Kind.OTHER in kinds:
            raise self._refusal("compares values of a kind that engines compare in their own ways")
        numbers = kinds <= {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT}
        if len(kinds) > 1 and not numbers:
            raise self._refusal("compares values of different kinds")
        if Kind.TEXT in kinds and not self._engine.compares_text:
            raise self._refusal("compares texts, which may be equal there without being the same")
        if Kind.FLOAT in kinds and not self._engine.orders_nan:
            raise self._refusal("compares floats, among which NaN is ordered otherwise there")
        if Kind.MOMENT in kinds and not self._engine.keeps_moments:
            raise self._refusal("compares points in time, which have a zone there")
        if Kind.BOOLEAN in kinds:
            self._check_booleans()
            if op not in {CompareOp.EQ, CompareOp.NE}:
                raise self._refusal("orders truth values")

    def _check_numbers(self, left: Expr, right: Expr) -> None:
        """Refuse decimals that an engine would round to compare them."""
        for one, other in ((left, right), (right, left)):
            if self._kind(one) is not Kind.DECIMAL or not isinstance(one, ColumnRef):
                continue
            kind = self._types[one.name]
            match other:
                case ColumnRef(name) if self._types[name] == kind:
                    continue
                case Literal(int() | Decimal() as value) if _fits(value, kind):
                    continue
                case _:
                    raise self._refusal("compares decimals with numbers of other digits")

    def _check_booleans(self) -> None:
        if not self._engine.has_booleans:
            raise self._refusal("has truth values, which are numbers there")

    def _side(self, expr: Expr) -> exp.Expr:
        match expr:
            case ColumnRef(name):
                return self._named(name)
            case Literal(value):
                return self._literal(value)
            case _:
                raise self._refusal("computes values")

    def _float(self, expr: Expr) -> exp.Expr:
        """A number as a 64-bit float; integers and decimals that are one exactly, as literals."""
        match expr:
            case ColumnRef(name) if self._kind(expr) is Kind.FLOAT:
                return exp.cast(self._named(name), "double")
            case Literal(int() | Decimal() as value) if len(_digits(value)) <= _EXACT_DIGITS:
                return exp.cast(_decimal(Decimal(value)), "double")
            case _:
                raise self._refusal("compares floats with numbers that are none")

    def _literal(self, value: LiteralValue) -> exp.Expr:
        match value:
            case bool():
                return exp.true() if value else exp.false()
            case int() if -_LARGEST < value < _LARGEST:
                return _integer(value)
            case Decimal() if len(_digits(value)) <= _LONGEST_DECIMAL:
                return _decimal(value)
            case str():
                return self._engine.text(value)
            case datetime():
                plain = value.replace(tzinfo=None).isoformat(" ", "microseconds")
                return exp.cast(exp.Literal.string(plain), "timestamp")
            case date():
                return exp.cast(exp.Literal.string(value.isoformat()), "date")
            case _:
                raise self._refusal("has a number of too many digits")

    def _membership(self, subject: Expr, options: tuple[Expr, ...]) -> exp.Expr:
        self._options_left -= len(options)
        if self._options_left < 0:
            raise self._refusal("has a list that is too long to be written")
        parts = [
            # What equals NULL is not known, whatever the subject is.
            self._truth(None)
            if option == Literal(None)
            else self._compare(CompareOp.EQ, subject, option)
            for option in options
        ]
        if not parts:
            raise self._refusal("asks for a member of nothing")
        values = [p.expression for p in parts]
        this = parts[0].this
        if all(isinstance(o, Literal) and o.value is not None for o in options):
            return exp.In(this=this, expressions=values)
        return self._joined(exp.Or, parts)

    def _like(self, name: str, pattern: str) -> exp.Expr:
        if not self._engine.compares_text:
            raise self._refusal("compares texts, which may be equal there without being the same")
        if "_" in pattern:
            raise self._refusal("has a LIKE with `_`, which is not one code point everywhere")
        this = self._named(name)
        if self._engine.collates:
            this = exp.Collate(this=this, expression=exp.to_identifier("C", quoted=True))
        return exp.Like(this=this, expression=self._engine.text(pattern))


def _kind_of_literal(value: LiteralValue) -> Kind:
    match value:
        case None:
            return Kind.NULL
        case bool():
            return Kind.BOOLEAN
        case int():
            return Kind.INTEGER
        case Decimal():
            return Kind.DECIMAL
        case str():
            return Kind.TEXT
        case datetime():
            return Kind.MOMENT
        case date():
            return Kind.DATE


def _digits(value: int | Decimal) -> str:
    """All digits that are written, zeros in front included."""
    return format(Decimal(value), "f").replace("-", "").replace(".", "")


def _fits(value: int | Decimal, kind: pa.DataType) -> bool:
    """Whether a decimal type has the number."""
    whole, _, fraction = format(abs(Decimal(value)), "f").partition(".")
    return len(whole) <= kind.precision - kind.scale and len(fraction) <= kind.scale


def _integer(value: int) -> exp.Expr:
    written = exp.Literal.number(str(abs(value)))
    return exp.Neg(this=written) if value < 0 else written


def _decimal(value: Decimal) -> exp.Expr:
    """As a decimal of just its digits: a bare `1.5` is a float in some engines."""
    text = format(value, "f")
    scale = len(text.partition(".")[2])
    word = f"decimal({max(len(_digits(value)), scale, 1)}, {scale})"
    return exp.cast(exp.Literal.string(text), word)
