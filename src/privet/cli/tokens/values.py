"""`privet tokens detokenize`, `retoken`, `jobs`: values behind tokens, and new tokens for old."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privet.cli.output import Json, cell, print_items, print_json, print_table
from privet.cli.session import session
from privet.cli.tokens.domains import Domain, path_of
from privet.model.errors import PrivetError

if TYPE_CHECKING:
    from privet.client.rest import Rest

_PAUSE_SECONDS = 0.5


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(detokenize)
    app.command()(retoken)
    app.command()(jobs)


def detokenize(
    context: typer.Context,
    domain: Domain,
    tokens: Annotated[
        list[str],
        typer.Argument(metavar="TOKEN...", help="As they were read; - reads lines from stdin."),
    ],
    purpose: Annotated[str, typer.Option(help="Why you need the values; it is on record.")],
    version: Annotated[
        int | None, typer.Option(help="The key version of the tokens, if you know it.", min=1)
    ] = None,
    as_json: Json = False,
) -> None:
    """Turn tokens of a domain back into values. It needs DETOKENIZE on the domain."""
    wanted = sys.stdin.read().splitlines() if tokens == ["-"] else tokens
    body = {"tokens": wanted, "purpose": purpose, "version": version}
    with session(context).rest() as rest:
        answer = rest.post(path_of(domain, "detokenize"), body)
    if as_json:
        print_json(answer)
        return
    none = "(none: no token of this domain)"
    rows = [
        (token, none if value is None else value)
        for token, value in zip(wanted, answer["values"], strict=True)
    ]
    print_table(("TOKEN", "VALUE"), rows)


def retoken(
    context: typer.Context,
    domain: Domain,
    version: Annotated[
        int | None,
        typer.Option("--from", help="The key version of the old tokens; the last but one.", min=1),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is written.")] = False,
    as_json: Json = False,
) -> None:
    """Write a map from old tokens to new ones on the server, in the background."""
    with session(context).rest() as rest:
        job = rest.post(path_of(domain, "maps"), {"version": version})
        while wait and job["status"] == "running":
            time.sleep(_PAUSE_SECONDS)
            job = _look(rest, job)
    if as_json:
        print_json(job)
    if job["status"] == "failed":
        raise PrivetError(f"the map was not written: {job['error']}")
    if not as_json:
        _print_job(job)


def jobs(context: typer.Context, as_json: Json = False) -> None:
    """List the writing of maps, the latest first."""
    with session(context).rest() as rest:
        items = rest.items("/v1/token-maps")
    columns = {
        "ID": "id",
        "DOMAIN": "domain",
        "FROM": "from_version",
        "TO": "to_version",
        "STATUS": "status",
        "DATASETS": "datasets",
        "DONE": "datasets_done",
        "ROWS": "rows_read",
        "PAIRS": "pairs",
        "FILE": "file",
        "ERROR": "error",
    }
    print_items(items, columns, as_json=as_json, none="no maps were written")


def _look(rest: Rest, job: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = rest.get(f"/v1/token-maps/{job['id']}")
    if sys.stderr.isatty():
        done = f"{found['datasets_done']} of {found['datasets']} datasets"
        print(f"{done}, {found['rows_read']:,} rows read", file=sys.stderr)
    return found


def _print_job(job: Mapping[str, Any]) -> None:
    versions = f"version {job['from_version']} to {job['to_version']}"
    if job["status"] == "running":
        print(f"a map of {cell(job['domain'])}, {versions}, is being written as job {job['id']}")
        print("`privet tokens jobs` says how far it is")
    else:
        print(f"wrote {job['pairs']:,} pairs of {cell(job['domain'])}, {versions}")
        print(f"on the server: {cell(job['file'])}")
