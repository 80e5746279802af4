"""Tables and databases over connections, where the original words or allows things otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable

from privet.model.errors import Conflict, Forbidden, NotFound
from privet.okera.calls import Call
from privet.okera.rpc.ddl.answers import Answer

_COPIES_OF_A_SCHEMA = 24
_SCHEMA = re.compile(r"(?i)('jdbc\.schema\.name'\s*=\s*'[^']*)'")
_ABOUT_A_CONNECTION = re.compile(r"^connection `|^this needs USE on DATACONNECTION")


def _over(call: Call, found: re.Match[str], text: str) -> Answer:
    """What names a connection, or is done over one."""
    del found
    try:
        return _executed(call, text)
    except (NotFound, Forbidden) as error:
        if call.compatibility and _ABOUT_A_CONNECTION.search(error.message):
            caller = call.services.sessions.identify(call.caller)
            if not caller.admin:
                error.message = (
                    f"User '{caller.user}' does not have privileges to USE the connection"
                    f" ({error.message})"
                )
        raise


def _table(call: Call, found: re.Match[str], text: str) -> Answer:
    """CREATE TABLE; in compatibility mode also over a table that has an owner."""
    try:
        return _over(call, found, text)
    except Conflict as error:
        if not call.compatibility or "path" not in error.message:
            raise
        return _again(call, found, text, error)


def _again(call: Call, found: re.Match[str], text: str, error: Conflict) -> Answer:
    # The stand-in for the original's databases shows its tables in further schemas.
    for number in range(1, _COPIES_OF_A_SCHEMA):
        try:
            return _over(call, found, _SCHEMA.sub(rf"\g<1>--{number}'", text))
        except Conflict as again:
            if "path" not in again.message:
                raise
    raise error


def _executed(call: Call, text: str) -> Answer:
    result = call.services.statements.execute(call.caller, text)
    return Answer(result.columns, result.rows, warnings=result.warnings)


SPECIAL: tuple[tuple[str, Callable[[Call, re.Match[str], str], Answer]], ...] = (
    (r"\s*create\s+(?:external\s+)?table\s.+\bstored\s+as\s+jdbc\b.*", _table),
    (r"\s*(?:create|alter)\s+database\s.+okera\.connection\.name.+", _over),
    (r"\s*alter\s+database\s+\S+\s+load\s+definitions.*", _over),
)
