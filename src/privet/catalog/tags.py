"""Tags: the words that permissions are written in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, insert, select, tuple_, update

from privet.catalog.versions import Clock, changing
from privet.model.errors import Conflict, NotFound, UnknownName
from privet.model.names import TagName
from privet.store import reading
from privet.store.tables import (
    datasets,
    permission_tags,
    permissions,
    rules,
    tag_assignments,
    tags,
)

_SYSTEM = "privet"
_NAMED_USES = 5


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag; built-in ones belong to the classifier's library and cannot be dropped."""

    name: TagName
    description: str = ""
    builtin: bool = False


class Tags:
    """The tags of a catalog. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def create(self, tag: TagName, *, by: str, description: str = "") -> Tag:
        """Add a tag.

        Raises:
            Conflict: it exists.
        """
        with changing(self._engine) as connection:
            if _present(connection, {tag}):
                raise Conflict(f"tag `{tag}` already exists")
            self._insert(connection, Tag(tag, description), by)
        return Tag(tag, description)

    def drop(self, tag: TagName) -> None:
        """Remove a tag, and take it off everything that it is on.

        Raises:
            NotFound: there is no such tag.
            Conflict: it is built in, or a permission or rule uses it.
        """
        with changing(self._engine) as connection:
            row = connection.execute(select(tags).filter_by(**tag._asdict())).first()
            if row is None:
                raise NotFound(f"tag `{tag}` does not exist")
            if row.builtin:
                raise Conflict(f"tag `{tag}` is built in and cannot be dropped")
            if used := _uses(connection, tag):
                raise Conflict(
                    f"tag `{tag}` is used by {', '.join(used)}",
                    hint="remove these permissions and rules before the tag",
                )
            _take_off(connection, tag)
            connection.execute(delete(tags).filter_by(**tag._asdict()))

    def list(self) -> tuple[Tag, ...]:
        """All tags by name."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(tags).order_by(tags.c.namespace, tags.c.key))
            return tuple(
                Tag(TagName(row.namespace, row.key), row.description, row.builtin) for row in rows
            )

    def ensure_builtin(self, wanted: Iterable[tuple[TagName, str]]) -> None:
        """Make these tags exist and be built in. Changes nothing where they are."""
        expected = {Tag(name, description, builtin=True) for name, description in wanted}
        if missing := expected - {*self.list()}:
            with changing(self._engine) as connection:
                present = _present(connection, {tag.name for tag in missing})
                for tag in sorted(missing, key=lambda tag: tag.name):
                    if tag.name not in present:
                        self._insert(connection, tag, _SYSTEM)
                        continue
                    connection.execute(
                        update(tags)
                        .filter_by(**tag.name._asdict())
                        .values(builtin=True, description=tag.description)
                    )

    def _insert(self, connection: Connection, tag: Tag, by: str) -> None:
        connection.execute(
            insert(tags).values(
                **tag.name._asdict(),
                description=tag.description,
                builtin=tag.builtin,
                created_by=by,
                created_at=self._clock(),
            )
        )


def require_tags(connection: Connection, wanted: Collection[TagName]) -> None:
    """Check that tags exist, within the transaction that is going to use them.

    Raises:
        UnknownName: one does not.
    """
    for tag in sorted({*wanted} - _present(connection, wanted)):
        raise UnknownName(
            f"tag `{tag}` does not exist", hint=f"create it with `privet tag create {tag}`"
        )


def _present(connection: Connection, wanted: Collection[TagName]) -> set[TagName]:
    name = tuple_(tags.c.namespace, tags.c.key)
    rows = connection.execute(select(tags.c.namespace, tags.c.key).where(name.in_([*wanted])))
    return {TagName(row.namespace, row.key) for row in rows}


def _uses(connection: Connection, tag: TagName) -> list[str]:
    """What uses a tag, in words; only the first few."""
    in_rules = select(rules.c.name).filter_by(**tag._asdict()).order_by(rules.c.name)
    in_permissions = (
        select(permissions.c.id, permissions.c.role)
        .join(permission_tags, permission_tags.c.permission == permissions.c.id)
        .where(tuple_(permission_tags.c.namespace, permission_tags.c.key) == tuple_(*tag))
        .order_by(permissions.c.created_at, permissions.c.id)
    )
    used = [
        f"permission `{row.id}` of role `{row.role}`" for row in connection.execute(in_permissions)
    ]
    used += [f"rule `{row.name}`" for row in connection.execute(in_rules)]
    more = len(used) - _NAMED_USES
    return used if more <= 0 else [*used[:_NAMED_USES], f"{more} more"]


def _take_off(connection: Connection, tag: TagName) -> None:
    on = connection.execute(
        select(tag_assignments.c.database, tag_assignments.c.dataset)
        .filter_by(**tag._asdict())
        .distinct()
    ).all()
    connection.execute(delete(tag_assignments).filter_by(**tag._asdict()))
    for database, dataset in on:
        connection.execute(
            update(datasets)
            .filter_by(database=database, name=dataset)
            .values(revision=datasets.c.revision + 1)
        )
