"""The rows of a statement as Arrow batches, while whoever waits for them may change their mind.

The driver waits in a thread of its own. So a scan that is called off before its first row still
ends, and its statement with it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from typing import Any, TypeVar

import pyarrow as pa

from privet.model.errors import (
    InvalidRequest,
    PrivetError,
    SchemaChanged,
    SourceInvalid,
    SourceUnavailable,
)

_T = TypeVar("_T")
_BATCH_BYTES = 2 * 1024 * 1024
_LOOK_SECONDS = 0.2
_CANCELS = 50
_GONE = ("42P01", "42703", "3F000")
_DENIED = "42501"
_DATA = "22"


class Statement:
    """One statement in a session of its own.

    Args:
        conninfo: for libpq; holds the password.
        text: the statement.
        waiting: called while the server is waited for; raises to end it.
    """

    def __init__(self, conninfo: str, text: str, waiting: Callable[[], None]) -> None:
        self._conninfo = conninfo
        self._text = text
        self._waiting = waiting
        self._open = ExitStack()
        self._cursor: Any = None
        self._reader: pa.RecordBatchReader | None = None

    def batches(self) -> Generator[pa.RecordBatch]:
        """Its rows, the next of them asked for beforehand; closing it ends the statement.

        Raises:
            SchemaChanged: what it names is not there any more.
            SourceInvalid: the server cannot compute a value.
            SourceUnavailable: the server is away, refuses us or broke off.
        """
        worker = ThreadPoolExecutor(1, thread_name_prefix="database")
        pending: Future[Any] | None = None
        try:
            pending = worker.submit(self._execute)
            self._result(pending)
            pending = worker.submit(self._next)
            while (batch := self._result(pending)) is not None:
                pending = worker.submit(self._next)
                yield batch
        finally:
            self._end(worker, pending)

    def _execute(self) -> None:
        import adbc_driver_postgresql.dbapi as driver
        from adbc_driver_postgresql import StatementOptions

        connection = self._open.enter_context(driver.connect(self._conninfo, autocommit=True))
        self._cursor = cursor = self._open.enter_context(connection.cursor())
        size = {StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(_BATCH_BYTES)}
        cursor.adbc_statement.set_options(**size)
        cursor.execute(self._text)
        self._reader = self._open.enter_context(cursor.fetch_record_batch())

    def _next(self) -> pa.RecordBatch | None:
        assert self._reader is not None
        try:
            return self._reader.read_next_batch()
        except StopIteration:
            return None

    def _result(self, future: Future[_T]) -> _T:
        while not wait([future], _LOOK_SECONDS).done:
            self._waiting()
        error = future.exception()
        if error is not None:
            raise _told(error) from error
        return future.result()

    def _end(self, worker: ThreadPoolExecutor, pending: Future[Any] | None) -> None:
        """End the statement if it runs, again and again: it may be about to begin."""
        ended = pending is None or pending.cancel()
        for _ in range(_CANCELS):
            if ended or (pending is not None and pending.done()):
                break
            if self._cursor is not None:
                with _quietly():
                    self._cursor.adbc_cancel()
            ended = pending is not None and bool(wait([pending], _LOOK_SECONDS).done)
        worker.submit(self._close)
        worker.shutdown(wait=False)

    def _close(self) -> None:
        with _quietly():
            if self._cursor is not None:
                self._cursor.adbc_cancel()
        with _quietly():
            self._open.close()


def _quietly() -> suppress:
    """What the server still says of a statement that was ended is nobody's business."""
    from adbc_driver_manager import Error

    return suppress(Error, OSError, pa.ArrowException)


def _told(error: BaseException) -> PrivetError:
    """An error of the driver as ours: its words may hold cells, and what was sent."""
    if isinstance(error, ImportError):
        return InvalidRequest(
            "the driver of postgresql is not installed", hint="install privet[postgres]"
        )
    state = getattr(error, "sqlstate", None) or ""
    if state in _GONE:
        return SchemaChanged(
            "the table of this dataset is not what was registered any more",
            hint="a data steward can register it anew and review what changed",
        )
    if state == _DENIED:
        return SourceUnavailable(
            "the database of this dataset denies access to its table",
            hint="tell a data steward",
        )
    if state.startswith(_DATA):
        return SourceInvalid(
            "the database of this dataset cannot compute a value of it",
            hint="tell a data steward",
        )
    return SourceUnavailable(
        "the database of this dataset did not answer to the end",
        hint="try again; if it stays so, tell a data steward",
    )
