"""`privet proposal`: the queue of proposed tags, and answers to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from privet.cli.crawls import evidence_text
from privet.cli.datasets import path_of
from privet.cli.output import Json, cell, print_done, print_json, print_table
from privet.cli.session import session
from privet.model.names import DatasetName, TagName, path_text

Name = Annotated[str, typer.Argument(metavar="DATASET", help="As database.dataset.")]
Field = Annotated[str, typer.Argument(metavar="FIELD", help="A column, or a field inside: a.b.")]
Tag = Annotated[str, typer.Argument(metavar="TAG", help="As namespace.key.")]
group = typer.Typer(help="Tags that rules propose, for people to answer.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="proposal")


@group.command("list")
def list_proposals(context: typer.Context, as_json: Json = False) -> None:
    """List the proposals that wait for an answer."""
    with session(context).rest() as rest:
        found = rest.items("/v1/proposals")
    if as_json:
        print_json(found)
    else:
        _print(found)


@group.command()
def evaluate(context: typer.Context, dataset: Name, as_json: Json = False) -> None:
    """Try the rules on a dataset as it is now. No tag is put on or taken off."""
    with session(context).rest() as rest:
        found = rest.post(f"{path_of(dataset)}/proposals")
    if as_json:
        print_json(found)
        return
    _print(found["items"])
    for tag in found["unsupported"]:
        where = path_text(tag["path"])
        print(f"no rule proposes {cell(tag['tag'])} for {cell(where)} any more; it stays there")


@group.command()
def accept(
    context: typer.Context, dataset: Name, field: Field, tag: Tag, as_json: Json = False
) -> None:
    """Put a proposed tag on its field."""
    _answer(context, "accept", (dataset, field, tag), as_json=as_json)


@group.command()
def reject(
    context: typer.Context, dataset: Name, field: Field, tag: Tag, as_json: Json = False
) -> None:
    """Say that a proposed tag is wrong: it is not proposed there again.

    A tag that is on the field because a rule proposed it is taken off.
    """
    _answer(context, "reject", (dataset, field, tag), as_json=as_json)


@group.command()
def reconsider(
    context: typer.Context, dataset: Name, field: Field, tag: Tag, as_json: Json = False
) -> None:
    """Forget that a tag was rejected: it may be proposed again."""
    _answer(context, "reconsider", (dataset, field, tag), as_json=as_json)


@group.command()
def rejections(context: typer.Context, as_json: Json = False) -> None:
    """List what was rejected: with --json as cases to try rules on, without any cell."""
    with session(context).rest() as rest:
        found = rest.items("/v1/rejections")
    if as_json:
        print_json(found)
        return
    rows = [
        (r["dataset"] or r["source"], path_text(r["path"]), r["tag"], r["by"], r["at"])
        for r in found
    ]
    if rows:
        print_table(("DATASET", "FIELD", "TAG", "BY", "AT"), rows)
    else:
        print("nothing was rejected")


def _answer(
    context: typer.Context, answer: str, about: tuple[str, str, str], *, as_json: bool
) -> None:
    dataset, field, tag = DatasetName.parse(about[0]), about[1], TagName.parse(about[2])
    body = {"database": dataset.database, "name": dataset.name, "path": field, "tag": str(tag)}
    with session(context).rest() as rest:
        done = rest.post(f"/v1/proposals/{answer}", body)
    said = {"accept": "accepted", "reject": "rejected", "reconsider": "forgot the rejection of"}
    print_done(done, f"{said[answer]} {tag} for {field} of {dataset}", as_json=as_json)


def _print(found: Iterable[Mapping[str, Any]]) -> None:
    rows = [
        (
            p["dataset"],
            path_text(p["path"]),
            p["tag"],
            evidence_text(p.get("evidence")),
            "rules changed since" if p.get("outdated") else "",
        )
        for p in found
    ]
    if rows:
        print_table(("DATASET", "FIELD", "TAG", "EVIDENCE", ""), rows)
        print("next: `privet proposal accept DATASET FIELD TAG` puts a tag on, `reject` remembers")
        print("that it is wrong there")
    else:
        print("no proposals wait for an answer")
