"""What reading gives: batches, and a schema that is known before any of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from itertools import chain
from typing import Self

import pyarrow as pa


class BatchStream(ABC):
    """Batches of one schema; iterate once, then or before: close."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._batches = self._run()

    @abstractmethod
    def _run(self) -> Generator[pa.RecordBatch]:
        """The batches; nothing is read before the first is asked for."""

    @abstractmethod
    def close(self) -> None:
        """End it; a no-op when it has ended."""

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self._batches

    def begin(self) -> Iterator[pa.RecordBatch]:
        """The batches, the first of them read now.

        So what fails at once fails here, and a stream that is dropped unread still ends.
        """
        first = next(self._batches, None)
        return self._batches if first is None else chain([first], self._batches)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
