"""Tables over files, defined by a statement instead of registered from a crawl."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from privet.catalog import Described
from privet.crawler import Given
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Dataset, FieldTag
from privet.model.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    PrivetError,
    SourceInvalid,
    SourceUnavailable,
)
from privet.model.names import DatasetName
from privet.model.permissions import AccessLevel, Scope, ScopeKind, on_database, on_dataset
from privet.model.principals import Principal
from privet.policy import Need
from privet.policy import definitions as d
from privet.service.access import Act, administer, authenticate
from privet.service.copies import remove_files
from privet.service.definitions.columns import (
    VERSION,
    as_declared,
    bind,
    check_files,
    said_header,
    said_quote,
    written_tags,
)
from privet.service.definitions.connected import (
    ConnectedTables,
    Loaded,
    Made,
    creating,
    is_connected,
)
from privet.service.definitions.cutting import cut_anew, moving
from privet.service.definitions.empty import as_own, empty_files, without_files
from privet.service.definitions.replacing import replaced, replacing
from privet.service.definitions.returning import permissions_again
from privet.service.definitions.spark import as_spark_means
from privet.service.platform import Caller, Platform
from privet.service.proposals import look_at_files, proposed_now, unanswered
from privet.service.rights import Administrator
from privet.service.tags import check_known


@dataclass(frozen=True, slots=True)
class Tagged:
    """The tags that were put on, by table, and why none could be on others."""

    tags: Mapping[DatasetName, tuple[FieldTag, ...]]
    notes: tuple[str, ...]


class Tables:
    """Making, dropping, renaming and tagging tables."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._connected = ConnectedTables(platform)

    def create(self, caller: Caller, wanted: d.CreateTable) -> Made | None:
        """Register the files at a location as a table; None if it is there and may be.

        Raises:
            InvalidRequest: the files are not what the statement says, with the position.
            UnknownName: a tag does not exist.
            NotFound: there is no such database, or nothing at the location.
            Conflict: the name is taken, or the path is.
        """
        if is_connected(wanted):
            return self._connected.create(caller, wanted)
        wanted = as_spark_means(wanted)
        name = wanted.dataset
        paths = {uri: self._at(uri) for uri in (wanted.location, wanted.like) if uri}
        act = Act(
            "table.create",
            str(name),
            detail={"source": (wanted.location or wanted.like)[:200]},
            needs=creating(wanted, tuple(paths.values())),
            creates=on_dataset(name),
        )
        with administer(self._platform, caller, act) as author:
            if self._platform.catalog.datasets.find(name) is not None:
                if wanted.if_not_exists:
                    return None
                raise Conflict(f"dataset `{name}` already exists", hint="choose another name")
            check_known(written_tags(wanted), {t.name for t in self._platform.catalog.tags.list()})
            return self._register(author, wanted, {uri: p.name for uri, p in paths.items()})

    def drop(
        self,
        caller: Caller,
        name: DatasetName,
        *,
        view: bool | None = None,
        permissions: bool = False,
    ) -> None:
        """Forget a table or view, and perhaps the permissions on it.

        No file is touched, but for those of a copy that has its own.

        Args:
            caller: who may drop it and, with its permissions, manage the grants on it.
            name: of the dataset.
            view: which of the two it is said to be, if that is said.
            permissions: whether those on it go too.

        Raises:
            NotFound: there is none of that name.
            InvalidRequest: it is the other.
            SourceUnavailable: it is dropped, and its own files could not be removed.
        """
        scope = on_dataset(name)
        managing = (Need(AccessLevel.MANAGE_GRANTS, scope),) if permissions else ()
        stored = self._platform.catalog.permissions
        act = Act(
            "dataset.delete",
            str(name),
            detail={"permissions": permissions},
            needs=(Need(AccessLevel.DROP, scope), *managing),
            drops=scope,
            removes=partial(stored.list, dataset=name) if permissions else None,
        )
        with administer(self._platform, caller, act):
            dataset = self._platform.catalog.datasets.get(name)
            if view is not None:
                check_kind(dataset, view=view)
            self._platform.catalog.definitions.drop_dataset(name, with_permissions=permissions)
            remove_files(self._platform.copies, dataset)

    def rename(self, caller: Caller, name: DatasetName, to: DatasetName) -> Dataset:
        """Give a dataset another name in its database; the permissions on it go with it.

        Raises:
            NotFound: there is none of that name.
            InvalidRequest: the new name is in another database.
            Conflict: the new name is taken.
        """
        scope = on_dataset(name)
        needs = (
            Need(AccessLevel.ALTER, scope),
            Need(AccessLevel.DROP, scope),
            Need(AccessLevel.MANAGE_GRANTS, scope),
            Need(AccessLevel.CREATE, on_database(to.database)),
        )
        act = Act("dataset.rename", str(name), detail={"to": str(to)}, needs=needs)
        with administer(self._platform, caller, act):
            return self._platform.catalog.definitions.rename(name, to)

    def set_properties(
        self, caller: Caller, name: DatasetName, properties: Mapping[str, str]
    ) -> Dataset:
        """Set properties; those not named stay. They do not change how files are read."""
        needs = (Need(AccessLevel.ALTER, on_dataset(name)),)
        detail = {"properties": sorted(properties)}
        act = Act("dataset.update", str(name), detail=detail, needs=needs)
        with administer(self._platform, caller, act):
            return self._platform.catalog.definitions.set_properties(name, properties)

    def replace_columns(self, caller: Caller, wanted: d.ReplaceColumns) -> Made:
        """Let a table have these columns of its files from now on; whoever says so reviewed them.

        Args:
            caller: who may alter it, and use the tags that are written.
            wanted: every column but those of partition folders.

        Raises:
            InvalidRequest: it is a view or a copy, or the files are not so, with the position.
            UnknownName: a tag does not exist.
        """
        name = wanted.dataset
        before = self._platform.catalog.datasets.find(name)
        written = tuple(t for column in wanted.columns for t in column.tags)
        detail = {"columns": [column.name for column in wanted.columns]}
        act = Act("dataset.update", str(name), detail=detail, needs=replacing(wanted, before))
        with administer(self._platform, caller, act) as author:
            dataset = self._platform.catalog.datasets.get(name)
            if before is None or dataset.revision != before.revision:
                # What was needed was worked out on the columns as they were.
                raise Conflict(f"somebody changed `{name}` meanwhile", hint="look, and repeat it")
            check_kind(dataset, view=False)
            check_known(written, {t.name for t in self._platform.catalog.tags.list()})
            bound = replaced(self._platform, dataset, wanted)
            made = self._platform.catalog.datasets.update_columns(
                name, bound.columns, by=author.user, expected_revision=dataset.revision
            )
        return Made(made, bound.notes)

    def set_reading(self, caller: Caller, wanted: d.SetReading) -> Dataset:
        """Cut the text of a table otherwise from now on, into the columns that it has.

        What a cell holds moves to other cells by it, and so under other grants and tags: a right
        to the address of the files alone reads nothing of a table there.

        Args:
            caller: who may alter the table, read what is at its address, manage its grants, and
                take off the tags of its columns.
            wanted: what delimits and quotes.

        Raises:
            InvalidRequest: it is no table of text, or would have other columns.
            NotFound: there are no files any more.
        """
        name = wanted.dataset
        before = self._platform.catalog.datasets.find(name)
        path = Scope(ScopeKind.URI, name=before.source.uri) if before else Scope(ScopeKind.URI)
        needs = (Need(AccessLevel.ALTER, on_dataset(name)), *moving(name, before, path))
        detail = {"delimiter": wanted.delimiter, "quote": wanted.quote}
        act = Act("dataset.update", str(name), detail=detail, needs=needs)
        with administer(self._platform, caller, act) as author:
            dataset = self._platform.catalog.datasets.get(name)
            if before is None or dataset.revision != before.revision:
                raise Conflict(f"somebody changed `{name}` meanwhile", hint="look, and repeat it")
            check_kind(dataset, view=False)
            source, columns = cut_anew(self._platform, dataset, wanted)
            return self._platform.catalog.definitions.set_reading(
                dataset, source, columns, by=author.user
            )

    def autotag(self, caller: Caller, name: DatasetName) -> tuple[FieldTag, ...]:
        """Put the tags on columns that rules propose now; none is taken off.

        Raises:
            InvalidRequest: it is a view, whose tags come from what it is made of.
            SourceInvalid: no cells could be looked at; nothing was changed.
        """
        needs = (Need(AccessLevel.ALTER, on_dataset(name)),)
        with administer(
            self._platform, caller, Act("dataset.autotag", str(name), needs=needs)
        ) as author:
            dataset = self._platform.catalog.datasets.get(name)
            check_kind(dataset, view=False)
            fresh = unanswered(dataset, proposed_now(self._platform, dataset))
            columns = tuple(
                replace(c, field_tags=(*c.field_tags, *(t for t in fresh if t.path[0] == c.name)))
                for c in dataset.columns
            )
            if fresh:
                self._platform.catalog.datasets.update_columns(
                    name, columns, by=author.user, expected_revision=dataset.revision
                )
            # What waited for an answer has one now.
            self._platform.catalog.proposals.note(dataset.id, (), "")
            return fresh

    def autotag_all(self, caller: Caller) -> Tagged:
        """The same for every table that the caller may alter, each on its own.

        Where no cells can be looked at, a note says so, and the others are tagged.
        """
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        tags: dict[DatasetName, tuple[FieldTag, ...]] = {}
        notes: list[str] = []
        for dataset in self._platform.catalog.datasets.list():
            scope = on_dataset(dataset.name)
            if dataset.view is None and administrator.may(AccessLevel.ALTER, scope):
                try:
                    tags[dataset.name] = self.autotag(caller, dataset.name)
                except (SourceInvalid, SourceUnavailable, Conflict, NotFound) as error:
                    notes.append(f"`{dataset.name}`: {error.message}")
        return Tagged(tags, tuple(notes))

    def load(self, caller: Caller, database: str, tables: tuple[str, ...] = ()) -> Loaded:
        """See `ConnectedTables.load`."""
        return self._connected.load(caller, database, tables)

    def _register(self, author: Principal, wanted: d.CreateTable, paths: Mapping[str, str]) -> Made:
        like = ()
        if wanted.like:
            sample = self._look(wanted, paths[wanted.like] or wanted.like)
            like = as_declared(sample.columns, wanted.places.get("LIKE"))
        location = wanted.location or wanted.like
        if not location:
            return self._empty(author, without_files(wanted))
        found = self._look(wanted, paths[location] or location)
        check_files(wanted, found)
        bound = bind(wanted, found, like)
        described = Described(
            wanted.comment, frozenset(t.tag for t in wanted.tags), wanted.properties
        )
        made = self._platform.catalog.datasets.register(
            found, wanted.dataset, bound.columns, by=author.user, described=described
        )
        self._platform.catalog.domains.note_profiles(made, found.profiles)
        return Made(
            made,
            (
                *bound.notes,
                *found.notes,
                *permissions_again(self._platform, author, made),
            ),
        )

    def _empty(self, author: Principal, wanted: d.CreateTable) -> Made:
        """A table with no rows yet, for INSERT INTO."""
        if not wanted.columns:
            raise InvalidRequest(
                "a table has columns", hint="write them, or LOCATION 'uri of a folder'"
            )
        with empty_files(self._platform, wanted) as folder:
            found = self._look(wanted, folder)
            found = replace(found, source=as_own(found.source))
            bound = bind(wanted, found)
            described = Described(
                wanted.comment, frozenset(t.tag for t in wanted.tags), wanted.properties
            )
            made = self._platform.catalog.datasets.register(
                found, wanted.dataset, bound.columns, by=author.user, described=described
            )
        return Made(made, (*bound.notes, *permissions_again(self._platform, author, made)))

    def _look(self, wanted: d.CreateTable, uri: str) -> FoundDataset:
        version = wanted.properties.get(VERSION)
        given = Given(wanted.delimiter or None, said_quote(wanted), said_header(wanted), version)
        where = wanted.places.get("LOCATION") or wanted.places.get("LIKE")
        try:
            found = look_at_files(self._platform, uri, given)
        except PrivetError as error:
            error.position = where
            raise
        if found is None:
            raise InvalidRequest(
                "there are no files at this location",
                hint="name the folder in which the files lie; other folders in it are other tables",
                position=where,
            )
        return found

    def _at(self, uri: str) -> Scope:
        """A path as the object of a permission; one that is none is covered by the catalog only."""
        try:
            canonical = self._platform.connectors.canonical(uri)
        except PrivetError:
            return Scope(ScopeKind.URI)
        return Scope(ScopeKind.URI, name=canonical)


def check_kind(dataset: Dataset, *, view: bool) -> None:
    """Refuse to take a view for a table, or a table for a view.

    Raises:
        InvalidRequest: it is the other.
    """
    if (dataset.view is not None) != view:
        kind = "table" if view else "view"
        raise InvalidRequest(f"`{dataset.name}` is a {kind}", hint=f"write {kind.upper()}")
