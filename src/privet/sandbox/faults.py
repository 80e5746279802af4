"""The engine's errors by class, in our words: no text of the engine and no cell value.

With `errors_as_json` set its errors say where in the statement they arose, and of unknown names
which ones would fit; these are columns and functions that the user can see.
"""

from __future__ import annotations

import json
from typing import Any

import duckdb

from privet.model.errors import (
    InvalidRequest,
    ParseFailed,
    Position,
    PrivetError,
    ResourcesExceeded,
    StatementFailed,
    TypeMismatch,
    UnknownName,
)
from privet.sandbox.gate import position, syntax_error

_MOST_CANDIDATES = 5
_LONGEST_NAME = 64
_FAILED: tuple[tuple[type[duckdb.Error], str, str], ...] = (
    (
        duckdb.ConversionException,
        "a value cannot be converted to the type asked for",
        "TRY_CAST gives NULL for such values",
    ),
    (duckdb.OutOfRangeException, "a value is out of range", "cast to a wider type first"),
    (
        duckdb.InvalidInputException,
        "a function was given a value that it does not take",
        "look at the function's arguments; TRY(...) gives NULL instead",
    ),
    (duckdb.SyntaxException, "the statement cannot be read", ""),
    (duckdb.ConstraintException, "a condition of the statement was not met", ""),
    (duckdb.TypeMismatchException, "types do not fit together", "cast them"),
)
_UNSERVED: tuple[type[duckdb.Error], ...] = (
    duckdb.NotImplementedException,
    duckdb.NotSupportedError,
    duckdb.PermissionException,
    duckdb.IOException,
    duckdb.HTTPException,
)


def told(error: duckdb.Error, text: str, shift: int = 0) -> PrivetError:
    """An engine's error as one of ours.

    Args:
        error: what was raised while `text` was planned or run.
        text: the user's statement.
        shift: bytes that stood before it.
    """
    details = _details(error)
    where = _where(details, text, shift)
    if isinstance(error, duckdb.ParserException):
        return syntax_error(text, {"position": int(details.get("position", shift)) - shift})
    if isinstance(error, duckdb.OutOfMemoryException):
        return out_of_memory(where)
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        return _unbound(details, where)
    if isinstance(error, _UNSERVED):
        return InvalidRequest(
            "this is not served here", hint="only what computes over datasets is", position=where
        )
    for kind, said, hint in _FAILED:
        if isinstance(error, kind):
            return StatementFailed(said, hint=hint, position=where)
    return StatementFailed("the statement could not be run", position=where)


def out_of_memory(where: Position | None = None) -> ResourcesExceeded:
    """What is said when memory ran out, in whatever way."""
    return ResourcesExceeded(
        "the statement needs more memory than one may use",
        hint="read fewer columns or rows, or aggregate earlier",
        position=where,
    )


def _details(error: duckdb.Error) -> dict[str, Any]:
    body = str(error).partition("{")
    try:
        details = json.loads(body[1] + body[2])
    except (ValueError, RecursionError):
        return {}
    return details if isinstance(details, dict) else {}


def _where(details: dict[str, Any], text: str, shift: int) -> Position | None:
    try:
        return position(text, int(details["position"]) - shift)
    except (KeyError, TypeError, ValueError):
        return None


def _unbound(details: dict[str, Any], where: Position | None) -> PrivetError:
    name = str(details.get("name", ""))[:_LONGEST_NAME]
    kind = details.get("error_subtype"), details.get("type")
    if kind[0] == "COLUMN_NOT_FOUND":
        return UnknownName(
            f"column `{name}` does not exist, or you have no access to it",
            hint=_candidates(details),
            position=where,
        )
    if kind[0] == "MISSING_ENTRY" and str(kind[1]).endswith("Function"):
        return UnknownName(f"function `{name}` does not exist here", position=where)
    if kind[0] == "MISSING_ENTRY" and kind[1] == "Table":
        return UnknownName(f"`{name}` is no dataset and no CTE of this place", position=where)
    if kind[0] == "MISSING_ENTRY":
        return UnknownName(f"`{name}` is not known here", position=where)
    if name:
        return TypeMismatch(
            f"`{name}` does not take arguments of these types",
            hint="cast them, such as x::DOUBLE",
            position=where,
        )
    return InvalidRequest(
        "the statement does not fit together here",
        hint="look at aliases, GROUP BY, types and numbers of columns",
        position=where,
    )


def _candidates(details: dict[str, Any]) -> str:
    found = str(details.get("candidates", "")).split(",")
    names = [c.strip().rpartition(".")[2].strip('"') for c in found]
    shown = [n for n in dict.fromkeys(names) if n and not n.startswith("__privet")]
    return f"there is {', '.join(shown[:_MOST_CANDIDATES])}" if shown else ""


def to_json(error: PrivetError) -> dict[str, Any]:
    """An error as a message has it."""
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "position": None if error.position is None else list(error.position),
    }


_KINDS: dict[str, type[PrivetError]] = {
    kind.code: kind
    for kind in (
        InvalidRequest,
        ParseFailed,
        ResourcesExceeded,
        StatementFailed,
        TypeMismatch,
        UnknownName,
    )
}


def from_json(message: dict[str, Any]) -> PrivetError:
    """An error from a message; what is not understood is a failure."""
    kind = _KINDS.get(str(message.get("code")), StatementFailed)
    place = message.get("position")
    numbers = [p for p in place if type(p) is int] if isinstance(place, list) else []
    return kind(
        str(message.get("message", "the statement failed"))[:500],
        hint=str(message.get("hint", ""))[:500],
        position=Position(*numbers) if len(numbers) == len(Position._fields) else None,
    )
