"""Row filters in the original's SQL, for the same answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from sqlglot import exp

from privet.model import expressions as e
from privet.model.errors import NotExpressible

_OPERATORS: Mapping[e.CompareOp, type[exp.Binary]] = {
    e.CompareOp.EQ: exp.EQ,
    e.CompareOp.NE: exp.NEQ,
    e.CompareOp.LT: exp.LT,
    e.CompareOp.LE: exp.LTE,
    e.CompareOp.GT: exp.GT,
    e.CompareOp.GE: exp.GTE,
}


def filtered(filter_: e.Expr) -> exp.Expr:
    """A filter as a tree."""
    match filter_:
        case e.Literal(value):
            return _constant(value)
        case e.ColumnRef(name):
            return exp.column(name)
        case e.FieldRef((column, *inside)):
            return exp.Dot.build([exp.column(column), *map(exp.to_identifier, inside)])
        case e.Compare(op, left, right):
            return _compare(op, left, right)
        case e.And(parts):
            return _joined(exp.And, parts)
        case e.Or(parts):
            return _joined(exp.Or, _merged(parts))
        case _:
            return _test(filter_)


def _test(filter_: e.Expr) -> exp.Expr:
    match filter_:
        case e.Not(e.IsNull(subject)):
            return exp.Not(this=exp.Is(this=filtered(subject), expression=exp.null()))
        case e.Not(part):
            return exp.Not(this=exp.Paren(this=filtered(part)))
        case e.In(subject, options):
            return exp.In(this=filtered(subject), expressions=[filtered(o) for o in options])
        case e.IsNull(subject):
            return exp.Is(this=filtered(subject), expression=exp.null())
        case e.Like(subject, pattern):
            return exp.Like(this=filtered(subject), expression=exp.Literal.string(pattern))
        case e.Call(function, arguments):
            return exp.Anonymous(this=function, expressions=[filtered(a) for a in arguments])
        case _:
            raise NotExpressible("the filter computes values")


def _compare(op: e.CompareOp, left: e.Expr, right: e.Expr) -> exp.Expr:
    if isinstance(left, e.Literal) and op is e.CompareOp.EQ:
        left, right = right, left
    return _OPERATORS[op](this=filtered(left), expression=filtered(right))


def _merged(parts: tuple[e.Expr, ...]) -> tuple[e.Expr, ...]:
    """Alternatives on one column as one list of values, each alternative once."""
    values: dict[e.Expr, list[e.Expr]] = {}
    kept: list[e.Expr] = []
    for part in parts:
        match part:
            case e.Compare(e.CompareOp.EQ, subject, e.Literal() as option):
                options: tuple[e.Expr, ...] = (option,)
            case e.In(subject, options):
                pass
            case _:
                if part not in kept:
                    kept.append(part)
                continue
        if subject not in values:
            kept.append(subject)
        values.setdefault(subject, []).extend(options)
    return tuple(
        part if part not in values else _alternatives(part, tuple(values[part])) for part in kept
    )


def _alternatives(subject: e.Expr, options: tuple[e.Expr, ...]) -> e.Expr:
    single = len(options) == 1
    return e.Compare(e.CompareOp.EQ, subject, options[0]) if single else e.In(subject, options)


def _joined(joint: Callable[..., exp.Expr], parts: tuple[e.Expr, ...]) -> exp.Expr:
    whole = _operand(joint, parts[0])
    for part in parts[1:]:
        whole = joint(this=whole, expression=_operand(joint, part))
    return whole


def _operand(joint: Callable[..., exp.Expr], part: e.Expr) -> exp.Expr:
    """A part, in parentheses where it binds less than what joins it."""
    told = filtered(part)
    return exp.Paren(this=told) if joint is exp.And and isinstance(told, exp.Or) else told


def in_dax(filter_: exp.Expr) -> str:
    """A comparison of a column with a text, as DAX has it.

    Raises:
        NotExpressible: it is something else.
    """
    match filter_:
        case exp.EQ() if isinstance(filter_.this, exp.Column) and filter_.expression.is_string:
            name, text = filter_.this.name, filter_.expression.name
            if not {*'[]"'} & {*name, *text}:
                return f'[{name}] = "{text}"'
        case _:
            pass
    raise NotExpressible("the filter cannot be said in DAX")


def values_of(filter_: exp.Expr) -> dict[str, set[str]] | None:
    """The values that one column may have, if that is all that a filter says."""
    match filter_:
        case exp.In() if isinstance(filter_.this, exp.Column):
            options = filter_.expressions
        case exp.EQ() if isinstance(filter_.this, exp.Column):
            options = [filter_.expression]
        case _:
            return None
    if not all(isinstance(o, exp.Literal) for o in options):
        return None
    return {filter_.this.name: {o.name for o in options}}


def _constant(value: e.LiteralValue) -> exp.Expr:
    match value:
        case None:
            return exp.null()
        case bool():
            return exp.true() if value else exp.false()
        case int() | Decimal():
            return exp.Literal.number(str(value))
        case datetime():
            return exp.Literal.string(value.isoformat(" "))
        case date():
            return exp.Literal.string(value.isoformat())
        case str():
            return exp.Literal.string(value)
