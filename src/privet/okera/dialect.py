"""The original's SQL, read in its own dialect and written in the engine's.

The text is parsed; the tree is written anew. Whatever comes out is only a statement like one that
the user had typed elsewhere: it meets the same gate, the same decisions and the same sandbox. So
a mistake here gives a wrong or refused answer, never one with more in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as dc_replace

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from privet.model.errors import InvalidRequest
from privet.model.foreign_sql import read_statements, too_deep
from privet.model.names import DatasetName, fold
from privet.model.principals import Principal
from privet.model.requests import QueryRequest, ScanRequest
from privet.model.transforms import SPECS
from privet.okera.unnesting import marked

_READ, _WRITE = "hive", "duckdb"
_DEFAULT_DATABASE = "default"
_ZONE = "UTC"
_TOKENS = frozenset(name for s in SPECS if s.keyed or s.random for name in (s.name, *s.aliases))


Replace = Callable[[exp.Expr], exp.Expr]


def understood(
    text: str, principal: Principal, replace: Replace = lambda tree: tree
) -> ScanRequest | QueryRequest:
    """What a statement of the original's dialect asks for.

    Args:
        text: as the client sent it.
        principal: whom `user()` and the like name.
        replace: writes parts of it otherwise: names that are no datasets here, and what stands
            for the fields inside columns.

    Raises:
        ParseFailed: no statement of this dialect.
        InvalidRequest: no single SELECT, or something that the engine has no words for.
        ResourcesExceeded: too deep.
    """
    tree = replace(_parsed(text))
    request = requested(tree, principal)
    return request if isinstance(request, ScanRequest) else dc_replace(request, original=text)


def requested(tree: exp.Expr, principal: Principal) -> ScanRequest | QueryRequest:
    """What a parsed statement asks for.

    Raises:
        InvalidRequest, ResourcesExceeded: as `understood`.
    """
    return _as_scan(tree) or QueryRequest(_written(tree, principal))


def reads(text: str) -> list[DatasetName]:
    """The datasets that a statement of the original's dialect names, each once.

    Raises:
        ParseFailed, InvalidRequest: as `understood`.
    """
    tables = (table for table in _parsed(text).find_all(exp.Table) if table.db)
    names = (DatasetName(fold(t.db, "database name"), fold(t.name, "dataset name")) for t in tables)
    return list(dict.fromkeys(names))


def as_stored(text: str, replace: Replace = lambda tree: tree) -> str:
    """A SELECT of the original's dialect as the text of a view, which names no reader.

    Args:
        text: as its author wrote it.
        replace: as for `understood`.

    Raises:
        As `understood`; InvalidRequest also for what would be another for each reader.
    """
    tree = replace(_parsed(text))
    if isinstance(tree, exp.Select):
        _name_columns(tree)
    return _written(tree, None)


def _name_columns(select: exp.Select) -> None:
    """Give computed columns names, as the original does: a view has a name for each."""
    named = [
        exp.alias_(each, f"_c{number}") if _nameless(each) else each
        for number, each in enumerate(select.expressions)
    ]
    select.set("expressions", named)


def _nameless(each: exp.Expr) -> bool:
    named = isinstance(each, exp.Column | exp.Star | exp.Dot)
    return not named and not each.alias


def _written(tree: exp.Expr, principal: Principal | None) -> str:
    told = tree.transform(_of_the_engine, principal, copy=False)
    try:
        return told.sql(_WRITE, identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise InvalidRequest(
            "the statement uses something that is not served here",
            hint="write it in plain SQL",
        ) from error
    except RecursionError as error:
        raise too_deep() from error


def _parsed(text: str) -> exp.Expr:
    trees = read_statements(marked(text, _READ), _READ)
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise InvalidRequest("only one SELECT can be planned", hint="such as SELECT * FROM d.t")
    return trees[0]


def _as_scan(tree: exp.Expr) -> ScanRequest | None:
    """The scan that `SELECT * FROM d.t [LIMIT n]` is; None for anything else."""
    if not isinstance(tree, exp.Select) or _given(tree) - {"expressions", "from_", "limit"}:
        return None
    if "from_" not in _given(tree):
        return None
    source, limit = tree.args["from_"].this, tree.args.get("limit")
    stars = [isinstance(each, exp.Star) and not _given(each) for each in tree.expressions]
    if stars != [True] or not isinstance(source, exp.Table) or _given(source) - {"this", "db"}:
        return None
    if not isinstance(source.this, exp.Identifier) or not source.db:
        return None
    rows = None
    if limit is not None:
        number = limit.expression
        if _given(limit) - {"expression"} or not number.is_int or not number.is_number:
            return None
        rows = int(number.this) if isinstance(number, exp.Literal) else None
        if rows is None:
            return None
    name = DatasetName(fold(source.db, "database name"), fold(source.name, "dataset name"))
    return ScanRequest(name, limit=rows)


def _given(node: exp.Expr) -> set[str]:
    return {name for name, value in node.args.items() if value not in (None, [], False)}


def _of_the_engine(node: exp.Expr, principal: Principal | None) -> exp.Expr:
    """What the original has and the engine has not, or has in another sense."""
    if isinstance(node, exp.CurrentUser | exp.SessionUser) or _calls(node, "user"):
        return _known(node, "user", _of(principal).user)
    if isinstance(node, exp.CurrentTimezone):
        return _known(node, "current_timezone", _ZONE)
    if isinstance(node, exp.CurrentDatabase | exp.CurrentSchema):
        return _known(node, "current_database", _DEFAULT_DATABASE)
    if _calls(node, "user_attribute"):
        names = node.expressions
        if len(names) != 1 or not names[0].is_string:
            raise InvalidRequest("`user_attribute` takes the name of one attribute, as text")
        return _known(node, "user_attribute", _of(principal).attributes.get(names[0].this))
    if isinstance(node, exp.SHA2):
        # Not the engine's own: the privacy function of this name.
        return exp.Anonymous(this="sha2", expressions=[node.this])
    if isinstance(node, exp.Predicate) and isinstance(node, exp.Binary):
        _as_texts(node)
    return node


def _as_texts(comparison: exp.Binary) -> None:
    """Let a token of a text be compared as a text.

    It is one of no other type that would be read from it: of a moment, say, which the engine
    would refuse to compare with it, where the original finds nothing.
    """
    for side, other in (("this", "expression"), ("expression", "this")):
        token, column = comparison.args[side], comparison.args[other]
        if not (isinstance(token, exp.Anonymous) and str(token.this).lower() in _TOKENS):
            continue
        if token.expressions and token.expressions[0].is_string and isinstance(column, exp.Column):
            comparison.set(other, exp.cast(column.copy(), "VARCHAR"))


def _of(principal: Principal | None) -> Principal:
    if principal is None:
        raise InvalidRequest(
            "a view is the same for all its readers",
            hint="filter by `user()` in a permission instead",
        )
    return principal


def _known(node: exp.Expr, name: str, value: str | None) -> exp.Expr:
    """A text in the place of a call; as a column, it keeps the name of the call."""
    told = exp.Null() if value is None else exp.Literal.string(value)
    is_column = isinstance(node.parent, exp.Select) and node.arg_key == "expressions"
    return exp.alias_(told, name) if is_column else told


def _calls(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and str(node.this).lower() == name
