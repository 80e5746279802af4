"""Statements of the original with what they leave out: fields inside columns, by who reads them."""

from __future__ import annotations

from functools import partial

import pyarrow as pa
from sqlglot import exp

from privet.model.errors import PrivetError
from privet.model.requests import ScanRequest
from privet.okera.calls import Call
from privet.okera.dialect import requested
from privet.okera.rpc.system import replaced
from privet.okera.unnesting import unnested


def written_out(call: Call, tree: exp.Expr) -> exp.Expr:
    """A parsed statement with `**` and the lists in FROM written out for the caller.

    What the caller sees of the tables there is planned, decided and recorded like any SELECT.

    Raises:
        PrivetError: as such a plan.
    """
    if call.compatibility:
        tree = replaced(call, tree)
    return unnested(tree, partial(_described, call))


def _described(call: Call, tree: exp.Expr) -> pa.Schema:
    request = requested(tree, call.services.sessions.identify(call.caller))
    try:
        if isinstance(request, ScanRequest):
            return call.services.scans.plan(call.caller, request).schema
        return call.services.queries.describe(call.caller, request, call.gone).schema
    except PrivetError as error:
        # It is a place in a statement that the author never saw.
        error.position = None
        raise
