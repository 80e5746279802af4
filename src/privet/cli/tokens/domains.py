"""`privet tokens domain`: declare, rotate and retire token domains; admit and expel datasets."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from privet.cli.output import Json, cell, print_done, print_items, print_json
from privet.cli.session import session
from privet.model.names import DatasetName, TagName, fold, fold_domain

Domain = Annotated[
    str, typer.Argument(metavar="DOMAIN", help="A token domain; that of a tag is namespace.key.")
]
Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="A dataset, as database.name.")]
group = typer.Typer(help="Token domains: within one, equal values have equal tokens.",
                    no_args_is_help=True)  # fmt: skip


class _Kind(StrEnum):
    """What values can be; the server's own words for it would load Arrow."""

    TEXT = "text"
    INT64 = "int64"


def path_of(domain: str, *rest: str) -> str:
    """The address of a domain, or of something of it."""
    return "/".join(("/v1/token-domains", fold_domain(domain), *rest))


@group.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name without a dot.")],
    tag: Annotated[list[str], typer.Option(help="A tag that it serves; may be repeated.")],
    kind: Annotated[_Kind, typer.Option("--type", help="What its values are.")] = _Kind.TEXT,
    purpose: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: Json = False,
) -> None:
    """Declare a domain that tags share; then admit datasets to it."""
    body = {
        "name": fold(name, "token domain"),
        "tags": [str(TagName.parse(each)) for each in tag],
        "type": kind.value,
        "purpose": purpose,
    }
    with session(context).rest() as rest:
        answer = rest.post("/v1/token-domains", body)
    print_done(answer, f"created token domain {body['name']}", as_json=as_json)


@group.command("list")
def list_domains(context: typer.Context, as_json: Json = False) -> None:
    """List the domains."""
    with session(context).rest() as rest:
        items = rest.items("/v1/token-domains")
    columns = {
        "DOMAIN": "name",
        "TAGS": "tags",
        "TYPE": "canonical",
        "VERSION": "version",
        "RETIRED": "retired_at",
        "DATASETS": "datasets",
        "PURPOSE": "purpose",
    }
    none = "no token domains: that of a tag begins with its first dataset"
    print_items(items, columns, as_json=as_json, none=none)


@group.command()
def show(context: typer.Context, domain: Domain, as_json: Json = False) -> None:
    """Show a domain."""
    with session(context).rest() as rest:
        answer = rest.get(path_of(domain))
    if as_json:
        print_json(answer)
    else:
        _print_domain(answer)


@group.command()
def rotate(context: typer.Context, domain: Domain, as_json: Json = False) -> None:
    """Make tokens under the next key version from now on.

    Tokens made so far join with no new ones; `privet tokens retoken` maps old ones to new ones.
    """
    with session(context).rest() as rest:
        answer = rest.post(path_of(domain, "rotate"))
    done = f"token domain {answer['name']} is at key version {answer['version']}"
    print_done(answer, done, as_json=as_json)


@group.command()
def retire(context: typer.Context, domain: Domain, as_json: Json = False) -> None:
    """Let nothing be admitted any more; no dataset may be in it."""
    with session(context).rest() as rest:
        answer = rest.post(path_of(domain, "retire"))
    print_done(answer, f"retired token domain {answer['name']}", as_json=as_json)


@group.command()
def admit(
    context: typer.Context,
    domain: Domain,
    dataset: Dataset,
    accept_writers: Annotated[
        bool,
        typer.Option(
            "--accept-writers", help="Though people who read tokens can write there; on record."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Let a dataset have the tokens of a domain."""
    name = DatasetName.parse(dataset)
    with session(context).rest() as rest:
        path = path_of(domain, "datasets", *name)
        answer = rest.post(path, {"accept_writers": accept_writers})
    print_done(answer, f"admitted {name} to token domain {answer['name']}", as_json=as_json)


@group.command()
def expel(context: typer.Context, domain: Domain, dataset: Dataset, as_json: Json = False) -> None:
    """Let a dataset have tokens of its own, which join with no others."""
    name = DatasetName.parse(dataset)
    with session(context).rest() as rest:
        answer = rest.delete(path_of(domain, "datasets", *name))
    print_done(answer, f"expelled {name} from token domain {answer['name']}", as_json=as_json)


def _print_domain(domain: Mapping[str, Any]) -> None:
    lines = {
        "domain": domain["name"],
        "purpose": domain["purpose"] or "not said",
        "values": domain["canonical"],
        "tags": domain["tags"],
        "key version": domain["version"],
        "rotated": domain["rotated_at"] or "never",
        "retired": domain["retired_at"] or "no",
        "datasets": domain["datasets"] or "none that you know of",
    }
    for name, value in lines.items():
        print(f"{name + ':':13}{cell(value)}")
