"""What is read of a table, and which of its rows may be left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from privet.model.datasets import Column
from privet.model.expressions import Expr


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a reader asks of rows, beyond what the policy says of them.

    It is not asked of the server where that could fail at a row that the reader does not see, or
    for a cell: whoever says which rows come would learn of it.

    Attributes:
        condition: plain; rows that fail it may be left out.
        exact: whether the rows that pass the policy's condition are those the reader sees, with
            the cells that this condition compares.
        clear: columns that the reader sees as they are, in all these rows.
    """

    condition: Expr
    exact: bool
    clear: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of a table.

    Attributes:
        columns: in the types in which the catalog has them.
        bound: those that have to be there, of those types, whether they are read or not.
        condition: the policy's, plain; rows that fail it may be left out (see
            `privet.enforcement.hints`).
        narrowing: what the reader asks besides.
        limit: of rows, for samples.
    """

    columns: Sequence[Column]
    bound: Sequence[Column] = ()
    condition: Expr | None = None
    narrowing: Narrowing | None = None
    limit: int | None = None
