"""Running an EnforcedPlan: pieces in parallel, governed batches in order, counted and bounded."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from weakref import WeakSet

import pyarrow as pa

from privet.connector import Connectors, Databases, LakeCatalogs
from privet.enforcement import EnforcedPlan
from privet.model.batches import BatchStream
from privet.model.datasets import Format
from privet.model.errors import CalledOff, Cancelled, PrivetError, SourceInvalid
from privet.model.events import Outcome
from privet.scan.budget import BufferBudget
from privet.scan.csv_source import csv_pieces
from privet.scan.files import PlannedFile, planned_files
from privet.scan.formats import OPENERS, json_pieces, opened_pieces
from privet.scan.lakes import LAKES, lake_pieces
from privet.scan.parquet_source import parquet_pieces
from privet.scan.pieces import Piece
from privet.scan.recut import recut
from privet.scan.table_source import table_pieces

PieceReader = Callable[[PlannedFile, EnforcedPlan, Connectors], Iterator[Piece]]
READERS: dict[Format, PieceReader] = {
    Format.CSV: csv_pieces,
    Format.JSON: json_pieces,
    Format.PARQUET: parquet_pieces,
    **dict.fromkeys(OPENERS, opened_pieces),
}
Governed = Iterator[tuple[int, pa.RecordBatch]]
"""How many raw rows each batch of a piece had, and what leaves of them."""
_LEAST_AHEAD = 8 * 1024 * 1024
"""Bytes of a piece that are worked on ahead of the reader, however small it said it is."""


class Engine:
    """The threads and the buffer budget that all scans of a process share."""

    def __init__(
        self,
        connectors: Connectors,
        budget: BufferBudget | None = None,
        databases: Databases | None = None,
        catalogs: LakeCatalogs | None = None,
    ) -> None:
        self.connectors = connectors
        self.databases = databases
        self.catalogs = catalogs
        self.budget = budget or BufferBudget()
        # Weakly: a stream that everybody has dropped ends by that.
        self._streams: WeakSet[GovernedStream] = WeakSet()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(self.budget.workers, thread_name_prefix="scan")

    def enter(self, stream: GovernedStream) -> None:
        """A scan begins; it is called off if the engine closes before its end."""
        with self._lock:
            self._streams.add(stream)

    def submit(self, work: Callable[[Piece], Governed], piece: Piece) -> Future[Governed]:
        """Have a piece worked on.

        Raises:
            Cancelled: the engine is closed.
        """
        try:
            return self._pool.submit(work, piece)
        except RuntimeError as error:
            raise _stopping() from error

    def close(self) -> None:
        """Take no more pieces, let running ones end, and call off every scan.

        A scan whose reader stalls is called off too: its end is recorded now.
        """
        self._pool.shutdown(cancel_futures=True)
        with self._lock:
            streams = tuple(self._streams)
        for stream in streams:
            stream.call_off()


def _stopping() -> CalledOff:
    return CalledOff("the server is stopping", hint="what was received is incomplete; try again")


@dataclass(slots=True)
class Progress:
    """How a scan went so far. `bytes_returned` are of Arrow buffers."""

    rows_read: int = 0
    rows_returned: int = 0
    bytes_returned: int = 0
    outcome: Outcome = Outcome.ALLOWED
    error: str = ""


OnClose = Callable[[Progress], None]
CHECK_SECONDS = 1.0


class GovernedStream(BatchStream):
    """Governed batches of one scan, in the source's order.

    `on_close` hears once how it ended: completed, cancelled (closed early) or failed.
    """

    def __init__(
        self,
        plan: EnforcedPlan,
        engine: Engine,
        on_close: OnClose,
        check: Callable[[], None],
        source: Callable[[], Iterator[Piece]] | None = None,
    ) -> None:
        super().__init__(plan.schema)
        self.progress = Progress()
        self._plan = plan
        self._engine = engine
        self._on_close = on_close
        self._check = check
        self._source = source
        self._checked = time.monotonic()
        self._closed = False
        self._why: CalledOff | None = None
        self._closing = threading.Lock()
        engine.enter(self)

    def close(self) -> None:
        """End the scan; a no-op when it has ended."""
        self._batches.close()
        self._end(Outcome.CANCELLED)

    def call_off(self, why: CalledOff | None = None) -> bool:
        """Record the scan as cancelled, whoever reads it; what is still asked of it fails.

        Args:
            why: what whoever reads it is told; without it, that the server stops.

        Returns:
            False if it had ended.
        """
        self._why = why or self._why
        return self._end(Outcome.CANCELLED)

    def _end(self, outcome: Outcome, error: str = "") -> bool:
        with self._closing:
            if self._closed:
                return False
            self._closed = True
        self.progress.outcome = outcome
        self.progress.error = error
        self._on_close(self.progress)
        return True

    def _run(self) -> Generator[pa.RecordBatch]:
        try:
            yield from self._limited()
        except GeneratorExit:
            self._end(Outcome.CANCELLED)
            raise
        except Cancelled:
            self._end(Outcome.CANCELLED)
            raise
        except PrivetError as error:
            self._end(Outcome.FAILED, error.code)
            raise
        except BaseException as error:
            self._end(Outcome.FAILED, type(error).__name__)
            raise
        self._end(Outcome.COMPLETED)

    def _limited(self) -> Iterator[pa.RecordBatch]:
        left = self._plan.limit
        if left == 0:
            return
        pieces = self._governed()
        for batch in recut(pieces):
            self._check_now_and_then()
            part = batch if left is None else batch.slice(0, min(left, batch.num_rows))
            self.progress.rows_returned += part.num_rows
            self.progress.bytes_returned += part.nbytes
            yield part
            if left is not None:
                left -= part.num_rows
                if not left:
                    pieces.close()
                    return

    def _check_now_and_then(self) -> None:
        if self._closed:
            raise self._why or _stopping()
        now = time.monotonic()
        if now - self._checked >= CHECK_SECONDS:
            self._checked = now
            self._check()

    def _pieces(self) -> Generator[Piece]:
        if self._source is not None:
            yield from self._source()
            return
        if self._plan.dataset.source.format is Format.TABLE:
            assert self._engine.databases is not None
            yield from table_pieces(self._plan, self._engine.databases, self._check_now_and_then)
            return
        if self._plan.dataset.source.format in LAKES:
            yield from lake_pieces(self._plan, self._engine.connectors, self._engine.catalogs)
            return
        read = READERS[self._plan.dataset.source.format]
        for file in planned_files(self._plan, self._engine.connectors):
            yield from read(file, self._plan, self._engine.connectors)

    def _governed(self) -> Generator[pa.RecordBatch]:
        """Raw pieces through the plan, some ahead of the reader as the budget allows."""
        budget = self._engine.budget
        running: deque[tuple[int, Future[Governed]]] = deque()
        source = self._pieces()
        waiting: Piece | None = next(source, None)
        budget.enter()
        try:
            while waiting or running:
                # Here too: a scan may read for long without a row that leaves.
                self._check_now_and_then()
                while waiting and budget.borrow(waiting.size, len(running)):
                    running.append((waiting.size, self._engine.submit(self._apply, waiting)))
                    waiting = next(source, None)
                size, future = running.popleft()
                try:
                    governed = future.result()
                except CancelledError as error:
                    raise _stopping() from error
                finally:
                    budget.give_back(size)
                for rows_read, batch in governed:
                    self._check_now_and_then()
                    self.progress.rows_read += rows_read
                    yield batch
        finally:
            for size, future in running:
                future.cancel()
                budget.give_back(size)
            budget.leave()
            source.close()

    def _apply(self, piece: Piece) -> Governed:
        """Work on as much of a piece as it said it is; the rest of it as the reader asks."""
        governed = self._each(piece)
        ready: list[tuple[int, pa.RecordBatch]] = []
        left = max(piece.size, _LEAST_AHEAD)
        for rows, batch in governed:
            ready.append((rows, batch))
            left -= batch.nbytes
            if left <= 0:
                break
        return chain(ready, governed)

    def _each(self, piece: Piece) -> Governed:
        for raw in piece.load():
            try:
                batch = self._plan.apply(raw)
            except pa.ArrowException as error:
                raise SourceInvalid(
                    "a file of this dataset holds what cannot be worked on",
                    hint="a data steward can find out with a scan of their own, and mend the file",
                ) from error
            yield raw.num_rows, batch


def run(
    plan: EnforcedPlan,
    engine: Engine,
    on_close: OnClose,
    *,
    check: Callable[[], None],
    source: Callable[[], Iterator[Piece]] | None = None,
) -> GovernedStream:
    """Run a plan. Nothing is read before the first batch is asked for.

    Args:
        plan: made by `privet.enforcement.enforce`.
        engine: threads, budget and connectors.
        on_close: hears once how it ended.
        check: called about once a second; raises to end the scan.
        source: gives the pieces where they come from no files: those of a view.
    """
    return GovernedStream(plan, engine, on_close, check, source)
