"""A whole platform in this process: real stores, keys, readers and sandboxes, no doors."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from privet.keys import FileKeys
from privet.model.crawling.crawls import Crawl, CrawlStatus, FoundDataset
from privet.model.datasets import Column, Dataset, FieldTag, Format, Source
from privet.model.errors import PrivetError
from privet.model.names import DatasetName, TagName
from privet.model.principals import BearerToken
from privet.model.requests import Parameters, QueryRequest, ScanRequest
from privet.policy import Grant, parse
from privet.query import Gone
from privet.server.settings import Settings
from privet.server.wiring import services
from privet.service import Caller, Platform, Services
from privet.service.queries import never

ADMIN = "root"
DOOR = "test"
_TRIES = 20
_CRAWL_SECONDS = 120


@dataclass
class Got:
    """What a statement gave: a table cut as it came, or an error."""

    table: pa.Table | None = None
    error: PrivetError | None = None
    sizes: tuple[int, ...] = ()

    @property
    def code(self) -> str:
        """The error's code, or nothing."""
        return self.error.code if self.error else ""

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The rows of an answer, in order."""
        assert self.table is not None, self.error
        return list(zip(*(c.to_pylist() for c in self.table.columns), strict=True))

    def received(self) -> Iterable[bytes]:
        """Every byte a door would have of it: buffers whole, the schema, the error's parts."""
        if self.error is not None:
            yield repr(self.error.args).encode()
            yield repr(vars(self.error)).encode()
        if self.table is not None:
            yield self.table.schema.serialize().to_pybytes()
            for column in self.table.columns:
                for chunk in column.chunks:
                    yield from (b.to_pybytes() for b in chunk.buffers() if b is not None)

    def told(self) -> tuple[Any, ...]:
        """All that can be told apart about it but values: the audit id aside."""
        if self.error is not None:
            e = self.error
            return (type(e).__name__, e.code, e.message, e.hint, e.position, self.sizes)
        assert self.table is not None
        return (self.table.schema.serialize().to_pybytes(), self.sizes)

    def like(self, other: Got) -> bool:
        """Whether nobody could tell the two apart: not by a word, a cell, or a byte that leaves."""
        return self.told() == other.told() and self.sent() == other.sent()

    def shuffled(self, other: Got) -> bool:
        """Whether both answered with the same rows, whatever their order."""
        if self.table is None or other.table is None or self.table.schema != other.table.schema:
            return False
        return Counter(map(repr, self.rows)) == Counter(map(repr, other.rows))

    def sent(self) -> list[bytes]:
        """Each batch as a door would send it."""
        batches = [] if self.table is None else self.table.to_batches()
        return [batch.serialize().to_pybytes() for batch in batches]


def settled(first: Callable[[], Got], second: Callable[[], Got]) -> tuple[Got, Got]:
    """What two ask at the same time, to be compared.

    The engine hands out unordered groups as its threads finish them. Where the two differ in that
    alone, they are asked again: what chance did once, it does not do each time.
    """
    with ThreadPoolExecutor(2) as pool:
        for _ in range(_TRIES):
            one, other = pool.map(lambda ask: ask(), (first, second))
            if one.like(other) or not one.shuffled(other):
                break
        return one, other


@dataclass(frozen=True)
class Person:
    """Somebody who asks, with a role of their own."""

    user: str
    role: str
    caller: Caller = field(repr=False)


class Place:
    """A platform whose steward puts data and grants straight into the catalog."""

    def __init__(self, offered: Services, lake: Path) -> None:
        self.services = offered
        self.platform: Platform = offered.queries._platform
        self.lake = lake
        self._numbers = itertools.count(1)
        self.admin = Person(ADMIN, "", self._caller(ADMIN))

    def _caller(self, user: str, *groups: str) -> Caller:
        token = self.platform.identity.issue_token(user, frozenset(groups))
        return Caller(BearerToken(token), DOOR)

    def unique(self, what: str) -> str:
        """A name that nothing else of this platform has."""
        return f"{what}_{next(self._numbers)}"

    def dataset(
        self,
        table: pa.Table,
        name: str = "",
        tags: Mapping[str, Sequence[str]] | None = None,
        **options: Any,
    ) -> Dataset:
        """Register a table as Parquet; its database is made unless it is there."""
        full = DatasetName.parse(name or f"{self.unique('db')}.t")
        folder = self.lake / self.unique("t")
        folder.mkdir()
        pq.write_table(table, folder / "part.parquet", **options)
        return self.register(folder, table.schema, full, tags or {})

    def register(
        self, folder: Path, schema: pa.Schema, name: DatasetName, tags: Mapping[str, Sequence[str]]
    ) -> Dataset:
        """Register a folder of Parquet files."""
        catalog = self.platform.catalog
        self.tags(*(tag for held in tags.values() for tag in held))
        columns = tuple(
            Column(
                f.name,
                f.type,
                f.name,
                field_tags=tuple(
                    FieldTag((f.name,), TagName.parse(t)) for t in tags.get(f.name, ())
                ),
            )
            for f in schema
        )
        found = FoundDataset(name.name, Source(f"file://{folder}", Format.PARQUET), columns)
        fresh = catalog.databases.find(name.database) is None
        return catalog.datasets.register(found, name, columns, by=ADMIN, new_database=fresh)

    def tags(self, *names: str) -> None:
        """Make tags exist."""
        known = {str(tag.name) for tag in self.platform.catalog.tags.list()}
        for name in sorted({*names} - known):
            self.platform.catalog.tags.create(TagName.parse(name), by=ADMIN)

    def person(self, *grants: str, user: str = "") -> Person:
        """Somebody new with a new role; grants are written without `TO ROLE`."""
        user = user or self.unique("reader")
        caller = self._caller(user)
        person = Person(user, self.role(Person(user, "", caller)), caller)
        role = person.role
        for grant in grants:
            self.grant(grant, role)
        return person

    def role(self, person: Person) -> str:
        """One more role that somebody holds."""
        role = self.unique("role")
        self.platform.catalog.roles.create(role, by=ADMIN)
        self.platform.catalog.roles.map_group(role, f"user:{person.user}")
        return role

    def grant(self, grant: str, role: str) -> None:
        """Store a grant, as its author would: checked."""
        statement = parse(f"{grant} TO ROLE {role}")
        assert isinstance(statement, Grant)
        self.services.permissions.grant(self.admin.caller, statement)

    def safeguard(self, safeguard: str, role: str) -> None:
        """Store a safeguard, which is written without `FROM ROLE`."""
        statement = parse(f"{safeguard} FROM ROLE {role}")
        assert isinstance(statement, Grant)
        self.services.permissions.grant(self.admin.caller, statement)

    def ask(
        self,
        person: Person,
        sql: str,
        parameters: object = None,
        database: str | None = None,
        gone: Gone = never,
        **options: Any,
    ) -> Got:
        """Run a statement to its end; whatever is not one of our errors is a defect."""
        sizes: list[int] = []
        try:
            values = None if parameters is None else Parameters.of(parameters)
            request = QueryRequest(sql, values, database, **options)
            with self.services.queries.open(person.caller, request, gone) as stream:
                batches = []
                for batch in stream:
                    batches.append(batch)
                    sizes.append(batch.num_rows)
                return Got(pa.Table.from_batches(batches, stream.schema), None, tuple(sizes))
        except PrivetError as error:
            return Got(None, error, tuple(sizes))

    def describe(self, person: Person, sql: str, parameters: object = None) -> Got:
        """The empty table that a statement would fill."""
        try:
            values = None if parameters is None else Parameters.of(parameters)
            found = self.services.queries.describe(person.caller, QueryRequest(sql, values))
            return Got(pa.Table.from_batches([], found.schema))
        except PrivetError as error:
            return Got(None, error)

    def scan(self, person: Person, dataset: str) -> pa.Table:
        """What a plain scan shows, without marks of the policy: the sanitised copy."""
        request = ScanRequest(DatasetName.parse(dataset))
        with self.services.scans.open(person.caller, request) as stream:
            table = pa.Table.from_batches(list(stream), stream.schema)
        return table.cast(pa.schema([f.remove_metadata() for f in table.schema]))

    def crawl(self, person: Person, name: str, uri: str) -> Crawl:
        """A crawl, once it has ended."""
        crawls = self.services.crawls
        crawl = crawls.start(person.caller, name, uri)
        until = time.monotonic() + _CRAWL_SECONDS
        while crawl.status is CrawlStatus.RUNNING:
            assert time.monotonic() < until
            time.sleep(0.05)
            crawl = crawls.get(person.caller, name)
        return crawl


@contextmanager
def open_place(
    folder: Path, *, master: Path | None = None, lake: Path | None = None, **settings: Any
) -> Generator[Place]:
    """A platform with its state in a folder.

    Args:
        folder: empty.
        master: the file of a master key, so that two platforms make the same tokens.
        lake: where its data lies; its own folder by default.
        settings: of the server; small limits by default.
    """
    lake = lake or folder / "lake"
    lake.mkdir(parents=True, exist_ok=True)
    small = {"query_seconds": 20, "query_memory": 256 * 2**20, "query_wait_seconds": 20}
    # Places live as long as a module of tests takes.
    small["token_lifetime"] = 12 * 3600
    given = Settings.load(
        None,
        state_dir=folder / "state",
        tls_cert=folder / "no.crt",
        tls_key=folder / "no.key",
        local_roots=[lake],
        catalog_admins=[f"user:{ADMIN}"],
        query_dir=folder / "sandboxes",
        **small | ({"master_key_file": master} if master else {}) | settings,
    )
    with services(given) as offered:
        yield Place(offered, lake)


def make_master(path: Path) -> Path:
    """A master key for several platforms."""
    FileKeys.create(path)
    return path
