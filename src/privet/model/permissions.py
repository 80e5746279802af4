"""Permissions as values: one stored statement each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from privet.model.expressions import Call, Expr, TagExpr
from privet.model.names import DatasetName


class Effect(StrEnum):
    """What a permission does. Safeguards (deny, restrict) are stored the same way."""

    GRANT = "grant"


class AccessLevel(StrEnum):
    """Access levels; open, so that a stored level of a later version is a value, not an error."""

    SELECT = "select"


class ScopeKind(StrEnum):
    """What a permission is on; open, as `AccessLevel` is."""

    CATALOG = "catalog"
    DATABASE = "database"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Scope:
    """The object of a permission. Unused parts are empty."""

    kind: ScopeKind
    database: str = ""
    dataset: str = ""

    def covers(self, name: DatasetName) -> bool:
        """Whether a dataset of that name lies in this scope."""
        match self.kind:
            case ScopeKind.CATALOG:
                return True
            case ScopeKind.DATABASE:
                return self.database == name.database
            case ScopeKind.TABLE:
                return (self.database, self.dataset) == name


@dataclass(frozen=True, slots=True)
class TransformClause:
    """`[EXCEPT] TRANSFORM tags WITH call`; the call's first argument is the column slot."""

    tags: TagExpr
    call: Call
    excepted: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """One statement. `id` is empty until stored; equality of content is `content()`."""

    scope: Scope
    role: str
    effect: Effect = Effect.GRANT
    level: AccessLevel = AccessLevel.SELECT
    having: TagExpr | None = None
    transforms: tuple[TransformClause, ...] = ()
    where: Expr | None = None
    properties: Mapping[str, str] = field(default_factory=dict[str, str])
    id: str = field(default="", compare=False)
    created_by: str = field(default="", compare=False)
    created_at: datetime | None = field(default=None, compare=False)
