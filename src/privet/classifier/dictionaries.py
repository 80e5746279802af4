"""Names of people, streets and places in the languages that mimesis knows, folded."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from mimesis.locales import Locale

_PARTS = re.compile(r"[^\W\d_]+")
_SHORTEST_STREET = 4


@dataclass(frozen=True, slots=True)
class Dictionaries:
    """Words, folded; those of names are single words, those of cities whole names."""

    given: frozenset[str]
    family: frozenset[str]
    cities: frozenset[str]
    streets: frozenset[str]


def fold_word(text: str) -> str:
    """Without case and accents; `ß` becomes `ss`."""
    folded = text.casefold()
    if folded.isascii():
        return folded
    split = unicodedata.normalize("NFKD", folded.replace("\u0131", "i").replace("ł", "l"))
    return unicodedata.normalize("NFC", "".join(c for c in split if not unicodedata.combining(c)))


@lru_cache(maxsize=1)
def dictionaries() -> Dictionaries:
    """All languages together, read once: a fifth of a second."""
    given: set[str] = set()
    family: set[str] = set()
    cities: set[str] = set()
    streets: set[str] = set()
    for locale in Locale:
        people, places = _read(locale.value, "person"), _read(locale.value, "address")
        given.update(_words(people.get("names")))
        family.update(_words(people.get("surnames")))
        cities.update(fold_word(each).strip() for each in _texts(places.get("city")))
        streets.update(
            word
            for word in _words(places.get("street", {}).get("suffix"))
            if len(word) >= _SHORTEST_STREET
        )
    return Dictionaries(*map(frozenset, (given, family, cities, streets)))


def _read(locale: str, what: str) -> dict[str, Any]:
    source = files("mimesis.datasets") / locale / f"{what}.json"
    return json.loads(source.read_bytes()) if source.is_file() else {}


def _words(found: Any) -> Iterator[str]:
    for text in _texts(found):
        for word in _PARTS.findall(fold_word(text)):
            if len(word) > 1 or not word.isascii():
                yield word


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, list):
        for each in found:
            yield from _texts(each)
    elif isinstance(found, dict):
        for each in found.values():
            yield from _texts(each)
