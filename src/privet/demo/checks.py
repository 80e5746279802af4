"""What must hold of the two views. The demo proves it on what the server really sent."""

from __future__ import annotations

import re

import pandas as pd
import pyarrow as pa

_KINDS = ((re.compile("[A-Z]"), "A"), (re.compile("[a-z]"), "a"), (re.compile("[0-9]"), "9"))


class ClaimBroken(Exception):
    """Something that the demo says of Privet did not hold."""


def claim(holds: object, sentence: str) -> None:
    """Go on if it holds.

    Raises:
        ClaimBroken: it does not.
    """
    if not holds:
        raise ClaimBroken(f"this does not hold: {sentence}")


def check_admin(frame: pd.DataFrame, table: pa.Table) -> None:
    """Admin gets the table as it was generated.

    Raises:
        ClaimBroken: a column, row or value differs.
    """
    expected = table.to_pandas()
    claim(list(frame.columns) == table.column_names, "admin sees every column, in order")
    claim(len(frame) == len(expected), "admin sees every row")
    claim(frames_equal(frame, expected), "admin sees every value as it is, raw mrn included")


def check_analyst(frame: pd.DataFrame, table: pa.Table) -> None:
    """The analyst gets the table without phone, with tokens for mrn, without opted-out rows.

    Raises:
        ClaimBroken: something of this does not hold.
    """
    expected = table.to_pandas()
    expected = expected[expected["opted_out"] != 1].drop(columns="phone").reset_index(drop=True)
    claim("phone" not in frame.columns, "the analyst's frame has no phone column")
    claim(list(frame.columns) == list(expected.columns), "the analyst sees all other columns")
    claim((frame["opted_out"] != 1).all(), "no patient who opted out is in the analyst's frame")
    claim(len(frame) == len(expected), "every other patient is in the analyst's frame")
    claim(
        frames_equal(frame.drop(columns="mrn"), expected.drop(columns="mrn")),
        "all other values reach the analyst unchanged",
    )
    raw, tokens = list(expected["mrn"]), list(frame["mrn"])
    claim(
        all(shape(token) == shape(value) for token, value in zip(tokens, raw, strict=True)),
        "every token has the format of the number that it stands for",
    )
    claim(
        all(token != value for token, value in zip(tokens, raw, strict=True)),
        "no token is the number that it stands for",
    )
    claim(len(set(tokens)) == len(tokens), "different numbers have different tokens")


def shape(text: str) -> str:
    """The format of a text: which characters are upper or lower case letters, digits, others."""
    for pattern, sign in _KINDS:
        text = pattern.sub(sign, text)
    return text


def frames_equal(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two frames have the same columns and values, however pandas stores them."""
    return (
        list(one.columns) == list(other.columns)
        and len(one) == len(other)
        and all(one[name].tolist() == other[name].tolist() for name in one.columns)
    )
