"""What clients keep here by key: small texts, each principal's own, and some for everybody."""

from __future__ import annotations

from dataclasses import replace

from privet.model.errors import Forbidden, InvalidRequest, ResourcesExceeded
from privet.model.events import Outcome
from privet.model.principals import Principal
from privet.service.access import authenticate, event_of
from privet.service.platform import Caller, Platform

LONGEST_KEY, LARGEST_VALUE, MOST_KEYS = 256, 64 * 1024, 1_000
_SHARED = ("", "")
"""The owner of what clients share: no principal has an empty name."""
_FOR_ALL = "feature.ui."


class Notes:
    """Keys of one principal are unknown to all others, administrators included."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def find(self, caller: Caller, key: str) -> str | None:
        """The text under a key of the caller; None if there is none.

        Raises:
            InvalidRequest: that is no key.
        """
        principal = authenticate(self._platform, caller)
        return self._platform.catalog.notes.find(_owner(principal), _checked(key))

    def put(self, caller: Caller, key: str, value: str | None) -> None:
        """Keep a text under a key, or with None forget the key; recorded, without the text.

        Raises:
            InvalidRequest: that is no key.
            ResourcesExceeded: the text is too large, or there are too many keys.
        """
        principal = authenticate(self._platform, caller)
        _check_both(key, value)
        action = "note.delete" if value is None else "note.put"
        self._platform.audit.record(event_of(principal, caller, action, Outcome.ALLOWED))
        self._platform.catalog.notes.put(_owner(principal), key, value, most=MOST_KEYS)

    def list_shared(self, caller: Caller) -> tuple[tuple[str, str], ...]:
        """The keys that clients share, with their texts: for administrators all of them.

        Others have those alone that begin with `feature.ui.`, which say what a client shows.
        """
        principal = authenticate(self._platform, caller)
        return tuple(
            (key, value)
            for key, value in self._platform.catalog.notes.list(_SHARED)
            if principal.admin or key.startswith(_FOR_ALL)
        )

    def put_shared(self, caller: Caller, key: str, value: str | None) -> None:
        """Keep a text for all clients under a key, or with None forget it; recorded with the key.

        It means something to clients, and nothing to this server.

        Raises:
            Forbidden: the caller is no administrator.
            InvalidRequest, ResourcesExceeded: as `put`.
        """
        principal = authenticate(self._platform, caller)
        _check_both(key, value)
        outcome = Outcome.ALLOWED if principal.admin else Outcome.REFUSED
        action = "config.delete" if value is None else "config.put"
        event = event_of(principal, caller, action, outcome)
        self._platform.audit.record(replace(event, object=key))
        if not principal.admin:
            raise Forbidden("only administrators set what all clients share")
        self._platform.catalog.notes.put(_SHARED, key, value, most=MOST_KEYS)


def _owner(principal: Principal) -> tuple[str, str]:
    return principal.issuer, principal.user


def _check_both(key: str, value: str | None) -> None:
    _checked(key)
    if value is not None and len(value.encode()) > LARGEST_VALUE:
        raise ResourcesExceeded(f"a text under a key has at most {LARGEST_VALUE} bytes")


def _checked(key: str) -> str:
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise InvalidRequest(f"a key is text of at most {LONGEST_KEY} printable characters")
    return key
