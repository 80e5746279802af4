"""Files of permissions: statements that end with a semicolon, and comments between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from privet.cli.policies.policies import Place, Statement

_PART = re.compile(r"'[^']*'|`[^`]*`|(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<end>;)", re.DOTALL)
_BREAK = re.compile(
    r"'[^']*'|`[^`]*`|(?P<blank> )(?=(?:HAVING ATTRIBUTE|EXCEPT TRANSFORM|(?<!EXCEPT )TRANSFORM"
    r"|WHERE|TO ROLE|FROM ROLE|POLICYPROPERTIES)\b)"
)


class Written(NamedTuple):
    """A statement as it is written, and where it begins."""

    text: str
    place: Place

    def at(self, position: Mapping[str, Any] | None) -> Place:
        """The place in the file of a position in the statement."""
        if not position:
            return self.place
        line, column = position["line"], position["column"]
        first = self.place.column - 1 if line == 1 else 0
        return Place(self.place.file, self.place.line + line - 1, first + column)


def split(text: str, file: str) -> Iterator[Written]:
    """The statements of a file; comments are left out."""
    bare = _PART.sub(lambda part: _blank(part[0]) if part["comment"] else part[0], text)
    start = 0
    for part in _PART.finditer(bare):
        if part["end"]:
            yield from _statement(bare, start, part.start(), file)
            start = part.end()
    yield from _statement(bare, start, len(bare), file)


def _blank(comment: str) -> str:
    return re.sub(r"[^\n]", " ", comment)


def _statement(text: str, start: int, end: int, file: str) -> Iterator[Written]:
    written = text[start:end]
    if not written.strip():
        return
    begin = start + len(written) - len(written.lstrip())
    line = text.count("\n", 0, begin) + 1
    yield Written(written.strip(), Place(file, line, begin - text.rfind("\n", 0, begin)))


def sql_text(statements: list[Statement]) -> str:
    """A file of these statements, each under what it says in English."""
    return "\n".join(
        f"-- {' '.join(s.english.split())}\n{_broken(s.sql)};\n"
        for s in sorted(statements, key=lambda s: s.sql)
    )


def _broken(sql: str) -> str:
    """A statement in several lines, one for each clause."""
    return _BREAK.sub(lambda part: "\n  " if part["blank"] else part[0], sql)
