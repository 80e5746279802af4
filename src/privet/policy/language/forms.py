"""A permission as JSON: for files and REST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from privet.model.errors import InvalidRequest
from privet.model.names import fold_domain, fold_path, fold_role
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
from privet.model.transforms import find_spec
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
            | ({"spelled": clause.call.spelled} if clause.call.spelled else {})
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
            columns=tuple(sorted({fold_path(c) for c in columns})),
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
    clause = _mapping(form, "a transform", ("tags", "transform", "excepted", "spelled"))
    excepted = clause.get("excepted", False)
    if not isinstance(excepted, bool):
        raise InvalidRequest("`excepted` must be true or false")
    call = parse_transform(_text(clause, "transform"))
    if "spelled" in clause:
        spec = find_spec(_text(clause, "spelled"))
        if spec is None or spec.name != call.function:
            raise InvalidRequest("`spelled` must be another name of the transform")
        call = replace(call, spelled=_text(clause, "spelled"))
    return TransformClause(parse_tags(_text(clause, "tags")), call, excepted=excepted)


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
