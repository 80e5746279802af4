"""`privet transform`: the transforms of policies, and what they make of values."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from privet.cli.output import Json, cell, print_json, print_table
from privet.cli.session import session
from privet.model.names import fold_domain

_NEGATIVE = re.compile(r"-\.?[0-9][0-9.eE+-]*")
_WIDTH, _INDENT = 100, 15
group = typer.Typer(help="Transforms: which there are, and what they give.", no_args_is_help=True)


@group.command("list")
def list_transforms(context: typer.Context, as_json: Json = False) -> None:
    """List the transforms, what each fits, and what it still shows."""
    with session(context).rest() as rest:
        items = rest.items("/v1/transforms")
    if as_json:
        print_json(items)
        return
    for item in items:
        also = f" (also {cell(item['aliases'])})" if item["aliases"] else ""
        print(f"{cell(item['name'])}{also}: columns are {cell(item['leaves_columns'])}")
        _print_told("arguments", "; ".join(item["arguments"]))
        _print_told("fits", cell(item["types"]))
        _print_told("still shows", cell(item["still_shows"]))


def _print_told(what: str, told: str) -> None:
    """A line about a transform, or as many as it takes; none if there is nothing to tell."""
    if told:
        indent = " " * _INDENT
        first = f"  {what}".ljust(_INDENT)
        print(textwrap.fill(cell(told), _WIDTH, initial_indent=first, subsequent_indent=indent))


class _Numbers(TyperCommand):
    """A command that takes negative numbers for values; every other dash begins an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As usual; where all that begins with a dash is an option or a number, numbers are not."""
        known = {name for each in self.params for name in each.opts}
        dashed = [a for a in args[: (*args, "--").index("--")] if a.startswith("-") and a != "-"]
        others = [a for a in dashed if not _NEGATIVE.fullmatch(a)]
        ctx.ignore_unknown_options = all(a.partition("=")[0] in known for a in others)
        return super().parse_args(ctx, args)


@group.command("try", cls=_Numbers)
def try_transform(  # noqa: PLR0917 - a command
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="As in a policy: mask, or 'truncate(3)', or a nest."),
    ],
    values: Annotated[
        list[str],
        typer.Argument(
            metavar="VALUE...", help="- reads lines from stdin; texts with a dash go after --."
        ),
    ],
    kind: Annotated[
        str, typer.Option("--type", help="Of the column: string, int64, double, bool, date32, ...")
    ] = "string",
    domain: Annotated[
        str | None,
        typer.Option(help="Make the real tokens of this domain. It needs DETOKENIZE there."),
    ] = None,
    purpose: Annotated[
        str, typer.Option(help="What you use the domain's key for; it is on record.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Show what a policy would make of values.

    Without a domain, tokens are made under a key that exists for this call only: they have the form
    of real ones, and each call gives others.
    """
    wanted = sys.stdin.read().splitlines() if values == ["-"] else values
    body = {
        "transform": name,
        "values": wanted,
        "type": kind,
        "domain": None if domain is None else fold_domain(domain),
        "purpose": purpose,
    }
    with session(context).rest() as rest:
        answer = rest.post("/v1/transforms/try", body)
    if as_json:
        print_json(answer)
    else:
        _print_tried(answer, wanted)


def _print_tried(tried: Mapping[str, Any], wanted: Sequence[str]) -> None:
    made = ("NULL" if value is None else value for value in tried["values"])
    print_table(("VALUE", "BECOMES"), zip(wanted, made, strict=True))
    print(f"{cell(tried['transform'])} on columns of type {cell(tried['type'])}")
    for shown in tried["shows"]:
        print(f"still shown by {cell(shown)}")
    if tried["made_up"]:
        print("the key was made for this call: real tokens differ, and look alike")
    elif tried["domain"]:
        print(f"under key version {tried['version']} of {cell(tried['domain'])}; on record")
    if tried["overflowed"]:
        print(
            f"{tried['overflowed']} took the overflow form: too few others of the format to hide "
            "among, or no format"
        )
