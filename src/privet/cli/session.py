"""Which server, as whom: the global options, the environment, and what `privet login` stored."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from privet.cli.exits import UsageMistake

if TYPE_CHECKING:
    from privet.client.rest import Rest

_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Session:
    """The global options of one run; empty where neither option nor variable was given."""

    url: str = ""
    token: str = field(default="", repr=False)
    ca: str = ""

    def require_url(self) -> str:
        """The server's address.

        Raises:
            UsageMistake: none was given.
        """
        if not self.url:
            raise UsageMistake(
                "no server address", hint="set PRIVET_URL or give --url, such as https://host"
            )
        return self.url

    def anonymous(self) -> Rest:
        """A connection without credentials."""
        from privet.client.rest import Rest

        return Rest(self.require_url(), ca=self.ca or None)

    def rest(self) -> Rest:
        """A connection with the token given, or the one that `privet login` stored for this URL.

        Raises:
            Unauthenticated: there is none.
        """
        from privet.client.credentials import check_token
        from privet.client.rest import Rest

        url = self.require_url()
        token = self.token or stored_tokens().get(url, "")
        return Rest(url, check_token(token), ca=self.ca or None)


def session(context: typer.Context) -> Session:
    """The session that the global options made."""
    found = context.find_object(Session)
    assert found is not None, "the root command makes the session"
    return found


def tokens_file() -> Path:
    """Where `privet login` keeps tokens, each under the address that it is for."""
    return Path(typer.get_app_dir("privet")) / "tokens.json"


def stored_tokens() -> dict[str, str]:
    """The stored tokens by address.

    Raises:
        UsageMistake: the file can be read by others, or is not what we wrote.
    """
    path = tokens_file()
    try:
        if path.stat().st_mode & ~_OWNER_ONLY & 0o777:
            raise UsageMistake(f"`{path}` can be read by others", hint="delete it and log in again")
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageMistake(f"`{path}` cannot be read", hint="delete it and log in again") from error
    pairs = cast("dict[object, object]", value).items() if isinstance(value, dict) else ()
    return {url: token for url, token in pairs if isinstance(url, str) and isinstance(token, str)}


def store_tokens(tokens: Mapping[str, str]) -> Path:
    """Write the stored tokens to a file of the owner's alone, all or nothing.

    Raises:
        UsageMistake: the file cannot be written.
    """
    path = tokens_file()
    scratch = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(scratch, flags, _OWNER_ONLY), "w", encoding="utf-8") as file:
            json.dump(dict(tokens), file)
        scratch.replace(path)
    except OSError as error:
        raise UsageMistake(
            f"`{path}` cannot be written: {error.strerror}", hint="use PRIVET_TOKEN instead"
        ) from error
    return path
