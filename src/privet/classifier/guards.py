"""What cells must not say where a column's name says what they are: negative evidence.

A guard is named by a rule about names. It holds for a cell that may be what the name promises, also
if it was masked or tokenized. `email` over `yes` and `no`, or over order numbers, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from privet.classifier import people
from privet.classifier.checks import is_luhn


@dataclass(frozen=True, slots=True)
class Guard:
    """What a cell may be.

    Attributes:
        pattern: of RE2, for whole cells.
        shortest: length in characters.
        longest: length in characters.
        check: what neither says.
        needed: whether a name is too weak to be believed without cells.
    """

    pattern: str
    shortest: int = 1
    longest: int = 4096
    check: Callable[[str], bool] | None = None
    needed: bool = False

    def allows(self, cell: str) -> bool:
        """Whether a cell that the pattern matches may be what the name promises."""
        if not self.shortest <= len(cell) <= self.longest:
            return False
        return self.check is None or self.check(cell)


_DATE = (
    r"\d{1,4}[-/.] ?\d{1,2}[-/.] ?\d{1,4}\.?(?:[T ].*)?|(?:19|20)\d{6}|\d{8}"
    r"|[\pL.]{3,12} \d{1,2},? \d{4}|\d{1,2}(?:st|nd|rd|th|\.)?[ -][\pL.]{3,12}[ -,]{1,2}\d{2,4}"
    r"|\d{4} ?[年년] ?\d{1,2} ?[月월] ?\d{1,2} ?[日일]|-?\d{9,13}"
)
_DATE_LIKE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?|\d{1,2}/\d{1,2}/\d{2,4}")
_DECIMAL = re.compile(r"-?\d*[.,]\d{1,20}")
_CARD_DIGITS = 9
_MASKS = "*•xX#"


def _is_code(cell: str) -> bool:
    """Not an amount, not a date."""
    coded = any(c.isdigit() or c in _MASKS for c in cell)
    return coded and not _DECIMAL.fullmatch(cell) and not _DATE_LIKE.fullmatch(cell)


def _is_phone(cell: str) -> bool:
    digits = sum(c.isdigit() or c in _MASKS for c in cell)
    return 5 <= digits <= 20 and _is_code(cell)  # noqa: PLR2004 - with an extension


def _is_payment_card(cell: str) -> bool:
    full = sum(c.isdigit() for c in cell) >= _CARD_DIGITS
    return _is_code(cell) and (is_luhn(cell) or not full)


def _is_name(cell: str) -> bool:
    return not people.is_company(cell) and not _DATE_LIKE.fullmatch(cell)


def _is_place(cell: str) -> bool:
    return "@" not in cell and "://" not in cell


def _is_angle(cell: str) -> bool:
    numbers = re.findall(r"\d+(?:[.,]\d+)?", cell)
    return bool(numbers) and float(numbers[0].replace(",", ".")) <= 180  # noqa: PLR2004 - degrees


def _is_secret(cell: str) -> bool:
    return not _DATE_LIKE.fullmatch(cell) and not _DECIMAL.fullmatch(cell)


def _is_address_part(cell: str) -> bool:
    return "." in cell or ":" in cell or cell.isdigit()


GUARDS: dict[str, Guard] = {
    "like_email": Guard(r"(?s).*@.*|.*[*•]{2}.*|[0-9a-fA-F]{32,128}", 3),
    "like_phone": Guard(
        r"(?i)[a-z. :]{0,8}[+(]{0,2}[\pN*x•#][\pN*x•# ().\-\x{2013}/]*(?: ?(?:ext\.?"
        r"|x) ?\pN+)?",
        5,
        32,
        _is_phone,
    ),
    "like_card": Guard(r"[\pN*xX•#][\pN*xX•# -]*", 4, 26, _is_code),
    # Where a card may be of another kind, full numbers must have their check digit.
    "like_payment_card": Guard(r"[\pN*xX•#][\pN*xX•# -]*", 4, 26, _is_payment_card),
    "like_ssn": Guard(r"[\pN*xX•#][\pN*xX•# -]*", 4, 14, _is_code),
    "like_code": Guard(r"[\pL\pN*•#(][\pL\pN*•# ./()_-]*", 4, 40, _is_code),
    "like_date": Guard(_DATE, 6, 40),
    "like_name": Guard(r"[\pL\pM'\x{2019}`.,()\" &/·・-]+", 1, 80, _is_name),
    "like_anyones_name": Guard(
        r"[\pL\pM'\x{2019}`.,()\" ·・-]+", 2, 80, people.is_anyones_name, needed=True
    ),
    "like_place": Guard(r"(?s).*\pL.*", 2, 300, _is_place),
    "like_zip": Guard(
        r"(?i)[a-z]{0,3}[ -]?[\pN][a-z\pN]*(?:[ -][a-z\pN]+)?|[a-z]{1,2}[\pN*].*", 3, 12
    ),
    "like_ip": Guard(r"[0-9A-Fa-f.:*x]+(?:/\d{1,3})?", 3, 60, _is_address_part),
    "like_mac": Guard(r"[0-9A-Fa-f*x]{2,4}(?:[:.-]?[0-9A-Fa-f*xX]{2,4}){2,7}", 8, 24),
    "like_angle": Guard(
        r"(?i)[+-]?\d{1,3}(?:[.,]\d+)?°?.*|\(?-?\d{1,3}\.\d+[,; ]+-?\d{1,3}\.\d+\)?|POINT.*",
        3,
        64,
        _is_angle,
    ),
    "like_password": Guard(r"(?s).+", 4, 4096, _is_secret),
    "like_secret": Guard(r"\S+|(?s)-----BEGIN.*", 8, 4096, _is_secret),
    "like_vin": Guard(r"(?i)[A-Z0-9*]+", 11, 17),
    "like_url": Guard(r"(?i)[^\s]+\.[^\s]+|\w+://.*|/.*", 4),
    "like_file": Guard(r"(?s).+", 4),
    "like_cvv": Guard(r"[\pN*xX]+", 2, 4),
    "like_expiry": Guard(r"\d{1,2} ?[/-] ?\d{2,4}|\d{4}-\d{2}(?:-\d{2})?|\d{4}|\d{1,2}", 1, 10),
    "like_plate": Guard(r"[\pL\pN][\pL\pN ·・.-]*", 2, 16),
    "like_user": Guard(r"\S+", 2, 100),
}

_FLAGS = frozenset(
    "y n yes no true false t f 0 1 on off ja nein oui non si sim nao s j o да нет tak nie"
    " active inactive enabled disabled verified unverified valid invalid pending".split()
)
_MISSING = frozenset(
    "n/a na null none nan nil - -- --- . ? unknown unspecified undefined missing empty (null) #n/a"
    " \\n tbd unbekannt inconnu desconocido".split()
) | {"not available", "not provided", "not applicable"}


def are_flags(cells: Iterable[str]) -> bool:
    """Whether these are answers to yes-or-no questions, whatever the column is called."""
    return all(cell.casefold() in _FLAGS for cell in cells)


def is_missing(cell: str) -> bool:
    """Whether people write this where they know nothing."""
    return cell.casefold() in _MISSING
