"""Cells as examples that show a format and no content."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice

_KEPT = frozenset(" .,-/:@()+_#")
_LONGEST = 32
_LOOKED_AT = 100
_RUN = re.compile(r"(.)\1{7,}")


def masked(cell: str) -> str:
    """The format of a cell: `Aaaa.aaa@aaaaaaa.aaa`, `999-99-9999`; long ones are cut."""
    shape = "".join(_mask(c) for c in cell[:_LONGEST])
    cut = "…" if len(cell) > _LONGEST else ""
    # How long a secret is says something about it.
    return _RUN.sub(lambda run: run[1] * 6 + "…", shape) + cut


def formats_of(cells: Iterable[tuple[str, int]], most: int = 3) -> tuple[str, ...]:
    """The commonest formats among cells with their counts."""
    found: Counter[str] = Counter()
    for cell, count in islice(cells, _LOOKED_AT):
        found[masked(cell)] += count
    return tuple(shape for shape, _ in sorted(found.items(), key=lambda s: (-s[1], s[0]))[:most])


def _mask(c: str) -> str:
    if c.isalpha():
        return "A" if c.isupper() else "a"
    if c.isnumeric():
        return "9"
    return c if c in _KEPT else "?"
