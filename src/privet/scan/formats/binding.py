"""What files have, bound to what a plan reads: by name, and in the types that were registered."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.types as pat

from privet.enforcement import EnforcedPlan
from privet.model.datasets import Column, plain_type
from privet.model.edits import holds
from privet.model.errors import SchemaChanged, SourceInvalid, SourceUnavailable
from privet.scan.files import RECRAWL, PlannedFile, bound, with_partitions


def check_schema(found: pa.Schema, plan: EnforcedPlan) -> None:
    """Check that all is there that was reviewed; fields that appeared inside it are left out.

    Raises:
        SchemaChanged: a registered column is gone or has another type.
    """
    for column in bound(plan):
        index = found.get_field_index(column.source_name)
        if index < 0 or not holds(found.field(index).type, column.type):
            raise SchemaChanged(
                "a file of this dataset no longer has all its registered columns and types",
                hint=RECRAWL,
            )


def finish(
    batch: pa.RecordBatch, columns: Sequence[Column], file: PlannedFile, plan: EnforcedPlan
) -> pa.RecordBatch:
    """A batch of a file as a plan reads it: under catalog names, plain, with partitions."""
    if not columns:
        return with_partitions(batch, file, plan)
    arrays = [_plain(batch.column(c.source_name), c) for c in columns]
    plain = pa.RecordBatch.from_arrays(arrays, names=[c.name for c in columns])
    return with_partitions(plain, file, plan)


def _plain(array: pa.Array, column: Column) -> pa.Array:
    target = plain_type(column.type)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pat.is_dictionary(array.type) and array.type.value_type == target:
        return array
    if array.type == target:
        return array
    if array.offset and pat.is_nested(array.type):
        # Arrow casts a slice of structs in structs to what ends the process when it is looked at.
        array = pa.concat_arrays([array])
    return array.cast(target)


@contextmanager
def told(form: str) -> Generator[None]:
    """Arrow's errors as ours, and names that are no text; what these say can hold values.

    Args:
        form: what the format is called.

    Raises:
        SourceInvalid, SourceUnavailable: instead of them.
    """
    try:
        yield
    except OSError as error:
        raise SourceUnavailable(
            "a file of this dataset could not be read to its end",
            hint="try again; if it stays so, tell a data steward",
        ) from error
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise SourceInvalid(
            f"a file of this dataset is not readable as {form}", hint=RECRAWL
        ) from error
