"""Statements that define views. Their text is SQL of the engine."""

from __future__ import annotations

from collections.abc import Mapping

from privet.model.errors import Conflict
from privet.policy import definitions as d
from privet.service.platform import Caller
from privet.service.statements.results import Handler, StatementResult, done
from privet.service.views import Views, within


class ViewStatements:
    """CREATE VIEW and ALTER VIEW."""

    def __init__(self, views: Views) -> None:
        self._views = views

    def handlers(self) -> Mapping[type, Handler]:
        """By the type of the statement."""
        return {d.CreateView: self._create, d.AlterView: self._alter}

    def _create(self, caller: Caller, statement: d.CreateView) -> StatementResult:
        lenient = statement.if_not_exists
        return done("create", lenient, Conflict, lambda: self._views.define(caller, statement))

    def _alter(self, caller: Caller, statement: d.AlterView) -> StatementResult:
        with within(statement.text_position):
            self._views.alter(caller, statement.dataset, statement.text)
        return StatementResult("alter", "done")
