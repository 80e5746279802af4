"""Connections to databases, where the original words a refusal otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable

from privet.model.errors import Forbidden, NotFound
from privet.okera.calls import Call
from privet.okera.rpc.connections import hidden, say_refused
from privet.okera.rpc.ddl.answers import Answer


def _connection(call: Call, found: re.Match[str], text: str) -> Answer:
    verb = found["verb"].upper()
    try:
        result = call.services.statements.execute(call.caller, text)
        if call.compatibility and verb == "DROP" and found["lenient"]:
            _check_gone(call, found["name"])
    except (NotFound, Forbidden) as error:
        if call.compatibility:
            say_refused(call, error, verb)
        raise
    return Answer(result.columns, result.rows, warnings=result.warnings)


def _check_gone(call: Call, name: str) -> None:
    """Refuse, as the original does, what IF EXISTS passed over because it is hidden."""
    if hidden(call, name):
        raise Forbidden("this needs DROP on it")


_STATEMENT = (
    r"\s*(?P<verb>create|alter|drop)\s+dataconnection\s+"
    r"(?P<lenient>if\s+(?:not\s+)?exists\s+)?`?(?P<name>\w+)`?.*"
)
SPECIAL: tuple[tuple[str, Callable[[Call, re.Match[str], str], Answer]], ...] = (
    (_STATEMENT, _connection),
)
