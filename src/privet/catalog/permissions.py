"""Permissions as stored statements. Their form is the policy's own, given by two functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    delete,
    insert,
    select,
    true,
)

from privet.catalog.current.granted import Granted
from privet.catalog.roles import ensure_owner, require_role
from privet.catalog.tags import require_tags
from privet.catalog.versions import Clock, changing
from privet.model.errors import Conflict, NotFound
from privet.model.expressions import HasTag, TagExpr, TagNot
from privet.model.names import RESERVED_ROLE_PREFIX, DatasetName, TagName
from privet.model.permissions import (
    AccessLevel,
    Permission,
    Scope,
    ScopeKind,
    on_dataset,
)
from privet.model.principals import Principal
from privet.store import reading
from privet.store.tables import permission_tags, permissions

Encode = Callable[[Permission], Mapping[str, Any]]
_NO_SUCH_GRANT = "there is no such grant"


class Permissions:
    """The permissions of a catalog. Every method raises StoreUnavailable when the store fails.

    They outlive what they are on: a permission on a dropped dataset stays, and counts again for a
    new dataset of that name.
    """

    def __init__(self, engine: Engine, clock: Clock, encode: Encode, granted: Granted) -> None:
        self._engine = engine
        self._clock = clock
        self._encode = encode
        self._granted = granted

    def add(self, permission: Permission, *, by: str) -> Permission:
        """Store a permission that has been checked, and give it its id.

        It takes the place of one that differs in its properties or its grant option alone.

        Raises:
            Conflict: the same exists.
            UnknownName: its role or one of its tags does not exist (any more).
        """
        with changing(self._engine) as connection:
            require_role(connection, permission.role)
            require_tags(connection, _tags_of(permission))
            return self._insert(connection, permission, by)

    def move(self, connection: Connection, name: DatasetName, to: DatasetName) -> None:
        """Let all that is on a dataset be on its new name, in the connection's transaction."""
        for stored in self._granted.read(connection, _on_table(name)):
            connection.execute(delete(permissions).filter_by(id=stored.id))
            # The same may be there already, from a dataset that had the name before.
            with suppress(Conflict):
                self._insert(connection, replace(stored, scope=on_dataset(to)), stored.created_by)

    def _insert(self, connection: Connection, permission: Permission, by: str) -> Permission:
        document, scope = dict(self._encode(permission)), permission.scope
        digest = _digest(document)
        same = connection.execute(select(permissions).filter_by(digest=digest)).first()
        if same is not None and same.document == document:
            raise _exists_already(permission)
        if same is not None:
            connection.execute(delete(permissions).filter_by(id=same.id))
        row: dict[str, Any] = {
            "id": str(uuid4()), "role": permission.role, "kind": scope.kind.value,
            "database": scope.database, "dataset": scope.dataset, "digest": digest,
            "document": document, "created_by": by, "created_at": self._clock(),
        }  # fmt: skip
        connection.execute(insert(permissions).values(row))
        if used := _tags_of(permission):
            connection.execute(
                insert(permission_tags),
                [{"permission": row["id"], **tag._asdict()} for tag in sorted(used)],
            )
        return replace(permission, id=row["id"], created_by=by, created_at=row["created_at"])

    def own(self, scope: Scope, owner: Principal) -> Permission:
        """Let somebody have everything on what they created, by a role of theirs alone."""
        with changing(self._engine) as connection:
            self._disown(connection, scope)
            role = ensure_owner(connection, owner, self._clock())
            all_of_it = Permission(scope, role, level=AccessLevel.ALL)
            return self._insert(connection, all_of_it, owner.user)

    def disown(self, scope: Scope) -> None:
        """End what owners have, as such, on an object that is gone, and on what was in it.

        Whoever makes another one of that name does not share it with them.
        """
        with changing(self._engine) as connection:
            self._disown(connection, scope)

    def _disown(self, connection: Connection, scope: Scope) -> None:
        owned = and_(
            permissions.c.role.startswith(RESERVED_ROLE_PREFIX, autoescape=True),
            permissions.c.database == scope.database,
        )
        gone = [p.id for p in self._granted.read(connection, owned) if scope.holds(p.scope)]
        connection.execute(delete(permissions).where(permissions.c.id.in_(gone)))

    def remove(self, permission: Permission) -> Permission:
        """Remove the permission of equal content, and return it as it was stored.

        Raises:
            NotFound: there is none.
        """
        digest = _digest(self._encode(permission))
        return self._remove(permissions.c.digest == digest, _NO_SUCH_GRANT)

    def added(
        self, existing: Iterable[Permission], permission: Permission
    ) -> tuple[Permission, ...]:
        """What `add` would make of these permissions; nothing is stored.

        Raises:
            Conflict: the same is among them.
        """
        document = dict(self._encode(permission))
        same = self._same(existing, permission)
        if any(dict(self._encode(e)) == document for e in same):
            raise _exists_already(permission)
        return (*(e for e in existing if e not in same), permission)

    def removed(
        self, existing: Iterable[Permission], permission: Permission
    ) -> tuple[Permission, ...]:
        """What `remove` would make of these permissions; nothing is stored.

        Raises:
            NotFound: there is none of equal content.
        """
        same = self._same(existing, permission)
        if not same:
            raise NotFound(_NO_SUCH_GRANT)
        return tuple(e for e in existing if e not in same)

    def _same(self, existing: Iterable[Permission], permission: Permission) -> list[Permission]:
        """Those of equal content."""
        digest = _digest(self._encode(permission))
        place = (permission.role, permission.scope)
        near = (e for e in existing if (e.role, e.scope) == place)
        return [e for e in near if _digest(self._encode(e)) == digest]

    def remove_by_id(self, permission_id: str) -> Permission:
        """Remove a permission by its id, and return it as it was stored.

        Raises:
            NotFound: there is none.
        """
        return self._remove(
            permissions.c.id == permission_id, f"permission `{permission_id}` does not exist"
        )

    def get(self, permission_id: str) -> Permission:
        """The permission of that id.

        Raises:
            NotFound: there is none.
        """
        with reading(self._engine) as connection:
            return self._one(
                connection,
                permissions.c.id == permission_id,
                f"permission `{permission_id}` does not exist",
            )

    def list(
        self,
        *,
        role: str | None = None,
        database: str | None = None,
        dataset: DatasetName | None = None,
        tag: TagName | None = None,
    ) -> tuple[Permission, ...]:
        """Permissions, oldest first: a role's, on a database or in it, on a dataset, with a tag."""
        conditions: list[ColumnElement[bool]] = []
        if role is not None:
            conditions.append(permissions.c.role == role)
        if database is not None:
            conditions.append(permissions.c.database == database)
        if dataset is not None:
            conditions.append(_on_table(dataset))
        if tag is not None:
            naming = select(permission_tags.c.permission).filter_by(**tag._asdict())
            conditions.append(permissions.c.id.in_(naming))
        with reading(self._engine) as connection:
            return self._granted.read(connection, and_(true(), *conditions))

    def _one(
        self, connection: Connection, condition: ColumnElement[bool], absent: str
    ) -> Permission:
        for permission in self._granted.read(connection, condition):
            return permission
        raise NotFound(absent, hint="list permissions with `privet sql 'SHOW GRANT ROLE r'`")

    def _remove(self, condition: ColumnElement[bool], absent: str) -> Permission:
        with changing(self._engine) as connection:
            removed = self._one(connection, condition, absent)
            connection.execute(delete(permissions).filter_by(id=removed.id))
        return removed


def _exists_already(permission: Permission) -> Conflict:
    return Conflict(
        "grant already exists", hint=f"see `privet sql 'SHOW GRANT ROLE {permission.role}'`"
    )


def _on_table(name: DatasetName) -> ColumnElement[bool]:
    return and_(
        permissions.c.kind == ScopeKind.TABLE.value,
        permissions.c.database == name.database,
        permissions.c.dataset == name.name,
    )


def _digest(document: Mapping[str, Any]) -> str:
    """What REVOKE finds it by: its content, without properties, grant option and spelling."""
    content = {k: v for k, v in document.items() if k not in {"properties", "grant_option"}}
    clauses: list[Mapping[str, Any]] = content.get("transforms") or []
    content["transforms"] = [{k: v for k, v in c.items() if k != "spelled"} for c in clauses]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()


def _tags_of(permission: Permission) -> set[TagName]:
    """Every tag that a permission names."""
    expressions = [clause.tags for clause in permission.transforms]
    if permission.having is not None:
        expressions.append(permission.having)
    return {tag for expression in expressions for tag in _named(expression)}


def _named(expression: TagExpr) -> set[TagName]:
    if isinstance(expression, HasTag):
        return {expression.tag}
    parts = (expression.part,) if isinstance(expression, TagNot) else expression.parts
    return {tag for part in parts for tag in _named(part)}
