"""One statement from its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lark import Token, Tree

from privet.model.errors import InvalidRequest, ParseFailed, Position
from privet.model.expressions import Call, Expr, TagExpr
from privet.model.names import DatasetName, TagName, check_group_name, fold_role
from privet.model.permissions import AccessLevel, Permission, Scope, ScopeKind, TransformClause
from privet.policy.expressions import read_expr, read_name, read_tags, read_text, read_transform
from privet.policy.functions import near
from privet.policy.printing import to_sql
from privet.policy.statements import (
    CreateDatabase,
    CreateRole,
    CreateTag,
    Describe,
    DropDatabase,
    DropRole,
    DropTag,
    Grant,
    GrantRole,
    Places,
    Revoke,
    RevokeRole,
    ShowDatabases,
    ShowGrantRole,
    ShowRoles,
    ShowTables,
    ShowTags,
    Statement,
)
from privet.policy.syntax import MAX_BYTES, Branch, position_of, read_tree

_LATER_LEVELS = frozenset(
    {
        "all",
        "insert",
        "update",
        "delete",
        "show",
        "alter",
        "create",
        "create_as_owner",
        "drop",
        "use",
        "view_audit",
        "view_complete_metadata",
        "add_attribute",
        "remove_attribute",
        "manage_grants",
        "manage_permissions",
        "manage_groups",
        "create_role_as_owner",
        "create_crawler_as_owner",
        "create_dataconnection_as_owner",
        "detokenize",
    }
)
_FOREVER = 253_402_300_799  # 9999-12-31T23:59:59Z, the last second of a Python datetime
_PROPERTIES = ("name", "description", "enabled", "start_datetime", "end_datetime", "reveals_filter")


def parse(text: str) -> Statement:
    """Parse one statement, with or without a semicolon at its end.

    Raises:
        ParseFailed: not a statement of the language, too large or too deep; with the position.
        UnknownName: an unknown function or transform, with its position and near names.
        InvalidRequest: properties, or arguments of a transform, that are not admitted.
    """
    command = _branches(read_tree(text, "statement"))[0]
    return _READERS[command.data](command)


def check_properties(
    properties: Mapping[str, str], positions: Mapping[str, Position] | None = None
) -> dict[str, str]:
    """The properties of a permission under folded names, `enabled` in lower case.

    Raises:
        InvalidRequest: an unknown property or a value that it cannot have.
    """
    where = positions or {}
    folded = {key.lower(): value for key, value in properties.items()}
    for key, value in folded.items():
        if key not in _PROPERTIES:
            raise InvalidRequest(
                f"unknown property `{key[:64]}`",
                hint=near(key[:64], _PROPERTIES) or f"one of {', '.join(_PROPERTIES)}",
                position=where.get(key),
            )
        if problem := _property_problem(key, value):
            raise InvalidRequest(f"`{key}` must be {problem}", position=where.get(key))
    if "enabled" in folded:
        folded["enabled"] = folded["enabled"].lower()
    start, end = folded.get("start_datetime"), folded.get("end_datetime")
    if start is not None and end is not None and int(start) >= int(end):
        raise InvalidRequest(
            "`start_datetime` must be before `end_datetime`", position=where.get("end_datetime")
        )
    return folded


def check_size(permission: Permission) -> Permission:
    """Refuse what could not be read back from its printed form.

    Raises:
        ParseFailed: the canonical statement is too long (BETWEEN prints its subject twice).
    """
    if len(to_sql(permission).encode()) > MAX_BYTES:
        raise ParseFailed(
            f"the statement is longer than {MAX_BYTES // 1024} KiB when written out",
            hint="split it into several permissions",
        )
    return permission


def _property_problem(key: str, value: str) -> str:
    if key == "enabled":
        return "" if value.lower() in {"true", "false"} else "'true' or 'false'"
    if key == "reveals_filter":
        return "" if value == "accepted" else "'accepted'"
    if key in {"start_datetime", "end_datetime"}:
        fits = value.isascii() and value.isdecimal() and len(value) <= len(str(_FOREVER))
        return "" if fits and int(value) <= _FOREVER else "a Unix time in whole seconds"
    return ""


def _permission(tree: Branch) -> tuple[Permission, Places]:
    """What GRANT and REVOKE have in common."""
    having: TagExpr | None = None
    where: Expr | None = None
    transforms: list[TransformClause] = []
    scope, places = Scope(ScopeKind.CATALOG), Places()
    role, properties = "", dict[str, str]()
    for clause in _branches(tree):
        match clause.data:
            case "level":
                _check_level(clause)
            case "having":
                having = read_tags(_branches(clause)[0])
            case "transform_clause":
                transforms.append(_transform_clause(clause))
            case "where":
                where = read_expr(_branches(clause)[0])
            case "to_role" | "from_role":
                role = _role(_branches(clause)[0])
                places = Places(places.scope, position_of(_branches(clause)[0]))
            case "properties":
                properties = _properties(clause)
            case "grant_option":
                raise _later("WITH GRANT OPTION", position_of(clause))
            case _:
                scope, places = _scope(clause), Places(_scope_position(clause), places.role)
    permission = Permission(
        scope,
        role,
        having=having,
        transforms=tuple(transforms),
        where=where,
        properties=properties,
    )
    return check_size(permission), places


def _check_level(tree: Branch) -> None:
    token = _tokens(tree)[0]
    name, position = token.lower(), position_of(token)
    if name in _LATER_LEVELS:
        raise _later(f"access level `{name}`", position)
    if name != AccessLevel.SELECT:
        raise ParseFailed(
            f"unknown access level `{name[:64]}`",
            hint=near(name[:64], ["select"]) or "use SELECT",
            position=position,
        )
    if columns := _branches(tree):
        raise _later("a list of columns", position_of(columns[0]))


def _scope(tree: Branch) -> Scope:
    names = _branches(tree)
    match tree.data:
        case "scope_catalog":
            return Scope(ScopeKind.CATALOG)
        case "scope_database":
            return Scope(ScopeKind.DATABASE, read_name(names[0], "database name"))
        case "scope_table":
            return Scope(ScopeKind.TABLE, *_dataset(tree))
        case _:
            token = _tokens(tree)[0]
            raise _later(f"a permission on `{token.upper()}`", position_of(token))


def _scope_position(tree: Branch) -> Position | None:
    names = _branches(tree)
    return position_of(names[0]) if names else None


def _transform_clause(tree: Branch) -> TransformClause:
    tags, call = _branches(tree)
    transform: Call = read_transform(call)
    return TransformClause(read_tags(tags), transform, excepted=bool(_tokens(tree)))


def _properties(tree: Branch) -> dict[str, str]:
    found: dict[str, str] = {}
    positions: dict[str, Position] = {}
    for item in _branches(tree):
        key, value = _tokens(item)
        name = read_text(key).lower()
        if name in found:
            raise InvalidRequest(f"`{name[:64]}` is given twice", position=position_of(key))
        found[name], positions[name] = read_text(value), position_of(key)
    return check_properties(found, positions)


def _later(what: str, position: Position) -> ParseFailed:
    return ParseFailed(
        f"{what} is not supported yet",
        hint="use GRANT SELECT ON CATALOG, DATABASE d or TABLE d.t",
        position=position,
    )


def _dataset(tree: Branch) -> DatasetName:
    database, name = _branches(tree)
    return DatasetName(read_name(database, "database name"), read_name(name, "dataset name"))


def _role(tree: Branch) -> str:
    return fold_role(read_name(tree, "role name"))


def _name(tree: Branch, what: str) -> str:
    return read_name(next(b for b in _branches(tree) if b.data == "name"), what)


def _tag(tree: Branch) -> TagName:
    namespace, key = _branches(next(b for b in _branches(tree) if b.data == "tag"))
    return TagName(read_name(namespace, "tag namespace"), read_name(key, "tag name"))


def _has(tree: Branch, data: str) -> bool:
    return any(b.data == data for b in _branches(tree))


def _role_and_group(tree: Branch) -> tuple[str, str]:
    name, group = _branches(tree)
    token = _tokens(group)[0]
    text = read_text(token) if token.type in {"STRING", "QUOTED"} else str(token)
    try:
        return _role(name), check_group_name(text)
    except ParseFailed:
        raise
    except InvalidRequest as error:
        raise ParseFailed(error.message, hint=error.hint, position=position_of(token)) from None


_READERS: dict[str, Callable[[Branch], Statement]] = {
    "grant": lambda t: Grant(*_permission(t)),
    "revoke": lambda t: Revoke(*_permission(t)),
    "grant_role": lambda t: GrantRole(*_role_and_group(t)),
    "revoke_role": lambda t: RevokeRole(*_role_and_group(t)),
    "create_tag": lambda t: CreateTag(_tag(t), _has(t, "if_not_exists")),
    "drop_tag": lambda t: DropTag(_tag(t), _has(t, "if_exists")),
    "create_role": lambda t: CreateRole(fold_role(_name(t, "role name")), _has(t, "if_not_exists")),
    "drop_role": lambda t: DropRole(fold_role(_name(t, "role name")), _has(t, "if_exists")),
    "create_database": lambda t: CreateDatabase(
        _name(t, "database name"), _has(t, "if_not_exists")
    ),
    "drop_database": lambda t: DropDatabase(_name(t, "database name"), _has(t, "if_exists")),
    "show_databases": lambda _: ShowDatabases(),
    "show_tables": lambda t: ShowTables(_name(t, "database name")),
    "show_roles": lambda _: ShowRoles(),
    "show_tags": lambda _: ShowTags(),
    "show_grant_role": lambda t: ShowGrantRole(fold_role(_name(t, "role name"))),
    "describe": lambda t: Describe(_dataset(t)),
}


def _branches(tree: Branch) -> list[Branch]:
    return [c for c in tree.children if isinstance(c, Tree)]


def _tokens(tree: Branch) -> list[Token]:
    return [c for c in tree.children if isinstance(c, Token)]
