"""Databases and datasets: what there is, as far as the caller may know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from privet.catalog import Database
from privet.model.datasets import Dataset, plain_type
from privet.model.decisions import Decision, Facts
from privet.model.edits import ColumnEdit, Drift, edit_columns
from privet.model.errors import Conflict
from privet.model.events import Outcome
from privet.model.names import PUBLIC_ROLE, DatasetName
from privet.model.permissions import AccessLevel, Effect, on_dataset
from privet.model.principals import Principal
from privet.policy import Need, Reach
from privet.service.access import Act, administer, authenticate, event_of
from privet.service.deciding import decide_by_name, decide_each
from privet.service.drift import drift_in
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator, complete_metadata, tagging


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset through the eyes of the caller; `full` for those who administer it."""

    decision: Decision
    full: bool

    @property
    def dataset(self) -> Dataset:
        """The dataset that was decided about."""
        assert self.decision.dataset is not None
        return self.decision.dataset

    @property
    def schema(self) -> pa.Schema:
        """The columns that the caller sees, of the types in which they leave."""
        columns = [decided.column for decided in self.decision.visible]
        return pa.schema([(column.name, plain_type(column.type)) for column in columns])


class Datasets:
    """Listing is deciding: what is listed is what a scan would give something of."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list_databases(self, caller: Caller) -> tuple[Database, ...]:
        """The databases in which the caller sees something, or has a right on."""
        principal = authenticate(self._platform, caller)
        administrator = Administrator.of(self._platform, principal)
        databases = self._platform.catalog.databases.list()
        visible = {view.dataset.name for view in self.list(caller)}
        known = administrator.known_databases((d.name for d in databases), visible)
        return tuple(d for d in databases if d.name in known)

    def list(self, caller: Caller, database: str | None = None) -> tuple[DatasetView, ...]:
        """The datasets that the caller sees something of, or has a right on, by name."""
        principal = authenticate(self._platform, caller)
        administrator = Administrator.of(self._platform, principal)
        found = self._platform.catalog.list_facts(principal)
        wanted = [f for f in found if database in (None, f.name.database)]
        # Without a grant that may cover it, nothing of it can be visible.
        granted = wanted if principal.admin else [f for f in wanted if f.permissions]
        seen = [d for d in decide_each(self._platform, principal, granted) if d.allowed]
        if administrator.only_reads:
            views = [DatasetView(decision, full=False) for decision in seen]
        else:
            known, rights = {decision.name: decision for decision in seen}, _of(administrator)
            found = (_view(rights, f, known.get(f.name)) for f in wanted)
            views = [view for view in found if view]
        # Facts come by name, and so do these.
        return tuple(views)

    def public_among(self, names: Iterable[DatasetName]) -> frozenset[DatasetName]:
        """Those of the datasets that the caller was shown and that everybody is granted."""
        found = self._platform.catalog.permissions.list(role=PUBLIC_ROLE)
        scopes = [p.scope for p in found if p.effect is Effect.GRANT and p.level.reads]
        return frozenset(name for name in names if any(s.covers(name) for s in scopes))

    def get(self, caller: Caller, name: DatasetName) -> DatasetView:
        """One dataset.

        Raises:
            NotFound: it does not exist, or nothing of it is visible.
        """
        principal = authenticate(self._platform, caller)
        decision = decide_by_name(self._platform, principal, name).decision
        facts = self._platform.catalog.facts(name, principal)
        seen = decision if decision.allowed else None
        view = _view(_of(Administrator.of(self._platform, principal)), facts, seen)
        outcome = Outcome.ALLOWED if view else Outcome.REFUSED
        recorded = self._platform.audit.record(
            replace(event_of(principal, caller, "dataset.describe", outcome), object=str(name))
        )
        return view or DatasetView(decision.require(recorded.id), full=False)

    def update_columns(
        self, caller: Caller, name: DatasetName, edits: Mapping[str, ColumnEdit], revision: int
    ) -> Dataset:
        """Change types, comments, tags or the review of columns, all or none.

        Args:
            caller: who may alter it, and change such tags as they do.
            name: the dataset.
            edits: by the names of the columns.
            revision: the one that the edits were made on.

        Raises:
            Conflict: somebody changed the dataset since.
            InvalidRequest: a column that it does not have.
        """
        scope = on_dataset(name)
        edited = self._platform.catalog.datasets.find(name)
        tags = tagging(edited.columns, edits, scope) if edited else ()
        needs = (Need(AccessLevel.ALTER, scope), *tags)
        act = Act("dataset.update", str(name), detail={"columns": sorted(edits)}, needs=needs)
        with administer(self._platform, caller, act) as admin:
            dataset = self._platform.catalog.datasets.get(name)
            if edited is None or dataset.revision != edited.revision:
                # What was needed was worked out on the columns as they were.
                raise Conflict(
                    f"somebody changed `{name}` since you read it",
                    hint="read it again and repeat your change",
                )
            columns = edit_columns(name, dataset.columns, edits)
            return self._platform.catalog.datasets.update_columns(
                name, columns, by=admin.user, expected_revision=revision
            )

    def drift(self, view: DatasetView) -> tuple[Drift, ...]:
        """How a dataset differs from what a crawl found; nothing for who does not administer it."""
        return drift_in(self._platform, view.dataset) if view.full else ()

    def review(self, caller: Caller, name: DatasetName, revision: int | None = None) -> Dataset:
        """Accept the dataset as it is at its source, as far as crawls have told.

        Unreviewed columns become reviewed, missing ones go, others get the types that they have.

        Args:
            caller: who has reviewed it.
            name: the dataset.
            revision: the one that was looked at.

        Raises:
            Conflict: somebody, or a crawl, changed the dataset since.
        """
        needs = (Need(AccessLevel.ALTER, on_dataset(name)),)
        act = Act("dataset.review", str(name), needs=needs)
        with administer(self._platform, caller, act) as admin:
            return self._platform.catalog.findings.accept(
                name, by=admin.user, expected_revision=revision
            )


@dataclass(frozen=True, slots=True)
class _Rights:
    """What somebody's rights show of datasets: that they are there, and all of them."""

    principal: Principal
    shown: Reach
    full: Reach


def _of(administrator: Administrator) -> _Rights:
    shown, full = administrator.reach(AccessLevel.SHOW), complete_metadata(administrator)
    return _Rights(administrator.principal, shown, full)


def _view(rights: _Rights, facts: Facts, seen: Decision | None) -> DatasetView | None:
    """A dataset as somebody sees it; who has a right on it knows of it, and sees no column."""
    if seen is None and facts.dataset and rights.shown.holds(facts.name):
        seen = Decision(rights.principal, facts.name, facts.version, facts.dataset)
    if seen is None:
        return None
    return DatasetView(seen, rights.full.holds(facts.name))
