"""`privet rule`: how crawls find what to tag."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from privet.cli.exits import UsageMistake
from privet.cli.output import Json, print_done, print_items, print_warnings
from privet.cli.session import session
from privet.model.names import TagName

Name = Annotated[str, typer.Argument(metavar="NAME", help="The rule's name.")]
group = typer.Typer(help="Rules: how a crawl proposes tags.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="rule")


@group.command()
def create(
    context: typer.Context,
    name: Name,
    *,
    tag: Annotated[str, typer.Option(help="The tag to propose, as namespace.key.")],
    column_name: Annotated[
        str, typer.Option(metavar="REGEX", help="Find this anywhere in a column's name.")
    ] = "",
    column_comment: Annotated[
        str, typer.Option(metavar="REGEX", help="Find this anywhere in a column's comment.")
    ] = "",
    cell_content: Annotated[
        str, typer.Option(metavar="REGEX", help="Match whole cells with this.")
    ] = "",
    match_rate: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of sampled cells that must match.")
    ] = 0.8,
    min_rows: Annotated[
        int, typer.Option(min=1, help="How many cells that are not empty a sample needs.")
    ] = 10,
    description: Annotated[str, typer.Option(help="What it finds.")] = "",
    as_json: Json = False,
) -> None:
    """Create a rule. It has one pattern; give that to several options to look in several places."""
    patterns = {
        "column_name": column_name,
        "column_comment": column_comment,
        "cell_content": cell_content,
    }
    targets, pattern = one_pattern({target: p for target, p in patterns.items() if p})
    body = {
        "name": name,
        "tag": str(TagName.parse(tag)),
        "pattern": pattern,
        "targets": targets,
        "match_rate": match_rate,
        "min_rows": min_rows,
        "description": description,
    }
    with session(context).rest() as rest:
        answer = rest.post("/v1/rules", body)
    print_done(answer, f"created rule {name}", as_json=as_json)
    if not as_json:
        print_warnings(answer.get("warnings") or ())


def one_pattern(patterns: dict[str, str]) -> tuple[list[str], str]:
    """The targets and the one pattern of a rule.

    Raises:
        UsageMistake: no pattern, or different ones.
    """
    different = set(patterns.values())
    if not different:
        raise UsageMistake(
            "a rule needs a pattern", hint="give --column-name, --column-comment or --cell-content"
        )
    if len(different) > 1:
        raise UsageMistake(
            "a rule has one pattern, and these differ", hint="create a rule for each pattern"
        )
    return list(patterns), different.pop()


@group.command("list")
def list_rules(context: typer.Context, as_json: Json = False) -> None:
    """List the rules."""
    with session(context).rest() as rest:
        items = rest.items("/v1/rules")
    columns = {
        "RULE": "name",
        "TAG": "tag",
        "LOOKS AT": "targets",
        "PATTERN": "pattern",
        "MATCH RATE": "match_rate",
        "MIN ROWS": "min_rows",
        "BUILT IN": "builtin",
    }
    print_items(items, columns, as_json=as_json, none="no rules")


@group.command()
def delete(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Delete a rule. Tags that it gave stay."""
    with session(context).rest() as rest:
        answer = rest.delete(f"/v1/rules/{quote(name, safe='')}")
    print_done(answer, f"deleted rule {name}", as_json=as_json)
