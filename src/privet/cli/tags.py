"""`privet tag`: the vocabulary that policies are written in."""

from __future__ import annotations

from typing import Annotated

import typer

from privet.cli.output import Json, print_done, print_items
from privet.cli.session import session
from privet.cli.tagging import csv_files
from privet.model.names import TagName

Tag = Annotated[str, typer.Argument(metavar="TAG", help="A tag, as namespace.key.")]
group = typer.Typer(help="Tags: what data means.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    csv_files.add_to(group)
    app.add_typer(group, name="tag")


@group.command()
def create(
    context: typer.Context,
    tag: Tag,
    description: Annotated[str, typer.Option(help="What it means.")] = "",
    as_json: Json = False,
) -> None:
    """Create a tag."""
    name = TagName.parse(tag)
    with session(context).rest() as rest:
        answer = rest.post("/v1/tags", {"tag": str(name), "description": description})
    print_done(answer, f"created tag {name}", as_json=as_json)


@group.command("list")
def list_tags(context: typer.Context, as_json: Json = False) -> None:
    """List the tags."""
    with session(context).rest() as rest:
        items = rest.items("/v1/tags")
    columns = {"TAG": "tag", "BUILT IN": "builtin", "DESCRIPTION": "description"}
    print_items(items, columns, as_json=as_json, none="no tags")


@group.command()
def delete(context: typer.Context, tag: Tag, as_json: Json = False) -> None:
    """Delete a tag that no permission and no rule uses, and its assignments."""
    name = TagName.parse(tag)
    with session(context).rest() as rest:
        answer = rest.delete(f"/v1/tags/{name}")
    print_done(answer, f"deleted tag {name}", as_json=as_json)
