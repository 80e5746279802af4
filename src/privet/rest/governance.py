"""Tags, rules, roles, databases, permissions, statements."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, status

from privet.model.datasets import Rule
from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName, TagName, check_group_name, fold, fold_role
from privet.rest.bodies import (
    NewDatabase,
    NewPermission,
    NewRole,
    NewRule,
    NewTag,
    ToCheck,
    WhatIf,
    items,
)
from privet.rest.callers import CallerDep, ServicesDep
from privet.rest.strict import StrictRoute
from privet.service.effects import Assumed, outlook_json, verdict_json
from privet.service.forms import (
    Json,
    database_json,
    permission_json,
    role_change_json,
    role_json,
    rule_json,
    tag_json,
)
from privet.service.proposals.forms import contradiction_text

router = APIRouter(route_class=StrictRoute, prefix="/v1")
_GONE = status.HTTP_204_NO_CONTENT
_MADE = status.HTTP_201_CREATED


@router.get("/tags", tags=["tags"])
def list_tags(caller: CallerDep, services: ServicesDep) -> Json:
    """All tags."""
    return items([tag_json(t) for t in services.tags.list(caller)])


@router.post("/tags", tags=["tags"], status_code=_MADE)
def create_tag(caller: CallerDep, services: ServicesDep, body: NewTag) -> Json:
    """Add a tag."""
    return tag_json(services.tags.create(caller, TagName.parse(body.tag), body.description))


@router.delete("/tags/{tag}", tags=["tags"], status_code=_GONE)
def drop_tag(caller: CallerDep, services: ServicesDep, tag: str) -> None:
    """Remove a tag that nothing uses."""
    services.tags.drop(caller, TagName.parse(tag))


@router.get("/rules", tags=["tags"])
def list_rules(caller: CallerDep, services: ServicesDep) -> Json:
    """Rules of stewards, then built-in ones."""
    return items([rule_json(r) for r in services.tags.list_rules(caller)])


@router.post("/rules", tags=["tags"], status_code=_MADE)
def create_rule(caller: CallerDep, services: ServicesDep, body: NewRule) -> Json:
    """Add a rule; says where what it would propose was rejected before."""
    rule = Rule(
        name=fold(body.name, "rule name"),
        tag=TagName.parse(body.tag),
        pattern=body.pattern,
        targets=frozenset(body.targets),
        match_rate=body.match_rate,
        min_rows=body.min_rows,
        description=body.description,
    )
    made = rule_json(services.tags.create_rule(caller, rule))
    against = services.proposals.contradicted(caller, rule)
    return made | {"warnings": [contradiction_text(r) for r in against]}


@router.delete("/rules/{name}", tags=["tags"], status_code=_GONE)
def drop_rule(caller: CallerDep, services: ServicesDep, name: str) -> None:
    """Remove a rule."""
    services.tags.drop_rule(caller, fold(name, "rule name"))


@router.get("/roles", tags=["roles"])
def list_roles(caller: CallerDep, services: ServicesDep) -> Json:
    """Roles with their groups."""
    return items([role_json(r) for r in services.roles.list(caller)])


@router.post("/roles", tags=["roles"], status_code=_MADE)
def create_role(caller: CallerDep, services: ServicesDep, body: NewRole) -> Json:
    """Add a role."""
    return role_json(services.roles.create(caller, fold_role(body.name)))


@router.delete("/roles/{role}", tags=["roles"], status_code=_GONE)
def drop_role(caller: CallerDep, services: ServicesDep, role: str) -> None:
    """Remove a role with its permissions."""
    services.roles.drop(caller, fold_role(role))


@router.get("/roles/{role}/history", tags=["roles"])
def role_history(
    caller: CallerDep,
    services: ServicesDep,
    role: str,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: str | None = None,
) -> Json:
    """Who changed a role, its groups and permissions, newest first."""
    events = services.roles.history(caller, fold_role(role), limit, before)
    following = events[-1].id if len(events) == limit else None
    return items([role_change_json(event) for event in events], following)


@router.put("/roles/{role}/groups/{group:path}", tags=["roles"], status_code=_GONE)
def map_group(caller: CallerDep, services: ServicesDep, role: str, group: str) -> None:
    """Let a group hold a role."""
    services.roles.map_group(caller, fold_role(role), check_group_name(group))


@router.delete("/roles/{role}/groups/{group:path}", tags=["roles"], status_code=_GONE)
def unmap_group(caller: CallerDep, services: ServicesDep, role: str, group: str) -> None:
    """Let a group hold a role no more."""
    services.roles.unmap_group(caller, fold_role(role), check_group_name(group))


@router.get("/databases", tags=["databases"])
def list_databases(caller: CallerDep, services: ServicesDep) -> Json:
    """Databases in which the caller sees something."""
    return items([database_json(d) for d in services.datasets.list_databases(caller)])


@router.post("/databases", tags=["databases"], status_code=_MADE)
def create_database(caller: CallerDep, services: ServicesDep, body: NewDatabase) -> Json:
    """Add an empty database."""
    name = fold(body.name, "database name")
    return database_json(services.databases.create(caller, name, body.description))


@router.delete("/databases/{name}", tags=["databases"], status_code=_GONE)
def drop_database(caller: CallerDep, services: ServicesDep, name: str) -> None:
    """Remove an empty database."""
    services.databases.drop(caller, fold(name, "database name"))


@router.get("/permissions", tags=["permissions"])
def list_permissions(
    caller: CallerDep,
    services: ServicesDep,
    role: str | None = None,
    database: str | None = None,
    dataset: str | None = None,
    dangling: Annotated[bool, Query(description="only on what is not there")] = False,
) -> Json:
    """Stored permissions."""
    found = services.permissions.list(
        caller,
        role=None if role is None else fold_role(role),
        database=None if database is None else fold(database),
        dataset=None if dataset is None else DatasetName.parse(dataset),
    )
    chosen = services.permissions.dangling(found) if dangling else found
    return items([permission_json(p) for p in chosen])


@router.post("/permissions", tags=["permissions"], status_code=_MADE)
def create_permission(caller: CallerDep, services: ServicesDep, body: NewPermission) -> Json:
    """Grant, by SQL or by the JSON form."""
    if body.sql is not None and body.permission is None:
        stored = services.permissions.grant_text(caller, body.sql)
    elif body.permission is not None and body.sql is None:
        stored = services.permissions.grant_form(caller, body.permission)
    else:
        raise InvalidRequest("a permission is given as `sql` or as `permission`, not both")
    return {**permission_json(stored.permission), "warnings": list(stored.warnings)}


@router.post("/permissions/check", tags=["permissions"])
def check_permissions(caller: CallerDep, services: ServicesDep, body: ToCheck) -> Json:
    """Say of each statement what carrying it out would say; nothing is stored."""
    assumed = Assumed(
        tags=frozenset(map(TagName.parse, body.tags)),
        roles=frozenset(map(fold_role, body.roles)),
        databases=frozenset(fold(name, "database name") for name in body.databases),
        without=frozenset(body.without),
    )
    verdicts = services.outlooks.check(caller, body.statements, assumed)
    return items([verdict_json(v) for v in verdicts])


@router.post("/permissions/what-if", tags=["permissions"])
def what_if(caller: CallerDep, services: ServicesDep, body: WhatIf) -> Json:
    """Say who would see more and who less, if these statements were carried out in turn."""
    return outlook_json(services.outlooks.what_if(caller, body.statements, count=body.count))


@router.delete("/permissions/{identifier}", tags=["permissions"], status_code=_GONE)
def drop_permission(caller: CallerDep, services: ServicesDep, identifier: str) -> None:
    """Revoke by id."""
    services.permissions.revoke_by_id(caller, identifier)
