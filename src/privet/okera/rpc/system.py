"""What the original keeps in tables of its own, answered from our use cases.

Only for compatibility: who reads one of them needs a grant on it as on any other dataset, and what
it holds is what the same caller's listings say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from privet.model.names import DatasetName
from privet.okera.calls import Call
from privet.okera.rpc import configs
from privet.okera.rpc.roles import their_role

Rows = list[tuple[object, ...]]


def replaced(call: Call, tree: exp.Expr) -> exp.Expr:
    """A statement with what such tables hold in their places."""
    for table in list(tree.find_all(exp.Table)):
        name = DatasetName(table.db.lower(), table.name.lower())
        if name not in _TABLES:
            continue
        call.services.datasets.get(call.caller, name)
        columns, rows = _TABLES[name]
        table.replace(_values(columns, rows(call), table.alias or name.name))
    return tree


def _values(columns: tuple[str, ...], rows: Rows, alias: str) -> exp.Expr:
    selects = [
        exp.select(*(exp.alias_(exp.convert(v), c) for v, c in zip(row, columns, strict=True)))
        for row in rows
    ]
    if not selects:
        nothing = (exp.alias_(exp.cast(exp.Null(), "varchar"), c) for c in columns)
        return exp.select(*nothing).where(exp.false()).subquery(alias)
    union: exp.Query = selects[0]
    for each in selects[1:]:
        union = exp.union(union, each, distinct=False, copy=False)
    return union.subquery(alias)


def _whoami(call: Call) -> Rows:
    return [(call.services.sessions.identify(call.caller).user,)]


def _attributes(call: Call) -> Rows:
    tags = call.services.tags.list(call.caller)
    return [(n, tag.name.namespace, tag.name.key) for n, tag in enumerate(tags, 1)]


def _rules(call: Call) -> Rows:
    return configs.rule_rows(call)


def _roles(call: Call) -> Rows:
    return [(their_role(role.name),) for role in call.services.roles.list(call.caller)]


def _groups(call: Call) -> Rows:
    return [(group,) for group in sorted(_groups_of_roles(call))]


def _groups_of_roles(call: Call) -> set[str]:
    return {group for role in call.services.roles.list(call.caller) for _, group in role.groups}


_TABLES: Mapping[DatasetName, tuple[tuple[str, ...], Callable[[Call], Rows]]] = {
    DatasetName("okera_sample", "whoami"): (("user",), _whoami),
    DatasetName("okera_system", "attributes"): (("id", "namespace", "name"), _attributes),
    DatasetName("okera_system", "tagging_rules"): (configs.RULE_COLUMNS, _rules),
    DatasetName("okera_system", "role_names"): (("role_name",), _roles),
    DatasetName("okera_system", "group_names"): (("group_name",), _groups),
}
