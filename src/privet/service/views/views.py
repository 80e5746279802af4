"""Views: statements that are datasets, with grants and tags of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from privet.enforcement import enforce
from privet.model.datasets import Column, Dataset, View, plain_type
from privet.model.errors import InvalidRequest, Position, PrivetError
from privet.model.names import DatasetName, fold
from privet.model.permissions import AccessLevel, on_database, on_dataset
from privet.model.principals import Principal
from privet.model.requests import QueryRequest, ScanRequest
from privet.policy import Need
from privet.policy import definitions as d
from privet.query import Traced
from privet.service.access import Act, administer, steward
from privet.service.deciding import Decided, decide_by_name
from privet.service.own_keys import own_of_query
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator, tag_needs
from privet.service.tags import check_known
from privet.service.views.named import as_said, named_text, unwrapped

_START = Position(1, 1, 0)


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a dataset is made of: directly, and at the bottom; and what is made of it."""

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
        return self._create(caller, d.CreateView(name, text, _START), database)

    def define(self, caller: Caller, wanted: d.CreateView) -> Dataset:
        """Make a view as a statement says, perhaps with other names, comments and tags.

        Raises:
            As `create`; InvalidRequest also where a column is of another type than is said, and
            UnknownName for a tag that does not exist; with the position.
        """
        return self._create(caller, wanted, None)

    def _create(self, caller: Caller, wanted: d.CreateView, database: str | None) -> Dataset:
        name, catalog = wanted.dataset, self._platform.catalog
        written = tuple(t for column in wanted.columns for t in column.tags)
        tags = dict.fromkeys(need for t in written for need in _tagging(t))
        needs = (Need(AccessLevel.CREATE, on_database(name.database)), *tags)
        act = Act("view.create", str(name), wanted.text, needs=needs, creates=on_dataset(name))
        with administer(self._platform, caller, act) as definer:
            check_known(written, {t.name for t in catalog.tags.list()})
            with unwrapped(wanted):
                view, columns = self._traced(definer, name, named_text(wanted), database)
            return catalog.datasets.create_view(
                name, view, as_said(wanted, columns), by=definer.user, note=wanted.comment
            )

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
        every = catalog.list()
        views = {d.name: d.view for d in every if d.view is not None}
        parents = _made_of(dataset)
        tables = _tables(name, views) - {name}
        children = frozenset(d.name for d in every if name in _made_of(d))
        # A right on one dataset is none to know of those around it.
        known = administrator.known_datasets(parents | tables | children)
        return Lineage(dataset, *(tuple(sorted(s & known)) for s in (parents, tables, children)))

    def _traced(
        self, author: Principal, name: DatasetName, text: str, database: str | None
    ) -> tuple[View, tuple[Column, ...]]:
        """Read a statement as its definer would, and find out what its columns rest on."""
        # Nobody lends more than they were granted, an administrator neither.
        reader = replace(author, admin=False)
        database = database or name.database

        def readable(of: DatasetName, position: Position | None) -> pa.Schema:
            try:
                decision = self._readable(reader, name, of).decision.require()
            except PrivetError as error:
                error.position = position
                error.hint = (
                    "a view reads by the grants of whoever writes it, of administrators too"
                )
                raise
            return enforce(
                decision, ScanRequest(of), self._platform.derive, self._platform.circumstances
            ).schema

        request = QueryRequest(text, None, database)
        traced, schemas = trace(self._platform, reader, request, readable)
        columns = tuple(
            Column(fold(f.name, "column name"), plain_type(f.type), f.name) for f in traced.schema
        )
        rests = {fold(c, "column name"): pairs for c, pairs in traced.rests.items()}
        refers = {fold(c, "column name"): of for c, of in traced.refers.items()}
        sees = {n: tuple(schema.names) for n, schema in schemas.items()}
        definer = (reader.issuer, reader.user)
        return View(text, database, definer, sees, rests, refers=refers), columns

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


def trace(
    platform: Platform,
    reader: Principal,
    request: QueryRequest,
    schema_of: Callable[[DatasetName, Position | None], pa.Schema],
) -> tuple[Traced, Mapping[DatasetName, pa.Schema]]:
    """Find out what the columns of a statement's answer rest on; nothing is read.

    Args:
        platform: of the server.
        reader: who asks.
        request: one SELECT without parameters.
        schema_of: what the reader sees of a dataset, by its name and where that stands; raises if
            that is nothing.

    Raises:
        ParseFailed, UnknownName, TypeMismatch, InvalidRequest: it is no such statement.
    """
    owner = (reader.issuer, reader.user)
    # A plan that is not rewritten: what is a constant now, the date or a key, is another later.
    with platform.askers.lease(owner, lambda: False, rewrites=False) as asker:
        asked = asker.read(request, reader.user)
        if asked.parameters or asked.explained:
            raise InvalidRequest("what is kept is the answer of one SELECT without parameters")
        schemas = {name: schema_of(name, at) for name, at in asked.datasets.items()}
        return asker.trace(schemas, own_of_query(platform, reader)), schemas


def _tagging(tagged: d.TagAt) -> tuple[Need, ...]:
    """What whoever makes a view needs for a tag on it: the view is theirs, the word is not."""
    return tag_needs(AccessLevel.ADD_ATTRIBUTE, tagged.tag, None)


def _made_of(dataset: Dataset) -> frozenset[DatasetName]:
    """What a view reads, or what a copy was made of; of nothing else is known."""
    if dataset.view is not None:
        return frozenset(dataset.view.sees)
    return frozenset(dataset.copy.origins if dataset.copy else ()) - {dataset.name}


def _tables(name: DatasetName, views: Mapping[DatasetName, View]) -> frozenset[DatasetName]:
    """The datasets over files that a dataset rests on in the end; itself, if it is one."""
    found, waiting = {name}, [name]
    while waiting:
        view = views.get(waiting.pop())
        fresh = frozenset(view.sees if view else ()) - found
        found |= fresh
        waiting += fresh
    return frozenset(found - views.keys())
