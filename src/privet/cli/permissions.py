"""`privet permission` and `explain`: what is granted, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from privet.cli.datasets import Name as DatasetArgument
from privet.cli.datasets import path_of
from privet.cli.output import (
    Json,
    cell,
    print_done,
    print_items,
    print_json,
    print_table,
    print_warnings,
)
from privet.cli.session import session
from privet.cli.users import split_names
from privet.model.names import DatasetName, check_principal_name, fold, fold_role

group = typer.Typer(help="Permissions in force.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(explain)
    app.add_typer(group, name="permission")


@group.command("list")
def list_permissions(
    context: typer.Context,
    role: Annotated[str, typer.Option(help="Only those of this role.")] = "",
    database: Annotated[str, typer.Option(help="Only those on this database.")] = "",
    dataset: Annotated[str, typer.Option(help="Only those on this dataset.")] = "",
    *,
    dangling: Annotated[
        bool, typer.Option("--dangling", help="Only those on what is not there (any more).")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the permissions, in SQL; with --json in every form."""
    query = {
        "role": fold_role(role) if role else None,
        "database": fold(database, "database name") if database else None,
        "dataset": str(DatasetName.parse(dataset)) if dataset else None,
        "dangling": "true" if dangling else None,
    }
    with session(context).rest() as rest:
        items = rest.items("/v1/permissions", **query)
    columns = {"ID": "id", "STATEMENT": "sql", "BY": "created_by"}
    print_items(items, columns, as_json=as_json, none="no permissions")


@group.command()
def delete(
    context: typer.Context,
    permission: Annotated[str, typer.Argument(metavar="ID", help="As `permission list` shows it.")],
    as_json: Json = False,
) -> None:
    """Delete a permission by its id; in SQL that is REVOKE."""
    with session(context).rest() as rest:
        answer = rest.delete(f"/v1/permissions/{quote(permission, safe='')}")
    print_done(answer, f"deleted permission {permission}", as_json=as_json)


def explain(
    context: typer.Context,
    dataset: DatasetArgument,
    user: Annotated[str, typer.Option(help="Of whom; without it, yourself.")] = "",
    groups: Annotated[
        str | None,
        typer.Option(help="With these groups; without, those last seen for that user."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what somebody sees of a dataset, column by column, and why."""
    query = {
        "user": check_principal_name(user) if user else None,
        "groups": None if groups is None else ",".join(split_names(groups)),
    }
    with session(context).rest() as rest:
        answer = rest.get(f"{path_of(dataset)}/explain", **query)
    if as_json:
        print_json(answer)
    else:
        print_explanation(answer)


def print_explanation(answer: Mapping[str, Any]) -> None:
    """Print who sees what: rows, then columns with the reasons, then the permissions."""
    who = f"{cell(answer['user'])} (roles: {cell(answer['roles']) or 'none'})"
    print(f"{cell(answer['dataset'])} as seen by {who}")
    print(_rows_in_words(answer))
    headers = ("COLUMN", "TYPE", "TAGS", "VERDICT", "SHOWN", "WHY")
    rows = [
        (c["name"], c["type"], c["tags"], c["verdict"], c["shown"], _reasons(c))
        for c in answer["columns"]
    ]
    if rows:
        # Which permissions there are is for those who administer the dataset.
        width = len(headers) if any(row[-1] for row in rows) else len(headers) - 1
        print_table(headers[:width], [row[:width] for row in rows])
    for permission in answer["permissions"]:
        print(f"permission {cell(permission['id'])}: {cell(permission['sql'])}")
    for permission in answer["ignored"]:
        print(f"ignored {cell(permission['id'])}, {cell(permission['reason'])}")
    print_warnings(answer["warnings"])
    for base in answer["behind"]:
        print(f"\nbehind it, by the grants of whoever made the view: {cell(base['dataset'])}")
        print_explanation(base)


def _rows_in_words(answer: Mapping[str, Any]) -> str:
    if answer["bypass"]:
        return "a catalog admin: every column and row, whatever the permissions say"
    if not answer["allowed"]:
        return "nothing is visible: the dataset does not exist for this user"
    if answer["filter"] is not None:
        return cell(answer["filter"]["english"])
    return "rows: all" if answer["complete"] else "rows: those that policies leave you"


def _reasons(column: Mapping[str, Any]) -> str:
    return "; ".join(f"{r['effect']}: {r['detail']}" for r in column["reasons"])
