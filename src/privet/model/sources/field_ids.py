"""Which column of a table is meant, where its names may come to mean other columns.

Iceberg gives every column and every field inside a number for good. What was reviewed under a name
is what has the number that the name had then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FIELD_IDS = "field_ids"
"""The option of a source with the numbers of its columns: by their names, as JSON has them."""

TABLE_ID = "uuid"
"""The option of a source with what its format tells one table from another by, whatever its name.

Iceberg gives a table a UUID when it is created; who drops it and makes another gets another.
"""

FieldIds = Mapping[str, Sequence[Any]]
"""By the name of a column: its number, and the `FieldIds` of the fields inside it."""


def are_same(reviewed: FieldIds | None, found: FieldIds, column: str) -> bool:
    """Whether a column that was found is the one that was reviewed, and so all that is inside it.

    Args:
        reviewed: the numbers that were kept then; None if there were none.
        found: those of the table now.
        column: its name at the source.
    """
    was, now = (reviewed or {}).get(column), found.get(column)
    if was is None or now is None:
        return False
    return was[0] == now[0] and all(are_same(was[1], now[1], inside) for inside in was[1])
