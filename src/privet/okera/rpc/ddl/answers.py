"""What statements answer: rows of text under names, or one text."""

from __future__ import annotations

from dataclasses import dataclass

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One of both; a statement that only does something answers no rows."""

    columns: Row = ()
    rows: tuple[Row, ...] = ()
    text: str = ""
    warnings: Row = ()
