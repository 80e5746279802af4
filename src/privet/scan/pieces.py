"""What a source format hands to the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a source, in order.

    `load` gives its raw batches with the plan's columns under their catalog names, of plain types
    or dictionaries of these. It is called once; the batches are taken one by one, on any thread,
    and only typed errors are raised. `size` is about how many bytes they are. They can be more, so
    what is beyond it is to be taken only when it is needed.
    """

    size: int
    load: Callable[[], Iterable[pa.RecordBatch]]
