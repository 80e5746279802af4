"""Databases: names that datasets are registered under, and that permissions can be on early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, insert, select

from privet.catalog.tags import require_tags
from privet.catalog.versions import Clock, changing
from privet.model.errors import Conflict, NotFound
from privet.model.names import TagName
from privet.store import reading
from privet.store.tables import databases, datasets, tag_assignments

_KIND = "database"


@dataclass(frozen=True, slots=True)
class Database:
    """A database; `tags` are effective on every column of its datasets."""

    name: str
    description: str = ""
    tags: frozenset[TagName] = frozenset()
    created_by: str = ""
    created_at: datetime | None = None
    properties: Mapping[str, str] = field(default_factory=dict[str, str])


class Databases:
    """The databases of a catalog. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def create(
        self,
        name: str,
        *,
        by: str,
        description: str = "",
        properties: Mapping[str, str] | None = None,
    ) -> Database:
        """Add an empty database.

        Raises:
            Conflict: there is one of that name.
        """
        wanted = Database(name, description, frozenset(), by, self._clock(), properties or {})
        with changing(self._engine) as connection:
            add_database(connection, wanted)
            return _read(connection, name)[0]

    def drop(self, name: str) -> None:
        """Remove an empty database. Permissions on it stay.

        Raises:
            NotFound: there is none of that name.
            Conflict: it has datasets.
        """
        with changing(self._engine) as connection:
            require_database(connection, name)
            held = select(datasets.c.name).where(datasets.c.database == name).limit(1)
            if connection.execute(held).first():
                raise Conflict(
                    f"database `{name}` is not empty", hint="drop its datasets before it"
                )
            connection.execute(delete(tag_assignments).where(tag_assignments.c.database == name))
            connection.execute(delete(databases).where(databases.c.name == name))

    def list(self) -> tuple[Database, ...]:
        """All databases by name."""
        with reading(self._engine) as connection:
            return _read(connection)

    def find(self, name: str) -> Database | None:
        """The database of that name."""
        with reading(self._engine) as connection:
            return next(iter(_read(connection, name)), None)

    def assign_tag(self, name: str, tag: TagName, *, by: str) -> None:
        """Tag a database; again is the same as once.

        Raises:
            NotFound: there is no such database.
            UnknownName: there is no such tag.
        """
        with changing(self._engine) as connection:
            require_database(connection, name)
            require_tags(connection, {tag})
            if tag not in _read(connection, name)[0].tags:
                connection.execute(
                    insert(tag_assignments).values(
                        **_tag_row(name, tag), origin="manual", evidence=None, created_by=by
                    )
                )

    def unassign_tag(self, name: str, tag: TagName) -> None:
        """Take a tag off a database.

        Raises:
            NotFound: it is not on it.
        """
        with changing(self._engine) as connection:
            gone = connection.execute(delete(tag_assignments).filter_by(**_tag_row(name, tag)))
            if not gone.rowcount:
                raise NotFound(f"tag `{tag}` is not on database `{name}`")


def _tag_row(name: str, tag: TagName) -> dict[str, str]:
    return {
        "kind": _KIND, "database": name, "dataset": "", "path": "[]",
        "namespace": tag.namespace, "key": tag.key,
    }  # fmt: skip


def add_database(connection: Connection, database: Database) -> None:
    """Insert a database without tags.

    Raises:
        Conflict: there is one of that name.
    """
    if _read(connection, database.name):
        raise Conflict(f"database `{database.name}` already exists")
    connection.execute(
        insert(databases).values(
            name=database.name,
            description=database.description,
            created_by=database.created_by,
            created_at=database.created_at,
            properties=dict(database.properties),
        )
    )


def require_database(connection: Connection, name: str) -> None:
    """Check that a database exists.

    Raises:
        NotFound: it does not; the text is also that for a database the reader may not see.
    """
    if not connection.execute(select(databases.c.name).where(databases.c.name == name)).first():
        raise NotFound(
            f"database `{name}` does not exist, or you have no access to it",
            hint="list what you can read with `privet db list`, or ask a data steward",
        )


def find_database(connection: Connection, name: str) -> Database:
    """The database of that name, as the connection's transaction sees it.

    Raises:
        NotFound: as `require_database`.
    """
    require_database(connection, name)
    return _read(connection, name)[0]


def _read(connection: Connection, name: str | None = None) -> tuple[Database, ...]:
    wanted = select(databases).order_by(databases.c.name)
    on = select(tag_assignments).where(tag_assignments.c.kind == _KIND)
    if name is not None:
        wanted = wanted.where(databases.c.name == name)
        on = on.where(tag_assignments.c.database == name)
    tags: dict[str, set[TagName]] = {}
    for row in connection.execute(on):
        tags.setdefault(row.database, set()).add(TagName(row.namespace, row.key))
    return tuple(
        Database(
            row.name,
            row.description,
            frozenset(tags.get(row.name, ())),
            row.created_by,
            row.created_at,
            row.properties,
        )
        for row in connection.execute(wanted)
    )
