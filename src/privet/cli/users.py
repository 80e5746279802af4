"""`privet user`: users of the server's own, for where there is no identity provider."""

from __future__ import annotations

import sys
from typing import Annotated
from urllib.parse import quote

import typer

from privet.cli.exits import NO_TERMINAL, UsageMistake
from privet.cli.output import Json, print_done, print_items, print_json, print_table
from privet.cli.session import session
from privet.model.names import check_group_name, check_principal_name

Name = Annotated[str, typer.Argument(metavar="USER", help="The user's name.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
group = typer.Typer(help="The server's own users.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="user")


def split_names(text: str) -> list[str]:
    """Split a comma-separated list; empty parts do not count."""
    return [name for part in text.split(",") if (name := part.strip())]


def read_password(*, from_stdin: bool, confirm: bool) -> str:
    """Take a password from standard input or ask for it; never from the command line.

    Raises:
        UsageMistake: there is none, or none can be asked for.
    """
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=confirm, err=True)
    else:
        raise UsageMistake(NO_TERMINAL, hint="pipe the password in with --password-stdin")
    if not password:
        raise UsageMistake("the password is empty")
    return password


@group.command()
def create(
    context: typer.Context,
    name: Name,
    groups: Annotated[str, typer.Option(help="Groups, separated by commas.")] = "",
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Create a user; the password is asked for."""
    body = {
        "user": check_principal_name(name),
        "password": read_password(from_stdin=password_stdin, confirm=True),
        "groups": [check_group_name(g) for g in split_names(groups)],
    }
    with session(context).rest() as rest:
        answer = rest.post("/v1/users", body)
    print_done(answer, f"created user {name}", as_json=as_json)


@group.command("list")
def list_users(context: typer.Context, as_json: Json = False) -> None:
    """List the users and their groups."""
    with session(context).rest() as rest:
        items = rest.items("/v1/users")
    print_items(
        items, {"USER": "user", "GROUPS": "groups"}, as_json=as_json, none="no users of our own"
    )


@group.command()
def attributes(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Show what is known of a user, beside what a token of theirs would say. For admins."""
    with session(context).rest() as rest:
        answer = rest.get(f"/v1/users/{quote(check_principal_name(name), safe='')}/attributes")
    if as_json:
        print_json(answer)
    else:
        print_table(("ATTRIBUTE", "VALUE"), answer["attributes"].items())


@group.command()
def delete(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Delete a user."""
    with session(context).rest() as rest:
        answer = rest.delete(f"/v1/users/{quote(check_principal_name(name), safe='')}")
    print_done(answer, f"deleted user {name}", as_json=as_json)


@group.command()
def revoke(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """End every token of a user that was issued until now; running scans end with them."""
    path = f"/v1/users/{quote(check_principal_name(name), safe='')}/revoke"
    with session(context).rest() as rest:
        answer = rest.post(path, {})
    print_done(answer, f"ended the tokens of {name}", as_json=as_json)
