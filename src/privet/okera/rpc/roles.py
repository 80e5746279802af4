"""Roles and what they are granted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from privet.model.errors import InvalidRequest, NotFound
from privet.model.names import (
    PUBLIC_ROLE,
    PUBLIC_ROLE_ALIAS,
    RESERVED_GROUP_PREFIX,
    RESERVED_ROLE_PREFIX,
    DatasetName,
    fold,
    fold_role,
)
from privet.model.permissions import (
    CATALOG,
    AccessLevel,
    Effect,
    Permission,
    ScopeKind,
    on_database,
    on_dataset,
    on_role,
)
from privet.okera.calls import Call, Handler
from privet.okera.idl import T
from privet.okera.rpc.held import Held, levels_of, number_of, scope_number
from privet.okera.rpc.trees import attribute_tree, expression_tree, tag_tree
from privet.service.forms import permission_json

OWNERS = "_okera_internal_role_"
_MOST = 100_000


def their_role(name: str) -> str:
    """A role by the name that the original has for it."""
    if name == PUBLIC_ROLE:
        return PUBLIC_ROLE_ALIAS
    if name.startswith(RESERVED_ROLE_PREFIX):
        return OWNERS + name.removeprefix(RESERVED_ROLE_PREFIX)
    return name


def our_role(name: str) -> str:
    """A role by our name."""
    folded = fold_role(fold(name, "role name"))
    if folded.startswith(OWNERS):
        return RESERVED_ROLE_PREFIX + folded.removeprefix(OWNERS)
    return folded


def _get(call: Call, params: Any) -> Any:
    name = our_role(params.role_name)
    held = Held.of(call)
    for role in call.services.roles.list(call.caller):
        if role.name == name:
            permissions = call.services.permissions.list(call.caller, role=name)
            history = _history(call, name) if params.include_role_history else None
            return T.TGetRoleResult(role=_role(role, permissions, held), history=history)
    raise NotFound(f"role `{their_role(name)}` does not exist")


def _history(call: Call, name: str) -> list[Any]:
    return [
        T.THistoryEvent(
            timestamp_ms=int(event.at.timestamp() * 1000) if event.at else 0,
            user=event.user,
            operation=event.action,
            detail=event.statement or None,
        )
        for event in call.services.roles.history(call.caller, name)
    ]


def _role(role: Any, permissions: Any, held: Held) -> Any:
    groups = (group.removeprefix(RESERVED_GROUP_PREFIX) for _, group in role.groups)
    return T.TRole(
        role_name=their_role(role.name),
        role_id=0,
        grant_groups=sorted(groups),
        privileges=[told for p in permissions for told in privileges(p)],
        access_levels=held.levels_exactly(lambda scope: scope == on_role(role.name)),
        is_user_role=role.name.startswith(RESERVED_ROLE_PREFIX),
    )


def privileges(permission: Permission) -> list[Any]:
    """A permission as messages say it: one for each column that it names."""
    return [_privilege(permission, column) for column in permission.columns or ("",)]


def _privilege(permission: Permission, column: str) -> Any:
    scope, form = permission.scope, permission_json(permission)["json"]
    empty = None if permission.having or scope.kind is ScopeKind.CRAWLER else ""
    named = {kind: scope.name if scope.kind is kind else None for kind in ScopeKind}
    created = permission.created_at
    transforms = [f"{t['tags']}:{t['transform']}" for t in form["transforms"]]
    where = permission.where
    return T.TPrivilege(
        privilege_name=permission.level.value,
        privilege_level=number_of(permission.level) or 0,
        scope=scope_number(permission),
        has_grant_opt=permission.grant_option,
        db_name=scope.database or empty,
        table_name=scope.dataset or empty,
        column_name=column or empty,
        uri=named[ScopeKind.URI],
        attribute_namespace=named[ScopeKind.NAMESPACE],
        role=their_role(scope.name) if scope.kind is ScopeKind.ROLE else None,
        crawler=named[ScopeKind.CRAWLER],
        data_connection=named[ScopeKind.DATACONNECTION],
        attribute_expression=form["having"],
        transform_expression="; ".join(transforms) or None,
        filter=form["where"],
        props=dict(permission.properties),
        privilege_type=_type(permission),
        privilege_id=permission.id,
        create_time_ms=int(created.timestamp() * 1000) if created else None,
        attribute_expression_tree=None
        if permission.having is None
        else tag_tree(permission.having),
        transform_expressions=[
            T.TTransformExpr(expr=attribute_tree(each.tags), fn=expression_tree(each.call))
            for each in permission.transforms
        ]
        or None,
        filter_expression_tree=None if where is None else expression_tree(where),
    )


def _type(permission: Permission) -> int:
    kinds = T.TPrivilegeType
    return int(kinds.GRANT if permission.effect is Effect.GRANT else kinds.RESTRICT)


def _list(call: Call, params: Any) -> Any:
    _check(params)
    held = Held.of(call)
    by_role: defaultdict[str, list[Permission]] = defaultdict(list)
    for permission in call.services.permissions.list(call.caller):
        by_role[permission.role].append(permission)
    known = call.services.roles.list(call.caller)
    found = sorted(
        (r for r in known if _wanted(r, by_role[r.name], params, held)),
        key=lambda role: their_role(role.name),
    )
    first = int(params.page_token) if (params.page_token or "").isdecimal() else 0
    size = params.limit or _MOST
    return T.TListRolesResult(
        roles=[_role(r, by_role[r.name], held) for r in found[first : first + size]],
        prev_page_token=str(max(0, first - size)) if first else None,
        next_page_token=str(first + size) if first + size < len(found) else None,
        total_count=len(found),
    )


def _check(params: Any) -> None:
    if params.scopes and params.catalog_object_names:
        raise InvalidRequest(
            "Cannot specify both an access scope filter and a catalog object filter"
        )
    if len(params.catalog_object_names or ()) > 1:
        raise InvalidRequest("More than one catalog object filter is not supported")


def _wanted(role: Any, permissions: list[Permission], params: Any, held: Held) -> bool:
    return (
        _is_named(role, params)
        and _is_of_groups(role, params)
        and _is_on(permissions, params)
        and _is_managed(role, params, held)
    )


def _is_named(role: Any, params: Any) -> bool:
    return (params.role_name_substring or "").lower() in their_role(role.name)


def _is_of_groups(role: Any, params: Any) -> bool:
    groups = {group.removeprefix(RESERVED_GROUP_PREFIX) for _, group in role.groups}
    part = params.group_name_substring
    if part and not any(part in group for group in groups):
        return False
    if params.group_names and not groups & set(params.group_names):
        return False
    return not params.target_user or params.target_user in groups or role.name == PUBLIC_ROLE


def _is_on(permissions: list[Permission], params: Any) -> bool:
    if params.scopes:
        return any(scope_number(p) in params.scopes for p in permissions)
    for name in params.catalog_object_names or ():
        database, _, table = name.lower().partition(".")
        return any(
            p.scope.database == database and table in ("", p.scope.dataset) for p in permissions
        )
    return True


def _is_managed(role: Any, params: Any, held: Held) -> bool:
    if held.admin:
        return True
    on = [p for p in held.grants if p.scope == on_role(role.name)]
    if params.levels:
        levels = levels_of(params.levels) | {AccessLevel.ALL}
        return any(p.level in levels for p in on)
    return bool(on) or not params.manageable_only


def _grantable(call: Call, params: Any) -> Any:
    scope = CATALOG
    if params.database:
        scope = on_database(fold(params.database))
        if params.table:
            scope = on_dataset(DatasetName(fold(params.database), fold(params.table)))
    if not Held.of(call).may_pass_on(scope):
        return T.TGetGrantableRolesResult(roles=[])
    if call.compatibility:
        call = call.of_user("")
    # Those of which the caller does not know cannot be granted to either.
    known = call.services.roles.list(call.caller)
    return T.TGetGrantableRolesResult(roles=sorted(their_role(role.name) for role in known))


def _provenance(call: Call, _: Any) -> Any:
    known = call.services.sessions.whoami(call.caller)
    groups = known.principal.effective_groups
    through = {
        role.name: [g for _, g in role.groups if g in groups]
        for role in call.services.roles.list(call.caller)
        if role.name in known.roles
    }
    return T.TGetRoleProvenanceResult(
        user=known.principal.user,
        groups=sorted(known.principal.groups),
        roles=[
            T.TRoleProvenance(
                role=their_role(name),
                provenance=sorted(g.removeprefix(RESERVED_GROUP_PREFIX) for g in found),
            )
            for name, found in sorted(through.items())
        ],
        editable_attribute_namespaces=call.services.tags.editable(call.caller),
    )


def _access(call: Call, params: Any) -> Any:
    """Which permissions are on the datasets of a database, as far as the caller may read them."""
    database = fold(params.database, "database name")
    groups = set(params.users_or_groups or ())
    holders = {
        role.name: sorted(group.removeprefix(RESERVED_GROUP_PREFIX) for _, group in role.groups)
        for role in call.services.roles.list(call.caller)
    }
    found = [
        _permission(p, holders.get(p.role, []))
        for p in call.services.permissions.list(call.caller)
        if p.effect is Effect.GRANT
        and p.scope.kind.holds_data
        and p.scope.database in ("", database)
        and (not params.filter or params.filter.lower() in p.scope.dataset or not p.scope.dataset)
        and (not groups or groups & set(holders.get(p.role, [])))
    ]
    return T.TGetAccessPermissionsResult(
        permissions=found, is_user_flags=[False] * len(params.users_or_groups or ())
    )


def _permission(permission: Permission, holders: list[str]) -> Any:
    having = permission_json(permission)["json"]["having"]
    role = their_role(permission.role)
    expression = T.TRoleAttributeExpression(role_name=role, expression=having or "")
    return T.TAccessPermission(
        users_or_groups=holders,
        roles=[role],
        level=number_of(permission.level) or 0,
        has_grant=permission.grant_option,
        database=permission.scope.database,
        table=permission.scope.dataset,
        scope=scope_number(permission),
        projection=list(permission.columns) or None,
        attribute_expression=[expression] if having else None,
    )


HANDLERS: Mapping[str, Handler] = {
    "GetRole": _get,
    "ListRoles": _list,
    "GetGrantableRoles": _grantable,
    "GetRoleProvenance": _provenance,
    "GetAccessPermissions": _access,
}
