"""What a decision makes of a cell, as an expression of another engine."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.types as pat
from sqlglot import exp

from privet.enforcement.rewriting.conditions import Conditions, Kind, kind_of
from privet.enforcement.rewriting.engines import Engine
from privet.model.datasets import plain_type
from privet.model.decisions import CellOption, ColumnDecision, Decision
from privet.model.expressions import Call, Literal
from privet.model.transforms import get_spec, is_text, steps
from privet.privacy.general.unicode import is_lettered

_EPOCH = "1970-01-01"
_INTEGERS = {8: "tinyint", 16: "smallint", 32: "int", 64: "bigint"}


class Cells:
    """The visible columns of one decision, for one engine."""

    def __init__(self, engine: Engine, decision: Decision, conditions: Conditions) -> None:
        """Take the engine, the decision, and the conditions over the raw table."""
        self._engine = engine
        self._filters = decision.filters
        self._conditions = conditions

    def of(self, chosen: ColumnDecision, raw: exp.Expr) -> exp.Expr:
        """A column as its reader sees it.

        Args:
            chosen: the decision about it.
            raw: the column in the raw table.

        Raises:
            NotExpressible: the engine cannot make the same of every cell.
        """
        if any(option.fields is not None for option in chosen.options):
            raise self._engine.refusal("a column", "is seen in some of its fields only")
        ways = [self._way(option, chosen, raw) for option in chosen.options]
        shown = ways[0]
        if not self._covers(chosen.options[0]):
            shown = exp.Case()
            for option, way in zip(chosen.options, ways, strict=True):
                shown = shown.when(self._any_of(option), way)
        if chosen.cell_filters:
            holds = [self._conditions.of(f) for f in chosen.cell_filters]
            shown = exp.Case().when(exp.and_(*holds, copy=False), shown)
        return shown

    def _covers(self, option: CellOption) -> bool:
        """Whether all visible cells are shown in this way."""
        every = len(option.filters) == len(self._filters)
        return every or any(self._filters[i] is None for i in option.filters)

    def _any_of(self, option: CellOption) -> exp.Expr:
        holding = [self._filters[i] or Literal(value=True) for i in sorted(option.filters)]
        return exp.or_(*map(self._conditions.of, holding or [Literal(value=False)]), copy=False)

    def _way(self, option: CellOption, chosen: ColumnDecision, raw: exp.Expr) -> exp.Expr:
        own = option.transform
        uses = (*([own] if own else []), *(use for use in chosen.safeguards if use != own))
        cell = raw.copy()
        for use in uses:
            for step in steps(use.call):
                cell = self._step(step, cell, chosen)
        return cell

    def _step(self, step: Call, cell: exp.Expr, chosen: ColumnDecision) -> exp.Expr:
        name, kind = get_spec(step.function).name, plain_type(chosen.column.type)
        if name == "null":
            return exp.Case().when(_false(), cell)
        if name == "zero" or (name == "mask" and not is_text(kind)):
            return exp.Case().when(cell.copy().is_(exp.null()), cell).else_(self._zero(kind, name))
        if name == "mask" and len(step.arguments) == 1 and self._engine.searches_classes:
            return exp.Anonymous(
                this="regexp_replace",
                expressions=[
                    cell,
                    exp.Literal.string(_lettered()),
                    exp.Literal.string("X"),
                    exp.Literal.string("g"),
                ],
            )
        raise self._refusal(name)

    def _refusal(self, name: str) -> Exception:
        return self._engine.refusal(
            f"the transform `{name}` of a column", "cannot be computed there to the same result"
        )

    def _zero(self, kind: pa.DataType, name: str) -> exp.Expr:
        match kind_of(kind):
            case Kind.TEXT:
                return exp.Literal.string("")
            case Kind.BOOLEAN if self._engine.has_booleans:
                return exp.false()
            case Kind.INTEGER if pat.is_signed_integer(kind):
                return exp.cast(exp.Literal.number(0), _INTEGERS[kind.bit_width])
            case Kind.FLOAT:
                word = "float" if pat.is_float32(kind) else "double"
                return exp.cast(exp.Literal.number(0), word)
            case Kind.DECIMAL if 0 <= kind.scale <= kind.precision:
                word = f"decimal({kind.precision}, {kind.scale})"
                return exp.cast(exp.Literal.number(0), word)
            case Kind.DATE:
                return exp.cast(exp.Literal.string(_EPOCH), "date")
            case Kind.MOMENT if self._engine.keeps_moments:
                return exp.cast(exp.Literal.string(f"{_EPOCH} 00:00:00"), "timestamp")
            case _:
                raise self._refusal(name)


def _false() -> exp.Expr:
    return exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(0))


@lru_cache(1)
def _lettered() -> str:
    """A class of all code points that `mask` replaces: ranges of them, each written as it is.

    Engines know different versions of Unicode, so their own classes would let some through.
    """
    flags = np.concatenate(([False], is_lettered(np.arange(0x110000, dtype=np.uint32)), [False]))
    edges = np.flatnonzero(flags[1:] != flags[:-1]).tolist()
    ranges = ((first, stop - 1) for first, stop in list(pairwise(edges))[::2])
    return f"[{''.join(chr(a) if a == b else f'{chr(a)}-{chr(b)}' for a, b in ranges)}]"
