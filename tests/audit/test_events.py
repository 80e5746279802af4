"""Events are bounded and print on one line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.audit import to_dict
from privet.audit.events import (
    DETAIL_BYTES,
    MAX_ITEMS,
    STATEMENT_BYTES,
    TEXT_BYTES,
    clean,
    clean_text,
)
from privet.model.errors import AuditUnavailable
from privet.model.events import Event, Outcome

AT = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)


def cleaned(**fields: Any) -> Event:
    event = Event(**({"action": "scan.start", "outcome": Outcome.ALLOWED, "user": "ada"} | fields))
    return clean(event, "the-id", AT)


@given(st.text(alphabet=st.characters(), max_size=3000))
def test_any_text_is_one_line_of_bounded_length(text: str) -> None:
    """No control, separator, direction mark or surrogate is left; cleaning twice is as once."""
    line = clean_text(text)
    assert len(line.splitlines()) <= 1
    assert len(line.encode()) <= TEXT_BYTES
    assert not set(line) & set("\x00\x1b\x7f\x9b\u2028\u202e\ufeff\t")
    assert clean_text(line) == line


def test_readable_text_stays_as_it_is() -> None:
    """Letters of any script, quotes, backslashes and spaces are no danger."""
    text = "SELECT 'Zoë \\ 東京' WHERE a LIKE '50\\%' 😀"
    assert clean_text(text) == text


def test_what_is_escaped_can_be_read() -> None:
    """A forged second line shows as what it is."""
    forged = "ada\n2026-03-01 root allowed\x1b[2K\u202e"
    assert clean_text(forged) == "ada\\n2026-03-01 root allowed\\x1b[2K\\u202e"


def test_every_field_is_bounded() -> None:
    """Statements to 64 KiB, other texts to 1 KiB, lists to 1,000, detail to 64 KiB."""
    long = "é" * 100_000
    event = cleaned(
        user=long, object=long, statement=long, error=long, door=long, issuer=long, parent=long,
        action=long, groups=("g",) * 5000, permissions=(long,) * 5000,
        detail={"texts": ["x" * 1000] * 1000},
    )  # fmt: skip
    assert len(event.statement.encode()) <= STATEMENT_BYTES
    assert event.statement.endswith("é…")
    for text in (event.user, event.object, event.error, event.door, event.issuer, event.parent):
        assert TEXT_BYTES - 2 <= len(text.encode()) <= TEXT_BYTES
    assert len(event.groups) == len(event.permissions) == MAX_ITEMS + 1
    assert event.groups[-1] == "… and 4000 more"
    assert len(json.dumps(dict(event.detail))) <= DETAIL_BYTES
    assert "left_out" in event.detail


def test_detail_is_json_and_one_line() -> None:
    """Nested texts and keys are escaped too; numbers that JSON lacks become texts."""
    detail = {"a\n": [1, 2.5, None, True, "b\r", ("c",)], "nan": float("nan"), "big": 10**30}
    event = cleaned(detail=detail)
    assert event.detail == {
        "a\\n": [1, 2.5, None, True, "b\\r", ["c"]], "nan": "nan", "big": str(10**30),
    }  # fmt: skip
    assert "\n" not in json.dumps(to_dict(event), allow_nan=False)


def nested(depth: int) -> dict[str, Any]:
    return {"a": nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    "fields",
    [
        {"detail": {"a": object()}}, {"detail": {"a": b"x"}}, {"detail": {"a": {1, 2}}},
        {"detail": nested(900)}, {"rows_read": -1}, {"rows_returned": 2**63},
        {"facts_version": 2**64}, {"bytes_returned": -5},
    ],
)  # fmt: skip
def test_an_event_that_cannot_be_written_stops_what_it_is_about(fields: dict[str, Any]) -> None:
    """A fault of the caller is a refusal, not an event that is quietly less than it should be."""
    with pytest.raises(AuditUnavailable, match="cannot be written"):
        cleaned(**fields)


def test_the_json_form_has_every_field() -> None:
    """Times in UTC with a Z, lists as lists, absent counts as null."""
    event = clean(
        Event("scan.end", Outcome.COMPLETED, "ada", groups=("a", "b"), rows_read=7),
        "the-id",
        AT.astimezone(timezone(timedelta(hours=5))),
    )
    form = to_dict(event)
    assert form["at"] == "2026-03-01T12:00:00.000005Z"
    assert (form["id"], form["outcome"], form["groups"]) == ("the-id", "completed", ["a", "b"])
    assert (form["rows_read"], form["rows_returned"]) == (7, None)
    assert form.keys() == set(Event.__dataclass_fields__)
    json.dumps(form)
