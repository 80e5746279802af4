"""What a steward says about a column, at registration and afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from privet.model.datasets import Column, FieldTag
from privet.model.errors import InvalidRequest
from privet.model.names import TagName


@dataclass(frozen=True, slots=True)
class ColumnEdit:
    """What to change about a column; None leaves it as it is.

    `tags` are those on the column itself; those on fields inside it stay.
    """

    type: pa.DataType | None = None
    comment: str | None = None
    tags: tuple[TagName, ...] | None = None
    reviewed: bool | None = None


def edit_columns(
    what: object, columns: tuple[Column, ...], edits: Mapping[str, ColumnEdit]
) -> tuple[Column, ...]:
    """The columns with the edits made, by the columns' names.

    Raises:
        InvalidRequest: an edit of a column that `what` does not have.
    """
    unknown = set(edits) - {c.name for c in columns}
    if unknown:
        raise InvalidRequest(f"`{what}` has no column `{min(unknown)}`")
    return tuple(_edit(c, edits[c.name]) if c.name in edits else c for c in columns)


def _edit(column: Column, edit: ColumnEdit) -> Column:
    tags = column.field_tags
    if edit.tags is not None:
        known = {t.tag: t for t in tags if len(t.path) == 1}
        nested = tuple(t for t in tags if len(t.path) > 1)
        # A tag that stays keeps the evidence it came with.
        tags = (*(known.get(t) or FieldTag((column.name,), t) for t in edit.tags), *nested)
    return replace(
        column,
        type=edit.type or column.type,
        comment=column.comment if edit.comment is None else edit.comment,
        reviewed=column.reviewed if edit.reviewed is None else edit.reviewed,
        field_tags=tags,
    )
