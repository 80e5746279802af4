"""Reads columns' names: `mrnNumber`, `ph_no`, `geb_datum`, `PATIENTNAME` as the words they mean."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from privet.classifier.names.vocabulary import DROPPED, MEANINGS

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)")
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_PLAIN = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "ł": "l", "đ": "d", "\u0131": "i", "þ": "th"}
)
_SHORTEST = 3
_LONGEST_NAME = 256
_LONGEST_WORD = 48
_COUNTING = frozenset({"num", "number", "no", "n", "nb", "nr", "count", "cnt", "anzahl", "total"})
_ENDS = frozenset({"no", "nr", "id", "dt", "nm", "ip"})
"""Words of two letters that may end a word written in one: `custno`."""


@lru_cache(maxsize=8192)
def meaning_of(name: str) -> str:
    """The words of a name in our vocabulary, with `_` between and around: `_patient_phone_num_`.

    Words that we do not know stay as they are; fillers (`of`, `primary`) and digits go.
    """
    words = _split(name[:_LONGEST_NAME])
    found: list[str] = ["count"] if _counts(words) else []
    for word in words:
        found += _meanings(word)
    kept = [word for word in found if word not in DROPPED and not word.isdigit()]
    # Twice the same says it once: `telefonnummer_nr`.
    once = [word for at, word in enumerate(kept) if at == 0 or word != kept[at - 1]]
    return f"_{'_'.join(once)}_" if once else "_"


def _counts(words: list[str]) -> bool:
    """Whether these say how many: `num_emails`, where `num_email` is the number of one."""
    return len(words) > 1 and words[0] in _COUNTING and words[-1].endswith("s")


def _split(name: str) -> list[str]:
    text = unicodedata.normalize("NFKC", name)
    if text.isupper():
        text = text.lower()
    words = _WORDS.findall(_CAMEL.sub("_", text))
    return [_plain(word) for word in words]


def _plain(word: str) -> str:
    small = word.casefold().translate(_PLAIN)
    if small in MEANINGS:
        return small
    split = unicodedata.normalize("NFKD", small)
    return "".join(c for c in split if not unicodedata.combining(c))


@lru_cache(maxsize=8192)
def _meanings(word: str) -> tuple[str, ...]:
    if word in MEANINGS:
        return (MEANINGS[word],)
    if not word.isascii() or not 2 * _SHORTEST - 1 <= len(word) <= _LONGEST_WORD:
        return (word,)
    return _composed(word) or (word,)


def _composed(word: str) -> tuple[str, ...]:
    """The fewest words that a word written in one is made of, or nothing.

    German and its neighbours put an `s` or `n` between.
    """
    best: list[tuple[str, ...] | None] = [None] * (len(word) + 1)
    best[0] = ()
    for end in range(2, len(word) + 1):
        for start in range(end - 1):
            before = best[start]
            if before is None:
                continue
            found = _piece(word, start, end)
            if found and (best[end] is None or len(best[end] or ()) > len(before) + 1):
                best[end] = (*before, found)
    return best[-1] or ()


def _piece(word: str, start: int, end: int) -> str:
    piece = word[start:end]
    if piece in MEANINGS and (len(piece) >= _SHORTEST or (start and piece in _ENDS)):
        return MEANINGS[piece]
    linked = start and len(piece) > _SHORTEST and piece[0] in "sn"
    return MEANINGS.get(piece[1:], "") if linked and len(piece) > _SHORTEST + 1 else ""
