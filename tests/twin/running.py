"""The same statement under policy and over the sanitised copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

import duckdb
import pyarrow as pa

from privet.model.errors import PrivetError
from privet.model.names import DatasetName
from query.copies import SanitisedCopy
from query.platforms import Person, Place
from twin import shapes, statements
from twin.cells import difference
from twin.statements import Shape, Statement, Statements
from twin.worlds import TwinWorld

SHAPES: tuple[Shape, ...] = (
    *(statements.plain,) * 7,
    *(statements.looked_up,) * 3,
    *(statements.renamed, statements.computed, statements.computed, statements.ordered) * 2,
    *(statements.aggregated,) * 4,
    *(statements.joined, statements.joined, statements.crossed, statements.self_joined),
    *(statements.subquery, statements.subquery, statements.lateral, statements.combined),
    *(shapes.with_parts, shapes.nested, shapes.nested, shapes.recursive, shapes.windowed),
    *(shapes.pivoted, shapes.unpivoted, shapes.whole_rows, shapes.lists, shapes.distinct_on),
    *(shapes.described, shapes.odd_clauses, shapes.failing, shapes.failing),
)
FAILURES: dict[str, tuple[type[duckdb.Error], ...]] = {
    "statement_failed": (
        duckdb.ConversionException,
        duckdb.OutOfRangeException,
        duckdb.InvalidInputException,
    ),
    "unknown_name": (duckdb.BinderException, duckdb.CatalogException),
    "type_mismatch": (duckdb.BinderException,),
    "invalid_request": (
        duckdb.BinderException,
        duckdb.NotImplementedException,
        duckdb.ParserException,
        duckdb.InvalidInputException,
    ),
    "parse_failed": (duckdb.ParserException,),
}
"""The errors of the engine that each of our codes stands for."""


@dataclass
class Open:
    """A world in a platform, and the copy of what its reader sees."""

    world: TwinWorld
    place: Place
    person: Person
    database: str
    copy: SanitisedCopy
    seen: dict[str, pa.Table]
    grants: tuple[str, ...]

    def statements(self) -> Statements:
        """Draws statements for it."""
        return Statements(Random(f"sql {self.world.seed}"), self.database, self.seen, SHAPES)

    def disagreement(self, statement: Statement) -> tuple[str, list[str]]:
        """What the two say differently, or nothing; and what is of interest about it."""
        values = statement.parameters or None
        got = self.place.ask(self.person, statement.sql, values)
        try:
            theirs = self.copy.ask(statement.sql, values)
        except duckdb.Error as error:
            if got.error is None:
                return f"answered {got.rows[:3]}, and fails over the copy: {error}", []
            if isinstance(error, FAILURES.get(got.code, ())):
                return "", ["fails alike"]
            return f"fails as {got.code} ({got.error}), over the copy with {error!r}", []
        if got.table is None:
            return f"fails ({got.code}: {got.error}), over the copy {theirs.to_pylist()[:3]}", []
        traits = ["answered", *["rows"] * bool(got.table.num_rows)]
        # What stands in parentheses behind EXPLAIN would be taken for its options.
        plain = not statement.sql.startswith("(")
        if plain and len(statement.sql) % 5 == 0 and (said := self._unexplained(statement)):
            return said, traits
        return difference(got.table, theirs, ordered=statement.ordered), traits

    def _unexplained(self, statement: Statement) -> str:
        got = self.place.ask(self.person, f"EXPLAIN {statement.sql}", statement.parameters or None)
        return f"EXPLAIN fails: {got.error}" if got.table is None else ""

    def told(self) -> str:
        """The policy, and what it shows."""
        shown = "\n".join(f"{n}: {t.schema.names} {t.num_rows} rows" for n, t in self.seen.items())
        return "\n".join([*self.grants, shown])


@contextmanager
def opened(place: Place, world: TwinWorld) -> Iterator[Open | None]:
    """The world, registered; nothing where its reader sees no table whole enough."""
    database = place.unique("twin")
    for name, table in world.tables.items():
        place.dataset(table.rows, f"{database}.{name}", table.tags, row_group_size=7)
    lender = place.role(place.admin)
    for name, text in world.views.items():
        place.grant(f"GRANT SELECT ON DATABASE {database}", lender)
        view = DatasetName(database, name)
        place.services.views.create(place.admin.caller, view, text.replace("{}", database))
    person = place.person()
    granted: list[str] = []
    for number, grants in enumerate(world.roles):
        role = person.role if number == 0 else place.role(person)
        granted += (g for g in _fit(grants, database) if _stored(place, g, role))
    seen: dict[str, pa.Table] = {}
    for name in (*world.tables, *world.views):
        try:
            seen[name] = place.scan(person, f"{database}.{name}")
        except PrivetError:
            yield None
            return
    copy = SanitisedCopy({f"{database}.{name}": table for name, table in seen.items()})
    try:
        yield Open(world, place, person, database, copy, seen, tuple(granted))
    finally:
        copy.close()


def _fit(grants: tuple[str, ...], database: str) -> Iterator[str]:
    yield from (grant.replace("{}", database) for grant in grants)


def _stored(place: Place, grant: str, role: str) -> bool:
    """Whether a grant could be stored: a transform may not fit a column's type."""
    try:
        (place.grant if grant.startswith("GRANT") else place.safeguard)(grant, role)
    except PrivetError:
        return False
    return True
