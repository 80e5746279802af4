"""The other forms of a permission: JSON for files and REST, an English sentence for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from privet.model.errors import InvalidRequest
from privet.model.expressions import Expr, HasTag, TagAnd, TagExpr, TagNot, TagOr
from privet.model.names import PUBLIC_ROLE, TagName, fold, fold_domain, fold_role
from privet.model.permissions import (
    AccessLevel,
    Effect,
    Permission,
    Scope,
    ScopeKind,
    TransformClause,
    check_uri,
    fold_object,
)
from privet.model.transforms import get_spec, steps
from privet.policy.language.expressions import parse_filter, parse_tags, parse_transform
from privet.policy.language.parsing import check_properties, check_shape
from privet.policy.language.printing import filter_sql, tags_sql, transform_sql

_FIELDS = (
    "effect", "level", "scope", "role", "having", "transforms", "where", "properties", "columns",
    "grant_option",
)  # fmt: skip
_SCOPE_PARTS: dict[ScopeKind, tuple[str, ...]] = {
    ScopeKind.CATALOG: (),
    ScopeKind.DATABASE: ("database",),
    ScopeKind.TABLE: ("database", "dataset"),
}
_E = TypeVar("_E", bound=StrEnum)
_T = TypeVar("_T")


def to_json(permission: Permission) -> dict[str, Any]:
    """The structured form: expressions as SQL text, everything else as plain JSON values.

    Members that came later are there only where they say something: what is stored keeps its form.
    """
    scope = permission.scope
    later: dict[str, Any] = {}
    if permission.columns:
        later["columns"] = list(permission.columns)
    if permission.grant_option:
        later["grant_option"] = True
    return later | {
        "effect": str(permission.effect),
        "level": str(permission.level),
        "scope": {"kind": str(scope.kind), "database": scope.database, "dataset": scope.dataset}
        | ({"name": scope.name} if scope.name else {}),
        "role": permission.role,
        "having": None if permission.having is None else tags_sql(permission.having),
        "transforms": [
            {
                "tags": tags_sql(clause.tags),
                "transform": transform_sql(clause.call),
                "excepted": clause.excepted,
            }
            for clause in permission.transforms
        ],
        "where": None if permission.where is None else filter_sql(permission.where),
        "properties": dict(permission.properties),
    }


def from_json(form: Mapping[str, Any]) -> Permission:
    """Read the structured form; only `scope` and `role` are required.

    Raises:
        InvalidRequest: an unknown or missing key, a value of the wrong type or not admitted;
            texts raise as in SQL, with positions that count within that text.
    """
    form = _mapping(form, "a permission", _FIELDS)
    transforms = form.get("transforms") or []
    if not isinstance(transforms, list):
        raise InvalidRequest("`transforms` must be a list")
    properties = _mapping(form.get("properties") or {}, "`properties`")
    columns = form.get("columns") or []
    if not isinstance(columns, list) or not all(isinstance(c, str) for c in columns):
        raise InvalidRequest("`columns` must be a list of names")
    grant_option = form.get("grant_option", False)
    if not isinstance(grant_option, bool):
        raise InvalidRequest("`grant_option` must be true or false")
    scope = _mapping(form.get("scope"), "`scope`", ("kind", "database", "dataset", "name"))
    return check_shape(
        Permission(
            scope=_scope(scope),
            columns=tuple(sorted({fold(c, "column name") for c in columns})),
            grant_option=grant_option,
            role=fold_role(_text(form, "role")),
            effect=_choice(Effect, form, "effect", Effect.GRANT),
            level=_choice(AccessLevel, form, "level", AccessLevel.SELECT),
            having=_optional(form, "having", parse_tags),
            transforms=tuple(map(_transform_clause, transforms)),
            where=_optional(form, "where", parse_filter),
            properties=check_properties({key: _text(properties, key) for key in properties}),
        )
    )


def _scope(form: Mapping[str, Any]) -> Scope:
    kind = _choice(ScopeKind, form, "kind", None)
    needed = _SCOPE_PARTS.get(kind, ("name",))
    parts: dict[str, str] = {}
    for part in ("database", "dataset", "name"):
        if part in needed:
            parts[part] = _object(kind, part, _text(form, part))
        elif form.get(part):
            raise InvalidRequest(f"a scope of kind `{kind}` has no `{part}`")
    return Scope(kind, **parts)


def _object(kind: ScopeKind, part: str, text: str) -> str:
    if kind is ScopeKind.URI:
        return check_uri(text)
    if kind is ScopeKind.TOKEN_DOMAIN:
        return fold_domain(text)
    name = fold_object(text, f"{part} name")
    return fold_role(name) if kind is ScopeKind.ROLE else name


def _transform_clause(form: Any) -> TransformClause:
    clause = _mapping(form, "a transform", ("tags", "transform", "excepted"))
    excepted = clause.get("excepted", False)
    if not isinstance(excepted, bool):
        raise InvalidRequest("`excepted` must be true or false")
    return TransformClause(
        parse_tags(_text(clause, "tags")),
        parse_transform(_text(clause, "transform")),
        excepted=excepted,
    )


def _mapping(value: Any, what: str, keys: tuple[str, ...] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidRequest(f"{what} must be an object")
    unknown = sorted(set(value) - set(keys)) if keys is not None else []
    if unknown:
        known = ", ".join(keys or ())
        raise InvalidRequest(f"unknown key `{unknown[0][:64]}` in {what}", hint=f"one of {known}")
    return value


def _text(form: Mapping[str, Any], key: str) -> str:
    value = form.get(key)
    if not isinstance(value, str):
        raise InvalidRequest(f"`{key[:64]}` must be a text")
    if "\0" in value:
        raise InvalidRequest(f"`{key[:64]}` holds a character that is not text")
    return value


def _optional(form: Mapping[str, Any], key: str, read: Callable[[str], _T]) -> _T | None:
    return None if form.get(key) is None else read(_text(form, key))


def _choice(kind: type[_E], form: Mapping[str, Any], key: str, default: _E | None) -> _E:
    if key not in form and default is not None:
        return default
    text = _text(form, key).lower()
    if text not in set(kind):
        known = ", ".join(kind)
        raise InvalidRequest(f"`{text[:64]}` is not supported as `{key}`", hint=f"one of {known}")
    return kind(text)


# ---- English


def to_english(permission: Permission) -> str:
    """One sentence that a protection officer can read."""
    who = (
        "Everyone who is signed in"
        if permission.role == PUBLIC_ROLE
        else f"People with {permission.role}"
    )
    if permission.effect is Effect.GRANT:
        parts = [f"{who} can {_deed_english(permission)}"]
        if permission.columns:
            parts.append(f"only the columns {', '.join(permission.columns)}")
        if permission.having is not None:
            parts.append(_having_english(permission.having))
        parts += map(_clause_english, permission.transforms)
        if permission.where is not None:
            parts.append(filter_english(permission.where))
        if permission.grant_option:
            parts.append("and may grant that to others")
    else:
        parts = [f"{who}, whatever else is granted, read {_scope_english(permission.scope)}"]
        parts += _safeguard_english(permission)
    parts += _window_english(permission.properties)
    return ", ".join(parts) + "."


def _deed_english(permission: Permission) -> str:
    level, scope = permission.level, permission.scope
    if level is AccessLevel.SELECT:
        return f"read {_scope_english(scope)}"
    if level is AccessLevel.DETOKENIZE:
        return f"turn tokens of {_domains_english(scope)} back into values"
    if level is AccessLevel.ALL:
        return f"do everything with {_scope_english(scope)}"
    objects = {
        ScopeKind.CATALOG: "the catalog",
        ScopeKind.DATABASE: f"database {scope.database}",
        ScopeKind.TABLE: f"table {scope}",
    }
    return f"{level.replace('_', ' ')} on {objects.get(scope.kind) or _scope_english(scope)}"


def _domains_english(scope: Scope) -> str:
    return "every domain" if scope.kind is ScopeKind.CATALOG else f"domain {scope.name}"


def _safeguard_english(permission: Permission) -> list[str]:
    having = None if permission.having is None else tags_english(permission.having)
    if permission.effect is Effect.DENY or not (permission.transforms or permission.where):
        return [f"without columns tagged {having}"]
    parts = [_clause_english(clause) for clause in permission.transforms]
    if permission.where is not None and having is None:
        parts.append(filter_english(permission.where))
    elif permission.where is not None:
        parts.append(f"NULL for what is tagged {having} unless {filter_sql(permission.where)}")
    if having is not None and permission.transforms:
        parts.append(f"of columns tagged {having}")
    return parts


def filter_english(expr: Expr) -> str:
    """A filter as the end of a sentence."""
    return f"only rows where {filter_sql(expr)}"


def tags_english(tags: TagExpr, *, nested: bool = False) -> str:
    """A tag expression in words."""
    match tags:
        case HasTag(tag):
            return _tag(tag)
        case TagNot(part):
            return f"not {tags_english(part, nested=True)}"
        case TagAnd(parts) | TagOr(parts):
            word = " and " if isinstance(tags, TagAnd) else " or "
            words = word.join(tags_english(part, nested=True) for part in parts)
            return f"({words})" if nested else words


def _tag(tag: TagName) -> str:
    return f"{tag.namespace}:{tag.key}"


def _scope_english(scope: Scope) -> str:
    match scope.kind:
        case ScopeKind.CATALOG:
            return "every dataset in the catalog"
        case ScopeKind.DATABASE:
            return f"every dataset in {scope.database}"
        case ScopeKind.TABLE:
            return f"{scope.database}.{scope.dataset}"
        case ScopeKind.URI:
            return f"what lies at {scope.name}"
        case ScopeKind.NAMESPACE:
            return f"the tags of {scope.name}"
        case ScopeKind.TOKEN_DOMAIN:
            return f"token domain {scope.name}"
        case _:
            return f"{scope.kind} {scope.name}"


def _having_english(having: TagExpr) -> str:
    if isinstance(having, TagNot):
        return f"without columns tagged {tags_english(having.part)}"
    return f"only columns tagged {tags_english(having)}"


def _clause_english(clause: TransformClause) -> str:
    link = "also with" if clause.excepted else "with"
    deeds = " and then ".join(get_spec(step.function).says for step in steps(clause.call))
    return f"{link} {tags_english(clause.tags)} {deeds}"


def _window_english(properties: Mapping[str, str]) -> list[str]:
    words: list[str] = []
    for key, word in (("start_datetime", "from"), ("end_datetime", "until")):
        if key in properties:
            moment = datetime.fromtimestamp(int(properties[key]), UTC)
            words.append(f"{word} {moment:%Y-%m-%d %H:%M:%S} UTC")
    if properties.get("enabled") == "false":
        words.append("once enabled")
    return words
