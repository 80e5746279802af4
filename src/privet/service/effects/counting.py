"""How many rows a decision shows, where that can be found out in the time there is."""

from __future__ import annotations

import pyarrow.types as pat

from privet.enforcement import enforce
from privet.model.datasets import Format
from privet.model.decisions import ColumnDecision, Decision, Verdict
from privet.model.errors import PrivetError
from privet.model.requests import ScanRequest
from privet.policy import Rows, rows_of
from privet.scan import Progress, run
from privet.service.effects.subjects import Deadline
from privet.service.platform import Platform

_FILES = frozenset({Format.CSV, Format.PARQUET})


class RowCounter:
    """Counts by running the enforced plan of a decision, once for the same rows of a dataset.

    What it gives tells about rows that some may not see: it is for stewards.
    """

    def __init__(self, platform: Platform, deadline: Deadline) -> None:
        self._platform = platform
        self._deadline = deadline
        self._counted: dict[tuple[str, Rows], int | None] = {}

    def count(self, decision: Decision) -> int | None:
        """The rows that it shows; None where they could not be counted."""
        if not decision.allowed or decision.dataset is None:
            return 0
        if decision.dataset.source.format not in _FILES:
            return None
        key = (decision.dataset.id, rows_of(decision))
        if key not in self._counted:
            self._counted[key] = self._run(decision)
        return self._counted[key]

    def _run(self, decision: Decision) -> int | None:
        cheapest = min(decision.visible, key=_cost)
        request = ScanRequest(decision.name, (cheapest.column.name,))
        try:
            self._deadline.check()
            plan = enforce(decision, request, self._platform.derive)
            check = self._deadline.check
            with run(plan, self._platform.engine, _unheard, check=check) as stream:
                rows = 0
                for batch in stream:
                    rows += batch.num_rows
                    check()
                return rows
        except PrivetError:
            return None


def _unheard(_: Progress) -> None:
    """Nobody reads these rows: what was asked is on record with the question."""


def _cost(column: ColumnDecision) -> tuple[bool, bool]:
    return column.verdict is not Verdict.CLEAR, not pat.is_primitive(column.column.type)
