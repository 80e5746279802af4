"""`privet db`: databases, in which policies and datasets are put together."""

from __future__ import annotations

from typing import Annotated

import typer

from privet.cli.output import Json, print_done, print_items
from privet.cli.session import session
from privet.model.names import fold

Name = Annotated[str, typer.Argument(metavar="DATABASE", help="The database's name.")]
group = typer.Typer(help="Databases, and what is in them.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="db")


@group.command()
def create(
    context: typer.Context,
    name: Name,
    description: Annotated[str, typer.Option(help="What is in it.")] = "",
    as_json: Json = False,
) -> None:
    """Create an empty database; policies can be written on it at once."""
    database = fold(name, "database name")
    with session(context).rest() as rest:
        answer = rest.post("/v1/databases", {"name": database, "description": description})
    print_done(answer, f"created database {database}", as_json=as_json)


@group.command("list")
def list_databases(context: typer.Context, as_json: Json = False) -> None:
    """List the databases that you can see something of."""
    with session(context).rest() as rest:
        items = rest.items("/v1/databases")
    columns = {"DATABASE": "name", "DESCRIPTION": "description"}
    print_items(items, columns, as_json=as_json, none="no databases")


@group.command()
def delete(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Delete an empty database."""
    database = fold(name, "database name")
    with session(context).rest() as rest:
        answer = rest.delete(f"/v1/databases/{database}")
    print_done(answer, f"deleted database {database}", as_json=as_json)


@group.command("datasets")
def list_datasets(
    context: typer.Context,
    database: Annotated[str, typer.Argument(help="Only those of this database.")] = "",
    as_json: Json = False,
) -> None:
    """List the datasets that you can see something of."""
    only = fold(database, "database name") if database else None
    with session(context).rest() as rest:
        items = rest.items("/v1/datasets", database=only)
    columns = {"DATASET": "name", "COLUMNS": "columns"}
    shown = items if as_json else [{**i, "columns": _names(i.get("columns"))} for i in items]
    print_items(shown, columns, as_json=as_json, none="no datasets")


def _names(columns: list[dict[str, object]] | None) -> list[object]:
    return [column.get("name") for column in columns or ()]
