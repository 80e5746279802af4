"""`privet connection`: databases that are sources. They are defined by statements."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from privet.cli.output import Json, print_done, print_items
from privet.cli.session import session

Name = Annotated[str, typer.Argument(metavar="NAME", help="The connection's name.")]
group = typer.Typer(
    help="Connections to databases. Define them with `privet sql` and CREATE DATACONNECTION.",
    no_args_is_help=True,
)
_COLUMNS = {
    "NAME": "name",
    "DRIVER": "driver",
    "HOST": "host",
    "PORT": "port",
    "DATABASE": "database",
    "SCHEMA": "schema",
}


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="connection")


@group.command("list")
def list_connections(context: typer.Context, as_json: Json = False) -> None:
    """List the connections that you have a right on."""
    with session(context).rest() as rest:
        items = rest.items("/v1/connections")
    print_items(items, _COLUMNS, as_json=as_json, none="there are no connections for you")


@group.command("test")
def try_connection(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Try to log in with a connection. Exits with 1 if that fails."""
    with session(context).rest() as rest:
        tested = rest.post(f"/v1/connections/{quote(name, safe='')}/test")
    said = f"{name} works" if tested["works"] else f"{name} does not work: {tested['problem']}"
    print_done(tested, said, as_json=as_json)
    if not tested["works"]:
        raise typer.Exit(1)
