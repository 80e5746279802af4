"""Deciding and listing over a large catalog: a real store, whose rows are written straight into it.

The principal holds twenty of the permissions, one of them on everything, so that all of the
datasets are listed; then some rights beside. The list of a server that has read nothing yet, the
next after each kind of small change, and one without a change between are told apart.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

import pyarrow as pa
from sqlalchemy import Connection, event, insert

from benchmarks.measure import Figure
from privet.catalog import Catalog
from privet.catalog.documents import dump_types
from privet.catalog.versions import changing
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Permission, on_dataset
from privet.model.principals import BearerToken, Principal
from privet.policy import Grant, decide, from_json, parse, to_json
from privet.server.main import collect_less_often
from privet.server.settings import Settings
from privet.server.wiring import services
from privet.service import Caller, Services
from privet.store.tables import databases, dataset_columns, datasets, permissions, roles

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 5
HELD, DATABASES, ROLE, USER = 20, 100, "analysts", "ada"
TAG = TagName("phi", "bench")
RIGHTS = ("ALTER ON DATABASE d3", "ADD_ATTRIBUTE ON DATABASE d4", "SHOW ON TABLE d5.t5")
SIZES = ((10_000, 50.0, 50.0), (100_000, 1_000.0, 500.0))
"""Datasets and permissions, microseconds for a decision, milliseconds for a list."""


def run() -> Iterator[Figure]:
    """Measure."""
    collect_less_often()
    for size, decision, listing in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            yield from _of_size(Path(folder), size, decision, listing)


def _of_size(folder: Path, size: int, decision: float, listing: float) -> Iterator[Figure]:
    settings = Settings.load(
        None,
        state_dir=folder,
        tls_cert=folder / "no.crt",
        tls_key=folder / "no.key",
        local_roots=[folder],
    )
    with services(settings) as offered:
        platform = offered.queries._platform  # noqa: SLF001 - to fill the store, and to decide bare
        catalog, identity = platform.catalog, platform.identity
        with changing(catalog.datasets._engine) as connection:  # noqa: SLF001
            _fill(connection, size)
        catalog.roles.map_group(ROLE, f"user:{USER}")
        token = BearerToken(identity.issue_token(USER, frozenset()))
        principal = identity.authenticate(token)
        yield from _cold(catalog, principal, size)
        yield from _decisions(catalog, principal, size, decision)
        caller = Caller(token, "bench")
        yield Figure(f"list {size:,} datasets, cold", _once(offered, caller, size), "ms")
        catalog.tags.create(TAG, by="bench")
        asked = partial(_once, offered, caller, size)
        yield from _lists(asked, partial(_changes, catalog), f"list {size:,} datasets", listing)
        for right in RIGHTS:
            statement = parse(f"GRANT {right} TO ROLE {ROLE}")
            assert isinstance(statement, Grant)
            catalog.permissions.add(statement.permission, by="bench")
        more = partial(_changes, catalog, first=ROUNDS)
        yield from _lists(asked, more, f"list {size:,} datasets with rights", listing)


def _fill(connection: Connection, size: int) -> None:
    made = {"created_by": "bench", "created_at": NOW}
    types = dump_types([pa.int64(), pa.string(), pa.string()])
    names = [f"d{number}" for number in range(DATABASES)]
    connection.execute(insert(databases), [{"name": n, "description": ""} | made for n in names])
    tables = [
        {
            "id": f"i{n}", "database": f"d{n % DATABASES}", "name": f"t{n}", "uri": f"file:///{n}",
            "format": "parquet", "options": {}, "partitions": [], "types": types, "revision": 1,
            "description": "", "owner": "bench", "created_at": NOW,
        }
        for n in range(size)
    ]  # fmt: skip
    connection.execute(insert(datasets), tables)
    columns = [
        {
            "dataset": f"i{n}", "position": place, "name": name, "source_name": name, "type": "",
            "comment": "", "reviewed": True, "partition": False,
        }
        for n in range(size)
        for place, name in enumerate(("id", "mrn", "city"))
    ]  # fmt: skip
    connection.execute(insert(dataset_columns), columns)
    others = [f"r{number}" for number in range(size // HELD)]
    made_roles = [{"name": name, "builtin": False} | made for name in (ROLE, *others)]
    connection.execute(insert(roles), made_roles)
    connection.execute(insert(permissions), [_permission(n, size) | made for n in range(size)])


def _permission(number: int, size: int) -> dict[str, object]:
    role = ROLE if number < HELD else f"r{number // HELD - 1}"
    scope = f"TABLE d{number % DATABASES}.t{number % size}" if number else "CATALOG"
    text = f"GRANT SELECT ON {scope} WHERE id != {number} TO ROLE {role}"
    statement = parse(text) if number < HELD else _SAMPLE
    assert isinstance(statement, Grant)
    on = statement.permission.scope
    return {
        "id": f"p{number}", "role": role, "kind": on.kind.value, "database": on.database,
        "dataset": on.dataset, "digest": f"g{number}", "document": to_json(statement.permission),
    }  # fmt: skip


_SAMPLE = parse("GRANT SELECT ON TABLE d1.t1 WHERE id != 1 TO ROLE r1")


def _decisions(catalog: Catalog, principal: Principal, size: int, bound: float) -> Iterator[Figure]:
    names = [DatasetName(f"d{n % DATABASES}", f"t{n}") for n in range(HELD)]
    facts = [catalog.facts(name, principal) for name in names]

    def fresh() -> None:
        for each in facts:
            each.remembered.clear()
            decide(principal, each, NOW)

    def read() -> None:
        for name in names:
            decide(principal, catalog.facts(name, principal), NOW)

    many = f"{HELD} of {size:,} permissions"
    yield Figure(f"decide, {many}, p50", _microseconds(fresh, len(names)), "us", bound)
    yield Figure(f"facts and decide, {many}, p50", _microseconds(read, len(names)), "us")


def _microseconds(work: Callable[[], None], count: int) -> float:
    times: list[float] = []
    for _ in range(200):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) / count * 1e6)
    return median(times)


def _cold(catalog: Catalog, principal: Principal, size: int) -> Iterator[Figure]:
    engine = catalog.datasets._engine  # noqa: SLF001 - to count what it is sent
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement != "BEGIN":
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    Catalog(engine, to_json, from_json).facts(DatasetName("d1", "t1"), principal)
    event.remove(engine, "before_cursor_execute", note)
    yield Figure(f"queries for the facts of a cold scan, {size:,} datasets", len(sent), "", 2)


def _once(offered: Services, caller: Caller, size: int) -> float:
    start = time.perf_counter()
    assert len(offered.datasets.list(caller)) == size
    return (time.perf_counter() - start) * 1e3


def _lists(
    once: Callable[[], float],
    changes: Callable[[int], dict[str, Callable[[], object]]],
    what: str,
    bound: float,
) -> Iterator[Figure]:
    once()
    yield Figure(f"{what}, p50", median(once() for _ in range(12)), "ms", bound)
    after: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        for changed, change in changes(number).items():
            change()
            after.setdefault(changed, []).append(once())
    for changed, taken in after.items():
        yield Figure(f"{what} after {changed}, p50", median(taken), "ms", bound)


def _changes(catalog: Catalog, number: int, first: int = 0) -> dict[str, Callable[[], object]]:
    number += first
    name = DatasetName(f"d{number}", f"t{number}")
    return {
        "a new role": lambda: catalog.roles.create(f"new{number}", by="bench"),
        "a tag": lambda: catalog.datasets.assign_tag(name, ("mrn",), TAG, by="bench"),
        "a tag on a database": lambda: catalog.databases.assign_tag(name.database, TAG, by="bench"),
        "a grant": lambda: catalog.permissions.add(
            Permission(on_dataset(name), ROLE, columns=("id",)), by="bench"
        ),
    }
