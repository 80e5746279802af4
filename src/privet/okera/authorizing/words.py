"""Decisions in the original's SQL: for compatibility, where nothing runs what is written.

The original sends functions of its own to engines that have them. Here they are only named, as
its tests read them; a statement that is to run is compiled by the use case instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.types as pat
from sqlglot import exp
from sqlglot.dialects.hive import Hive

from privet.model.datasets import plain_type
from privet.model.decisions import ColumnDecision, Decision
from privet.model.errors import NotExpressible
from privet.model.expressions import Call
from privet.model.names import DatasetName
from privet.model.transforms import get_spec

_TYPES: Mapping[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "STRING",
    pa.date32(): "DATE",
}
_EPOCH = "1970-01-01 00:00:00"
_KEYWORDS = frozenset(
    "add aggregate all alter and as asc avro between bigint by case cast change char column columns"
    " comment compute create cross data database date datetime decimal delimited desc describe"
    " distinct double drop else end escaped exists external false fields first float format from"
    " full function group having if in inner insert int integer interval into is join last left"
    " like limit lines load location metadata not null nulls offset on or order outer over"
    " overwrite partition partitioned partitions preceding range real rename replace returns right"
    " row rows schema schemas select set show smallint stats stored string table tables terminated"
    " then timestamp tinyint to true union update use using values varchar view when where"
    " with".split()
)


class _Words(Hive):
    """The dialect with the original's spelling."""

    class Generator(Hive.Generator):
        """`as` in small letters, decimals without blanks."""

        def alias_sql(self, expression: exp.Alias) -> str:
            """A column with its name."""
            return f"{self.sql(expression, 'this')} as {self.sql(expression, 'alias')}"

        def not_sql(self, expression: exp.Not) -> str:
            """A negation."""
            told = expression.this
            if isinstance(told, exp.Is) and isinstance(told.expression, exp.Null):
                return f"{self.sql(told, 'this')} IS NOT NULL"
            return super().not_sql(expression)

        def datatype_sql(self, expression: exp.DataType) -> str:
            """A type."""
            return super().datatype_sql(expression).replace(", ", ",")


class _Alone(_Words):
    """The same for a condition that stands alone: names that are keywords are in quotes."""

    class Generator(_Words.Generator):
        """Knows the keywords."""

        RESERVED_KEYWORDS: ClassVar[set[str]] = set(_KEYWORDS)


@dataclass(frozen=True, slots=True)
class Style:
    """How a client wants names: in quotes, and the functions in a database of their own.

    With `alone` those are in quotes that are keywords of the original.
    """

    quoted: bool = False
    apart: bool = False
    alone: bool = False

    def written(self, tree: exp.Expr) -> str:
        """A tree as text."""
        dialect = _Alone if self.alone else _Words
        return tree.sql(dialect, identify=self.quoted, comments=False, normalize_functions=False)

    def function(self, name: str, cell: exp.Expr) -> exp.Expr:
        """A function of the original on a cell."""
        if not self.apart:
            return exp.Anonymous(this=name, expressions=[cell])
        called = exp.Anonymous(this=name, expressions=[cell])
        if self.quoted:
            called = exp.Anonymous(this=exp.to_identifier(name, quoted=True), expressions=[cell])
        return exp.Dot(this=exp.to_identifier("okera_udfs", quoted=self.quoted), expression=called)


def columns(decision: Decision, style: Style) -> dict[str, exp.Expr]:
    """What is selected for each visible column."""
    return {c.column.name: _shown(c, decision, style) for c in decision.visible}


def _shown(decided: ColumnDecision, decision: Decision, style: Style) -> exp.Expr:
    raw, name = exp.column(decided.column.name), decided.column.name
    (option, *others) = decided.options
    own = option.transform
    uses = [*([own] if own else []), *(use for use in decided.safeguards if use != own)]
    if option.fields is not None:
        raise NotExpressible(f"of `{name}` some fields are seen only")
    if others or decided.cell_filters or len(option.filters) < len(decision.filters):
        raise NotExpressible(f"the cells of `{name}` are seen in several ways")
    cell: exp.Expr = raw
    kind = plain_type(decided.column.type)
    for use in uses:
        cell = _applied(use.call, cell, kind, style)
    return exp.alias_(cell, name) if uses else raw


def _applied(call: Call, cell: exp.Expr, kind: pa.DataType, style: Style) -> exp.Expr:
    name, word = get_spec(call.spelled or call.function).name, _word(kind)
    if name == "null":
        return exp.null() if word is None else _null(kind, word)
    if name in {"mask", "zero"} and not pat.is_string(kind):
        return _zero(kind, word or "STRING")
    if name == "zero":
        return exp.Literal.string("")
    called = style.function(call.spelled or name, cell)
    if name == "sha2" and not pat.is_int64(kind) and word is not None:
        return exp.cast(called, word, dialect="hive")
    return called


def _word(kind: pa.DataType) -> str | None:
    if pat.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    return "TIMESTAMP" if pat.is_timestamp(kind) else _TYPES.get(kind)


def _null(kind: pa.DataType, word: str) -> exp.Expr:
    if pat.is_date(kind) or pat.is_timestamp(kind):
        return exp.cast(exp.cast(exp.null(), "TIMESTAMP", dialect="hive"), word, dialect="hive")
    return exp.cast(exp.null(), word, dialect="hive")


def _zero(kind: pa.DataType, word: str) -> exp.Expr:
    if pat.is_boolean(kind):
        return exp.false()
    if pat.is_date(kind) or pat.is_timestamp(kind):
        return exp.Cast(
            this=exp.Literal.string(_EPOCH), to=exp.DataType.build(word, dialect="hive")
        )
    return exp.cast(exp.Literal.number(0), word, dialect="hive")


def table(name: DatasetName) -> exp.Table:
    """A dataset as it is named in FROM."""
    return exp.table_(name.name, db=name.database)
