"""What readers of parse trees share: parts of a node, and names that stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lark import Token, Tree

from privet.model.errors import InvalidRequest, ParseFailed, Position
from privet.model.names import DatasetName, TagName, check_group_name, fold_role
from privet.policy.language.expressions import read_name, read_text
from privet.policy.language.syntax import Branch, position_of

_LONGEST_KEY = 256
_MOST_PROPERTIES = 200
_BEHIND = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$"
    r"|(?P<aside>--[^\n]*|/\*.*?\*/|\s+)|(?P<end>;)|[^'\"$\-/;\s]+|.",
    re.DOTALL,
)
"""Texts, quoted names, what does not count, the sign that ends a statement, and everything else."""


def branches(tree: Branch) -> list[Branch]:
    """The children that are trees."""
    return [c for c in tree.children if isinstance(c, Tree)]


def tokens(tree: Branch) -> list[Token]:
    """The children that are tokens."""
    return [c for c in tree.children if isinstance(c, Token)]


def part(tree: Branch, data: str) -> Branch | None:
    """The first child of a rule."""
    return next((b for b in branches(tree) if b.data == data), None)


def has(tree: Branch, data: str) -> bool:
    """Whether a rule is among the children."""
    return part(tree, data) is not None


def required(tree: Branch, data: str) -> Branch:
    """The first child of a rule, which the grammar says is there."""
    found = part(tree, data)
    assert found is not None
    return found


def name_in(tree: Branch, what: str) -> str:
    """The name among the children."""
    return read_name(required(tree, "name"), what)


def role_in(tree: Branch) -> str:
    """The role whose name is among the children."""
    return role(required(tree, "name"))


def role(tree: Branch) -> str:
    """A role's name."""
    return fold_role(read_name(tree, "role name"))


def dataset(tree: Branch) -> DatasetName:
    """A dataset's name."""
    database, name = branches(tree)
    return DatasetName(read_name(database, "database name"), read_name(name, "dataset name"))


def dataset_in(tree: Branch) -> DatasetName:
    """The dataset whose name is among the children."""
    return dataset(required(tree, "dataset"))


def tag(tree: Branch) -> TagName:
    """A tag's name."""
    namespace, key = branches(tree)
    return TagName(read_name(namespace, "tag namespace"), read_name(key, "tag name"))


def tag_in(tree: Branch) -> TagName:
    """The tag whose name is among the children."""
    return tag(required(tree, "tag"))


def group(tree: Branch) -> str:
    """The name of a group, as its issuer writes it."""
    token = tokens(tree)[0]
    text = read_text(token) if token.type in {"STRING", "QUOTED"} else str(token)
    try:
        return check_group_name(text)
    except InvalidRequest as error:
        raise ParseFailed(error.message, hint=error.hint, position=position_of(token)) from None


def text_of(tree: Branch) -> str:
    """The text of the first quoted token."""
    return read_text(tokens(tree)[0])


def at(tree: Branch, *names: str) -> Position:
    """Where the first child of one of these rules stands."""
    found = next((b for b in branches(tree) if b.data in names), tree)
    return position_of(found)


def free_properties(items: Iterable[Branch]) -> dict[str, str]:
    """Properties that mean something to whoever wrote them.

    Raises:
        InvalidRequest: one is given twice, has no name or too long a one; or there are too many.
    """
    found: dict[str, str] = {}
    for item in items:
        key, value = tokens(item)
        name = read_text(key)
        problem = ""
        if not name.strip() or not name.isprintable() or len(name) > _LONGEST_KEY:
            problem = f"a property needs a printable name of at most {_LONGEST_KEY} characters"
        elif name in found:
            problem = f"`{name[:64]}` is given twice"
        elif len(found) == _MOST_PROPERTIES:
            problem = f"there are more than {_MOST_PROPERTIES} properties"
        if problem:
            raise InvalidRequest(problem, position=position_of(key))
        found[name] = read_text(value)
    return found


def query_text(token: Token, word: str) -> tuple[str, Position]:
    """What follows a word, without what ends the statement, and where it begins.

    Raises:
        ParseFailed: nothing follows.
    """
    body = token[len(word) :]
    text = _without_end(body.lstrip())
    before = token[: len(token) - len(body.lstrip())]
    start = position_of(token)
    lines = before.count("\n")
    position = Position(
        start.line + lines,
        len(before) - before.rfind("\n") if lines else start.column + len(before),
        start.offset + len(before),
    )
    if not text:
        raise ParseFailed(
            "a view or copy is made of a SELECT", hint="write AS SELECT ...", position=position
        )
    return text, position


def _without_end(text: str) -> str:
    """Without the semicolons at its end, and what is said after them.

    What is no end, two statements for instance, stays, to be refused by whoever reads the text.
    """
    cut = None
    for found in _BEHIND.finditer(text):
        if found["end"]:
            cut = found.start() if cut is None else cut
        elif not found["aside"]:
            cut = None
    return text[:cut].rstrip()
