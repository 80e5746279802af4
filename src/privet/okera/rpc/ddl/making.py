"""Tables and views, where the original makes them otherwise than we do."""

from __future__ import annotations

import re
from collections.abc import Callable

from privet.model.errors import Conflict, InvalidRequest, PrivetError
from privet.okera.calls import Call
from privet.okera.dialect import as_stored
from privet.okera.rpc.ddl.answers import Answer

_COPIES_OF_A_BUCKET = 24
_NO_FILES = re.compile(
    r"no files at this location|s3://.*does not exist|columns are declared; the files have"
)
"""With which the original makes a table all the same: empty, or of NULLs."""
_SERDE = re.compile(r"(?is)\bwith\s+serdeproperties\s*\((?:[^()']|'[^']*')*\)")
_LOCATION = re.compile(r"(?i)\blocation\s+'s3://([^'/]+)(/?[^']*)'")


def _view(call: Call, found: re.Match[str], text: str) -> Answer:
    """CREATE VIEW: the body is read in the original's dialect, and kept in ours."""
    del text
    lenient = "IF NOT EXISTS " if found["lenient"] else ""
    if found["skip"]:
        raise InvalidRequest(
            "SKIP_ANALYSIS is not supported: a view that nobody has read shows nothing",
            hint="leave it out; the view is read now, and by every reader",
        )
    body = as_stored(found["body"].strip().strip('"'))
    return _executed(call, f"CREATE VIEW {lenient}{found['name']} AS {body}")


def _alter_view(call: Call, found: re.Match[str], text: str) -> Answer:
    del text
    return _executed(call, f"ALTER VIEW {found['name']} AS {as_stored(found['body'])}")


def _table(call: Call, found: re.Match[str], text: str) -> Answer:
    """CREATE TABLE; in compatibility mode also over paths that have no files, or two owners."""
    del found
    if call.compatibility:
        text = _SERDE.sub("", text)
    try:
        return _executed(call, text)
    except PrivetError as error:
        if not call.compatibility or not _LOCATION.search(text):
            raise
        return _again(call, text, error)


def _again(call: Call, text: str, error: PrivetError) -> Answer:
    told = error.message
    if _NO_FILES.search(told):
        return _executed(call, _LOCATION.sub("", text))
    if not isinstance(error, Conflict) or "path" not in told:
        raise error
    for number in range(1, _COPIES_OF_A_BUCKET):
        other = _LOCATION.sub(rf"LOCATION 's3://\g<1>--{number}\g<2>'", text)
        try:
            return _executed(call, other)
        except Conflict as again:
            if "path" not in again.message:
                raise
    raise error


def _executed(call: Call, text: str) -> Answer:
    result = call.services.statements.execute(call.caller, text)
    return Answer(result.columns, result.rows, warnings=result.warnings)


_VIEW = (
    r"\s*create\s+(?:external\s+)?view\s+(?P<lenient>if\s+not\s+exists\s+)?(?P<name>\S+?)"
    r"\s*(?P<columns>\([^()]*(?:\([^()]*\)[^()]*)*\))?"
    r"(?P<skip>\s*skip_analysis)?(?:\s*using\s+view\s+data)?\s*\bas\b(?P<body>.+)"
)
SPECIAL: tuple[tuple[str, Callable[[Call, re.Match[str], str], Answer]], ...] = (
    (_VIEW, _view),
    (r"\s*alter\s+view\s+(?P<name>\S+)\s+as\b(?P<body>.+)", _alter_view),
    (r"\s*create\s+(?:external\s+)?table\s.+", _table),
)
