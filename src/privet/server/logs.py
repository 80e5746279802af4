"""Logs as one JSON object a line on standard error, without values of anybody's data.

The text of an unexpected exception can hold cell values, and so can the locals of its frames:
what is logged is its type and where it was raised.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog


def configure() -> None:
    """Set up logging of this process, that of libraries included."""
    logging.basicConfig(handlers=[_Relay()], level=logging.WARNING, force=True)
    # It warns by quoting statements, in which a value may stand that no log should have.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _trace_without_values,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


class _Lines:
    """Standard error, line by line. A full disk behind it must not stop what is being served."""

    def __init__(self, *_: object) -> None:
        self._lock = threading.Lock()

    def msg(self, message: str) -> None:
        """Write a line if there is room for it."""
        with self._lock, contextlib.suppress(OSError):
            sys.stderr.write(f"{message}\n")
            sys.stderr.flush()

    log = debug = info = warning = error = critical = exception = msg


class _Relay(logging.Handler):
    """What libraries log, in our form: the first line, since more of it can hold values."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        said = record.getMessage().partition("\n")[0]
        structlog.get_logger().log(record.levelno, said, logger=record.name, exc_info=error)


def _trace_without_values(
    _: Any, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["exception"] = type(error).__name__
        event["trace"] = [
            f"{frame.filename.rpartition('/privet/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
    return event
