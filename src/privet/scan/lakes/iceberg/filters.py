"""What a plan's condition says, in the words of `pyiceberg`: which files cannot hold a row."""

from __future__ import annotations

from functools import reduce
from typing import Any

from pyiceberg import expressions as e

from privet.model.datasets import Dataset
from privet.model.expressions import And, ColumnRef, Compare, CompareOp, Expr, In, Literal, Or

_COMPARED = {
    CompareOp.EQ: e.EqualTo,
    CompareOp.LT: e.LessThan,
    CompareOp.LE: e.LessThanOrEqual,
    CompareOp.GT: e.GreaterThan,
    CompareOp.GE: e.GreaterThanOrEqual,
}


def as_iceberg(condition: Expr | None, dataset: Dataset) -> e.BooleanExpression | None:
    """A condition that holds wherever the plan's does; None where nothing can be said."""
    names = {c.name: c.source_name for c in dataset.columns}
    return None if condition is None else _said(condition, names)


def _said(expr: Expr, names: dict[str, str]) -> e.BooleanExpression | None:
    match expr:
        case And(parts):
            known = [said for part in parts if (said := _said(part, names)) is not None]
            return reduce(e.And, known) if known else None
        case Or(parts):
            both = [_said(part, names) for part in parts]
            said = [each for each in both if each is not None]
            return reduce(e.Or, said) if said and len(said) == len(both) else None
        case Compare(op, ColumnRef(name), Literal(value)) if op in _COMPARED and value is not None:
            return _about(names[name], _COMPARED[op], value)
        case In(ColumnRef(name), options):
            values = [o.value for o in options if isinstance(o, Literal)]
            whole = len(values) == len(options) and None not in values
            return _about(names[name], e.In, set(values)) if whole and values else None
        case _:
            return None


def _about(name: str, make: Any, value: Any) -> e.BooleanExpression | None:
    # To the library, a dot leads into a struct.
    return None if "." in name else make(name, value)
