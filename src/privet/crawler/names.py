"""Names for what sources call by other names."""

from __future__ import annotations

import re
from collections.abc import Iterable

_OTHER = re.compile(r"[^a-z0-9_]")
_MEANING = re.compile(r"[a-z0-9]")
_LIMIT = 128


def fold_name(text: str, fallback: str) -> str:
    """An identifier from any text: ASCII lower case, other characters `_`, cut to 128.

    `fallback` is for texts without a letter or digit of ASCII.
    """
    folded = _OTHER.sub("_", text.strip().lower())[:_LIMIT]
    return folded if _MEANING.search(folded) else fallback


def column_names(names: Iterable[str]) -> tuple[str, ...]:
    """What columns are called here that their source calls by these names, in their order."""
    return distinct(fold_name(name, f"column_{at}") for at, name in enumerate(names, 1))


def distinct(names: Iterable[str], first: int = 2) -> tuple[str, ...]:
    """The names in order; a repeated one gets `_2`, `_3` and so on, still within 128.

    `first` is the number of the first repetition.
    """
    wanted = tuple(names)
    # A name of its own stays as it is; only repetitions move out of the way.
    taken: set[str] = set(wanted)
    seen: set[str] = set()
    result: list[str] = []
    for name in wanted:
        chosen, number = name, first - 1
        while chosen in seen or (number >= first and chosen in taken):
            number += 1
            suffix = f"_{number}"
            chosen = name[: _LIMIT - len(suffix)] + suffix
        seen.add(chosen)
        result.append(chosen)
    return tuple(result)
