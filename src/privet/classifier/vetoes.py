"""What the cells of a column must not be together, whatever each is: negative evidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from privet.classifier import people
from privet.classifier.scanning import Cells

_STRONG_PHONE = re.compile(r"(?:\+|00\d|\().*|0\d{1,5}[ ./-].*")
_DATE = re.compile(r"\d{1,4}[-./ ]\d{1,2}[-./ ]\d{1,4}")
_ISBN = re.compile(r"97[89][ -].*")
_HIGHEST_OF_RELEASES = 40
_PRIVATE_NET = 10
_FEW, _SOME, _MANY = 5, 10, 15


def _share(cells: Cells, holds: Callable[[str], object]) -> float:
    return sum(bool(holds(cell)) for cell, _ in cells) / max(1, len(cells))


def _are_versions(cells: Cells) -> bool:
    """Small numbers with dots, or a small one first: releases of programs, not machines."""
    if len(cells) < _SOME or any(":" in cell for cell, _ in cells):
        return False
    parts = [[int(part) for part in cell.split(".")] for cell, _ in cells]
    low = all(max(each) <= _HIGHEST_OF_RELEASES for each in parts)
    private = all(each[0] == _PRIVATE_NET for each in parts)
    return (low and not private) or all(each[0] < _PRIVATE_NET for each in parts)


def _are_no_phones(cells: Cells) -> bool:
    weak = _share(cells, _STRONG_PHONE.fullmatch) < 0.3  # noqa: PLR2004
    return weak or _share(cells, _DATE.fullmatch) > 0.2 or _share(cells, _ISBN.match) > 0.2  # noqa: PLR2004


def _are_cities(cells: Cells) -> bool:
    return _share(cells, people.is_city) > 0.5  # noqa: PLR2004


def _share_words(cells: Cells) -> bool:
    """A word in one of ten: titles of jobs, places and products repeat theirs, names less so."""
    words = Counter(word for cell, _ in cells for word in set(people.words_of(cell)))
    return not words or words.most_common(1)[0][1] > max(3, len(cells) * 0.1)


def _recur(cells: Cells) -> bool:
    """Fewer than nine of ten cells differ."""
    return len(cells) < 0.9 * sum(count for _, count in cells)


def _fewer_than(least: int) -> Callable[[Cells], bool]:
    return lambda cells: len(cells) < least


VETOES: dict[str, tuple[Callable[[Cells], bool], ...]] = {
    "ip_address": (_are_versions,),
    "phone": (_are_no_phones, _fewer_than(_FEW)),
    "full_name": (_are_cities, _fewer_than(3)),
    "rare_full_name": (_are_cities, _fewer_than(_MANY), _share_words, _recur),
    "given_name": (_are_cities, _fewer_than(_SOME)),
    "family_name": (_are_cities, _fewer_than(_MANY)),
    "east_asian_name": (_are_cities, _fewer_than(_FEW)),
}
"""By the check of a rule about cells: each speaks against the cells that the rule found."""


def is_vetoed(check: str, cells: Cells) -> bool:
    """Whether what a rule found is something else, by the rule's check."""
    numbers = check.startswith("stdnum.") and len(cells) < _FEW
    return numbers or any(speaks(cells) for speaks in VETOES.get(check, ()))
