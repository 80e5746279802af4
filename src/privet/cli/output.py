"""What commands print: JSON for programs, tables for people.

Names and comments come from files that anybody may have written, so tables never let a control
character through to the terminal. JSON escapes everything outside ASCII.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, cast

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]

_LATIN_END = 0x100
_BASIC_END = 0x10000
# Wide enough that nothing is cut when another program reads the table.
_UNLIMITED_COLUMNS = 4096


def escape(text: str) -> str:
    r"""Write what is not printable as `\xNN`, `\uNNNN` or `\UNNNNNNNN`."""
    return "".join(c if c.isprintable() else _escaped(ord(c)) for c in text)


def _escaped(code: int) -> str:
    if code < _LATIN_END:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _BASIC_END else f"\\U{code:08x}"


def cell(value: object) -> str:
    """A JSON value as a table cell."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(cell(v) for v in cast("list[object]", value))
        case dict():
            return escape(json.dumps(value))
        case _:
            return escape(str(value))


def print_json(value: object) -> None:
    """Print one JSON value."""
    print(json.dumps(value, indent=2))


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as a table that fits the terminal; elsewhere nothing is cut."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        table.add_column(Text(cell(header)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row))
    terminal = sys.stdout.isatty()
    Console(width=None if terminal else _UNLIMITED_COLUMNS, soft_wrap=not terminal).print(table)


def print_items(
    items: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, as_json: bool, none: str
) -> None:
    """Print a listing.

    Args:
        items: the objects, as the server gave them.
        columns: the headers of a table and the key under which each value stands.
        as_json: print the bare array instead.
        none: what to say when there is nothing to list.
    """
    if as_json:
        print_json(list(items))
    elif items:
        print_table(list(columns), ([item.get(k) for k in columns.values()] for item in items))
    else:
        print(none)


def print_done(answer: object, sentence: str, *, as_json: bool) -> None:
    """Print what a change did: the server's answer as JSON, or a sentence."""
    if as_json:
        print_json(answer if answer is not None else {})
    else:
        print(escape(sentence))


def print_warnings(warnings: Iterable[str]) -> None:
    """Print warnings on stderr, so that they never mix with what a program reads."""
    for warning in warnings:
        print(f"warning: {escape(warning)}", file=sys.stderr)
