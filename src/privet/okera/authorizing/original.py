"""The same call as the original answers it, for the mode in which its own tests run.

Decisions, their order and what is on record are those of everybody else; only the words differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError

from privet.model.decisions import Decision, Verdict
from privet.model.errors import InvalidRequest, NotFound, PrivetError
from privet.model.foreign_sql import read_statements
from privet.model.names import DatasetName, fold
from privet.okera.authorizing import filters, words
from privet.okera.authorizing.telling import is_open, leaves_of, schema_of_visible
from privet.okera.calls import Call
from privet.okera.errors import Unsupported
from privet.okera.idl import T
from privet.okera.reading import planned_request
from privet.okera.rpc.datasets import described
from privet.okera.rpc.system import replaced
from privet.service import filter_of

_CLIENT = T.TAuthorizeQueryClient
_STYLES: Mapping[int, words.Style] = {
    _CLIENT.IMPALA: words.Style(quoted=True, apart=True),
    _CLIENT.HIVE: words.Style(apart=True),
    _CLIENT.APACHE_SPARK: words.Style(quoted=True, apart=True),
    _CLIENT.DATABRICKS_SPARK: words.Style(quoted=True, apart=True),
}
_CHANCE = (exp.Rand, exp.CurrentTimestamp, exp.CurrentDate, exp.Uuid)


def authorize(call: Call, params: Any) -> Any:
    """Answer a call.

    Raises:
        PrivetError: as the use cases.
    """
    if params.records is not None:
        return _records(call, params)
    if params.dataset:
        return _dataset(call, params)
    if params.plan_request:
        if params.client not in (None, _CLIENT.OKERA):
            raise Unsupported("our workers run no statement in the SQL of another engine")
        return T.TAuthorizeQueryResult(plan=planned_request(call, params.sql))
    return _statement(call, params)


def _style(params: Any) -> words.Style:
    return _STYLES.get(params.client, words.Style())


def _records(call: Call, params: Any) -> Any:
    name = _named(params)
    ruled = call.services.rewrites.rule(call.caller, name, empty=True)
    if not ruled.decision.allowed:
        return _nothing(params, ruled.filter)
    found = call.services.rewrites.records(call.caller, name, params.records, strangers=True)
    told = _told(ruled.decision, params)
    told.filtered_records = list(found.passed)
    told.result_records = list(found.records) or None if params.return_records else None
    return told


def _named(params: Any) -> DatasetName:
    return DatasetName(fold(params.db[0]), fold(params.dataset))


def _dataset(call: Call, params: Any) -> Any:
    name = _named(params)
    ruled = call.services.rewrites.rule(call.caller, name, empty=True)
    if not ruled.decision.allowed:
        return _nothing(params, ruled.filter)
    decision = ruled.decision
    told = _told(decision, params)
    if told.full_access:
        told.table = described(call, name)
        return told
    style = _style(params)
    select = exp.select(*words.columns(decision, style).values()).from_(words.table(name))
    told.result_sql = style.written(_where(select, decision))
    return told


def _told(decision: Decision, params: Any) -> Any:
    """What is said of a decision about a dataset, besides a statement."""
    told = T.TAuthorizeQueryResult(
        full_access=is_open(decision),
        requires_worker=False,
        result_schema=schema_of_visible(decision),
    )
    if not all(c.verdict is Verdict.CLEAR for c in decision.columns):
        told.column_access = leaves_of(decision.columns)
    condition = filter_of(decision)
    if condition is None:
        return told
    if len(decision.filters) > 1:
        raise InvalidRequest(f"Access to '{decision.name}' is protected by multiple filters")
    tree = filters.filtered(condition)
    told.filter = words.Style(alone=True).written(tree)
    text = filters.in_dax(tree) if params.client == _CLIENT.DAX else told.filter
    told.filters = T.TAuthorizeQueryFilters(filters=[text], op=T.TCompoundOp.OR)
    told.filtered_values = filters.values_of(tree)
    return told


def _nothing(params: Any, text: str | None) -> Any:
    """What is said of a dataset of which filters leave no row to this reader."""
    return T.TAuthorizeQueryResult(
        full_access=False,
        requires_worker=False,
        filter=text,
        filters=T.TAuthorizeQueryFilters(filters=[text], op=T.TCompoundOp.OR),
        filtered_records=[False] * len(params.records or ()),
    )


def _where(select: exp.Select, decision: Decision) -> exp.Select:
    condition = filter_of(decision)
    return select if condition is None else select.where(filters.filtered(condition), copy=False)


def _statement(call: Call, params: Any) -> Any:
    tree = _read(call, params)
    if tree is None:
        # A command for whoever has all rights on what it goes to.
        return T.TAuthorizeQueryResult(result_sql=params.sql, requires_worker=False)
    tree = _folded(replaced(call, tree), call)
    tables = [t for t in tree.find_all(exp.Table) if t.db]
    decisions = {
        name: call.services.rewrites.rule(call.caller, name, params.sql).decision
        for name in (DatasetName(fold(t.db), fold(t.name)) for t in tables)
    }
    told = T.TAuthorizeQueryResult(requires_worker=False)
    told.referenced_tables = {str(name) for name in decisions}
    style = _style(params)
    if params.cte_rewrite:
        tree = _with_parts(tree, tables, decisions, style)
    else:
        tree, told.result_schema = _flat(tree, tables, decisions, style)
    if params.client == _CLIENT.OKERA_CACHE_KEY and (
        not decisions or any(tree.find(kind) for kind in _CHANCE)
    ):
        return T.TAuthorizeQueryResult()
    told.result_sql = style.written(tree)
    return told


def _read(call: Call, params: Any) -> exp.Expr | None:
    """The statement; None for a command that goes through as it is.

    Raises:
        PrivetError: it is no statement that is rewritten.
    """
    try:
        trees = read_statements(params.sql or "", "hive")
        if len(trees) == 1 and isinstance(trees[0], exp.Query):
            return trees[0]
    except (PrivetError, SqlglotError):
        if not params.connection_proxy_host:
            raise
    if not params.connection_proxy_host:
        raise InvalidRequest("Unsupported or invalid statement")
    call.services.rewrites.command(call.caller, params.sql or "", params.connection_proxy_host)
    return None


def _folded(tree: exp.Expr, call: Call) -> exp.Expr:
    """A statement with what is known of the reader in it, and texts of it in upper case."""
    user = exp.Literal.string(call.services.sessions.identify(call.caller).user)

    def known(node: exp.Expr) -> exp.Expr:
        called = node.name.lower() if isinstance(node, exp.Anonymous) else ""
        if called == "user" or isinstance(node, exp.CurrentUser | exp.SessionUser):
            return user.copy()
        if isinstance(node, exp.Upper) and node.this.is_string:
            return exp.Literal.string(node.this.name.upper())
        return node

    return tree.transform(known).transform(known)


def _with_parts(
    tree: exp.Expr,
    tables: list[exp.Table],
    decisions: Mapping[DatasetName, Decision],
    style: words.Style,
) -> exp.Expr:
    """The statement as it is, over parts of a WITH that say what of each dataset is seen."""
    found = {(t.db, t.name): DatasetName(fold(t.db), fold(t.name)) for t in tables}
    parts: dict[str, exp.Select] = {}
    for table in list(tree.find_all(exp.Table)):
        name = found.get((table.db, table.name))
        if name is None or is_open(decisions[name]):
            continue
        alias = f"okera_rewrite_{name.database}__{name.name}"
        select = exp.select(*words.columns(decisions[name], style).values())
        parts[alias] = _where(select.from_(words.table(name)), decisions[name])
        table.set("db", None)
        table.set("this", exp.to_identifier(alias))
    for alias, part in parts.items():
        assert isinstance(tree, exp.Query)
        tree = tree.with_(alias, as_=part)
    return tree


def _flat(
    tree: exp.Expr,
    tables: list[exp.Table],
    decisions: Mapping[DatasetName, Decision],
    style: words.Style,
) -> tuple[exp.Expr, Any]:
    """A SELECT over one dataset, as one over its table; and the columns of an answer."""
    nothing = T.TSchema(cols=[], is_count_star=False)
    if not tables:
        return tree, nothing
    ((name, decision), *others) = decisions.items()
    if others or not isinstance(tree, exp.Select) or len(tables) > 1:
        raise Unsupported("only a SELECT over one dataset is written flat")
    shown = words.columns(decision, style)
    selected: list[exp.Expr] = []
    for each in tree.expressions:
        if isinstance(each, exp.Star):
            selected += shown.values()
        else:
            selected.append(_replaced(each, shown, name))
    tree.set("expressions", selected)
    for key in ("where", "group", "having", "order"):
        if (part := tree.args.get(key)) is not None:
            tree.set(key, _replaced(part, shown, name))
    return _where(tree, decision), schema_of_visible(decision)


def _replaced(tree: exp.Expr, shown: Mapping[str, exp.Expr], name: DatasetName) -> exp.Expr:
    """A part of a statement with columns as they are seen."""

    def seen(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        found = shown.get(node.name.lower())
        if found is None:
            raise NotFound(
                f"column `{node.name}` does not exist in `{name}`, or you have no access to it"
            )
        whole = node is tree
        return found.copy() if whole or not isinstance(found, exp.Alias) else found.this.copy()

    return tree.transform(seen)
