"""What leaves is rebuilt: fresh buffers, zeroes under NULL, plain encodings, no metadata.

Filtering alone is not enough. Readers leave values of other rows under NULLs, slices and
dictionaries carry rows that were filtered out, and view types point into shared buffers.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from privet.enforcement.values import Mask
from privet.model.errors import SourceInvalid


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type in which a column of a source leaves: encodings and extensions undone."""
    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    if pat.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pat.is_string_view(kind) or pat.is_large_string(kind):
        return pa.string()
    if pat.is_binary_view(kind) or pat.is_large_binary(kind):
        return pa.binary()
    if pat.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return pa.struct([pa.field(f.name, plain_type(f.type)) for f in fields])
    if pat.is_list(kind) or pat.is_large_list(kind) or pat.is_fixed_size_list(kind):
        return pa.list_(plain_type(kind.value_type))
    if pat.is_map(kind):
        return pa.map_(plain_type(kind.key_type), plain_type(kind.item_type))
    return kind


def rebuild(column: pa.Array, keep: pa.Array | None) -> pa.Array:
    """The kept rows of a column in buffers of their own.

    Args:
        column: of a plain type, or a dictionary of one.
        keep: the positions of the rows to keep, ascending, or None for all.

    Raises:
        SourceInvalid: a type that cannot be rebuilt.
    """
    # The positions are ours: nothing to check, and checking costs a pass.
    kept = column if keep is None else pc.take(column, keep, boundscheck=False)
    if pat.is_dictionary(kept.type):
        kept = kept.dictionary_decode()
    if pat.is_nested(kept.type):
        return _rebuild_nested(kept)
    if kept.null_count == 0 or pat.is_null(kept.type):
        return kept
    return _zero_under_null(kept)


def withhold(column: pa.Array, show: Mask) -> pa.Array:
    """The column with NULL, and zeroes beneath, where `show` is false."""
    if show.all():
        return column
    positions = pa.array(np.arange(len(column)), mask=~show)
    return rebuild(column.take(positions), None)


def _zero_under_null(array: pa.Array) -> pa.Array:
    if pat.is_boolean(array.type):
        cleared = pc.fill_null(array, fill_value=False)
    elif pat.is_primitive(array.type) or pat.is_decimal(array.type):
        zero = pa.scalar(0, pa.int32()) if array.type.bit_width <= 32 else pa.scalar(0)  # noqa: PLR2004
        if pat.is_decimal(array.type):
            cleared = pc.fill_null(array, pa.scalar(0, array.type))
        else:
            cleared = pc.fill_null(array, _cast_zero(zero, array.type))
    else:
        # Variable-length values under NULL have no length once taken by masked positions.
        return array.take(pa.array(np.arange(len(array)), mask=np.asarray(array.is_null())))
    invalid = pa.array(np.asarray(array.is_valid()))
    return pa.Array.from_buffers(
        array.type, len(array), [invalid.buffers()[1], cleared.buffers()[1]], offset=0
    )


def _cast_zero(zero: pa.Scalar, kind: pa.DataType) -> pa.Scalar:
    if pat.is_integer(kind) or pat.is_floating(kind):
        return pa.scalar(0, pa.int64()).cast(kind)
    return zero.cast(kind)


def _rebuild_nested(array: pa.Array) -> pa.Array:
    kind = array.type
    absent = pa.array(np.asarray(array.is_null()))
    if pat.is_struct(kind):
        # flatten() carries the parent's NULLs into the children.
        children = [rebuild(child, None) for child in array.flatten()]
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return pa.StructArray.from_arrays(children, fields=fields, mask=absent)
    taken = array.take(pa.array(np.arange(len(array)), mask=np.asarray(absent)))
    if pat.is_list(kind):
        values = rebuild(taken.flatten(), None)
        return pa.ListArray.from_arrays(_offsets(taken), values, type=kind, mask=absent)
    if pat.is_map(kind):
        keys, items = (rebuild(part, None) for part in (taken.keys, taken.items))
        return pa.MapArray.from_arrays(_offsets(taken), keys, items, type=kind, mask=absent)
    raise SourceInvalid(f"columns of type `{kind}` cannot be governed")


def _offsets(taken: pa.Array) -> pa.Array:
    """Offsets of a freshly taken list or map array, which begins at zero."""
    return pa.array(np.asarray(taken.offsets), pa.int32())
