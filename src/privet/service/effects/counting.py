"""How many rows a decision shows, where that can be found out in the time there is."""

from __future__ import annotations

import pyarrow.types as pat

from privet.enforcement import enforce
from privet.model.decisions import ColumnDecision, Verdict
from privet.model.errors import PrivetError
from privet.model.requests import ScanRequest
from privet.policy import Rows, rows_of
from privet.scan import Progress
from privet.service.deciding import Decided
from privet.service.effects.subjects import Deadline
from privet.service.platform import Platform
from privet.service.view_runs import start


class RowCounter:
    """Counts by running the enforced plan of a decision, once for the same rows of a dataset.

    What it gives tells about rows that some may not see: it is for catalog administrators.
    """

    def __init__(self, platform: Platform, deadline: Deadline) -> None:
        self._platform = platform
        self._deadline = deadline
        self._counted: dict[tuple[str, Rows, frozenset[str]], int | None] = {}

    def count(self, decided: Decided) -> int | None:
        """The rows that it shows; None where they could not be counted."""
        decision = decided.decision
        if not decision.allowed or decision.dataset is None:
            return 0
        # What a view computes depends on each cell that it reads.
        behind = frozenset(each.digest for each in decided.behind())
        key = (decision.dataset.id, rows_of(decision), behind)
        if key not in self._counted:
            self._counted[key] = self._run(decided)
        return self._counted[key]

    def _run(self, decided: Decided) -> int | None:
        decision = decided.decision
        cheapest = min(decision.visible, key=_cost)
        request = ScanRequest(decision.name, (cheapest.column.name,))
        check = self._deadline.check
        try:
            check()
            plan = enforce(decision, request, self._platform.derive, self._platform.circumstances)
            with start(self._platform, decided, plan, _unheard, check=check) as stream:
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
