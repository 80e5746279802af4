"""Sets as text: `a,b,"c,d"`."""

from __future__ import annotations

import re
from functools import lru_cache

_ELEMENT = re.compile(r' *(?:"((?:[^"]|"")*+)(?:"|\Z)([^,]*)|([^,]*))(?:,|\Z)')


@lru_cache(maxsize=4_096)
def elements(text: str) -> tuple[str, ...]:
    """The elements of a list, in order, each once.

    Separated by commas; quotes around what holds one, doubled within. Blanks around elements, and
    empty elements, do not count.
    """
    found: list[str] = []
    for quoted, tail, plain in _ELEMENT.findall(text):
        element = (quoted.replace('""', '"') + tail or plain).strip(" ")
        if element:
            found.append(element)
    return tuple(dict.fromkeys(found))
