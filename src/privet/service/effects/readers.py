"""Who sees a column, how, and by which permissions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from privet.model.datasets import Column
from privet.model.decisions import ColumnDecision, Decision, Verdict
from privet.model.errors import NotFound
from privet.model.names import DatasetName
from privet.model.permissions import AccessLevel, Permission, on_dataset
from privet.policy import Need, Rows, Shown, rows_of, shown_as
from privet.service.access import Act, administer
from privet.service.deciding import decide_on
from privet.service.effects.subjects import Deadline, Subject, find_subjects
from privet.service.platform import Caller, Platform


class Sight(NamedTuple):
    """How somebody sees a column; `permissions` are the ids of those that decide it."""

    shown: Shown
    rows: Rows
    permissions: tuple[str, ...]
    bypass: bool


@dataclass(frozen=True, slots=True)
class ColumnReaders:
    """Everybody, by how they see a column.

    Attributes:
        readers: those who see it, the least protected first.
        hidden: those who do not.
        permissions: all that decide it for somebody, by id.
        unknown: users about whom not enough could be found out.
        complete: false where the time did not last for every subject.
    """

    dataset: DatasetName
    column: Column
    readers: tuple[tuple[Sight, tuple[Subject, ...]], ...]
    hidden: tuple[Subject, ...]
    permissions: dict[str, Permission]
    unknown: tuple[str, ...] = ()
    complete: bool = True


_ORDER = (Verdict.CLEAR, Verdict.PARTLY, Verdict.TRANSFORMED, Verdict.HIDDEN)


class Readers:
    """Asking about others."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def of_column(self, caller: Caller, dataset: DatasetName, column: str) -> ColumnReaders:
        """Who can see a column: everybody who was seen, and each role by itself.

        Raises:
            Forbidden, NotFound: the caller may not see everything about the dataset.
            NotFound: no such dataset or column.
        """
        act = Act(
            "dataset.readers",
            str(dataset),
            detail={"column": column},
            needs=(Need(AccessLevel.VIEW_COMPLETE_METADATA, on_dataset(dataset)),),
        )
        with administer(self._platform, caller, act):
            return self._look(dataset, column)

    def _look(self, dataset: DatasetName, column: str) -> ColumnReaders:
        platform = self._platform
        snapshot = platform.catalog.snapshot()
        table = next((d for d in snapshot.datasets if d.name == dataset), None)
        if table is None:
            raise NotFound(f"dataset `{dataset}` does not exist")
        places = {c.name: place for place, c in enumerate(table.columns)}
        if column not in places:
            raise NotFound(
                f"column `{column}` does not exist in `{dataset}`",
                hint=f"it has {', '.join(places)}",
            )
        deadline = Deadline()
        subjects = find_subjects(platform, snapshot, deadline)
        groups: dict[Sight, list[Subject]] = {}
        permissions: dict[str, Permission] = {}
        complete = True
        for subject in subjects.known:
            if deadline.passed:
                complete = False
                break
            (facts,) = snapshot.facts(subject.roles, (table,))
            decision = decide_on(platform, subject.principal, facts).decision
            sight = _sight(decision, decision.columns[places[column]])
            groups.setdefault(sight, []).append(subject)
            permissions |= {i: decision.considered[i] for i in sight.permissions}
        pairs = [(sight, tuple(each)) for sight, each in groups.items()]
        hidden = [each for sight, each in pairs if sight.shown.verdict is Verdict.HIDDEN]
        readers = [pair for pair in pairs if pair[0].shown.verdict is not Verdict.HIDDEN]
        readers.sort(key=lambda pair: (_ORDER.index(pair[0].shown.verdict), pair[0].shown.how))
        found = ColumnReaders(
            dataset,
            table.columns[places[column]],
            tuple(readers),
            tuple(subject for each in hidden for subject in each),
            permissions,
        )
        return replace(found, unknown=subjects.unknown, complete=complete)


def _sight(decision: Decision, column: ColumnDecision) -> Sight:
    given = (r for r in column.reasons if r.effect != "hides" and r.permission_id)
    ids = tuple(dict.fromkeys(r.permission_id for r in given if r.permission_id))
    return Sight(shown_as(column, decision), rows_of(decision), ids, decision.bypass)
