"""SQL of other engines as trees of sqlglot, read in bounded work.

Its parser tries again from further back where a word may be a type or a function. Nested in each
other, such words double its work with every level, so that a hundred bytes would keep it busy for
minutes. Here it counts its steps; what honest statements need is little more than their tokens.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, DialectType
from sqlglot.errors import ParseError, TokenError
from sqlglot.parser import Parser

from privet.model.errors import InvalidRequest, ParseFailed, Position, ResourcesExceeded
from privet.model.requests import LONGEST_STATEMENT

_STEPS_PER_TOKEN, _STEPS_AT_LEAST = 20, 5_000


class _TooMuchWork(Exception):
    """More steps than any honest statement takes."""


@cache
def _bounded(parser: type[Parser]) -> type[Parser]:
    class Bounded(parser):
        """A parser of a dialect that gives up."""

        steps_left = 0

        def _advance(self, times: Any = 1) -> None:
            self.steps_left -= 1
            if self.steps_left < 0:
                raise _TooMuchWork
            super()._advance(times)

    return Bounded


def read_statements(
    text: str, dialect: DialectType, longest: int = LONGEST_STATEMENT
) -> list[exp.Expr]:
    """Parse the statements of a text.

    Args:
        text: as its author wrote it.
        dialect: whose SQL it is.
        longest: bytes that are still read.

    Returns:
        A tree for each; empty ones are left out.

    Raises:
        InvalidRequest: the text is too long.
        ParseFailed: it is no SQL of this dialect.
        ResourcesExceeded: it is nested too deeply, or takes too much work to read.
    """
    if len(text.encode("utf-8", "replace")) > longest:
        raise InvalidRequest("the statement is too long", hint=f"{longest // 1024} KB at most")
    reading = Dialect.get_or_raise(dialect)
    parser: Any = _bounded(reading.parser_class)(dialect=reading)
    try:
        tokens = reading.tokenize(text)
        parser.steps_left = _STEPS_AT_LEAST + _STEPS_PER_TOKEN * len(tokens)
        trees: list[exp.Expr | None] = parser.parse(tokens, text)
    except ParseError as error:
        raise ParseFailed("the statement cannot be read", position=_place(error, text)) from error
    except TokenError as error:
        raise ParseFailed("the statement cannot be read") from error
    except (RecursionError, _TooMuchWork) as error:
        raise too_deep() from error
    return [tree for tree in trees if tree is not None]


def too_deep() -> ResourcesExceeded:
    """What is said of a statement that is too much to read or to write."""
    return ResourcesExceeded(
        "the statement is nested too deeply or too large", hint="split it, or name parts in WITH"
    )


def _place(error: ParseError, text: str) -> Position | None:
    first = error.errors[0] if error.errors else {}
    line, column = first.get("line"), first.get("col")
    if not isinstance(line, int) or not isinstance(column, int):
        return None
    before = sum(len(each) + 1 for each in text.split("\n")[: line - 1])
    return Position(line, column, before + column - 1)
