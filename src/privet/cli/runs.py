"""`privet scans`: what is being read on the server now."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from privet.cli.output import Json, print_done, print_items
from privet.cli.session import session

group = typer.Typer(help="Scans and queries that run now.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="scans")


@group.command("list")
def list_scans(context: typer.Context, as_json: Json = False) -> None:
    """List the scans and queries that run on this server: your own, or as an admin all."""
    with session(context).rest() as rest:
        items = rest.items("/v1/scans")
    columns = {
        "ID": "id",
        "KIND": "kind",
        "USER": "user",
        "DATASETS": "datasets",
        "SINCE": "since",
        "ROWS": "rows",
    }
    print_items(items, columns, as_json=as_json, none="nothing is being read")


@group.command()
def kill(
    context: typer.Context,
    scan: Annotated[str, typer.Argument(metavar="ID", help="As `scans list` shows it.")],
    as_json: Json = False,
) -> None:
    """Call a scan or query off, and record who did."""
    with session(context).rest() as rest:
        answer = rest.delete(f"/v1/scans/{quote(scan, safe='')}")
    print_done(answer, f"called off {scan}", as_json=as_json)
