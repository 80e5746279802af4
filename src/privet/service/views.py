"""Views: statements that are datasets, with grants and tags of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from privet.enforcement import enforce
from privet.model.datasets import Column, Dataset, View, plain_type
from privet.model.errors import InvalidRequest, PrivetError
from privet.model.names import DatasetName, fold
from privet.model.permissions import AccessLevel, on_database, on_dataset
from privet.model.principals import Principal
from privet.model.requests import QueryRequest, ScanRequest
from privet.policy import Need
from privet.service.access import Act, administer, steward
from privet.service.deciding import Decided, decide_by_name
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a dataset is made of: directly, and at the bottom; and the views that name it."""

    dataset: Dataset
    parents: tuple[DatasetName, ...]
    tables: tuple[DatasetName, ...]
    children: tuple[DatasetName, ...]


class Views:
    """Writing views. Whoever writes one lends it their own right to read, at each reading."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def create(
        self, caller: Caller, name: DatasetName, text: str, database: str | None = None
    ) -> Dataset:
        """Make a view of a SELECT.

        Args:
            caller: becomes the definer.
            name: of the view.
            text: the SELECT, without parameters.
            database: where datasets named without one are; by default that of the view.

        Raises:
            ParseFailed, UnknownName, TypeMismatch, InvalidRequest: it is no such statement.
            NotFound: it names what the definer may not read, or there is no such database.
            Conflict: the name is taken.
        """
        on = on_dataset(name)
        needs = (Need(AccessLevel.CREATE, on_database(name.database)),)
        act = Act("view.create", str(name), text, needs=needs, creates=on)
        with administer(self._platform, caller, act) as definer:
            view, columns = self._traced(definer, name, text, database)
            return self._platform.catalog.datasets.create_view(name, view, columns, by=definer.user)

    def alter(
        self, caller: Caller, name: DatasetName, text: str, database: str | None = None
    ) -> Dataset:
        """Make a view of another SELECT; whoever does that is its definer from then on."""
        needs = (Need(AccessLevel.ALTER, on_dataset(name)),)
        act = Act("view.alter", str(name), text, needs=needs)
        with administer(self._platform, caller, act) as definer:
            view, columns = self._traced(definer, name, text, database)
            return self._platform.catalog.datasets.alter_view(name, view, columns, by=definer.user)

    def lineage(self, caller: Caller, name: DatasetName) -> Lineage:
        """What a dataset is made of and what is made of it, for those who see all of it.

        Raises:
            NotFound, Forbidden: the caller does not.
        """
        needs = (Need(AccessLevel.VIEW_COMPLETE_METADATA, on_dataset(name)),)
        asker = steward(self._platform, caller, Act("dataset.lineage", str(name), needs=needs))
        administrator = Administrator.of(self._platform, asker)
        catalog = self._platform.catalog.datasets
        dataset = catalog.get(name)
        views = {d.name: d.view for d in catalog.list() if d.view is not None}
        parents = frozenset(dataset.view.sees if dataset.view else ())
        tables = _tables(name, views) - {name}
        children = frozenset(n for n, view in views.items() if name in view.sees)
        # A right on one dataset is none to know of those around it.
        known = administrator.known_datasets(parents | tables | children)
        return Lineage(dataset, *(tuple(sorted(s & known)) for s in (parents, tables, children)))

    def _traced(
        self, definer: Principal, name: DatasetName, text: str, database: str | None
    ) -> tuple[View, tuple[Column, ...]]:
        """Read a statement as its definer would, and find out what its columns rest on."""
        # Nobody lends more than they were granted, an administrator neither.
        reader = replace(definer, admin=False)
        database = database or name.database
        request = QueryRequest(text, None, database)
        derive = self._platform.derive
        owner = (reader.issuer, reader.user)
        # A plan that is not rewritten: what is a constant now, the date or a key, is another later.
        with self._platform.askers.lease(owner, lambda: False, rewrites=False) as asker:
            asked = asker.read(request)
            if asked.parameters or asked.explained:
                raise InvalidRequest("a view is one SELECT without parameters")
            decided = {n: self._readable(reader, name, n) for n in asked.datasets}
            for dataset, position in asked.datasets.items():
                try:
                    decided[dataset].decision.require()
                except PrivetError as error:
                    error.position = position
                    error.hint = (
                        "a view reads by the grants of whoever writes it, of administrators too"
                    )
                    raise
            schemas = {
                n: enforce(d.decision, ScanRequest(n), derive).schema for n, d in decided.items()
            }
            traced = asker.trace(schemas, derive("own", *owner))
        columns = tuple(
            Column(fold(f.name, "column name"), plain_type(f.type), f.name) for f in traced.schema
        )
        rests = {fold(c, "column name"): pairs for c, pairs in traced.rests.items()}
        sees = {n: tuple(schema.names) for n, schema in schemas.items()}
        return View(text, database, owner, sees, rests), columns

    def _readable(self, reader: Principal, view: DatasetName, name: DatasetName) -> Decided:
        """What a view may be made of: also never, round some corners, of itself.

        Raises:
            InvalidRequest: it would be.
        """
        decided = decide_by_name(self._platform, reader, name)
        names: Mapping[DatasetName, object] = {d.name: d for d in decided.behind()}
        if name == view or view in names:
            raise InvalidRequest(
                f"view `{view}` would be made of itself", hint="read another dataset"
            )
        return decided


def _tables(name: DatasetName, views: Mapping[DatasetName, View]) -> frozenset[DatasetName]:
    """The datasets over files that a dataset rests on in the end; itself, if it is one."""
    found, waiting = {name}, [name]
    while waiting:
        view = views.get(waiting.pop())
        fresh = frozenset(view.sees if view else ()) - found
        found |= fresh
        waiting += fresh
    return frozenset(found - views.keys())
