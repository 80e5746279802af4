"""`privet login`, `logout`, `whoami` and `token`: who you are to the server."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from privet.cli.exits import UsageMistake
from privet.cli.extras import load_extra
from privet.cli.output import Json, cell, print_json
from privet.cli.session import session, store_tokens, stored_tokens, tokens_file
from privet.cli.users import PasswordStdin, read_password, split_names
from privet.model.names import check_group_name, check_principal_name

_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhd]?)")
_OWN_KEYS_SECONDS = 900
_WHOAMI = (
    "user", "issuer", "groups", "other_groups", "roles", "admin", "attributes", "expires_at",
)  # fmt: skip
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
tokens = typer.Typer(help="Tokens for others.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(login)
    app.command()(logout)
    app.command()(whoami)
    app.add_typer(tokens, name="token")


def login(
    context: typer.Context,
    user: Annotated[str, typer.Option(help="Your name; asked for if not given.")] = "",
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Log in with a user and password of the server's own.

    The token is kept in a file that only you can read, for this server's address alone.
    PRIVET_TOKEN and --token go before it.
    """
    here = session(context)
    with here.anonymous() as rest:
        name = check_principal_name(user or typer.prompt("User", err=True))
        password = read_password(from_stdin=password_stdin, confirm=False)
        answer = rest.post("/v1/login", {"user": name, "password": password})
    path = store_tokens({**stored_tokens(), here.require_url(): answer["token"]})
    if as_json:
        print_json({"user": name, "expires_at": answer["expires_at"], "stored_in": str(path)})
    else:
        print(f"logged in as {cell(name)} until {cell(answer['expires_at'])}")


def logout(context: typer.Context, as_json: Json = False) -> None:
    """Forget the token that `privet login` stored for this server."""
    url = session(context).require_url()
    held = stored_tokens()
    if held.pop(url, None) is not None:
        store_tokens(held)
    if as_json:
        print_json({"url": url, "stored_in": str(tokens_file())})
    else:
        print(f"logged out of {cell(url)}")


def whoami(context: typer.Context, as_json: Json = False) -> None:
    """Show who you are to the server."""
    with session(context).rest() as rest:
        answer = rest.get("/v1/whoami")
    if as_json:
        print_json(answer)
        return
    for key in _WHOAMI:
        print(f"{key + ':':<14}{cell(answer.get(key))}")


def parse_lifetime(text: str) -> int | None:
    """Read a duration such as `90s`, `15m`, `8h`, `7d` or plain seconds; empty is None.

    Raises:
        UsageMistake: not a duration.
    """
    if not text:
        return None
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise UsageMistake(f"`{text}` is not a lifetime", hint="such as 90s, 15m, 8h or 7d")
    return int(match[1]) * _SECONDS[match[2]]


@tokens.command()
def issue(
    context: typer.Context,
    *,
    user: Annotated[str, typer.Option(help="For whom.")],
    groups: Annotated[str, typer.Option(help="The groups it carries, separated by commas.")] = "",
    lifetime: Annotated[str, typer.Option(help="Such as 15m or 8h.")] = "",
    config: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="A server's settings: sign on its machine with its own keys, without asking it. "
            "This is how the first administrator gets in.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Issue a token for a user. For admins; the token is the last word printed."""
    name = check_principal_name(user)
    named = [check_group_name(g) for g in split_names(groups)]
    seconds = parse_lifetime(lifetime)
    if config is not None:
        server = load_extra("privet.server.main", extra="server")
        life = timedelta(seconds=seconds or _OWN_KEYS_SECONDS)
        token = server.issue_token(config, name, named, life)
        answer: dict[str, Any] = {"token": token, "lifetime": life.total_seconds()}
        until = f"for {life}"
    else:
        with session(context).rest() as rest:
            body = {"user": name, "groups": named, "lifetime": seconds}
            answer = rest.post("/v1/tokens", body)
        until = f"until {cell(answer['expires_at'])}"
    if as_json:
        print_json(answer)
    else:
        print(f"token for {cell(name)}, valid {until}:")
        print(answer["token"])
