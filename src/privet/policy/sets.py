"""Sets as text: `a,b,"c,d"`."""

from __future__ import annotations

import csv
from functools import lru_cache


@lru_cache(maxsize=4_096)
def elements(text: str) -> tuple[str, ...]:
    """The elements of a list, in order, each once.

    Separated by commas; quotes around what holds one, doubled within. Blanks around elements, and
    empty elements, do not count.
    """
    # A break of line would be one to the reader of CSV too.
    line = text.replace("\r", " ").replace("\n", " ")
    read = next(csv.reader([line], skipinitialspace=True), [])
    return tuple(dict.fromkeys(e for element in read if (e := element.strip(" "))))
