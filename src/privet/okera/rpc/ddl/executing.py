"""From a text to its answer: special forms first, everything else as a statement of ours."""

from __future__ import annotations

import re
from collections.abc import Callable

from privet.model.errors import Conflict
from privet.okera.calls import Call
from privet.okera.rpc.ddl import (
    connected,
    connecting,
    crawlers,
    describing,
    explaining,
    granting,
    making,
)
from privet.okera.rpc.ddl.answers import Answer
from privet.okera.rpc.ddl.writing import in_ours, of_their_machine

Special = Callable[[Call, re.Match[str], str], Answer]
_SPECIAL: tuple[tuple[re.Pattern[str], Special], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), run)
    for pattern, run in (
        *crawlers.SPECIAL,
        *connected.SPECIAL,
        *describing.SPECIAL,
        *granting.SPECIAL,
        *making.SPECIAL,
        *connecting.SPECIAL,
        *explaining.SPECIAL,
    )
)


def execute(call: Call, text: str, database: str) -> Answer:
    """Carry out a statement of the original.

    Raises:
        What our statement raises.
    """
    del database  # Names without a database are refused, as everywhere.
    written = in_ours(text)
    if call.compatibility:
        written = of_their_machine(written)
    for pattern, run in _SPECIAL:
        if found := pattern.fullmatch(written):
            return run(call, found, written)
    return plain(call, written)


def plain(call: Call, text: str) -> Answer:
    """A statement that is the same with us."""
    result = call.services.statements.execute(call.caller, text)
    return Answer(result.columns, result.rows, warnings=result.warnings)


__all__ = ["Conflict", "execute", "plain"]
