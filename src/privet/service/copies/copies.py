"""Copies: answers of statements that are kept, as tables of their own.

    rights -> what the answer rests on -> the life of a query -> hidden files -> catalog -> shown

Whoever copies gets no more than they see. What protects the rows goes along: tags, which columns
nobody has reviewed, and the safeguards on all that the copy was made of.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyarrow as pa

from privet.catalog import Described
from privet.enforcement import enforce
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import COPIED, Copy, Dataset, Format, Source
from privet.model.errors import Conflict, InvalidRequest, Position, PrivetError
from privet.model.events import Outcome
from privet.model.names import DatasetName
from privet.model.permissions import AccessLevel, Scope, ScopeKind, on_database, on_dataset
from privet.model.principals import Principal
from privet.model.requests import QueryRequest, ScanRequest
from privet.policy import Need
from privet.policy import definitions as d
from privet.query import Traced
from privet.scan import Parts, storable
from privet.service.access import Act, administer, event_of
from privet.service.asking import Asking, QueryStream
from privet.service.copies.making import by_position, columns_of, copy_of, is_reviewed
from privet.service.deciding import Decided, decide_by_name
from privet.service.platform import Caller, Platform
from privet.service.rights import absent
from privet.service.views import trace


@dataclass(frozen=True, slots=True)
class Copied:
    """The table that rows were written to, and how many; `notes` for whoever copied."""

    dataset: Dataset
    rows: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer that has begun, and where it comes from."""

    stream: QueryStream
    traced: Traced
    decided: Mapping[DatasetName, Decided]

    def made_of(self, *, managed: bool) -> Copy:
        return copy_of(self.traced, self.decided, managed=managed)


class Copies:
    """Writing what somebody sees into tables of its own.

    Every method raises, beside what queries raise:
        NotFound, Forbidden: the caller lacks a right.
        InvalidRequest: the server has no place for copies, or the answer cannot be kept.
        SourceUnavailable: the files could not be written; nothing is left of them.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def create(self, caller: Caller, wanted: d.CreateTableAs) -> Copied | None:
        """Make a table of the answer of a SELECT; None if it is there and may be.

        Raises:
            Conflict: the name is taken, or something lies at the location.
        """
        name = wanted.dataset
        folder, misplaced = "", None
        try:
            folder = self._platform.copies.place(name, wanted.location)
        except PrivetError as error:
            # Where copies may lie is for those who may make one.
            misplaced = error
        writing = (Need(AccessLevel.INSERT, Scope(ScopeKind.URI, name=folder)),)
        act = Act(
            "table.copy",
            str(name),
            wanted.text,
            detail={"source": folder[:200]},
            needs=(
                Need(AccessLevel.CREATE, on_database(name.database)),
                *(writing if wanted.location else ()),
            ),
            creates=on_dataset(name),
        )
        with administer(self._platform, caller, act) as author:
            if misplaced is not None:
                raise misplaced
            if self._platform.catalog.databases.find(name.database) is None:
                raise absent(on_database(name.database))
            if self._platform.catalog.datasets.find(name) is not None:
                if wanted.if_not_exists:
                    return None
                raise Conflict(f"dataset `{name}` already exists", hint="choose another name")
            with self._answer(author, caller, name, wanted.text) as answer:
                return self._make(author, wanted, folder, answer)

    def insert(self, caller: Caller, wanted: d.Insert) -> Copied:
        """Add the answer of a SELECT to a copy, column by column.

        Raises:
            InvalidRequest: it is no copy, or has other columns.
            TypeMismatch: a value does not fit its column.
            Conflict: somebody changed the table meanwhile.
        """
        name = wanted.dataset
        act = Act(
            "table.insert",
            str(name),
            wanted.text,
            needs=(Need(AccessLevel.INSERT, on_dataset(name)),),
        )
        with administer(self._platform, caller, act) as author:
            dataset = self._platform.catalog.datasets.get(name)
            if dataset.copy is None:
                raise InvalidRequest(
                    f"`{name}` is over files that somebody else writes",
                    hint="rows are added to tables that CREATE TABLE AS made",
                )
            with self._answer(author, caller, name, wanted.text) as answer:
                return self._add(author, dataset, dataset.copy, answer)

    @contextmanager
    def _answer(
        self, author: Principal, caller: Caller, name: DatasetName, text: str
    ) -> Generator[_Answer]:
        """Begin the statement as a query of its author, on record like any other."""
        request = QueryRequest(text, None, name.database)
        traced, schemas = trace(self._platform, author, request, self._seen_by(author))
        event = event_of(author, caller, "query.start", Outcome.ALLOWED)
        asking = Asking(self._platform, author, request, replace(event, statement=text))
        with asking.recorded():
            asking.decide(asking.read(lambda: False))
            if asking.schemas() != schemas:
                raise Conflict("what the statement reads was changed", hint="run it again")
            stream = asking.answer()
        try:
            yield _Answer(stream, traced, asking.decided)
        finally:
            stream.close()

    def _seen_by(self, author: Principal) -> _SchemaOf:
        return _SchemaOf(self._platform, author)

    def _make(
        self, author: Principal, wanted: d.CreateTableAs, folder: str, answer: _Answer
    ) -> Copied:
        stored = storable(answer.stream.schema)
        columns = columns_of(answer.traced, stored, answer.decided)
        made = answer.made_of(managed=not wanted.location)
        copies = self._platform.copies
        copies.make(folder)
        with Parts.new(copies, folder, stored) as parts:
            parts.write(answer.stream)
            parts.publish()
            source = Source(folder, Format.PARQUET, {COPIED: made.to_option()})
            dataset = self._platform.catalog.datasets.register(
                FoundDataset(wanted.dataset.name, source, columns),
                wanted.dataset,
                columns,
                by=author.user,
                described=Described(wanted.comment, properties=wanted.properties),
            )
        return Copied(dataset, parts.rows, _notes(made))

    def _add(self, author: Principal, dataset: Dataset, copy: Copy, answer: _Answer) -> Copied:
        names = tuple(answer.stream.schema.names)
        if len(names) != len(dataset.columns):
            raise InvalidRequest(
                f"the statement gives {len(names)} columns and `{dataset.name}` has "
                f"{len(dataset.columns)}",
                hint="select one for each column, in their order",
            )
        schema = pa.schema([pa.field(c.source_name, c.type) for c in dataset.columns])
        added = by_position(answer.made_of(managed=copy.managed), names, dataset)
        unreviewed = {
            column.name
            for column, name in zip(dataset.columns, names, strict=True)
            if not is_reviewed(answer.traced, name, answer.decided)
        }
        with Parts.new(self._platform.copies, dataset.source.uri, schema) as parts:
            parts.write(answer.stream)
            # What protects the rows is there before they are.
            extended = self._platform.catalog.definitions.extend_copy(
                dataset, added, unreviewed, by=author.user
            )
            parts.publish()
        return Copied(extended, parts.rows, _notes(added))


@dataclass(frozen=True, slots=True)
class _SchemaOf:
    """What somebody sees of a dataset."""

    platform: Platform
    reader: Principal

    def __call__(self, name: DatasetName, position: Position | None) -> pa.Schema:
        try:
            decision = decide_by_name(self.platform, self.reader, name).decision.require()
        except PrivetError as error:
            error.position = position
            raise
        return enforce(
            decision, ScanRequest(name), self.platform.derive, self.platform.circumstances
        ).schema


def _notes(copy: Copy) -> tuple[str, ...]:
    computed = sorted(str(name) for name, plain in copy.origins.items() if not plain)
    if not computed:
        return ()
    told = (
        f"rows of {', '.join(computed)} were joined or computed with, so safeguards that filter "
        "rows there close the table to those they bind"
    )
    return (told,)
