"""Columns of which fields are seen: each field in the rows in which somebody granted it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from privet.enforcement.rebuild import withhold
from privet.enforcement.values import Mask
from privet.model.names import FieldPath


def project(array: pa.Array, target: pa.DataType, shown: Mapping[FieldPath, Mask]) -> pa.Array:
    """What is seen of a column.

    Args:
        array: rebuilt.
        target: the type in which it leaves: of the fields that anybody granted, or of all.
        shown: for paths from here inwards, the rows in which all that is there is seen.

    Returns:
        NULL where nothing of a row is seen, and in all fields that are not.
    """
    if not shown:
        return pa.nulls(len(array), target)
    if not any(shown):
        return withhold(array, shown[()])
    kept = withhold(array, np.logical_or.reduce(list(shown.values())))
    absent = pa.array(np.asarray(kept.is_null()))
    if pat.is_list(kept.type):
        sizes = np.asarray(pc.fill_null(pc.list_value_length(kept), 0))
        items = {path: np.repeat(rows, sizes) for path, rows in shown.items()}
        values = project(kept.flatten(), target.value_type, items)
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, target, mask=absent)
    names = [kept.type.field(i).name for i in range(kept.type.num_fields)]
    inside = dict(zip(names, kept.flatten(), strict=True))
    fields = [target.field(i) for i in range(target.num_fields)]
    children = [project(inside[f.name], f.type, _within(shown, f.name)) for f in fields]
    return pa.StructArray.from_arrays(children, fields=fields, mask=absent)


def _within(shown: Mapping[FieldPath, Mask], name: str) -> dict[FieldPath, Mask]:
    """The same from a field inwards."""
    found = {p[1:]: rows for p, rows in shown.items() if p and p[0] == name.lower()}
    if () in shown:
        found[()] = found[()] | shown[()] if () in found else shown[()]
    return found
