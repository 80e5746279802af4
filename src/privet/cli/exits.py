"""Exit codes, and how an error reads on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from privet.cli.output import escape
from privet.model.errors import PrivetError

OK = 0
FAILED = 1
USAGE = 2
UNAUTHENTICATED = 3
NOT_FOUND = 4
CONFLICT = 5
UNREACHABLE = 6

MEANINGS: tuple[tuple[int, str], ...] = (
    (OK, "done"),
    (FAILED, "refused or failed; the message says why"),
    (USAGE, "the command itself is wrong: an option, an argument, an unsafe server address"),
    (UNAUTHENTICATED, "no token, or one that does not hold"),
    (NOT_FOUND, "no such thing, or nothing of it is visible to you"),
    (CONFLICT, "it exists already, is in use, or was changed by somebody else"),
    (UNREACHABLE, "the server does not answer, or its certificate is not trusted"),
)

_BY_ERROR = {
    "usage": USAGE,
    "insecure_connection": USAGE,
    "unauthenticated": UNAUTHENTICATED,
    "revoked": UNAUTHENTICATED,
    "not_found": NOT_FOUND,
    "conflict": CONFLICT,
    "unreachable": UNREACHABLE,
}


NO_TERMINAL = "standard input is not a terminal, so nothing can be asked"


class UsageMistake(PrivetError):
    """The command cannot mean anything: options that contradict each other or are missing."""

    code = "usage"
    status = 400


def exit_code(error: PrivetError) -> int:
    """The exit code of an error."""
    return _BY_ERROR.get(error.code, FAILED)


def print_error(error: PrivetError, statement: str = "") -> None:
    """Say on stderr what went wrong, where in the statement, and what to do next."""
    lines = [f"error: {escape(error.message)}"]
    if error.position is not None and statement:
        lines += _pointed(statement, error.position.line, error.position.column)
    if error.hint:
        lines.append(f"hint: {escape(error.hint)}")
    if error.audit_id:
        lines.append(f"audit: {escape(error.audit_id)}")
    print(*lines, sep="\n", file=sys.stderr)


def print_problem(problem: Mapping[str, Any], statement: str, what: str) -> None:
    """Say on stderr why something would not work, as the server told it, and where."""
    lines = [f"{what}: {escape(problem['detail'])}"]
    if place := problem.get("position"):
        lines += _pointed(statement, place["line"], place["column"])
    if problem.get("hint"):
        lines.append(f"hint: {escape(problem['hint'])}")
    print(*lines, sep="\n", file=sys.stderr)


def _pointed(statement: str, line: int, column: int) -> list[str]:
    written = statement.split("\n")
    if not 1 <= line <= len(written):
        return []
    text = written[line - 1]
    before = escape(text[: column - 1])
    return [f"  {before}{escape(text[column - 1 :])}", f"  {' ' * len(before)}^"]
