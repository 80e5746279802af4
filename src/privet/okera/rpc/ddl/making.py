"""Tables and views, where the original makes them otherwise than we do."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from privet.model.errors import Conflict, InvalidRequest, ParseFailed, PrivetError
from privet.model.names import DatasetName
from privet.okera.calls import Call
from privet.okera.dialect import as_stored
from privet.okera.rpc.ddl.answers import Answer
from privet.okera.rpc.ddl.expanding import written_out
from privet.okera.rpc.files import PLACE

_COPIES_OF_A_BUCKET = 24
_NO_FILES = re.compile(
    r"no files at this location|^`(?:s3|file)://.*does not exist"
    r"|columns are declared; the files have"
)
"""With which the original makes a table all the same: empty, or of NULLs."""
_SERDE = re.compile(r"(?is)\bwith\s+serdeproperties\s*\(((?:[^()']|'[^']*')*)\)")
_PAIR = re.compile(r"'([^']*)'\s*=\s*'((?:[^']|'')*)'")
_READING = frozenset({"field.delim", "separatorchar", "quotechar"})
_HEADER = "skip.header.line.count"
_OF_TEXT = re.compile(
    r"(?is)^\s*create\s+(?:external\s+)?table\s+(?:if\s+not\s+exists\s+)?[\w.`]+\s*\("
    r".*\b(?:row\s+format\s+delimited|stored\s+as\s+textfile)\b.*\blocation\b"
)
_PROPERTIES = re.compile(r"(?i)\btblproperties\s*\(")
_NO_STORE = re.compile(r"is not the path of a local source|scheme that no connector opens")
_ANY_LOCATION = re.compile(r"(?i)\blocation\s+'[^']*'")
_NEEDS_URI = re.compile(r"this needs (\w+) on the URI")
_NAMED = re.compile(
    r"(?is)\s*create\s+(?:external\s+)?table\s+(?:if\s+not\s+exists\s+)?`?(\w+)`?\.`?(\w+)"
)
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
    try:
        body = as_stored(found["body"].strip().strip('"'), partial(written_out, call))
        return _executed(call, f"CREATE VIEW {lenient}{found['name']} AS {body}")
    except (InvalidRequest, ParseFailed) as error:
        _say_unread(call, found["name"], error)
        raise


def _say_unread(call: Call, name: str, error: PrivetError) -> None:
    if call.compatibility:
        error.message = (
            "TableLoadingException: Failed to parse view-definition statement of view:"
            f" {name.replace('`', '')} due to: {error.message}"
        )


def _alter_view(call: Call, found: re.Match[str], text: str) -> Answer:
    del text
    try:
        body = as_stored(found["body"], partial(written_out, call))
        return _executed(call, f"ALTER VIEW {found['name']} AS {body}")
    except (InvalidRequest, ParseFailed) as error:
        _say_unread(call, found["name"], error)
        raise


def _table(call: Call, found: re.Match[str], text: str) -> Answer:
    """CREATE TABLE; in compatibility mode also over paths that have no files, or two owners."""
    del found
    if call.compatibility:
        text = _without_header(_SERDE.sub(_of_reading, text))
    try:
        return _executed(call, text)
    except PrivetError as error:
        place = _LOCATION.search(text)
        if call.compatibility and _NO_STORE.search(error.message):
            return _executed(call, _ANY_LOCATION.sub("", text))
        if not call.compatibility or place is None:
            raise
        if needed := _NEEDS_URI.match(error.message):
            user = call.services.sessions.identify(call.caller).user
            error.message = (
                f"User '{user}' does not have privileges to execute '{needed[1]}' on:"
                f" s3a://{place[1]}{place[2]} ({error.message})"
            )
        return _again(call, text, error)


def _of_reading(found: re.Match[str]) -> str:
    """What SERDEPROPERTIES say of how text is read; of the rest, nothing is done here."""
    said = (pair[0] for pair in _PAIR.finditer(found[1]) if pair[1].lower() in _READING)
    kept = ", ".join(said)
    return f"WITH SERDEPROPERTIES({kept})" if kept else ""


def _without_header(text: str) -> str:
    """The original's tables of text have no line of names, unless that is said."""
    if not _OF_TEXT.search(text) or _HEADER in text:
        return text
    said = f"'{_HEADER}'='0'"
    if _PROPERTIES.search(text):
        return _PROPERTIES.sub(lambda found: f"{found[0]}{said}, ", text, count=1)
    return f"{text} TBLPROPERTIES({said})"


def _again(call: Call, text: str, error: PrivetError) -> Answer:
    told = error.message
    if _NO_FILES.search(told):
        answer = _executed(call, _LOCATION.sub("", text))
        _remember_place(call, text)
        return answer
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


def _remember_place(call: Call, text: str) -> None:
    """Keep where a table without files was to be, to be listed there."""
    place, named = _LOCATION.search(text), _NAMED.match(text)
    if place is not None and named is not None:
        name = DatasetName(named[1].lower(), named[2].lower())
        location = f"s3://{place[1]}{place[2]}".rstrip("/")
        call.services.tables.set_properties(call.caller, name, {PLACE: location})


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
