"""`privet role`: what permissions are given to, and which groups have it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from privet.cli.output import Json, print_done, print_items
from privet.cli.session import session
from privet.model.names import check_group_name, fold_role

Role = Annotated[str, typer.Argument(metavar="ROLE", help="The role's name.")]
GroupOption = Annotated[
    str, typer.Option("--group", help="The group, as the identity provider or the token has it.")
]
group = typer.Typer(help="Roles, and the groups that have them.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="role")


@group.command()
def create(context: typer.Context, role: Role, as_json: Json = False) -> None:
    """Create a role."""
    name = fold_role(role)
    with session(context).rest() as rest:
        answer = rest.post("/v1/roles", {"name": name})
    print_done(answer, f"created role {name}", as_json=as_json)


@group.command("list")
def list_roles(context: typer.Context, as_json: Json = False) -> None:
    """List the roles and their groups."""
    with session(context).rest() as rest:
        items = rest.items("/v1/roles")
    columns = {"ROLE": "name", "GROUPS": "groups", "BUILT IN": "builtin"}
    print_items(items, columns, as_json=as_json, none="no roles")


@group.command()
def history(
    context: typer.Context,
    role: Role,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most that many changes.")] = 100,
    as_json: Json = False,
) -> None:
    """Say who changed a role, its groups and its permissions, the latest first."""
    name = fold_role(role)
    with session(context).rest() as rest:
        items = rest.get(f"/v1/roles/{name}/history", limit=limit)["items"]
    columns = {
        "AT": "at",
        "USER": "user",
        "ACTION": "action",
        "GROUP": "group",
        "STATEMENT": "statement",
    }
    print_items(items, columns, as_json=as_json, none="no changes on record")


@group.command()
def delete(context: typer.Context, role: Role, as_json: Json = False) -> None:
    """Delete a role."""
    name = fold_role(role)
    with session(context).rest() as rest:
        answer = rest.delete(f"/v1/roles/{name}")
    print_done(answer, f"deleted role {name}", as_json=as_json)


@group.command()
def grant(
    context: typer.Context,
    role: Role,
    to: GroupOption,
    as_json: Json = False,
) -> None:
    """Give a role to a group."""
    name = fold_role(role)
    with session(context).rest() as rest:
        answer = rest.put(_mapping(name, to))
    print_done(answer, f"granted role {name} to group {to}", as_json=as_json)


@group.command()
def revoke(
    context: typer.Context,
    role: Role,
    of: GroupOption,
    as_json: Json = False,
) -> None:
    """Take a role from a group."""
    name = fold_role(role)
    with session(context).rest() as rest:
        answer = rest.delete(_mapping(name, of))
    print_done(answer, f"revoked role {name} from group {of}", as_json=as_json)


def _mapping(role: str, named: str) -> str:
    return f"/v1/roles/{role}/groups/{quote(check_group_name(named), safe='')}"
