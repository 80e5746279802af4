"""Attributes of users from a file of the server's settings."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from privet.identity.attributes.values import read_attributes
from privet.identity.guarded_file import (
    OTHERS_WRITE,
    Stamp,
    Unsafe,
    check_guarded,
    read_checked,
    stamp_of,
)
from privet.model.errors import AttributesUnavailable, ConfigurationInvalid, InvalidRequest
from privet.model.names import check_principal_name
from privet.model.strict_json import read_json

_MAX_BYTES = 16 << 20

_Users = Mapping[str, Mapping[str, str]]


class _Loaded(NamedTuple):
    users: _Users
    stamp: Stamp


class AttributeFile:
    """`{user: {name: value}}` in TOML, or in JSON if the name ends so.

    A change is seen at the next look. Thread-safe.
    """

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            ConfigurationInvalid: it cannot be read, others may write it, or it says nonsense.
        """
        self._path = path
        self._lock = threading.Lock()
        try:
            self._loaded = _load(path)
        except (OSError, ValueError, InvalidRequest) as error:
            _refuse(path, error)

    def of(self, user: str) -> Mapping[str, str]:
        """What the file says of a user now; nothing of one it does not name.

        Raises:
            AttributesUnavailable: the file changed into one that cannot be used, or is gone.
        """
        try:
            with self._lock:
                if stamp_of(self._path.stat()) != self._loaded.stamp:
                    self._loaded = _load(self._path)
                return self._loaded.users.get(user, {})
        except (OSError, ValueError, InvalidRequest) as error:
            raise AttributesUnavailable(
                "the attributes of the user cannot be known: their file cannot be used",
                hint="an administrator finds out why by starting a server with it",
            ) from error


def _load(path: Path) -> _Loaded:
    """Read and check all of it.

    Raises:
        OSError: it cannot be read.
        Unsafe: others may write it, or it is no usual file.
        ValueError, InvalidRequest: it says nonsense.
    """
    check = partial(check_guarded, forbidden=OTHERS_WRITE, most=_MAX_BYTES)
    data, stamp = read_checked(path, check)
    said = read_json(data) if path.suffix.lower() == ".json" else _read_toml(data)
    if not isinstance(said, dict):
        raise InvalidRequest("it is no object with an entry for each user")
    return _Loaded({check_principal_name(u): _of_user(u, of) for u, of in said.items()}, stamp)


def _read_toml(data: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8"))
    except RecursionError as error:
        raise InvalidRequest("it is nested too deeply") from error


def _of_user(user: str, said: object) -> dict[str, str]:
    try:
        return read_attributes(said)
    except InvalidRequest as error:
        raise InvalidRequest(f"of user `{user[:64]!a}`: {error}") from error


def _refuse(path: Path, error: OSError | ValueError | InvalidRequest) -> NoReturn:
    match error:
        case OSError(strerror=str(why)):
            said = why
        case Unsafe() | InvalidRequest():
            said = str(error)
        case _:
            said = "it is no TOML in UTF-8"
    raise ConfigurationInvalid(
        f"user_attributes_file `{path}` cannot be used: {said}",
        hint="see docs/reference/user-attributes.md",
    ) from error
