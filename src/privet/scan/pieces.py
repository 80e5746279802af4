"""What a source format hands to the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a source, in order.

    `load` gives its raw batches with the plan's columns under their catalog names and plain types;
    it runs on any thread, raises typed errors only, and may be called once. `size` is about how
    many bytes it holds until then.
    """

    size: int
    load: Callable[[], list[pa.RecordBatch]]
