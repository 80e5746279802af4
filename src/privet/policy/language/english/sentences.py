"""A permission as a sentence. Two that mean something else never have the same one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from privet.model.expressions import Call, Expr, HasTag, TagAnd, TagExpr, TagNot, TagOr
from privet.model.names import PUBLIC_ROLE, TagName
from privet.model.permissions import (
    AccessLevel,
    Effect,
    Permission,
    Scope,
    ScopeKind,
    TransformClause,
)
from privet.model.transforms import get_spec, steps
from privet.policy.language.english.filters import condition_english, value_english

_ACCEPTED = {
    "reveals_filter": "accepting that cells tell about the filter",
    "missing_columns": "where the dataset has the columns that it names",
    "small_domain": "also where there are few values to hide among",
}
"""Properties of which each has one value."""


def filter_english(expr: Expr) -> str:
    """A filter as the end of a sentence."""
    return f"only rows where {condition_english(expr)}"


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
        bound = f"{who[0].lower()}{who[1:]}, whatever else is granted,"
        parts = [f"This grants nothing: {bound} read {_scope_english(permission.scope)}"]
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
        parts.append(
            f"NULL for what is tagged {having} unless {condition_english(permission.where)}"
        )
    if having is not None and permission.transforms:
        parts.append(f"of columns tagged {having}")
    return parts


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
            return f"what lies at {value_english(scope.name)}"
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
    deeds = " and then ".join(map(_deed, steps(clause.call)))
    return f"{link} {tags_english(clause.tags)} {deeds}"


def _deed(step: Call) -> str:
    """One transform, with what it was told."""
    told = ", ".join(map(_argument, step.arguments[1:]))
    return get_spec(step.function).says + (f" ({told})" if told else "")


def _argument(argument: Expr) -> str:
    return "for each user" if isinstance(argument, Call) else condition_english(argument)


def _window_english(properties: Mapping[str, str]) -> list[str]:
    words: list[str] = []
    for key, word in (("start_datetime", "from"), ("end_datetime", "until")):
        if key in properties:
            moment = datetime.fromtimestamp(int(properties[key]), UTC)
            words.append(f"{word} {moment:%Y-%m-%d %H:%M:%S} UTC")
    if properties.get("enabled") == "false":
        words.append("once enabled")
    return words + [said for key, said in _ACCEPTED.items() if key in properties]
