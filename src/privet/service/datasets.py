"""Databases and datasets: what there is, as far as the caller may know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from privet.catalog import Database
from privet.model.datasets import Dataset, plain_type
from privet.model.decisions import Decision
from privet.model.edits import ColumnEdit, Drift, edit_columns
from privet.model.events import Outcome
from privet.model.names import DatasetName
from privet.policy import decide
from privet.service.access import Act, administer, authenticate, event_of
from privet.service.drift import drift_in
from privet.service.platform import Caller, Platform


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset through the eyes of the caller; `full` for administrators only."""

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
        """The databases in which the caller sees something; administrators see all."""
        principal = authenticate(self._platform, caller)
        databases = self._platform.catalog.databases.list()
        if principal.admin:
            return databases
        visible = {view.dataset.name.database for view in self.list(caller)}
        return tuple(d for d in databases if d.name in visible)

    def list(self, caller: Caller, database: str | None = None) -> tuple[DatasetView, ...]:
        """The datasets that the caller sees something of, by name."""
        principal = authenticate(self._platform, caller)
        now = self._platform.clock()
        decisions = (
            decide(principal, facts, now)
            for facts in self._platform.catalog.list_facts(principal)
            if database in (None, facts.name.database)
        )
        views = (DatasetView(d, principal.admin) for d in decisions if d.allowed)
        return tuple(sorted(views, key=lambda view: view.dataset.name))

    def get(self, caller: Caller, name: DatasetName) -> DatasetView:
        """One dataset.

        Raises:
            NotFound: it does not exist, or nothing of it is visible.
        """
        principal = authenticate(self._platform, caller)
        facts = self._platform.catalog.facts(name, principal)
        decision = decide(principal, facts, self._platform.clock())
        outcome = Outcome.ALLOWED if decision.allowed else Outcome.REFUSED
        recorded = self._platform.audit.record(
            replace(event_of(principal, caller, "dataset.describe", outcome), object=str(name))
        )
        return DatasetView(decision.require(recorded.id), principal.admin)

    def create_database(self, caller: Caller, name: str, description: str = "") -> Database:
        """Add an empty database; permissions can be written on it at once."""
        with administer(self._platform, caller, Act("database.create", name)) as admin:
            return self._platform.catalog.databases.create(
                name, by=admin.user, description=description
            )

    def drop_database(self, caller: Caller, name: str) -> None:
        """Remove an empty database. Its permissions stay."""
        with administer(self._platform, caller, Act("database.delete", name)):
            self._platform.catalog.databases.drop(name)

    def drop(self, caller: Caller, name: DatasetName) -> None:
        """Forget a dataset; the data is not touched. Its permissions stay."""
        with administer(self._platform, caller, Act("dataset.delete", str(name))):
            self._platform.catalog.datasets.drop(name)

    def update_columns(
        self, caller: Caller, name: DatasetName, edits: Mapping[str, ColumnEdit], revision: int
    ) -> Dataset:
        """Change types, comments, tags or the review of columns, all or none.

        Args:
            caller: an administrator.
            name: the dataset.
            edits: by the names of the columns.
            revision: the one that the edits were made on.

        Raises:
            Conflict: somebody changed the dataset since.
            InvalidRequest: a column that it does not have.
        """
        act = Act("dataset.update", str(name), detail={"columns": sorted(edits)})
        with administer(self._platform, caller, act) as admin:
            dataset = self._platform.catalog.datasets.get(name)
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
        with administer(self._platform, caller, Act("dataset.review", str(name))) as admin:
            return self._platform.catalog.findings.accept(
                name, by=admin.user, expected_revision=revision
            )
