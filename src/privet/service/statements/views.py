"""Statements that define views. Their text is SQL of the engine."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from privet.model.errors import Conflict, InvalidRequest, Position, PrivetError
from privet.policy import definitions as d
from privet.service.platform import Caller
from privet.service.statements.results import Handler, StatementResult, done
from privet.service.views import Views


class ViewStatements:
    """CREATE VIEW and ALTER VIEW."""

    def __init__(self, views: Views) -> None:
        self._views = views

    def handlers(self) -> Mapping[type, Handler]:
        """By the type of the statement."""
        return {d.CreateView: self._create, d.AlterView: self._alter}

    def _create(self, caller: Caller, statement: d.CreateView) -> StatementResult:
        if statement.columns:
            raise InvalidRequest(
                "a view has the columns of its SELECT, under the names that they have there",
                hint="leave out the list, and write SELECT a AS name",
            )

        def create() -> None:
            with within(statement.text_position):
                self._views.create(caller, statement.dataset, statement.text)

        return done("create", statement.if_not_exists, Conflict, create)

    def _alter(self, caller: Caller, statement: d.AlterView) -> StatementResult:
        with within(statement.text_position):
            self._views.alter(caller, statement.dataset, statement.text)
        return StatementResult("alter", "done")


@contextmanager
def within(start: Position) -> Generator[None]:
    """Let errors in a text that is part of a statement stand where they are in the statement."""
    try:
        yield
    except PrivetError as error:
        if (at := error.position) is not None:
            column = at.column + (start.column - 1 if at.line == 1 else 0)
            error.position = Position(at.line + start.line - 1, column, at.offset + start.offset)
        raise
