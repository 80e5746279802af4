"""SQL statements that administer: parsed, then the same use cases as everywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from privet.model.errors import Conflict, NotFound
from privet.policy import (
    CreateRole,
    CreateTag,
    DropRole,
    DropTag,
    Grant,
    GrantRole,
    Revoke,
    RevokeRole,
    Statement,
    definitions,
    parse,
    shows,
    to_english,
    to_sql,
)
from privet.service.access import authenticate
from privet.service.datasets import Datasets, DatasetView
from privet.service.permissions import Permissions
from privet.service.platform import Caller, Platform
from privet.service.roles import Roles
from privet.service.tags import Tags

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatementResult:
    """What a statement answers: rows of text under column names, or a sentence."""

    kind: str
    message: str = ""
    columns: Row = ()
    rows: tuple[Row, ...] = ()
    warnings: tuple[str, ...] = ()


class Statements:
    """One entry for every statement of the policy language."""

    def __init__(
        self,
        platform: Platform,
        *,
        tags: Tags,
        roles: Roles,
        datasets: Datasets,
        permissions: Permissions,
    ) -> None:
        self._platform = platform
        self._tags = tags
        self._roles = roles
        self._datasets = datasets
        self._permissions = permissions

    def execute(self, caller: Caller, text: str) -> StatementResult:
        """Parse and carry out one statement.

        Raises:
            ParseFailed: not a statement, with position.
            And what its use case raises.
        """
        authenticate(self._platform, caller)
        statement = parse(text)
        return self._change(caller, statement) or self._show(caller, statement)

    def _change(self, caller: Caller, statement: Statement) -> StatementResult | None:  # noqa: C901 - a case per statement
        match statement:
            case Grant():
                stored = self._permissions.grant(caller, statement)
                said = to_english(stored.permission)
                return StatementResult("grant", said, warnings=stored.warnings)
            case Revoke():
                gone = self._permissions.revoke(caller, statement)
                return StatementResult("revoke", f"revoked: {to_sql(gone)}")
            case CreateTag(tag, lenient):
                return _done("create", lenient, Conflict, lambda: self._tags.create(caller, tag))
            case DropTag(tag, lenient):
                return _done("drop", lenient, NotFound, lambda: self._tags.drop(caller, tag))
            case CreateRole(role, lenient):
                return _done("create", lenient, Conflict, lambda: self._roles.create(caller, role))
            case DropRole(role, lenient):
                return _done("drop", lenient, NotFound, lambda: self._roles.drop(caller, role))
            case GrantRole(role, group):
                self._roles.map_group(caller, role, group)
                return StatementResult("grant_role", f"group `{group}` holds role `{role}`")
            case RevokeRole(role, group):
                self._roles.unmap_group(caller, role, group)
                return StatementResult("revoke_role", f"group `{group}` no longer holds `{role}`")
            case definitions.CreateDatabase(name, lenient):
                return _done(
                    "create",
                    lenient,
                    Conflict,
                    lambda: self._datasets.create_database(caller, name),
                )
            case definitions.DropDatabase(name, lenient):
                return _done(
                    "drop", lenient, NotFound, lambda: self._datasets.drop_database(caller, name)
                )
            case _:
                return None

    def _show(self, caller: Caller, statement: Statement) -> StatementResult:
        match statement:
            case shows.ShowDatabases():
                names = [(d.name,) for d in self._datasets.list_databases(caller)]
                return _table("database", rows=names)
            case shows.ShowTables(database):
                views = self._datasets.list(caller, database)
                return _table("name", rows=[(v.dataset.name.name,) for v in views])
            case shows.ShowRoles():
                roles = self._roles.list(caller)
                return _table(
                    "role",
                    "groups",
                    rows=[(r.name, ", ".join(g for _, g in r.groups)) for r in roles],
                )
            case shows.ShowTags():
                tags = self._tags.list(caller)
                return _table(
                    "attribute", "description", rows=[(str(t.name), t.description) for t in tags]
                )
            case shows.ShowGrantRole(role):
                permissions = self._permissions.list(caller, role=role)
                return _table("permission", rows=[(to_sql(p),) for p in permissions])
            case shows.Describe(name):
                return _described(self._datasets.get(caller, name))
            case _:
                raise AssertionError(f"no use case for {type(statement).__name__}")


def _done(
    kind: str, lenient: bool, expected: type[Exception], act: Callable[[], object]
) -> StatementResult:
    try:
        act()
    except expected:
        if not lenient:
            raise
        return StatementResult(kind, "nothing to do")
    return StatementResult(kind, "done")


def _table(*columns: str, rows: list[Row]) -> StatementResult:
    return StatementResult("rows", columns=columns, rows=tuple(rows))


def _described(view: DatasetView) -> StatementResult:
    rows: list[Row] = []
    for decided in view.decision.visible:
        column = decided.column
        tags = " ".join(sorted(map(str, column.tags | column.inner_tags)))
        rows.append((column.name, str(column.type), column.comment, tags))
    return _table("name", "type", "comment", "attributes", rows=rows)
