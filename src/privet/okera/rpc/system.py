"""What the original keeps in tables of its own, answered from our use cases.

Only for compatibility: who reads one of them needs a grant on it as on any other dataset, and what
it holds is what the same caller's listings say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp

from privet.model.errors import InvalidRequest, NotFound
from privet.model.names import DatasetName, TagName
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
    for function in list(tree.find_all(exp.Anonymous)):
        known = _FUNCTIONS.get(str(function.this).lower())
        if known and known[0] == len(function.expressions) and _are_texts(function.expressions):
            told = exp.convert(known[1](call, *(each.this for each in function.expressions)))
            is_column = isinstance(function.parent, exp.Select)
            function.replace(exp.alias_(told, str(function.this)) if is_column else told)
    return tree


def _values(columns: tuple[str, ...], rows: Rows, alias: str) -> exp.Expr:
    if not rows:
        nothing = (exp.alias_(exp.cast(exp.Null(), "varchar"), c) for c in columns)
        return exp.select(*nothing).where(exp.false()).subquery(alias)
    return exp.values(rows, alias=alias, columns=columns)


def _whoami(call: Call) -> Rows:
    return [(call.services.sessions.identify(call.caller).user,)]


def _attributes(call: Call) -> Rows:
    tags = call.services.tags.list(call.caller)
    return [(n, tag.name.namespace, tag.name.key) for n, tag in enumerate(tags, 1)]


def _rules(call: Call) -> Rows:
    return configs.rule_rows(call)


def _shared(call: Call) -> Rows:
    return configs.shared_rows(call)


def _roles(call: Call) -> Rows:
    return [(their_role(role.name),) for role in call.services.roles.list(call.caller)]


def _groups(call: Call) -> Rows:
    return [(group,) for group in sorted(_groups_of_roles(call))]


def _groups_of_roles(call: Call) -> set[str]:
    return {group for role in call.services.roles.list(call.caller) for _, group in role.groups}


def _are_texts(arguments: Iterable[exp.Expr]) -> bool:
    return all(each.is_string for each in arguments)


def _tags_of(call: Call, named: str) -> list[TagName]:
    """The tags of a table and its columns, or of one column, as far as the caller sees them."""
    database, _, rest = named.lower().partition(".")
    table, _, column = rest.partition(".")
    try:
        view = call.services.datasets.get(call.caller, DatasetName(database, table))
    except (NotFound, InvalidRequest):
        return []
    columns = view.dataset.columns if view.full else [c.column for c in view.decision.visible]
    if column:
        return sorted({tag for c in columns if c.name == column for tag in c.tags})
    return sorted({*view.dataset.tags, *(tag for c in columns for tag in c.tags)})


def _get_tags(call: Call, named: str) -> str:
    return ",".join(map(str, _tags_of(call, named)))


def _has_tag(call: Call, named: str, tag: str) -> bool:
    namespace, _, key = tag.lower().partition(".")
    return any(
        each.namespace == namespace and key in ("*", each.key) for each in _tags_of(call, named)
    )


_FUNCTIONS: Mapping[str, tuple[int, Callable[..., str | bool]]] = {
    "get_tags": (1, _get_tags),
    "has_tag": (2, _has_tag),
}
"""How many texts each takes, and what it answers."""


def _members(call: Call) -> Rows:
    return [
        (user, group)
        for user in call.services.sessions.list_seen(call.caller)
        for group in sorted(call.services.sessions.identify(call.of_user(user).caller).groups)
    ]


def _mappings(call: Call) -> Rows:
    return [
        (user, str(view.dataset.name))
        for user in call.services.sessions.list_seen(call.caller)
        for view in call.services.datasets.list(call.of_user(user).caller)
    ]


_TABLES: Mapping[DatasetName, tuple[tuple[str, ...], Callable[[Call], Rows]]] = {
    DatasetName("okera_sample", "whoami"): (("user",), _whoami),
    DatasetName("okera_system", "attributes"): (("id", "namespace", "name"), _attributes),
    DatasetName("okera_system", "configs"): (("key", "value"), _shared),
    DatasetName("okera_system", "tagging_rules"): (configs.RULE_COLUMNS, _rules),
    DatasetName("okera_system", "role_names"): (("role_name",), _roles),
    DatasetName("okera_system", "group_names"): (("group_name",), _groups),
    DatasetName("okera_system", "groups_by_user"): (("user_name", "group_name"), _members),
    DatasetName("okera_system", "catalog_identity_mappings"): (
        ("identity_object_name", "catalog_object_name"),
        _mappings,
    ),
}
