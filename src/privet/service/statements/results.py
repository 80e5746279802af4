"""What statements answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from privet.service.platform import Caller

Row = tuple[str, ...]
Handler = Callable[[Caller, Any], "StatementResult"]
"""Carries out a statement of one type."""


@dataclass(frozen=True, slots=True)
class StatementResult:
    """What a statement answers: rows of text under column names, or a sentence."""

    kind: str
    message: str = ""
    columns: Row = ()
    rows: tuple[Row, ...] = ()
    warnings: tuple[str, ...] = ()


def done(
    kind: str, lenient: bool, expected: type[Exception], act: Callable[[], object]
) -> StatementResult:
    """Carry something out; if it may be `lenient`, what is `expected` is no error."""
    try:
        act()
    except expected:
        if not lenient:
            raise
        return StatementResult(kind, "nothing to do")
    return StatementResult(kind, "done")


def table(*columns: str, rows: Iterable[Row]) -> StatementResult:
    """Rows under names."""
    return StatementResult("rows", columns=columns, rows=tuple(rows))
