"""What a source need not deliver: a superset of the visible rows as an Arrow expression.

A hint only ever spares work; the exact filter runs on whatever comes back. So it is built from
the parts that engines agree on - whole numbers, dates, text and booleans against a literal of the
same kind - and anything else widens it to "all rows". Floats are left out: statistics do not see
NaN, which here is greater than every number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from privet.model.datasets import Dataset
from privet.model.expressions import (
    And,
    ColumnRef,
    Compare,
    CompareOp,
    Expr,
    In,
    Literal,
    Or,
)
from privet.privacy import Kernel

_MIRRORED = {
    CompareOp.LT: CompareOp.GT,
    CompareOp.LE: CompareOp.GE,
    CompareOp.GT: CompareOp.LT,
    CompareOp.GE: CompareOp.LE,
}


def source_hint(filters: tuple[Expr | None, ...], dataset: Dataset) -> pc.Expression | None:
    """A condition over the source's own column names that holds for every visible row.

    None when nothing can be spared.
    """
    columns = {c.name: (c.source_name, c.type) for c in dataset.columns}
    hints = [None if f is None else _hint(f, columns) for f in filters]
    if not hints or any(h is None for h in hints):
        return None
    return reduce(or_, hints)


@dataclass(frozen=True, slots=True)
class Seen:
    """How the cells of a column are seen: as they are (`kernel` is None), or each through it."""

    kernel: Kernel | None


def conjunction(conditions: tuple[Expr, ...]) -> Expr | None:
    """All of them in one; None where there are none."""
    return And(conditions) if len(conditions) > 1 else next(iter(conditions), None)


def raw_conditions(
    conditions: tuple[Expr, ...], seen: Mapping[str, Seen | None]
) -> tuple[Expr, ...]:
    """What conditions on cells as they are seen say of the source's cells.

    Each answer holds for every row for which the condition holds. A comparison of clear cells
    says itself; a token that is compared for equality says its value, where there is one.
    """
    return tuple(raw for c in conditions if (raw := _raw(c, seen)) is not None)


def _raw(condition: Expr, seen: Mapping[str, Seen | None]) -> Expr | None:
    match condition:
        case Compare(op, ColumnRef(name), Literal(value)) if how := seen[name]:
            if how.kernel is None:
                return condition
            return _raw_equal(name, value, how.kernel) if op is CompareOp.EQ else None
        case In(ColumnRef(name), options) if how := seen[name]:
            if how.kernel is None:
                return condition
            values = [o.value for o in options if isinstance(o, Literal)]
            known = [_raw_equal(name, v, how.kernel) for v in values]
            whole = len(values) == len(options) > 1
            return Or(tuple(k for k in known if k)) if whole and all(known) else None
        case _:
            return None


def _raw_equal(name: str, token: Any, kernel: Kernel) -> Expr | None:
    if not kernel.reversible:
        return None
    try:
        tokens = pa.array([token], kernel.kind)
    except (pa.ArrowException, OverflowError):
        return None
    (value,) = kernel.invert(tokens).to_pylist()
    return None if value is None else Compare(CompareOp.EQ, ColumnRef(name), Literal(value))


def narrowed(
    hint: pc.Expression | None, conditions: tuple[Expr, ...], dataset: Dataset
) -> pc.Expression | None:
    """A hint that also leaves out what fails conditions on the source's cells."""
    columns = {c.name: (c.source_name, c.type) for c in dataset.columns}
    hints = [h for c in conditions if (h := _hint(c, columns)) is not None]
    if hint is not None:
        hints.append(hint)
    return reduce(and_, hints) if hints else None


def _hint(expr: Expr, columns: dict[str, tuple[str, pa.DataType]]) -> pc.Expression | None:
    match expr:
        case And(parts):
            known = [h for p in parts if (h := _hint(p, columns)) is not None]
            return reduce(and_, known) if known else None
        case Or(parts):
            known = [_hint(p, columns) for p in parts]
            return None if any(h is None for h in known) else reduce(or_, known)
        case Compare(op, ColumnRef(name), Literal(value)):
            return _compare(op, columns[name], value)
        case Compare(op, Literal(value), ColumnRef(name)):
            return _compare(_MIRRORED.get(op, op), columns[name], value)
        case In(ColumnRef(name), options) if all(isinstance(o, Literal) for o in options):
            values = [o.value for o in options if isinstance(o, Literal)]
            known = [_compare(CompareOp.EQ, columns[name], v) for v in values if v is not None]
            return reduce(or_, known) if known and all(h is not None for h in known) else None
        case _:
            return None


def _compare(op: CompareOp, column: tuple[str, pa.DataType], value: Any) -> pc.Expression | None:
    source_name, kind = column
    scalar = _same_kind(kind, value)
    if scalar is None:
        return None
    field = pc.field(source_name)
    match op:
        case CompareOp.EQ:
            return field == scalar
        case CompareOp.NE:
            return field != scalar
        case CompareOp.LT:
            return field < scalar
        case CompareOp.LE:
            return field <= scalar
        case CompareOp.GT:
            return field > scalar
        case CompareOp.GE:
            return field >= scalar


def _same_kind(kind: pa.DataType, value: Any) -> pa.Scalar | None:
    """The literal as a scalar of the column's type, where both are of the same plain kind."""
    fits = (
        (pat.is_integer(kind) and type(value) is int)
        or (pat.is_boolean(kind) and type(value) is bool)
        or (pat.is_string(kind) and type(value) is str)
    )
    if not fits:
        return None
    if pat.is_integer(kind) and not _in_range(int(value), kind):
        return None
    return pa.scalar(value, kind)


def _in_range(value: int, kind: pa.DataType) -> bool:
    if pat.is_signed_integer(kind):
        return -(2 ** (kind.bit_width - 1)) <= value < 2 ** (kind.bit_width - 1)
    return 0 <= value < 2**kind.bit_width
