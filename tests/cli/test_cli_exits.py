"""Exit codes, and how errors read."""

import pytest

from privet.cli import exits
from privet.cli.exits import UsageMistake, exit_code, print_error
from privet.client import Insecure, Unreachable
from privet.model.errors import (
    AuditUnavailable,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    ParseFailed,
    Position,
    PrivetError,
    Revoked,
    Unauthenticated,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (PrivetError, 1),
        (InvalidRequest, 1),
        (ParseFailed, 1),
        (Forbidden, 1),
        (AuditUnavailable, 1),
        (UsageMistake, 2),
        (Insecure, 2),
        (Unauthenticated, 3),
        (Revoked, 3),
        (NotFound, 4),
        (Conflict, 5),
        (Unreachable, 6),
    ],
)
def test_scripts_can_tell_errors_apart(kind: type[PrivetError], code: int) -> None:
    """Each has the documented code."""
    assert exit_code(kind("x")) == code
    assert code in dict(exits.MEANINGS)


def test_an_error_says_what_where_and_what_next(capsys: pytest.CaptureFixture[str]) -> None:
    """The line of the statement is shown with a caret under the place, on stderr alone."""
    error = ParseFailed(
        "expected TO", hint="write TO ROLE", position=Position(2, 7, 20), audit_id="e1"
    )
    print_error(error, "GRANT SELECT\nON\x1bDB d;\nx")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "error: expected TO",
        "  ON\\x1bDB d;",
        "           ^"[:2] + "         ^",
        "hint: write TO ROLE",
        "audit: e1",
    ]


@pytest.mark.parametrize("position", [Position(9, 1, 0), Position(0, 1, 0), None])
def test_a_place_outside_the_statement_is_not_shown(
    capsys: pytest.CaptureFixture[str], position: Position | None
) -> None:
    """A position that does not fit leaves the message alone."""
    print_error(ParseFailed("no", position=position), "GRANT")
    assert capsys.readouterr().err == "error: no\n"
