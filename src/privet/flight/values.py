"""Values for the parameters of a statement, as clients send them."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from privet.model.errors import InvalidRequest


def only_row(batches: Iterable[pa.RecordBatch | None]) -> pa.RecordBatch | None:
    """The one row that batches hold together; None if they hold none.

    Raises:
        InvalidRequest: more than one row, or buffers that do not hold what they claim.
    """
    found: pa.RecordBatch | None = None
    try:
        for batch in batches:
            if batch is None or batch.num_rows == 0:
                continue
            if found is not None or batch.num_rows > 1:
                raise InvalidRequest(
                    "parameters are exactly one row", hint="run the rows one by one"
                )
            # They are a stranger's: offsets that lead out of their buffer are found here.
            batch.validate(full=True)
            found = batch
    except (pa.ArrowException, OSError) as error:
        raise InvalidRequest(
            "the parameters are damaged", hint="send Arrow record batches"
        ) from error
    return found


def numbered(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The row with its columns counted from 1, where a client counts from 0."""
    if batch.schema.names == [str(number) for number in range(batch.num_columns)]:
        return batch.rename_columns([str(number) for number in range(1, batch.num_columns + 1)])
    return batch
