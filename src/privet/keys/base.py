"""What gives a master key, and how one is written as text."""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

from privet.model.errors import KeyUnavailable

MASTER_BYTES = 32
_HEX_CHARACTERS = 2 * MASTER_BYTES


class KeyProvider(Protocol):
    """A source of the one master key: a file, the environment, a key management service.

    It says where the key is from in its `repr`, and never what it is. `master` may be called by
    several threads, and always gives the same key. Plug-ins are found by `privet.keys.plugins`.
    """

    def master(self) -> bytes:
        """The master key: exactly 32 bytes.

        Raises:
            KeyUnavailable: it is missing, unreadable, of the wrong length or badly kept.
        """
        ...


def read_key_text(text: str, where: str) -> bytes:
    """Read a key written as 64 hexadecimal characters or as base64 of 32 bytes.

    The text is never repeated in an error: `where` says what it was read from.

    Raises:
        KeyUnavailable: it is neither.
    """
    text = text.strip()
    try:
        if len(text) == _HEX_CHARACTERS:
            return bytes.fromhex(text)
        key = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != MASTER_BYTES:
        raise KeyUnavailable(
            f"{where} does not hold a key of {MASTER_BYTES} bytes",
            hint="write 64 hexadecimal characters, or base64, of 32 random bytes",
        )
    return key
