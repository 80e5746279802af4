"""`privet audit`: who did what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privet.cli.output import Json, print_items
from privet.cli.session import session

if TYPE_CHECKING:
    from privet.client.rest import Rest

_PAGE_ROWS = 500
group = typer.Typer(help="The audit log.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="audit")


@group.command("list")
def list_events(
    context: typer.Context,
    *,
    user: Annotated[str, typer.Option(help="Only this user's.")] = "",
    action: Annotated[str, typer.Option(help="Only this action, such as scan.start.")] = "",
    on: Annotated[str, typer.Option("--object", help="Only on this, such as db.table.")] = "",
    outcome: Annotated[
        str, typer.Option(help="Only allowed, refused, completed, cancelled or failed.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most that many, the newest.")] = 100,
    as_json: Json = False,
) -> None:
    """List events, newest first."""
    query = {
        "user": user or None,
        "action": action or None,
        "object": on or None,
        "outcome": outcome or None,
    }
    with session(context).rest() as rest:
        items = newest(rest, query, limit)
    columns = {
        "AT": "at",
        "USER": "user",
        "ACTION": "action",
        "OBJECT": "object",
        "OUTCOME": "outcome",
        "READ": "rows_read",
        "RETURNED": "rows_returned",
        "ERROR": "error",
        "ID": "id",
    }
    print_items(items, columns, as_json=as_json, none="no events")


def newest(rest: Rest, query: Mapping[str, str | None], limit: int) -> list[dict[str, Any]]:
    """The newest events, page by page."""
    found: list[dict[str, Any]] = []
    before: str | None = None
    while len(found) < limit:
        size = min(limit - len(found), _PAGE_ROWS)
        page = rest.get("/v1/audit", **query, limit=size, before=before)
        found += page["items"]
        before = page["next"]
        if before is None:
            break
    return found
