"""One statement from its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from privet.model.errors import InvalidRequest, ParseFailed, Position
from privet.model.expressions import Call, Expr, TagExpr
from privet.model.permissions import (
    AccessLevel,
    Effect,
    Permission,
    Scope,
    ScopeKind,
    TransformClause,
)
from privet.policy.functions import near
from privet.policy.language.altering import ALTERING
from privet.policy.language.defining import DEFINING
from privet.policy.language.expressions import (
    read_expr,
    read_name,
    read_tags,
    read_text,
    read_transform,
)
from privet.policy.language.nodes import (
    at,
    branches,
    group,
    has,
    part,
    required,
    role_in,
    tag_in,
    tokens,
)
from privet.policy.language.nodes import role as named_role
from privet.policy.language.printing import to_sql
from privet.policy.language.scopes import read_scope, scope_position
from privet.policy.language.showing import SHOWING
from privet.policy.language.statements import (
    CreateRole,
    CreateTag,
    DropRole,
    DropTag,
    Grant,
    GrantRole,
    Places,
    Revoke,
    RevokeRole,
    Statement,
)
from privet.policy.language.syntax import MAX_BYTES, Branch, position_of, read_tree

_EFFECTS = {"deny": Effect.DENY, "restrict": Effect.RESTRICT}
_FOREVER = 253_402_300_799  # 9999-12-31T23:59:59Z, the last second of a Python datetime
_PROPERTIES = (
    "name", "description", "enabled", "start_datetime", "end_datetime", "reveals_filter",
    "missing_columns", "small_domain",
)  # fmt: skip
_WORDS = {"reveals_filter": "accepted", "missing_columns": "ignore", "small_domain": "allow"}


def parse(text: str) -> Statement:
    """Parse one statement, with or without a semicolon at its end.

    Raises:
        ParseFailed: not a statement of the language, too large or too deep; with the position.
        UnknownName: an unknown function or transform, with its position and near names.
        InvalidRequest: properties, or arguments of a transform, that are not admitted.
    """
    command = branches(read_tree(text, "statement"))[0]
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
    if key in _WORDS:
        return "" if value == _WORDS[key] else f"'{_WORDS[key]}'"
    if key in {"start_datetime", "end_datetime"}:
        fits = value.isascii() and value.isdecimal() and len(value) <= len(str(_FOREVER))
        return "" if fits and int(value) <= _FOREVER else "a Unix time in whole seconds"
    return ""


def _permission(tree: Branch) -> tuple[Permission, Places]:
    """What the statements about permissions have in common."""
    having: TagExpr | None = None
    where: Expr | None = None
    transforms: list[TransformClause] = []
    scope, places = Scope(ScopeKind.CATALOG), Places()
    level, columns = AccessLevel.SELECT, ()
    role, properties, grant_option = "", dict[str, str](), False
    for clause in branches(tree):
        match clause.data:
            case "level":
                level, columns = _level(clause)
            case "having":
                having = read_tags(branches(clause)[0])
            case "transform_clause":
                transforms.append(_transform_clause(clause))
            case "where":
                where = read_expr(branches(clause)[0])
            case "to_role" | "from_role":
                role = named_role(branches(clause)[0])
                places = Places(places.scope, position_of(branches(clause)[0]))
            case "properties":
                properties = _properties(clause)
            case "grant_option":
                grant_option = True
            case "if_not_exists":
                pass
            case _:
                scope, places = read_scope(clause), Places(scope_position(clause), places.role)
    permission = Permission(
        scope,
        role,
        effect=_EFFECTS.get(tree.data.removeprefix("drop_"), Effect.GRANT),
        level=level,
        having=having,
        transforms=tuple(transforms),
        where=where,
        properties=properties,
        columns=columns,
        grant_option=grant_option,
    )
    return check_shape(permission, position_of(tree)), places


def check_shape(permission: Permission, position: Position | None = None) -> Permission:
    """Refuse combinations of clauses that mean nothing, and what is too large.

    Raises:
        InvalidRequest: the clauses do not go together.
        ParseFailed: the canonical statement is too long.
    """
    if problem := _misshapen(permission):
        message, hint = problem
        raise InvalidRequest(message, hint=hint, position=position)
    return check_size(permission)


def _misshapen(permission: Permission) -> tuple[str, str] | None:
    narrows = permission.having or permission.transforms or permission.where or permission.columns
    if narrows and not permission.level.reads:
        return (
            f"`{permission.level.upper()}` is on whole objects",
            "leave out columns, HAVING, TRANSFORM and WHERE, or grant SELECT",
        )
    if narrows and not permission.scope.kind.holds_data:
        return (
            f"a permission on {permission.scope.kind.upper()} has no columns and rows",
            "leave out columns, HAVING, TRANSFORM and WHERE",
        )
    return None if permission.effect is Effect.GRANT else _unsafe(permission)


def _unsafe(permission: Permission) -> tuple[str, str] | None:
    """Why it is no safeguard."""
    verb = permission.effect.upper()
    if not (permission.level.reads and permission.scope.kind.holds_data):
        return f"{verb} is on reading data", f"use {verb} SELECT ON CATALOG, DATABASE or TABLE"
    if permission.columns:
        return f"{verb} names columns by their tags", "use HAVING ATTRIBUTE"
    if permission.effect is Effect.DENY and permission.having is None:
        return "DENY must specify an attribute expression", "add HAVING ATTRIBUTE namespace.tag"
    if permission.effect is Effect.DENY and (permission.transforms or permission.where):
        return "DENY does not support filters and transforms", "use RESTRICT"
    if not (permission.having or permission.transforms or permission.where):
        return "RESTRICT must specify what it takes away", "add HAVING, TRANSFORM or WHERE"
    if any(clause.excepted for clause in permission.transforms):
        return "a safeguard shows nothing, so it has no EXCEPT TRANSFORM", "leave out EXCEPT"
    return None


def _level(tree: Branch) -> tuple[AccessLevel, tuple[str, ...]]:
    token = tokens(tree)[0]
    name = token.lower()
    if name not in set(AccessLevel):
        raise ParseFailed(
            f"unknown access level `{name[:64]}`",
            hint=near(name[:64], AccessLevel) or "use SELECT",
            position=position_of(token),
        )
    lists = branches(tree)
    listed = branches(lists[0]) if lists else []
    names = [".".join(read_name(p, "column name") for p in branches(path)) for path in listed]
    return AccessLevel(name), tuple(sorted(set(names)))


def _transform_clause(tree: Branch) -> TransformClause:
    tags, call = branches(tree)
    transform: Call = read_transform(call)
    return TransformClause(read_tags(tags), transform, excepted=bool(tokens(tree)))


def _properties(tree: Branch) -> dict[str, str]:
    found: dict[str, str] = {}
    positions: dict[str, Position] = {}
    for item in branches(tree):
        key, value = tokens(item)
        name = read_text(key).lower()
        if name in found:
            raise InvalidRequest(f"`{name[:64]}` is given twice", position=position_of(key))
        found[name], positions[name] = read_text(value), position_of(key)
    return check_properties(found, positions)


def _creating_role(tree: Branch) -> CreateRole:
    named = part(tree, "with_groups")
    groups = tuple(dict.fromkeys(map(group, branches(named)))) if named else ()
    return CreateRole(role_in(tree), has(tree, "if_not_exists"), groups, at(tree, "name"))


def _granting(tree: Branch) -> Grant:
    permission, places = _permission(tree)
    return Grant(permission, has(tree, "if_not_exists"), places)


_READERS: dict[str, Callable[[Branch], Statement]] = {
    **dict.fromkeys(("grant", "deny", "restrict"), _granting),
    **dict.fromkeys(("revoke", "drop_deny", "drop_restrict"), lambda t: Revoke(*_permission(t))),
    "grant_role": lambda t: GrantRole(role_in(t), group(required(t, "group")), at(t, "name")),
    "revoke_role": lambda t: RevokeRole(role_in(t), group(required(t, "group")), at(t, "name")),
    "create_tag": lambda t: CreateTag(tag_in(t), has(t, "if_not_exists"), at(t, "tag")),
    "drop_tag": lambda t: DropTag(tag_in(t), has(t, "if_exists"), at(t, "tag")),
    "create_role": _creating_role,
    "drop_role": lambda t: DropRole(role_in(t), has(t, "if_exists"), at(t, "name")),
    **DEFINING,
    **ALTERING,
    **SHOWING,
}
