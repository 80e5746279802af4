"""What a source says about a user, read to texts: the one place where it is checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from privet.model.errors import InvalidRequest

MAX_ATTRIBUTES = 256
LONGEST_VALUE = 16 * 1024
LARGEST_SOURCE = 64 * 1024
"""Characters of all keys and values that one source says of one user."""

_KEY = re.compile(r"[a-z0-9_.-]{1,128}")
_LARGEST_NUMBER = 2**63 - 1
# Control characters, and halves of surrogate pairs, which are no text.
_UNTEXTUAL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def read_attributes(said: object) -> dict[str, str]:
    """Read an object of texts, numbers, booleans and lists of texts; keys fold to lower case.

    Raises:
        InvalidRequest: anything else, a key that is none or stands twice, or too much of it. The
            message repeats nothing of it.
    """
    if not isinstance(said, Mapping):
        raise InvalidRequest("attributes are an object of names and values")
    entries = cast("Mapping[object, object]", said)
    read = {_key(name): _text(value) for name, value in entries.items()}
    if len(read) != len(entries):
        raise InvalidRequest("an attribute stands twice, but for the case of its name")
    size = sum(len(name) + len(value) for name, value in read.items())
    if len(read) > MAX_ATTRIBUTES or size > LARGEST_SOURCE:
        raise InvalidRequest(
            "there are too many attributes",
            hint=f"at most {MAX_ATTRIBUTES}, with {LARGEST_SOURCE} characters in all",
        )
    return read


def write_list(elements: list[str]) -> str:
    """Elements as one text that `in_set` reads: commas between, quotes around what holds one."""
    return ",".join(
        '"' + element.replace('"', '""') + '"' if {",", '"'} & {*element} else element
        for element in elements
    )


def _key(name: object) -> str:
    # Not `lower`: it would make other letters that look alike into ours.
    if isinstance(name, str) and name.isascii() and _KEY.fullmatch(folded := name.lower()):
        return folded
    raise InvalidRequest(
        "the name of an attribute is not acceptable",
        hint="use letters a-z, digits, and any of `_.-`, at most 128 of them",
    )


def _text(value: object) -> str:
    text = _written(value)
    if text is None or len(text) > LONGEST_VALUE or _UNTEXTUAL.search(text):
        raise InvalidRequest(
            "the value of an attribute is not acceptable",
            hint="it is a text without control characters, a number, true, false or a list of"
            f" texts, at most {LONGEST_VALUE} characters",
        )
    return text


def _written(value: object) -> str | None:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() if abs(value) <= _LARGEST_NUMBER:
            return str(value)
        case float() if math.isfinite(value):
            # Digits and a point, as comparisons of text with numbers read them.
            return format(Decimal(repr(value)), "f")
        case list():
            elements = cast("list[object]", value)
            texts = [element for element in elements if isinstance(element, str)]
            return write_list(texts) if len(texts) == len(elements) else None
        case _:
            return None
