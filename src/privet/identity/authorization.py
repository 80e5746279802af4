"""The `Authorization` header, as every door that has one reads it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from privet.model.principals import BearerToken, Credentials, Password, Unreadable


def read_authorization(headers: Sequence[str]) -> Credentials:
    """Bearer or Basic, from all the headers of that name that a request has.

    Nothing is refused here: what cannot be read is a value, so that authenticating it is refused,
    and recorded, where everything else is. Two headers are unreadable: whoever stands before us
    may have looked at another one than we would.
    """
    if len(headers) > 1:
        return Unreadable()
    scheme, _, value = "".join(headers).partition(" ")
    match scheme.lower(), value.strip():
        case "", "":
            return None
        case "bearer", token if token:
            return BearerToken(token)
        case "basic", encoded:
            return _basic(encoded)
        case _:
            return Unreadable()


def _basic(encoded: str) -> Credentials:
    try:
        # Some clients leave out the padding.
        padded = encoded + "=" * (-len(encoded) % 4)
        user, mark, password = base64.b64decode(padded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return Unreadable()
    return Password(user, password) if mark else Unreadable()
