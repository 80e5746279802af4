"""What properties of connections may be."""

from __future__ import annotations

import re
from collections.abc import Mapping

from privet.connector import SSLMODES
from privet.model.errors import InvalidRequest

OWN = frozenset({"driver", "host", "port", "user", "password", "database", "schema"})
"""What every connection has, beside properties of its driver."""
SSLMODE = "sslmode"
LOCATION, CATALOG, PATH, PREFIX, SCOPE = "location", "catalog", "path", "prefix", "scope"
"""Properties of connections to catalogs."""
DRIVER = re.compile(r"[a-z][a-z0-9_]{0,31}")
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:_-]{0,252})")
_REFERENCE = re.compile(r"[a-z][a-z0-9+.-]*:[^\s]{1,512}")
_LARGEST_PORT = 65_535
_ALIASES = {
    "jdbc_driver": "driver",
    "user_key": "user",
    "password_key": "password",
    "jdbc.db.name": "database",
    "defaultdb": "database",
    "jdbc.schema.name": "schema",
    "defaultschema": "schema",
}


def own_name(key: str) -> str:
    """A property by the name of our own, if it is written by the original's."""
    return _ALIASES.get(key.lower(), key.lower())


def matching(pattern: re.Pattern[str], what: str, text: str) -> str:
    """A property of that form.

    Raises:
        InvalidRequest: it is missing, or of another.
    """
    if not pattern.fullmatch(text):
        raise InvalidRequest(f"a connection needs a `{what}`", hint=f"write '{what}'='...'")
    return text


def reference(what: str, text: str) -> str:
    """The reference of a secret.

    Raises:
        InvalidRequest: it is none.
    """
    # The value itself is not repeated: somebody may have written a password.
    if not _REFERENCE.fullmatch(text):
        raise InvalidRequest(
            f"`{what}` is the reference of a secret, never the secret",
            hint="name it in the server's settings, and write 'secret:NAME'",
        )
    return text


def port_of(text: str) -> int:
    """The number of a port; 0 is the driver's own.

    Raises:
        InvalidRequest: it is none.
    """
    if not (text.isascii() and text.isdecimal() and int(text) <= _LARGEST_PORT):
        raise InvalidRequest("`port` is a number of at most 65535")
    return int(text)


def check_sslmode(others: Mapping[str, str]) -> None:
    """Check the mode among the other properties, if there is one.

    Raises:
        InvalidRequest: it is none.
    """
    if others.get(SSLMODE, SSLMODES[0]) not in SSLMODES:
        raise InvalidRequest(f"`{SSLMODE}` is one of {', '.join(SSLMODES)}")
