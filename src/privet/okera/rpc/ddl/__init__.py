"""Statements of the original: read where ours are written otherwise, answered in its shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from privet.okera.calls import Call, Handler
from privet.okera.idl import T
from privet.okera.rpc.ddl.answers import Answer
from privet.okera.rpc.ddl.executing import execute


def _execute(call: Call, params: Any) -> Any:
    answer = execute(call, params.ddl, params.defaultdb or "")
    return T.TExecDDLResult(
        col_names=list(answer.columns),
        tabular_result=[list(row) for row in answer.rows],
        formatted_result=answer.text or None,
        warnings=[
            T.TLogMessage(message=each, level=T.TLoggingLevel.WARN, count=1)
            for each in answer.warnings
        ],
    )


def _execute_flat(call: Call, arguments: Any) -> Any:
    answer: Answer = execute(call, arguments.ddl, arguments.defaultdb or "")
    return answer.text.split("\n") if answer.text else ["\t".join(row) for row in answer.rows]


HANDLERS: Mapping[str, Handler] = {"ExecuteDDL": _execute_flat, "ExecuteDDL2": _execute}
