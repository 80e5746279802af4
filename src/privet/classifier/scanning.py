"""The cells of a leaf against all patterns of the library at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import re2

from privet.classifier.cells import Leaf
from privet.classifier.guards import are_flags, is_missing
from privet.classifier.patterns import options

CELL_LIMIT = 4096
"""Characters; longer cells are counted and never match, so that a sample costs what we planned."""
_SET_MEMORY = 256 << 20
_FLAG_KINDS = 3

Cells = Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the cells of a leaf are, to the library.

    Attributes:
        total: how many cells were looked at, without those that say that nothing is known.
        distinct: how many different ones.
        flags: whether they are answers to yes-or-no questions.
        matching: the cells that match a pattern as a whole, with their counts.
    """

    total: int
    distinct: int
    flags: bool
    matching: Mapping[str, Cells] = field(repr=False)


def scan(leaf: Leaf, patterns: tuple[str, ...]) -> Scanned:
    """Match every cell of a leaf with every pattern, in one pass."""
    told = [(cell, count) for cell, count in leaf.cells.items() if not is_missing(cell)]
    total = sum(count for _, count in told) + leaf.unread
    flags = 0 < len(told) <= _FLAG_KINDS and are_flags(cell for cell, _ in told)
    found: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    match = _compiled(patterns).Match
    for each in told:
        if len(each[0]) <= CELL_LIMIT:
            for at in match(each[0]) or ():
                found[patterns[at]].append(each)
    return Scanned(total, len(told), flags, found)


@lru_cache(maxsize=4)
def _compiled(patterns: tuple[str, ...]) -> re2.Set:
    chosen = options(ignore_case=False, memory=_SET_MEMORY)
    compiled = re2.Set.FullMatchSet(chosen)
    for pattern in patterns:
        compiled.Add(pattern)
    compiled.Compile()
    return compiled


def count(cells: Iterable[tuple[str, int]]) -> int:
    """How many cells these are."""
    return sum(times for _, times in cells)
