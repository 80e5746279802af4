"""The engine's errors by class, in our words: no text of the engine and no cell value.

With `errors_as_json` set its errors say where in the statement they arose, and of unknown names
which ones would fit; these are columns and functions that the user can see.
"""

from __future__ import annotations

import json
import re
from typing import Any

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
_NAMED_KIND = re.compile(r"\s*([A-Za-z ]+?) Error:")
_FAILED = {
    "Conversion": (
        "a value cannot be converted to the type asked for",
        "TRY_CAST gives NULL for such values",
    ),
    "Out of Range": ("a value is out of range", "cast to a wider type first"),
    "Invalid Input": (
        "a function was given a value that it does not take",
        "look at the function's arguments; TRY(...) gives NULL instead",
    ),
    "Mismatch Type": ("types do not fit together", "cast them"),
}
_NO_COLUMN = "column `{}` does not exist, or you have no access to it"
_COLUMNS_SHOWN = "DESCRIBE SELECT * FROM database.dataset shows the columns that you can read"
_UNBOUND = tuple(
    # Of the engine's text only the user's own name is taken.
    (re.compile(pattern), said, hint)
    for pattern, said, hint in (
        (
            r'Referenced table "([^"]+)" not found',
            "`{}` is no table or alias of this place",
            "a table that has an alias is known by it only",
        ),
        (
            r'does not have a column named "([^"]+)"',
            _NO_COLUMN,
            _COLUMNS_SHOWN,
        ),
        (
            r'Column "([^"]+)" does not exist on (?:left|right) side of join',
            _NO_COLUMN,
            _COLUMNS_SHOWN,
        ),
        (
            r'Ambiguous reference to column name "([^"]+)"',
            "`{}` stands in more than one table here",
            "write table.column",
        ),
        (
            r'column "([^"]+)" must appear in the GROUP BY clause',
            "`{}` is neither grouped nor aggregated",
            "add it to GROUP BY, or use any_value(...)",
        ),
    )
)
_UNSERVED = frozenset(
    {"Not implemented", "Permission", "IO", "HTTP", "Extension", "Missing Extension", "Autoload"}
)


def told(error: Exception, text: str, shift: int = 0) -> PrivetError:
    """An engine's error as one of ours.

    Args:
        error: what was raised while `text` was planned or run, by the engine or by the stream of
            its answer.
        text: the user's statement.
        shift: bytes that stood before it.
    """
    details = _details(error)
    kind = _kind(error, details)
    where = _where(details, text, shift)
    if kind in {"Parser", "Syntax"}:
        at = {"position": int(details["position"]) - shift} if "position" in details else {}
        return syntax_error(text, at)
    if kind == "Out of Memory":
        return out_of_memory(where)
    if kind in {"Binder", "Catalog"}:
        return _unbound(details, where)
    if kind in _UNSERVED:
        return InvalidRequest(
            "this is not served here", hint="only what computes over datasets is", position=where
        )
    said, hint = _FAILED.get(kind, ("the statement could not be run", "try it in smaller parts"))
    return StatementFailed(said, hint=hint, position=where)


def _kind(error: Exception, details: dict[str, Any]) -> str:
    named = _NAMED_KIND.match(str(error))
    return str(details.get("exception_type") or (named[1] if named else ""))


def out_of_memory(where: Position | None = None) -> ResourcesExceeded:
    """What is said when memory ran out, in whatever way."""
    return ResourcesExceeded(
        "the statement needs more memory than one may use",
        hint="read fewer columns or rows, or aggregate earlier",
        position=where,
    )


def _details(error: Exception) -> dict[str, Any]:
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
            _NO_COLUMN.format(name),
            hint=_candidates(details),
            position=where,
        )
    if kind[0] == "MISSING_ENTRY" and str(kind[1]).endswith("Function"):
        near = str(details.get("candidates") or "")
        return UnknownName(
            f"function `{name}` does not exist here",
            hint=f"did you mean {near}" if near and not near.startswith("__") else "",
            position=where,
        )
    if kind[0] == "MISSING_ENTRY" and kind[1] == "Table":
        return UnknownName(
            f"`{name}` is no dataset and no CTE of this place",
            hint="datasets are written database.dataset",
            position=where,
        )
    if kind[0] == "MISSING_ENTRY":
        return UnknownName(f"`{name}` is not known here", hint=_candidates(details), position=where)
    for pattern, said, hint in _UNBOUND:
        if found := pattern.search(str(details.get("exception_message", ""))):
            return UnknownName(said.format(found[1][:_LONGEST_NAME]), hint=hint, position=where)
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
    if not shown:
        return _COLUMNS_SHOWN
    return f"there is {', '.join(shown[:_MOST_CANDIDATES])}"


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
