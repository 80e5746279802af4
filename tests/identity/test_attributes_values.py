"""What may be said of a user, and how it becomes text."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.identity.attributes.values import (
    LARGEST_SOURCE,
    LONGEST_VALUE,
    MAX_ATTRIBUTES,
    read_attributes,
    write_list,
)
from privet.model.errors import InvalidRequest


def test_each_kind_becomes_text() -> None:
    """Numbers in digits, booleans in words, lists with commas."""
    said = {
        "text": " as it is ",
        "empty": "",
        "whole": -7,
        "real": 1.50,
        "large": 1e22,
        "small": 1e-7,
        "yes": True,
        "no": False,
        "list": ["a", "b,c", 'say "d"', "e f"],
        "nothing": [],
    }
    assert read_attributes(said) == {
        "text": " as it is ",
        "empty": "",
        "whole": "-7",
        "real": "1.5",
        "large": "10000000000000000000000",
        "small": "0.0000001",
        "yes": "true",
        "no": "false",
        "list": 'a,"b,c","say ""d""",e f',
        "nothing": "",
    }


def test_names_fold_to_lower_case() -> None:
    """So that a policy need not know how a provider writes them."""
    assert read_attributes({"Cost-Center": "1", "a.b_C9": "2"}) == {
        "cost-center": "1",
        "a.b_c9": "2",
    }


NONSENSE: dict[str, Any] = {
    "no object": ["a"],
    "text": "a",
    "null": None,
    "a null inside": {"a": None},
    "an object inside": {"a": {"b": "c"}},
    "a number in a list": {"a": ["b", 1]},
    "a list in a list": {"a": [["b"]]},
    "not a number": {"a": float("nan")},
    "an infinity": {"a": float("-inf")},
    "a number beyond 64 bits": {"a": 2**63},
    "a line break": {"a": "b\nc"},
    "a NUL": {"a": "b\x00"},
    "half a pair": {"a": "\ud800"},
    "a control character in a list": {"a": ["b\x1b"]},
    "too long": {"a": "x" * (LONGEST_VALUE + 1)},
    "too much": {f"a{n}": "x" * LONGEST_VALUE for n in range(LARGEST_SOURCE // LONGEST_VALUE)},
    "too many": {f"a{n}": "" for n in range(MAX_ATTRIBUTES + 1)},
    "one name twice": {"dept": "a", "Dept": "b"},
    "a blank in a name": {"a b": "c"},
    "an empty name": {"": "c"},
    "a long name": {"a" * 129: "c"},
    "a letter that folds to ours": {"\u212aey": "c"},
    "a name that is no text": {1: "c"},
}


@pytest.mark.parametrize("what", sorted(NONSENSE))
def test_everything_else_is_refused(what: str) -> None:
    """Whole, without a part of it in the message."""
    with pytest.raises(InvalidRequest) as refused:
        read_attributes(NONSENSE[what])
    assert "x" * 9 not in str(refused.value)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1)))
def test_lists_are_read_back(elements: list[str]) -> None:
    """A reader of CSV finds the elements again."""
    assert next(csv.reader([write_list(elements)]), []) == elements
