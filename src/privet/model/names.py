"""Names: folded once, here; the store compares bytes.

An identifier is `[a-z0-9_]`, at most 128 characters, after folding ASCII upper case to lower case.
Anything else - other letters that look alike, dots, blanks, quotes - is refused, not repaired.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple, Self

from privet.model.errors import InvalidRequest

_IDENTIFIER = re.compile(r"[A-Za-z0-9_]{1,128}")
_PART = re.compile(r"`(?:[^`]|``)+`|[^`.]+")
_PATH = re.compile(rf"(?:{_PART.pattern})(?:\.(?:{_PART.pattern}))*")
_PRINCIPAL_NAME_LIMIT = 256
_OWN_ISSUER = "privet"
_OWNER_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,99}")
RESERVED_GROUP_PREFIX = "user:"
RESERVED_ROLE_PREFIX = "_owner_"
"""Begins the names of the roles by which users have what they created as its owners."""
PUBLIC_ROLE = "public_role"
PUBLIC_ROLE_ALIAS = "okera_public_role"


def fold(text: str, what: str = "name") -> str:
    """The one folding of identifiers.

    Raises:
        InvalidRequest: the text is not an identifier.
    """
    if not _IDENTIFIER.fullmatch(text):
        raise InvalidRequest(
            f"`{text[:64]}` is not a valid {what}",
            hint="use letters a-z, digits and underscores, at most 128 of them",
        )
    return text.lower()


def is_identifier(text: str) -> bool:
    """Whether this is an identifier as `fold` leaves it."""
    return bool(_IDENTIFIER.fullmatch(text)) and text == text.lower()


def fold_path(text: str) -> str:
    """Fold the name of a column, or a path to a field inside one: `column.field`.

    Raises:
        InvalidRequest: some part is no identifier.
    """
    return ".".join(fold(part, "column name") for part in text.split("."))


def fold_domain(text: str) -> str:
    """Fold the name of a token domain: an identifier, or that of a tag, `namespace.key`.

    Raises:
        InvalidRequest: it is neither.
    """
    return str(TagName.parse(text)) if "." in text else fold(text, "token domain")


def fold_role(text: str) -> str:
    """Fold a role name; the original's name of the public role is an alias."""
    name = fold(text, "role name")
    return PUBLIC_ROLE if name == PUBLIC_ROLE_ALIAS else name


def owner_role(user: str, issuer: str) -> str:
    """The name of the role by which a user has what they own; no two users have the same.

    Names that are no identifiers, or of another issuer, become a digest after a second underscore,
    with which no name that is kept begins.
    """
    if issuer == _OWN_ISSUER and _OWNER_NAME.fullmatch(user):
        return RESERVED_ROLE_PREFIX + user
    told = f"{len(issuer)}:{issuer}{user}".encode()
    return f"{RESERVED_ROLE_PREFIX}_{sha256(told).hexdigest()}"


def check_principal_name(text: str, what: str = "user name") -> str:
    """Check a user or group name as its issuer gave it: NFKC, printable, not padded.

    Raises:
        InvalidRequest: the name is empty, too long, not NFKC, or holds control characters.
    """
    if (
        not text
        or len(text) > _PRINCIPAL_NAME_LIMIT
        or text != text.strip()
        or not text.isprintable()
        or unicodedata.normalize("NFKC", text) != text
    ):
        raise InvalidRequest(f"`{text[:64]!a}` is not a valid {what}")
    return text


def check_group_name(text: str) -> str:
    """Check a group name; the implicit `user:` groups cannot be claimed by an issuer."""
    check_principal_name(text, "group name")
    if text.lower().startswith(RESERVED_GROUP_PREFIX):
        raise InvalidRequest(f"`{text[:64]}` is not a valid group name: `user:` is reserved")
    return text


class DatasetName(NamedTuple):
    """A dataset's name: two folded parts, compared part by part, never a dotted string."""

    database: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `database.dataset`.

        Raises:
            InvalidRequest: not exactly two identifiers.
        """
        parts = text.split(".")
        if len(parts) != 2:  # noqa: PLR2004 - the two parts of the name
            raise InvalidRequest(
                f"`{text[:64]}` is not a dataset name", hint="write it as database.dataset"
            )
        return cls(fold(parts[0], "database name"), fold(parts[1], "dataset name"))

    def __str__(self) -> str:
        return f"{self.database}.{self.name}"


class TagName(NamedTuple):
    """A tag: `namespace.key` in statements, `namespace:key` on pages."""

    namespace: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `namespace.key` or `namespace:key`.

        Raises:
            InvalidRequest: not exactly two identifiers.
        """
        parts = re.split(r"[.:]", text)
        if len(parts) != 2:  # noqa: PLR2004 - the two parts of the name
            raise InvalidRequest(f"`{text[:64]}` is not a tag", hint="write it as namespace.key")
        return cls(fold(parts[0], "tag namespace"), fold(parts[1], "tag name"))

    def __str__(self) -> str:
        return f"{self.namespace}.{self.key}"


FieldPath = tuple[str, ...]
"""A column (`("mrn",)`) or a field inside one (`("patient", "phone")`); folded parts."""


def path_text(path: FieldPath) -> str:
    """A path as text, with `.` between its parts; those that are no identifiers in back quotes."""
    return ".".join(p if is_identifier(p) else f"`{p.replace('`', '``')}`" for p in path)


def paths_text(paths: Iterable[FieldPath]) -> str:
    """Paths as text, in order, with `, ` between them."""
    return ", ".join(sorted(map(path_text, paths)))


def parse_path(text: str) -> FieldPath:
    """The reverse of `path_text`; parts inside a column are taken as they are in back quotes.

    Raises:
        InvalidRequest: it is no path.
    """
    parts = _PART.findall(text) if _PATH.fullmatch(text) else [""]
    if not all(p.startswith("`") or _IDENTIFIER.fullmatch(p) for p in parts):
        raise InvalidRequest(
            f"`{text[:64]}` is not a valid field name",
            hint="write column.field; a field that is no identifier stands in back quotes",
        )
    column, *inside = (p[1:-1].replace("``", "`") if p.startswith("`") else p for p in parts)
    return (fold(column, "column name"), *(part.lower() for part in inside))
