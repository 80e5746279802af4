"""Secrets of sources by reference: the settings hold them, and say for which hosts they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from privet.model.errors import InvalidRequest, SourceUnavailable

_PREFIX = "secret:"
_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class SecretEntry:
    """A secret of the settings: in a file or in a variable of the environment.

    References name it `secret:NAME`. A name with a scheme of its own, such as that of another
    store, is the whole reference: `awssm://warehouse-password`.

    `hosts` are those to whom it may be told. Whoever defines a connection chooses its host: a
    secret for any host would be theirs.
    """

    name: str
    hosts: frozenset[str]
    file: Path | None = None
    variable: str = ""


class Secrets:
    """Looks secrets up when they are used, so that a new one counts at once."""

    def __init__(self, entries: Sequence[SecretEntry] = ()) -> None:
        self._entries = {_reference(entry.name): entry for entry in entries}

    def get(self, reference: str, host: str) -> str:
        """The secret that a reference means, for a host.

        Raises:
            InvalidRequest: it is unknown here, or not for that host; which of the two is not said.
            SourceUnavailable: it cannot be read.
        """
        entry = self._entries.get(reference)
        if entry is None or host not in entry.hosts:
            raise InvalidRequest(
                f"this server has no secret `{reference[:64]}` for host `{host[:64]}`",
                hint="the setting secrets names secrets and the hosts that they are for",
            )
        return _read(entry)


def _reference(name: str) -> str:
    return name if ":" in name else f"{_PREFIX}{name}"


def _read(entry: SecretEntry) -> str:
    try:
        if entry.file is not None:
            with entry.file.open(encoding="utf-8") as file:
                return file.read(_LARGEST).strip("\r\n")
        return os.environ[entry.variable]
    except (OSError, UnicodeDecodeError, KeyError):
        # Neither the path nor what is in it is anybody's business but the operator's.
        raise SourceUnavailable(
            f"secret `{entry.name}` cannot be read", hint="check the setting secrets"
        ) from None
