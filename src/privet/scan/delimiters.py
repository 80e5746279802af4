"""Letters as delimiters of text: Arrow delimits by one byte, so another stands for them.

A cell in quotes may hold the letter: what stands for it is put back once the cells are cut.
"""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc
import pyarrow.types as pat

from privet.model.errors import SourceInvalid

_STAND_IN = "\x1f"


def byte_for(delimiter: str) -> str:
    """What Arrow is told to delimit by."""
    return delimiter if delimiter.isascii() else _STAND_IN


class StandIn:
    """Puts the one byte into UTF-8 that comes in parts."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter.encode()
        self._held = b""

    def put(self, data: bytes, *, final: bool) -> bytes:
        """The next part, but for the bytes at its end that may begin a delimiter.

        Raises:
            SourceInvalid: it holds the byte already.
        """
        if _STAND_IN.encode() in data:
            raise SourceInvalid(
                "a text that a letter delimits holds a unit separator (U+001F)",
                hint="a data steward can have it written with another delimiter",
            )
        data = self._held + data
        end = len(data)
        if not final:
            begun = range(1, len(self._delimiter))
            end -= next((n for n in begun if data.endswith(self._delimiter[:n])), 0)
        data, self._held = data[:end], data[end:]
        return data.replace(self._delimiter, _STAND_IN.encode())


def as_written(array: Any, delimiter: str) -> Any:
    """Cells, of Arrow, with the letter where the byte stands for it."""
    if delimiter.isascii() or not pat.is_string(array.type):
        return array
    return pc.replace_substring(array, _STAND_IN, delimiter)


def name_as_written(name: str, delimiter: str) -> str:
    """A name of a header, as `as_written`."""
    return name if delimiter.isascii() else name.replace(_STAND_IN, delimiter)
