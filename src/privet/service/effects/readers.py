"""Who sees a column, how, and by which permissions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from privet.model.datasets import Column
from privet.model.decisions import ColumnDecision, Verdict
from privet.model.errors import NotFound
from privet.model.names import DatasetName
from privet.model.permissions import AccessLevel, Permission, on_dataset
from privet.model.principals import Principal
from privet.policy import Named, Need, Rows, Shown, rows_through, shown_through
from privet.service.access import Act, administer
from privet.service.deciding import Decided
from privet.service.effects.beforehand import Beforehand, Definers, Lineages, SubjectDecisions
from privet.service.effects.reach import seer
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
        through: of columns of views that rest on it, where the asker may see everything.
        unknown: users about whom not enough could be found out.
        complete: false where the time did not last for every subject.
    """

    dataset: DatasetName
    column: Column
    readers: tuple[tuple[Sight, tuple[Subject, ...]], ...]
    hidden: tuple[Subject, ...]
    permissions: dict[str, Permission]
    through: tuple[ColumnReaders, ...] = ()
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
        with administer(self._platform, caller, act) as asker:
            return self._look(asker, dataset, column)

    def _look(self, asker: Principal, dataset: DatasetName, column: str) -> ColumnReaders:
        snapshot = self._platform.catalog.snapshot()
        lineages, named = Lineages(snapshot.datasets), seer(self._platform, asker)
        table = lineages.get(dataset)
        if table is None:
            raise NotFound(f"dataset `{dataset}` does not exist")
        columns = [c.name for c in table.columns]
        if column not in columns:
            raise NotFound(
                f"column `{column}` does not exist in `{dataset}`",
                hint=f"it has {', '.join(columns)}",
            )
        resting = sorted(pair for pair in lineages.columns_of(dataset, column) if named(pair[0]))
        deadline = Deadline()
        subjects = find_subjects(self._platform, snapshot, deadline)
        names = {dataset, *(name for name, _ in resting)}
        beforehand = Beforehand(snapshot, names, lineages, Definers(self._platform))
        now = self._platform.clock()
        each = [(subject, beforehand.of(subject, now)) for subject in subjects.known]
        looking = _Looking(each, lineages, named, deadline)
        found = looking.at(dataset, column)
        through = tuple(looking.at(*pair) for pair in resting)
        complete = found.complete and all(each.complete for each in through)
        return replace(found, through=through, unknown=subjects.unknown, complete=complete)


@dataclass(frozen=True, slots=True)
class _Looking:
    subjects: Sequence[tuple[Subject, SubjectDecisions]]
    lineages: Lineages
    named: Named
    deadline: Deadline

    def at(self, dataset: DatasetName, column: str) -> ColumnReaders:
        table = self.lineages.get(dataset)
        assert table is not None
        place = [c.name for c in table.columns].index(column)
        groups: dict[Sight, list[Subject]] = {}
        permissions: dict[str, Permission] = {}
        complete = True
        for subject, decisions in self.subjects:
            if self.deadline.passed:
                complete = False
                break
            decided = decisions.on(dataset)
            decision = decided.decision
            sight = _sight(decided, decision.columns[place], self.named)
            groups.setdefault(sight, []).append(subject)
            permissions |= {i: decision.considered[i] for i in sight.permissions}
        pairs = [(sight, tuple(each)) for sight, each in groups.items()]
        hidden = [each for sight, each in pairs if sight.shown.verdict is Verdict.HIDDEN]
        readers = [pair for pair in pairs if pair[0].shown.verdict is not Verdict.HIDDEN]
        readers.sort(key=lambda pair: (_ORDER.index(pair[0].shown.verdict), str(pair[0].shown)))
        return ColumnReaders(
            dataset,
            table.columns[place],
            tuple(readers),
            tuple(subject for each in hidden for subject in each),
            permissions,
            complete=complete,
        )


def _sight(decided: Decided, column: ColumnDecision, named: Named) -> Sight:
    decision = decided.decision
    given = (r for r in column.reasons if r.effect != "hides" and r.permission_id)
    ids = tuple(dict.fromkeys(r.permission_id for r in given if r.permission_id))
    shown, rows = shown_through(decided, column, named), rows_through(decided, named)
    return Sight(shown, rows, ids, decision.bypass)
