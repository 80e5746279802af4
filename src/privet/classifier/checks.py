"""What a pattern cannot say about a cell."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_CARD_DIGITS = range(12, 20)


def is_luhn(cell: str) -> bool:
    """Whether a payment card's number has the check digit that it must have (ISO/IEC 7812)."""
    digits = [ord(c) - ord("0") for c in cell if c not in " -"]
    if len(digits) not in _CARD_DIGITS or not all(0 <= d <= 9 for d in digits):  # noqa: PLR2004
        return False
    # All zeros has a right check digit, and is what people type to fill a field.
    return (
        any(digits) and (sum(digits[-1::-2]) + sum(_DOUBLED[d] for d in digits[-2::-2])) % 10 == 0
    )


def is_ip_address(cell: str) -> bool:
    """Whether this is an IPv4 or IPv6 address, alone."""
    try:
        ipaddress.ip_address(cell)
    except ValueError:
        return False
    return True


CHECKS: dict[str, Callable[[str], bool]] = {"luhn": is_luhn, "ip_address": is_ip_address}
