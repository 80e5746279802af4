"""Paths of fields as text."""

from __future__ import annotations

import pytest

from privet.model.errors import InvalidRequest
from privet.model.names import FieldPath, parse_path, path_text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("mrn",), "mrn"),
        (("patient", "phone"), "patient.phone"),
        (("a", "b.c"), "a.`b.c`"),
        (("a", "b`c", "d e"), "a.`b``c`.`d e`"),
        (("a", "straße"), "a.`straße`"),
        (("a", "`.`"), "a.```.```"),
    ],
)
def test_a_path_is_what_its_text_says(path: FieldPath, text: str) -> None:
    """Back and forth, whatever a part holds."""
    assert path_text(path) == text
    assert parse_path(text) == path


def test_case_is_folded() -> None:
    """As columns and fields are known by."""
    assert parse_path("Patient.`Phone No`.X") == ("patient", "phone no", "x")


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "a b", "`a b`", "a.b c", "a.`b", "a.``", "a.`b`c", "a.b`"]
)
def test_what_is_no_path(text: str) -> None:
    """Is refused, and not repaired; a column is always an identifier."""
    with pytest.raises(InvalidRequest):
        parse_path(text)
