"""`privet permission`, `sql` and `explain`: what is granted, and what follows from it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from privet.cli.datasets import Name as DatasetArgument
from privet.cli.datasets import path_of
from privet.cli.output import (
    Json,
    cell,
    escape,
    print_done,
    print_items,
    print_json,
    print_table,
    print_warnings,
)
from privet.cli.session import session
from privet.cli.users import split_names
from privet.model.names import DatasetName, TagName, check_principal_name, fold, fold_role

group = typer.Typer(help="Permissions in force.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(sql)
    app.command()(explain)
    app.add_typer(group, name="permission")


@group.command("list")
def list_permissions(
    context: typer.Context,
    role: Annotated[str, typer.Option(help="Only those of this role.")] = "",
    database: Annotated[str, typer.Option(help="Only those on this database.")] = "",
    dataset: Annotated[str, typer.Option(help="Only those on this dataset.")] = "",
    tag: Annotated[str, typer.Option(help="Only those that mention this tag.")] = "",
    as_json: Json = False,
) -> None:
    """List the permissions, in SQL; with --json in every form."""
    query = {
        "role": fold_role(role) if role else None,
        "database": fold(database, "database name") if database else None,
        "dataset": str(DatasetName.parse(dataset)) if dataset else None,
        "tag": str(TagName.parse(tag)) if tag else None,
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


def sql(
    context: typer.Context,
    statement: Annotated[
        str, typer.Argument(metavar="TEXT", help="One statement; - reads it from standard input.")
    ],
    as_json: Json = False,
) -> None:
    """Run one policy statement: GRANT, REVOKE, CREATE, DROP, SHOW, DESCRIBE."""
    text = sys.stdin.read() if statement == "-" else statement
    context.meta["statement"] = text
    with session(context).rest() as rest:
        answer = rest.post("/v1/sql", {"statement": text})
    print_warnings(answer.get("warnings") or ())
    if as_json:
        print_json(answer)
        return
    if answer.get("message"):
        print(escape(answer["message"]))
    if answer.get("columns"):
        print_table(answer["columns"], answer.get("rows") or ())


def explain(
    context: typer.Context,
    dataset: DatasetArgument,
    user: Annotated[str, typer.Option(help="Of whom; without it, yourself.")] = "",
    groups: Annotated[
        str, typer.Option(help="With these groups; without, those last seen for that user.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Say what somebody sees of a dataset, column by column, and why."""
    query = {
        "user": check_principal_name(user) if user else None,
        "groups": ",".join(split_names(groups)) or None,
    }
    with session(context).rest() as rest:
        answer = rest.get(f"{path_of(dataset)}/explain", **query)
    if as_json:
        print_json(answer)
    else:
        _print_explanation(answer)


def _print_explanation(answer: Mapping[str, Any]) -> None:
    for line in answer.get("text") or ():
        print(escape(str(line)))
    for key, value in answer.items():
        if key not in {"text", "columns"}:
            print(f"{key + ':':<14}{cell(value)}")
    columns = answer.get("columns") or []
    print_table(
        ("COLUMN", "VERDICT", "WHY"),
        [(c.get("name"), c.get("verdict"), c.get("reasons")) for c in columns],
    )
