"""Statements that keep answers. Their text is SQL of the engine."""

from __future__ import annotations

from collections.abc import Mapping

from privet.policy import definitions as d
from privet.service.copies import Copied, Copies
from privet.service.platform import Caller
from privet.service.statements.results import Handler, StatementResult
from privet.service.views import within


class CopyStatements:
    """CREATE TABLE AS and INSERT INTO."""

    def __init__(self, copies: Copies) -> None:
        self._copies = copies

    def handlers(self) -> Mapping[type, Handler]:
        """By the type of the statement."""
        return {d.CreateTableAs: self._create, d.Insert: self._insert}

    def _create(self, caller: Caller, statement: d.CreateTableAs) -> StatementResult:
        with within(statement.text_position):
            made = self._copies.create(caller, statement)
        if made is None:
            return StatementResult("create", "nothing to do")
        return _told("create", made)

    def _insert(self, caller: Caller, statement: d.Insert) -> StatementResult:
        with within(statement.text_position):
            return _told("insert", self._copies.insert(caller, statement))


def _told(kind: str, copied: Copied) -> StatementResult:
    count = f"{copied.rows:,} row{'s' * (copied.rows != 1)} written to {copied.dataset.name}"
    return StatementResult(kind, count, warnings=copied.notes)
