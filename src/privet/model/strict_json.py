"""JSON from outside, read so that no two readers can disagree about what it says."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from privet.model.errors import InvalidRequest

_LARGEST = 2**63 - 1
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def read_json(data: bytes) -> Any:
    """Read a JSON value.

    Raises:
        InvalidRequest: not JSON in UTF-8, nested too deeply, a member stands twice in an object, a
            number that 64 bits do not hold, or text that is no Unicode text or holds NUL.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=unique_members,
            parse_int=_whole,
            parse_float=_real,
            parse_constant=_real,
        )
        # Half a surrogate pair can be written as an escape, and cannot be stored or sent on.
        again = json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            "what was sent is not well-formed JSON",
            hint="it is UTF-8, names no member twice, and has numbers of at most 64 bits",
        ) from error
    if _NUL.search(again):
        raise InvalidRequest("text with NUL characters is not accepted")
    return value


def unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these members, as a hook of `json.loads`.

    Raises:
        ValueError: a member stands twice.
    """
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) > _LARGEST:
        raise ValueError("a number beyond 64 bits")
    return number


def _real(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number beyond 64 bits")
    return number
