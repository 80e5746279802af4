"""Parts of a decision as the messages have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import plain_type
from privet.model.decisions import ColumnDecision, Decision, Verdict
from privet.okera.columns import schema_of
from privet.okera.idl import T


def schema_of_visible(decision: Decision) -> Any:
    """The columns that are seen, of the types in which they leave."""
    columns = [decided.column for decided in decision.visible]
    return schema_of(pa.schema([(c.name, plain_type(c.type)) for c in columns]))


def is_open(decision: Decision) -> bool:
    """Whether every row and column is seen in clear."""
    return (
        None in decision.filters
        and not decision.restrictions
        and all(c.verdict is Verdict.CLEAR for c in decision.columns)
    )


def access_of(columns: Iterable[ColumnDecision]) -> dict[str, Any]:
    """For each column whether it is seen as it is, and what is made of it if not."""
    return {decided.column.name: _access(decided) for decided in columns}


def leaves_of(columns: Iterable[ColumnDecision]) -> dict[str, Any]:
    """The same for the paths of all single values, in columns or inside them."""
    return {
        ".".join(path): _access(decided)
        for decided in columns
        for path in _leaves((decided.column.name,), plain_type(decided.column.type))
    }


def _leaves(path: tuple[str, ...], kind: pa.DataType) -> Iterator[tuple[str, ...]]:
    if pat.is_struct(kind):
        for i in range(kind.num_fields):
            yield from _leaves((*path, kind.field(i).name.lower()), kind.field(i).type)
    elif pat.is_list(kind):
        yield from _leaves(path, kind.value_type)
    else:
        yield path


def _access(decided: ColumnDecision) -> Any:
    column = T.TAuthorizeQueryColumn(
        name=decided.column.name, type=str(plain_type(decided.column.type))
    )
    used = {
        use.call.function
        for use in (*(o.transform for o in decided.options), *decided.safeguards)
        if use is not None
    }
    return T.TColumnAccess(
        accessible=decided.verdict is Verdict.CLEAR,
        column=column,
        transform=", ".join(sorted(used)) or None,
    )
