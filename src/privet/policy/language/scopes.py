"""Parse trees of the objects of permissions."""

from __future__ import annotations

from lark import Token

from privet.model.errors import InvalidRequest, ParseFailed, Position
from privet.model.names import fold_role
from privet.model.permissions import Scope, ScopeKind, check_uri, on_token_domain
from privet.policy.language.expressions import read_name, read_object_name, read_text
from privet.policy.language.nodes import branches, tokens
from privet.policy.language.syntax import Branch, position_of


def read_scope(tree: Branch) -> Scope:
    """The object of a permission.

    Raises:
        ParseFailed: its name is none, with the position.
    """
    names = branches(tree)
    match tree.data:
        case "scope_catalog":
            return Scope(ScopeKind.CATALOG)
        case "scope_database":
            return Scope(ScopeKind.DATABASE, read_object_name(names[0], "database name"))
        case "scope_table":
            database, name = names
            return Scope(
                ScopeKind.TABLE,
                read_object_name(database, "database name"),
                read_object_name(name, "dataset name"),
            )
        case "scope_uri":
            token = tokens(tree)[0]
            return Scope(ScopeKind.URI, name=_uri(token))
        case "scope_namespace":
            return Scope(ScopeKind.NAMESPACE, name=read_object_name(names[0], "tag namespace"))
        case "scope_domain":
            return on_token_domain(".".join(read_name(name, "token domain") for name in names))
        case _:
            kind = ScopeKind(tokens(tree)[0].lower())
            name = read_object_name(names[0], f"{kind} name")
            return Scope(kind, name=fold_role(name) if kind is ScopeKind.ROLE else name)


def scope_position(tree: Branch) -> Position | None:
    """Where the name of the object stands."""
    names = [*branches(tree), *tokens(tree)]
    return position_of(names[0]) if names else None


def _uri(token: Token) -> str:
    try:
        return check_uri(read_text(token))
    except InvalidRequest as error:
        raise ParseFailed(error.message, hint=error.hint, position=position_of(token)) from None
