"""The master key in an environment variable."""

from __future__ import annotations

import os

from privet.keys.base import read_key_text
from privet.model.errors import KeyUnavailable


class EnvironmentKeys:
    """Reads the key from a variable that holds 64 hexadecimal characters, or base64."""

    def __init__(self, variable: str = "PRIVET_MASTER_KEY") -> None:
        self._variable = variable

    def __repr__(self) -> str:
        return f"EnvironmentKeys({self._variable!r})"

    def master(self) -> bytes:
        """The master key.

        Raises:
            KeyUnavailable: the variable is not set, or holds no key.
        """
        text = os.environ.get(self._variable)
        if not text:
            raise KeyUnavailable(
                f"environment variable `{self._variable}` is not set",
                hint="set it to 64 hexadecimal characters, or base64, of 32 random bytes",
            )
        return read_key_text(text, f"environment variable `{self._variable}`")
