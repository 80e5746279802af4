"""EXPLAIN: what a statement reads, and whether rows are left out of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from privet.model.errors import NotFound
from privet.model.names import DatasetName
from privet.model.requests import ScanRequest
from privet.okera.calls import Call
from privet.okera.dialect import reads, understood
from privet.okera.rpc.ddl.answers import Answer
from privet.okera.rpc.ddl.expanding import written_out


def _explain(call: Call, found: re.Match[str], text: str) -> Answer:
    """Planned as it would be to run it, so that it is refused where that would be."""
    del text
    principal = call.services.sessions.identify(call.caller)
    request = understood(found[1], principal, partial(written_out, call))
    if isinstance(request, ScanRequest):
        call.services.scans.plan(call.caller, request)
        names = [request.dataset]
    else:
        call.services.queries.plan(call.caller, request, call.gone)
        names = reads(found[1])
    return Answer(text="\n".join(["PLAN", *_lines(call, names)]))


def _lines(call: Call, names: list[DatasetName]) -> Iterator[str]:
    for name in names:
        try:
            decision = call.services.datasets.get(call.caller, name).decision
        except NotFound:
            continue
        yield f"  SCAN {name}"
        yield f"    columns: {', '.join(each.column.name for each in decision.visible)}"
        filtered = None not in decision.filters and not decision.bypass
        if filtered or decision.restrictions:
            # Which they are may name columns that nobody shows.
            yield "    predicates: by policy"


SPECIAL: tuple[tuple[str, Callable[[Call, re.Match[str], str], Answer]], ...] = (
    (r"\s*explain\s+((?:select|with)\b.+)", _explain),
)
