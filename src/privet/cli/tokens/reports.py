"""`privet tokens matrix` and `risk`: what joins on tokens, and how well they hide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from privet.cli.exits import UsageMistake
from privet.cli.output import Json, cell, print_json, print_table
from privet.cli.session import session
from privet.model.names import DatasetName, fold, fold_domain

_WITHHELD = "fewer than 10"
_PARTS = 3


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(matrix)
    app.command()(risk)


def matrix(
    context: typer.Context,
    domain: Annotated[str | None, typer.Option(help="Only of this domain.")] = None,
    as_json: Json = False,
) -> None:
    """List which columns join on tokens, of those that you may know of."""
    chosen = None if domain is None else fold_domain(domain)
    with session(context).rest() as rest:
        groups = rest.items("/v1/token-joins", domain=chosen)
    if as_json:
        print_json(groups)
    elif not groups:
        print("no columns that join on tokens")
    else:
        rows = [
            (group["domain"], group["version"], f"{c['dataset']}.{c['column']}", c["type"])
            for group in groups
            for c in group["columns"]
        ]
        print_table(("DOMAIN", "VERSION", "COLUMN", "TYPE"), rows)


def risk(
    context: typer.Context,
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="As database.dataset.column.")],
    as_json: Json = False,
) -> None:
    """Report how identifiable the tokens of a column remain, by how often values occur."""
    name, own = _column(column)
    with session(context).rest() as rest:
        answer = rest.get(f"/v1/datasets/{name.database}/{name.name}/columns/{own}/token-risk")
    if as_json:
        print_json(answer)
    else:
        _print_risk(answer)


def _column(text: str) -> tuple[DatasetName, str]:
    parts = text.split(".")
    if len(parts) != _PARTS:
        raise UsageMistake(
            f"`{text[:64]}` is not a column", hint="write it as database.dataset.column"
        )
    return DatasetName.parse(".".join(parts[:2])), fold(parts[2], "column name")


def _print_risk(risk: Mapping[str, Any]) -> None:
    print(f"{risk['dataset']}.{risk['column']}: {cell(risk['told'])}")
    print(f"token domains: {cell(risk['domains']) or 'none'}")
    for name, key in (
        ("rows", "rows"),
        ("NULL", "nulls"),
        ("different values", "distinct"),
        ("without a format", "small"),
    ):
        print(f"{name}: {_count(risk[key])}")
    top = ", ".join(_count(n) for n in risk["top"] if n is not None)
    print(f"the most frequent occur: {top or _WITHHELD}")
    rows = [(_often(c), _count(c["values"]), _count(c["rows"])) for c in risk["classes"]]
    print_table(("OCCURS", "VALUES", "ROWS"), rows)
    if not risk["exact"]:
        print("counts below 10 are withheld, and others rounded down to tens")


def _often(found: Mapping[str, Any]) -> str:
    least, most = found["least"], found["most"]
    if most is None:
        return f"{least} times or more"
    return "once" if most == 1 else f"{least} to {most} times"


def _count(number: int | None) -> str:
    return _WITHHELD if number is None else f"{number:,}"
