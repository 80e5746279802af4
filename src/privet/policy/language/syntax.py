"""Text to parse tree: the grammar, its limits, and complaints that say what was expected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import NoReturn

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.lark import PostLex

from privet.model.errors import ParseFailed, Position
from privet.policy.functions import near

Branch = Tree[Token]

MAX_BYTES = 64 * 1024
MAX_DEPTH = 100
MAX_PARENTHESES = 250
_SHOWN = 64
_EXPECTED_SHOWN = 6

_SECOND_LEVELS = {"between": 2, "not_between": 3, "not_in": 2, "not_like": 2, "is_not_null": 2}
_LEVELS = {
    **dict.fromkeys(("or", "and", "not", "compare", "in", "like", "is_null", "sum", "product"), 1),
    **dict.fromkeys(("negate", "number", "text", "true", "false", "null", "date", "timestamp"), 1),
    **dict.fromkeys(("column", "call", "cast", "case"), 1),
    **dict.fromkeys(("struct_type", "array_type", "map_type"), 1),
    **dict.fromkeys(("tag_or", "tag_and", "tag_not", "tag_in", "tag_is", "tag"), 1),
    **_SECOND_LEVELS,
}
"""How many levels of the value a node of the tree becomes; others, such as clauses, are none."""

_WORDS = {
    "IDENT": "a name",
    "QUOTED": "a `quoted` name",
    "STRING": "a 'quoted' text",
    "NUMBER": "a number",
    "COLUMN_SLOT": "__COLUMN__",
    "COMPARISON": "a comparison such as =",
    "EQUAL": "=",
    "UNEQUAL": "!=",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
    "DOT": ".",
    "BANG": "!",
    "COLON": ":",
    "LESSTHAN": "<",
    "MORETHAN": ">",
    "VIEW_TEXT": "AS",
    "QUERY_TEXT": "SELECT",
    "MINUS": "-",
    "PLUS": "+",
    "STAR": "*",
    "SLASH": "/",
    "PERCENT": "%",
    "SEMICOLON": ";",
    "$END": "the end",
}
_ARITHMETIC = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "PERCENT"})
_LITERALS = frozenset(["DATE", "FALSE", "MINUS", "NULL", "NUMBER", "STRING", "TIMESTAMP", "TRUE"])
_GROUPS = (
    (_LITERALS | {"CASE", "CAST", "IDENT", "LPAR", "QUOTED"}, "a column or a value"),
    (_LITERALS, "a literal"),
)
_LATER_STATEMENTS = frozenset({"explain", "insert", "update", "delete"})
_SUBQUERY = re.compile(r"\(\s*(select)\s+\Z", re.IGNORECASE | re.ASCII)
_PARENTHESIS = re.compile(r"'[^']*'|`[^`]*`|[()]")
_WORD = re.compile(r"[A-Za-z0-9_]+")


class _WholeWords(PostLex):
    """Lets the lexer take words whole everywhere: `ONCATALOG` is one word, and no two keywords."""

    always_accept = ("IDENT",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Leave the tokens as they are."""
        return stream


@cache
def _grammar() -> Lark:
    text = files(__package__ or "privet.policy.language").joinpath("policy.lark").read_text("utf-8")
    return Lark(
        text,
        parser="lalr",
        lexer="contextual",
        postlex=_WholeWords(),
        propagate_positions=True,
        maybe_placeholders=False,
        # ASCII: else `[a-z]` without regard to case takes in the long s and the Kelvin sign.
        g_regex_flags=re.ASCII,
        start=["statement", "filter", "tags", "transform"],
    )


def read_tree(text: str, start: str) -> Branch:
    """Parse `text` from the start symbol `start`.

    Raises:
        ParseFailed: too large, too deep, or not of this language; with the position.
    """
    _check_text(text)
    _check_parentheses(text)
    try:
        tree = _grammar().parse(text, start=start)
    except UnexpectedInput as error:
        complain(error, text)
    _check_depth(tree)
    return tree


def position_of(node: Token | Branch) -> Position:
    """Where a token or the first token of a branch stands."""
    if isinstance(node, Token):
        return Position(node.line or 1, node.column or 1, node.start_pos or 0)
    return Position(node.meta.line, node.meta.column, node.meta.start_pos)


def position_at(text: str, offset: int) -> Position:
    """The line and column of an offset."""
    before = text[:offset]
    return Position(before.count("\n") + 1, offset - before.rfind("\n"), offset)


def _check_text(text: str) -> None:
    bad = next((i for i, c in enumerate(text) if c == "\0" or "\ud800" <= c <= "\udfff"), None)
    if bad is not None:
        raise ParseFailed(
            "the statement holds a character that is not text",
            hint="remove the NUL or the half of a character pair",
            position=position_at(text, bad),
        )
    if len(text.encode()) > MAX_BYTES:
        raise ParseFailed(
            f"the statement is longer than {MAX_BYTES // 1024} KiB",
            hint="split it into several permissions",
        )


def _check_parentheses(text: str) -> None:
    """Refuse deep nesting before the parser spends seconds on it."""
    depth = 0
    for match in _PARENTHESIS.finditer(text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth > MAX_PARENTHESES:
            raise _too_deep(MAX_PARENTHESES, "parentheses", position_at(text, match.start()))


def _too_deep(limit: int, what: str, position: Position) -> ParseFailed:
    return ParseFailed(
        f"the expression nests deeper than {limit} {what}",
        hint="split it into several permissions, or use IN for long lists",
        position=position,
    )


def _check_depth(tree: Branch) -> None:
    """Bound the recursion of everything that later walks the value, without recursion."""
    stack: list[tuple[Branch, int, bool]] = [(tree, 0, False)]
    while stack:
        node, levels, doubled = stack.pop()
        levels += _LEVELS.get(node.data, 0)
        between = node.data in {"between", "not_between"}
        if levels > MAX_DEPTH:
            raise _too_deep(MAX_DEPTH, "levels", position_of(node))
        if doubled and between:
            # BETWEEN stands for two comparisons of its subject: nested, it would double and double.
            raise ParseFailed(
                "BETWEEN within the subject of a BETWEEN",
                hint="write it with >= and <=",
                position=position_of(node),
            )
        stack.extend(
            (child, levels, doubled or (between and place == 0))
            for place, child in enumerate(node.children)
            if isinstance(child, Tree)
        )


def complain(error: UnexpectedInput, text: str) -> NoReturn:
    """Say in words where the text left the language, and what was expected there.

    Raises:
        ParseFailed: always.
    """
    offset = error.pos_in_stream or 0
    names: Iterable[str] = ()
    if isinstance(error, UnexpectedToken):
        offset = len(text) if error.token.type == "$END" else offset
        names = error.accepts or ()
    elif isinstance(error, UnexpectedCharacters):
        names = error.allowed or ()
    position = position_at(text, max(offset, 0))
    _complain_specially(text, position)
    found = _found(text, position.offset)
    word = _WORD.match(text, position.offset)
    raise ParseFailed(
        f"unexpected {found}",
        hint="; ".join(filter(None, (_expected(names), _keyword_near(word, names)))),
        position=position,
    ) from None


def _complain_specially(text: str, position: Position) -> None:
    """Raise a sharper error where the mistake is a known one."""
    offset = position.offset
    word = _WORD.match(text, offset)
    if not text[:offset].strip() and word and word[0].lower() in _LATER_STATEMENTS:
        raise ParseFailed(
            f"`{word[0].upper()}` is not supported yet", hint="use GRANT", position=position
        )
    if select := _SUBQUERY.search(text, 0, offset):
        raise ParseFailed(
            "a permission may not contain a subquery",
            hint="filter on the dataset's own columns",
            position=position_at(text, select.start(1)),
        )
    if text.startswith(("--", "/*"), offset):
        raise ParseFailed(
            "comments stand before or after a statement of the policy language, not within it",
            hint="use POLICYPROPERTIES('description'='...')",
            position=position,
        )
    if text[offset : offset + 1] in {"'", "`"}:
        quote = text[offset]
        if not re.compile(f"{quote}[^{quote}]*{quote}").match(text, offset):
            raise ParseFailed(
                "a quote is never closed", hint=f"close it with {quote}", position=position
            )


def _found(text: str, offset: int) -> str:
    rest = text[offset : offset + _SHOWN]
    if not rest:
        return "end of the statement"
    if word := _WORD.match(rest):
        return f"`{word[0]}`"
    character = rest[0]
    return f"`{character}`" if " " < character <= "~" else f"character U+{ord(character):04X}"


def _expected(names: Iterable[str]) -> str:
    wanted = set(names) - {"_REMARK"}
    said: list[str] = []
    if "AND" in wanted:
        wanted -= _ARITHMETIC
    for group, words in _GROUPS:
        if wanted >= group:
            wanted -= group
            said.append(words)
    if "IDENT" in wanted:
        wanted.discard("QUOTED")
    said += sorted(_WORDS.get(name, name) for name in wanted)
    if not said:
        return ""
    shown = said if len(said) <= _EXPECTED_SHOWN + 2 else [*said[:_EXPECTED_SHOWN], "..."]
    return "expected " + (", ".join(shown[:-1]) + " or " if len(shown) > 1 else "") + shown[-1]


def _keyword_near(word: re.Match[str] | None, names: Iterable[str]) -> str:
    if word is None:
        return ""
    return near(word[0][:_SHOWN].upper(), [name for name in names if name.isalpha()])
