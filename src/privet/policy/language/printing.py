"""Values to canonical SQL text: `parse(to_sql(p)) == Grant(p)`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from privet.model.expressions import (
    And,
    Arithmetic,
    ArithmeticOp,
    Call,
    Case,
    ColumnRef,
    ColumnSlot,
    Compare,
    Expr,
    FieldRef,
    HasTag,
    In,
    IsNull,
    Like,
    Literal,
    LiteralValue,
    Negate,
    Not,
    Or,
    TagAnd,
    TagExpr,
    TagNot,
    TagOr,
)
from privet.model.names import TagName
from privet.model.permissions import (
    USER_SLOT,
    Effect,
    Permission,
    Scope,
    ScopeKind,
    TransformClause,
)
from privet.policy.functions import CAST

_QUOTED_WORDS = frozenset(
    {
        "and",
        "between",
        "case",
        "cast",
        "else",
        "end",
        "except",
        "exists",
        "false",
        "from",
        "having",
        "if",
        "in",
        "is",
        "like",
        "not",
        "null",
        "or",
        "role",
        "select",
        "then",
        "to",
        "transform",
        "true",
        "when",
        "where",
        "with",
        "__column__",
    }
)
_VERBS = {
    Effect.GRANT: ("GRANT", "REVOKE"),
    Effect.DENY: ("DENY", "DROP DENY"),
    Effect.RESTRICT: ("RESTRICT", "DROP RESTRICT"),
}
_NUMBER_LIKE = re.compile(r"[0-9]+(e[0-9]+)?")

# How tightly a form binds; an operand that binds less than its place asks for is parenthesised.
_OR, _AND, _NOT, _PREDICATE, _SUM, _PRODUCT, _UNARY, _ATOM = range(8)


def to_sql(permission: Permission, verb: str = "GRANT") -> str:
    """The statement as canonical SQL.

    `verb` is GRANT for what stores it, or REVOKE for what removes it, which has no properties.
    """
    revoking = verb.upper() == "REVOKE"
    granting = permission.effect is Effect.GRANT
    stores, removes = _VERBS[permission.effect]
    level = permission.level.upper()
    if permission.columns:
        level += f"({', '.join(map(path_sql, permission.columns))})"
    parts = [removes if revoking else stores, level, "ON", scope_sql(permission.scope)]
    if permission.having is not None:
        parts += ["HAVING ATTRIBUTE", tags_sql(permission.having)]
    parts += map(_clause_sql, permission.transforms)
    if permission.where is not None:
        parts += ["WHERE", filter_sql(permission.where)]
    parts += ["TO ROLE" if granting and not revoking else "FROM ROLE", name_sql(permission.role)]
    if permission.grant_option and not revoking:
        parts.append("WITH GRANT OPTION")
    if permission.properties and not revoking:
        pairs = (f"{_text(k)}={_text(v)}" for k, v in sorted(permission.properties.items()))
        parts.append(f"POLICYPROPERTIES({', '.join(pairs)})")
    return " ".join(parts)


def filter_sql(expr: Expr) -> str:
    """An expression as canonical SQL."""
    return _sql(expr, _OR)


def tags_sql(tags: TagExpr) -> str:
    """A tag expression as canonical SQL."""
    return _tags(tags, _OR)


def transform_sql(call: Call) -> str:
    """A transform call as canonical SQL; a lone `__COLUMN__` goes without saying."""
    match call.arguments:
        case (ColumnSlot(),):
            return f"{call.function}()"
        case (Call() as inner, *extra):
            rest = "".join(f", {_sql(e, _OR)}" for e in extra)
            return f"{call.function}({transform_sql(inner)}{rest})"
        case arguments:
            return f"{call.function}({_list(arguments)})"


def name_sql(name: str) -> str:
    """A folded name, in back-quotes where it would read as a keyword or a number."""
    quoted = name in _QUOTED_WORDS or _NUMBER_LIKE.fullmatch(name) or USER_SLOT in name
    return f"`{name}`" if quoted else name


def path_sql(path: str) -> str:
    """A column, or a field inside one, as a permission lists it."""
    return ".".join(map(name_sql, path.split(".")))


def literal_sql(value: LiteralValue) -> str:
    """A constant."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None)
        return f"TIMESTAMP '{moment.isoformat(' ')}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, Decimal):
        plain = format(value, "f")
        return plain if "." in plain else f"{plain}.0"
    return str(value)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def scope_sql(scope: Scope) -> str:
    """The object of a permission."""
    match scope.kind:
        case ScopeKind.CATALOG:
            return "CATALOG"
        case ScopeKind.DATABASE:
            return f"DATABASE {name_sql(scope.database)}"
        case ScopeKind.TABLE:
            return f"TABLE {name_sql(scope.database)}.{name_sql(scope.dataset)}"
        case ScopeKind.URI:
            return f"URI {_text(scope.name)}"
        case ScopeKind.NAMESPACE:
            return f"ATTRIBUTE NAMESPACE {name_sql(scope.name)}"
        case ScopeKind.TOKEN_DOMAIN:
            return f"TOKEN DOMAIN {'.'.join(map(name_sql, scope.name.split('.')))}"
        case _:
            return f"{scope.kind.upper()} {name_sql(scope.name)}"


def _clause_sql(clause: TransformClause) -> str:
    exception = "EXCEPT " if clause.excepted else ""
    return f"{exception}TRANSFORM {tags_sql(clause.tags)} WITH {transform_sql(clause.call)}"


# ---- tag expressions


def _tag(tag: TagName) -> str:
    return f"{name_sql(tag.namespace)}.{name_sql(tag.key)}"


def _tags(tags: TagExpr, place: int) -> str:
    match tags:
        case HasTag(tag):
            return _tag(tag)
        case TagNot(HasTag(tag)):
            return f"NOT IN ({_tag(tag)})"
        case TagNot(part):
            return f"NOT {_tags(part, _NOT)}"
        case TagOr(parts) if leaves := _leaves(parts):
            return f"IN ({', '.join(map(_tag, leaves))})"
        case TagAnd(parts) | TagOr(parts):
            own, word = (_AND, " AND ") if isinstance(tags, TagAnd) else (_OR, " OR ")
            inner = word.join(_tags(part, own + 1) for part in parts)
            return f"({inner})" if place > own else inner


def _leaves(parts: tuple[TagExpr, ...]) -> list[TagName]:
    leaves = [part.tag for part in parts if isinstance(part, HasTag)]
    return leaves if len(leaves) == len(parts) else []


# ---- expressions


def _sql(expr: Expr, place: int) -> str:
    binds, text = _PRINTERS[type(expr)](expr)
    return f"({text})" if binds < place else text


def _list(items: Iterable[Expr]) -> str:
    return ", ".join(_sql(item, _OR) for item in items)


def _operand(expr: Expr) -> str:
    """The right operand of an arithmetic sign: `- -1` reads badly and `--1` is refused."""
    text = _sql(expr, _UNARY)
    return f"({text})" if text.startswith("-") else text


def _print_not(expr: Not) -> tuple[int, str]:
    match expr.part:
        case In(subject, options):
            return _PREDICATE, f"{_sql(subject, _SUM)} NOT IN ({_list(options)})"
        case Like(subject, pattern):
            return _PREDICATE, f"{_sql(subject, _SUM)} NOT LIKE {_text(pattern)}"
        case IsNull(subject):
            return _PREDICATE, f"{_sql(subject, _SUM)} IS NOT NULL"
        case part:
            return _NOT, f"NOT {_sql(part, _NOT)}"


def _print_arithmetic(expr: Arithmetic) -> tuple[int, str]:
    sum_like = expr.op in {ArithmeticOp.ADD, ArithmeticOp.SUB}
    own = _SUM if sum_like else _PRODUCT
    right = expr.right
    tight = _operand(right) if not isinstance(right, Arithmetic) else _sql(right, own + 1)
    return own, f"{_sql(expr.left, own)} {expr.op} {tight}"


def _print_negate(expr: Negate) -> tuple[int, str]:
    text = _sql(expr.part, _UNARY)
    bare = not text.startswith("-") and not isinstance(expr.part, Literal)
    return _UNARY, f"-{text}" if bare else f"-({text})"


def _print_case(expr: Case) -> tuple[int, str]:
    whens = " ".join(f"WHEN {_sql(c, _OR)} THEN {_sql(v, _OR)}" for c, v in expr.branches)
    return _ATOM, f"CASE {whens} ELSE {_sql(expr.default, _OR)} END"


def _print_call(expr: Call) -> tuple[int, str]:
    match expr:
        case Call(function, (value, Literal(str(target)))) if function == CAST:
            return _ATOM, f"cast({_sql(value, _OR)} AS {target})"
        case _:
            pass
    return _ATOM, f"{expr.function}({_list(expr.arguments)})"


def _joined(parts: tuple[Expr, ...], own: int, word: str) -> tuple[int, str]:
    return own, word.join(_sql(part, own + 1) for part in parts)


def _infix(expr: Compare) -> tuple[int, str]:
    return _PREDICATE, f"{_sql(expr.left, _SUM)} {expr.op} {_sql(expr.right, _SUM)}"


_PRINTERS: dict[type, Callable[[Any], tuple[int, str]]] = {
    Literal: lambda e: (_ATOM, literal_sql(e.value)),
    ColumnRef: lambda e: (_ATOM, name_sql(e.name)),
    FieldRef: lambda e: (_ATOM, ".".join(map(name_sql, e.path))),
    ColumnSlot: lambda _: (_ATOM, "__COLUMN__"),
    Compare: _infix,
    And: lambda e: _joined(e.parts, _AND, " AND "),
    Or: lambda e: _joined(e.parts, _OR, " OR "),
    Not: _print_not,
    In: lambda e: (_PREDICATE, f"{_sql(e.subject, _SUM)} IN ({_list(e.options)})"),
    Like: lambda e: (_PREDICATE, f"{_sql(e.subject, _SUM)} LIKE {_text(e.pattern)}"),
    IsNull: lambda e: (_PREDICATE, f"{_sql(e.subject, _SUM)} IS NULL"),
    Case: _print_case,
    Arithmetic: _print_arithmetic,
    Negate: _print_negate,
    Call: _print_call,
}
