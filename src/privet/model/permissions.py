"""Permissions as values: one stored statement each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from privet.model.errors import InvalidRequest
from privet.model.expressions import Call, Expr, TagExpr
from privet.model.names import DatasetName, fold
from privet.model.principals import Principal

USER_SLOT = "${user}"
"""Stands for the name of whoever asks, within the name of an object."""
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_LONGEST_URI = 2_048
_SAFE_IN_NAMES = re.compile(r"[a-z0-9_]{1,128}")
_SAFE_IN_PATHS = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9_@.-]{0,127}")


class Effect(StrEnum):
    """What a permission does. `deny` and `restrict` are safeguards: they only take away."""

    GRANT = "grant"
    DENY = "deny"
    RESTRICT = "restrict"


class AccessLevel(StrEnum):
    """What a permission is for; open, so that a level of a later version is a value, no error."""

    ALL = "all"
    SELECT = "select"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    SHOW = "show"
    ALTER = "alter"
    CREATE = "create"
    CREATE_AS_OWNER = "create_as_owner"
    DROP = "drop"
    USE = "use"
    VIEW_AUDIT = "view_audit"
    VIEW_COMPLETE_METADATA = "view_complete_metadata"
    ADD_ATTRIBUTE = "add_attribute"
    REMOVE_ATTRIBUTE = "remove_attribute"
    MANAGE_GRANTS = "manage_grants"
    MANAGE_PERMISSIONS = "manage_permissions"
    MANAGE_GROUPS = "manage_groups"
    CREATE_ROLE_AS_OWNER = "create_role_as_owner"
    CREATE_CRAWLER_AS_OWNER = "create_crawler_as_owner"
    CREATE_DATACONNECTION_AS_OWNER = "create_dataconnection_as_owner"
    DETOKENIZE = "detokenize"

    @property
    def reads(self) -> bool:
        """Whether a grant of it shows cells."""
        return self in _READING


_READING = frozenset({AccessLevel.SELECT, AccessLevel.ALL})


class ScopeKind(StrEnum):
    """What a permission is on; open, as `AccessLevel` is."""

    CATALOG = "catalog"
    DATABASE = "database"
    TABLE = "table"
    URI = "uri"
    NAMESPACE = "namespace"
    ROLE = "role"
    CRAWLER = "crawler"
    DATACONNECTION = "dataconnection"
    TOKEN_DOMAIN = "token_domain"  # noqa: S105 - a kind of object

    @property
    def holds_data(self) -> bool:
        """Whether datasets lie in such a scope."""
        return self in _DATA


_DATA = frozenset({ScopeKind.CATALOG, ScopeKind.DATABASE, ScopeKind.TABLE})
_IN_DATABASES = frozenset({ScopeKind.DATABASE, ScopeKind.TABLE})


@dataclass(frozen=True, slots=True)
class Scope:
    """The object of a permission. Unused parts are empty.

    `name` is that of a namespace, role, crawler, connection or token domain, or a URI. Parts may
    hold `${user}`; until `of_user` replaces it, such a scope covers nothing.
    """

    kind: ScopeKind
    database: str = ""
    dataset: str = ""
    name: str = ""

    @property
    def per_user(self) -> bool:
        """Whether it is another object for each user."""
        return any(USER_SLOT in part for part in (self.database, self.dataset, self.name))

    def of_user(self, user: str) -> Scope | None:
        """The object for that user; None for a user whose name is no part of such a name.

        Names are never bent to fit: two users would share what is meant for one.
        """
        if not self.per_user:
            return self
        safe = _SAFE_IN_PATHS if self.kind is ScopeKind.URI else _SAFE_IN_NAMES
        if not safe.fullmatch(user):
            return None
        parts = (self.database, self.dataset, self.name)
        database, dataset, name = (part.replace(USER_SLOT, user) for part in parts)
        return replace(self, database=database, dataset=dataset, name=name)

    def covers(self, name: DatasetName) -> bool:
        """Whether a dataset of that name lies in this scope."""
        match self.kind:
            case ScopeKind.CATALOG:
                return True
            case ScopeKind.DATABASE:
                return self.database == name.database
            case ScopeKind.TABLE:
                return (self.database, self.dataset) == name
            case _:
                return False

    def holds(self, other: Scope) -> bool:
        """Whether another object is this one or in it. URIs hold longer ones, by whole parts."""
        match self.kind:
            case ScopeKind.CATALOG:
                return True
            case ScopeKind.DATABASE:
                return other.kind in _IN_DATABASES and self.database == other.database
            case ScopeKind.URI:
                folder = self.name.rstrip("/") + "/"
                return other.kind is ScopeKind.URI and f"{other.name}/".startswith(folder)
            case _:
                return self == other

    def __str__(self) -> str:
        match self.kind:
            case ScopeKind.CATALOG:
                return "catalog"
            case ScopeKind.DATABASE:
                return self.database
            case ScopeKind.TABLE:
                return f"{self.database}.{self.dataset}"
            case _:
                return f"{self.kind} {self.name}"


CATALOG = Scope(ScopeKind.CATALOG)


def on_database(name: str) -> Scope:
    """A database as the object of a permission."""
    return Scope(ScopeKind.DATABASE, database=name)


def on_dataset(name: DatasetName) -> Scope:
    """A dataset as the object of a permission."""
    return Scope(ScopeKind.TABLE, database=name.database, dataset=name.name)


def on_role(name: str) -> Scope:
    """A role as the object of a permission."""
    return Scope(ScopeKind.ROLE, name=name)


def on_namespace(name: str) -> Scope:
    """A tag namespace as the object of a permission."""
    return Scope(ScopeKind.NAMESPACE, name=name)


def on_crawler(name: str) -> Scope:
    """A crawl as the object of a permission."""
    return Scope(ScopeKind.CRAWLER, name=name)


def on_token_domain(name: str) -> Scope:
    """A token domain as the object of a permission."""
    return Scope(ScopeKind.TOKEN_DOMAIN, name=name)


def on_connection(name: str) -> Scope:
    """A connection to a database as the object of a permission."""
    return Scope(ScopeKind.DATACONNECTION, name=name)


def fold_object(text: str, what: str = "name") -> str:
    """Fold the name of an object, in which `${user}` may stand for whoever asks.

    Raises:
        InvalidRequest: it is no such name.
    """
    folded = text.lower()
    fold(folded.replace(USER_SLOT, "u"), what)
    return folded


def check_uri(text: str) -> str:
    """Check the URI of a permission: `scheme://...`, in which `${user}` may stand.

    Raises:
        InvalidRequest: it is no URI, or not in its canonical form.
    """
    scheme, found, path = text.partition("://")
    parts = path.split("/")
    plain = found and _SCHEME.fullmatch(scheme) and text.isprintable() and len(text) <= _LONGEST_URI
    if not plain or {".", ".."} & set(parts) or "" in parts[1:-1]:
        raise InvalidRequest(
            f"`{text[:64]!a}` is no URI that a permission can be on",
            hint="write it as scheme://bucket/path, without `.`, `..` and empty parts",
        )
    return text.rstrip("/") if path.strip("/") else text


@dataclass(frozen=True, slots=True)
class TransformClause:
    """`[EXCEPT] TRANSFORM tags WITH call`; the call's innermost argument is the column slot."""

    tags: TagExpr
    call: Call
    excepted: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """One statement. `id` is empty until stored; equality of content is `content()`.

    A safeguard is `FROM ROLE role`: it binds everybody who holds that role.
    """

    scope: Scope
    role: str
    effect: Effect = Effect.GRANT
    level: AccessLevel = AccessLevel.SELECT
    having: TagExpr | None = None
    transforms: tuple[TransformClause, ...] = ()
    where: Expr | None = None
    properties: Mapping[str, str] = field(default_factory=dict[str, str])
    columns: tuple[str, ...] = ()
    """The columns that it is on, all of them if there are none here; sorted.

    A path with points between its parts is a field inside a column: no name has a point in it.
    """
    grant_option: bool = False
    """Whether holders may grant the same, or less of it, to other roles."""
    id: str = field(default="", compare=False)
    created_by: str = field(default="", compare=False)
    created_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rights:
    """What says whether somebody may administer, at one version of the catalog.

    `permissions` are the grants to `roles`, which are those that the credentials give; not those of
    some columns or rows, unless with grant option.
    """

    principal: Principal
    version: int
    roles: frozenset[str] = frozenset()
    permissions: tuple[Permission, ...] = ()
