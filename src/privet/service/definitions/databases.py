"""Databases: making, dropping, tagging and describing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from privet.catalog import Database
from privet.model.names import DatasetName, TagName
from privet.model.permissions import CATALOG, AccessLevel, on_database
from privet.policy import Need, may
from privet.service.access import Act, administer, authenticate
from privet.service.copies import remove_files
from privet.service.datasets import Datasets
from privet.service.definitions.connected import said_connection, using
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator, absent, tag_needs


@dataclass(frozen=True, slots=True)
class DatabaseView:
    """A database through the eyes of the caller; `full` for those who administer it."""

    database: Database
    full: bool


class Databases:
    """What datasets are in."""

    def __init__(self, platform: Platform, datasets: Datasets) -> None:
        self._platform = platform
        self._datasets = datasets

    def create(
        self, caller: Caller, name: str, comment: str = "", properties: Mapping[str, str] = {}
    ) -> Database:
        """Add an empty database; permissions can be written on it at once.

        A property names the connection whose tables it is for; that takes the right to use it.

        Raises:
            Conflict: there is one of that name.
        """
        connection = said_connection(properties)
        needs = (*using(connection), self._creating(caller, name))
        act = Act("database.create", name, needs=needs, creates=on_database(name))
        with administer(self._platform, caller, act) as author:
            self._check(connection)
            return self._platform.catalog.databases.create(
                name, by=author.user, description=comment, properties=properties
            )

    def _creating(self, caller: Caller, name: str) -> Need:
        """What making it takes: one that is named for each user is also theirs to make."""
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        own = Need(AccessLevel.CREATE, on_database(name))
        giving = may(administrator.rights, own.level, own.scope, self._platform.clock())
        if any(permission.scope.per_user for permission in giving):
            return own
        return Need(AccessLevel.CREATE, CATALOG)

    def drop(
        self, caller: Caller, name: str, *, cascade: bool = False, with_permissions: bool = False
    ) -> tuple[DatasetName, ...]:
        """Remove a database, and say which datasets went with it.

        No file is touched, but for those of copies that have their own.

        Args:
            caller: who may drop it and, with its permissions, manage the grants on it.
            name: of the database.
            cascade: whether its datasets go with it; without it, it has to be empty.
            with_permissions: whether the permissions on it and in it go too.

        Raises:
            NotFound: there is none of that name.
            Conflict: it has datasets.
        """
        scope = on_database(name)
        managing = (Need(AccessLevel.MANAGE_GRANTS, scope),) if with_permissions else ()
        stored = self._platform.catalog.permissions
        act = Act(
            "database.delete",
            name,
            detail={"cascade": cascade, "permissions": with_permissions},
            needs=(Need(AccessLevel.DROP, scope), *managing),
            drops=scope,
            removes=partial(stored.list, database=name) if with_permissions else None,
        )
        with administer(self._platform, caller, act):
            held = self._platform.catalog.datasets.list(name)
            dropped = self._platform.catalog.definitions.drop_database(
                name, cascade=cascade, with_permissions=with_permissions
            )
            for dataset in held:
                remove_files(self._platform.copies, dataset)
            return dropped

    def assign(self, caller: Caller, name: str, tag: TagName) -> None:
        """Tag a database, and so every column in it."""
        needs = tag_needs(AccessLevel.ADD_ATTRIBUTE, tag, on_database(name))
        act = Act("tag.assign", name, detail={"tag": str(tag)}, needs=needs)
        with administer(self._platform, caller, act) as author:
            self._platform.catalog.databases.assign_tag(name, tag, by=author.user)

    def unassign(self, caller: Caller, name: str, tag: TagName) -> None:
        """Take a tag off a database.

        Raises:
            NotFound: it is not there.
        """
        needs = tag_needs(AccessLevel.REMOVE_ATTRIBUTE, tag, on_database(name))
        act = Act("tag.unassign", name, detail={"tag": str(tag)}, needs=needs)
        with administer(self._platform, caller, act):
            self._platform.catalog.databases.unassign_tag(name, tag)

    def set_properties(self, caller: Caller, name: str, properties: Mapping[str, str]) -> Database:
        """Set properties; those not named stay. One names a connection, which has to be there."""
        connection = said_connection(properties)
        needs = (Need(AccessLevel.ALTER, on_database(name)), *using(connection))
        detail = {"properties": sorted(properties)}
        act = Act("database.update", name, detail=detail, needs=needs)
        with administer(self._platform, caller, act):
            self._check(connection)
            return self._platform.catalog.definitions.set_database_properties(name, properties)

    def _check(self, connection: str) -> None:
        if connection:
            self._platform.catalog.connections.get(connection)

    def get(self, caller: Caller, name: str) -> DatabaseView:
        """One database.

        Raises:
            NotFound: there is none, or the caller neither sees anything in it nor administers it.
        """
        principal = authenticate(self._platform, caller)
        scope = on_database(name)
        for database in self._datasets.list_databases(caller):
            if database.name == name:
                administrator = Administrator.of(self._platform, principal)
                levels = (AccessLevel.VIEW_COMPLETE_METADATA, AccessLevel.ALTER)
                full = any(administrator.may(level, scope) for level in levels)
                return DatabaseView(database, full)
        raise absent(scope)
