"""What a caller proves itself with: read from arguments or the environment, checked, not shown."""

from __future__ import annotations

import os

from privet.client.trust import CaFile
from privet.model.errors import InvalidRequest, Unauthenticated

URL_VARIABLE = "PRIVET_URL"
TOKEN_VARIABLE = "PRIVET_TOKEN"  # noqa: S105 - the variable's name
CA_VARIABLE = "PRIVET_CA"


def find_url(url: str | None) -> str:
    """The address given or that of the environment.

    Raises:
        InvalidRequest: there is neither.
    """
    found = url or os.environ.get(URL_VARIABLE)
    if not found:
        raise InvalidRequest(
            "no server address", hint="pass the url or set PRIVET_URL, such as https://host"
        )
    return found


def find_ca(ca: CaFile | None) -> CaFile | None:
    """The CA file given or that of the environment."""
    return ca or os.environ.get(CA_VARIABLE) or None


def find_token(token: str | None) -> str:
    """The token given or that of the environment, fit for a header.

    Raises:
        Unauthenticated: there is none, or it cannot be one.
    """
    found = token if token is not None else os.environ.get(TOKEN_VARIABLE, "")
    return check_token(found)


def check_token(token: str) -> str:
    """Return the token without the white space that files add.

    Raises:
        Unauthenticated: it is empty, or holds what a header must not.
    """
    clean = token.strip()
    if not clean:
        raise Unauthenticated(
            "no token", hint="pass a token or set PRIVET_TOKEN; `privet login` gives you one"
        )
    if not clean.isascii() or not clean.isprintable() or " " in clean:
        raise Unauthenticated("the token holds characters that no token has", hint="copy it again")
    return clean
