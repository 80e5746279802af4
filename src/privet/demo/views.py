"""How the demo prints: headings, tables, frames side by side; plain text when not a terminal."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Sequence

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 120
_GAP = "    "
# Where there is no room for a frame's columns, those that come last here go first.
_MATTERS = (
    *("id", "mrn", "phone", "opted_out", "charges", "age"),
    *("smoker", "bmi", "region", "sex", "children"),
)
_AT_LEAST = 4


def open_console() -> Console:
    """A console on standard output, as wide as the terminal or `WIDTH` when there is none."""
    width = None if sys.stdout.isatty() else WIDTH
    return Console(width=width, highlight=False, emoji=False, markup=False)


def print_block(console: Console, text: str, *, indent: str = "    ", mark: str = "") -> None:
    """Print text indented, its long lines broken between words.

    Args:
        console: where to.
        text: one or more lines.
        indent: before every line.
        mark: instead of the first indent, and as wide; stands out on a terminal.
    """
    before = mark or indent
    width = console.width - len(indent)
    for line in text.splitlines():
        for part in textwrap.wrap(line, width, break_on_hyphens=False) or [""]:
            console.print(Text.assemble((before, "bold green"), part), soft_wrap=True)
            before = indent


def print_table(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their headers. Columns whose header ends in `#` hold numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in columns:
        numeric = column.endswith("#")
        table.add_column(
            column.removesuffix("#"), justify="right" if numeric else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def print_frames(console: Console, frames: Sequence[tuple[str, pd.DataFrame]]) -> None:
    """Print frames as pandas shows them, side by side where the columns that matter most fit.

    Otherwise they are stacked. Columns without room are left out, with an ellipsis in the first
    place. Rows of patients who opted out stand out on a terminal.
    """
    least = [_width(frame, _MATTERS[:_AT_LEAST]) for _, frame in frames]
    room = console.width - len(_GAP) * (len(frames) - 1)
    if sum(least) > room:
        for title, frame in frames:
            _print_lines(console, [_lines(title, frame, console.width)])
        return
    spare = (room - sum(least)) // len(frames)
    blocks: list[list[Text]] = []
    for (title, frame), width in zip(frames, least, strict=True):
        blocks.append(_lines(title, frame, width + spare))
    _print_lines(console, blocks)


def _print_lines(console: Console, blocks: Sequence[Sequence[Text]]) -> None:
    widths = [max(line.cell_len for line in block) for block in blocks]
    for lines in zip(*blocks, strict=True):
        whole = Text()
        for line, width in zip(lines, widths, strict=True):
            line.pad_right(width - line.cell_len + len(_GAP))
            whole.append_text(line)
        whole.rstrip()
        console.print(whole, no_wrap=True, crop=True)
    console.print()


def _lines(title: str, frame: pd.DataFrame, width: int) -> list[Text]:
    """A title, the header and the rows, no wider than `width` where that is possible."""
    header, *rows = _render(frame, _fit(frame, width)).splitlines()
    left = list(frame["opted_out"] == 1)
    styled = [Text(row, "bold yellow" if out else "") for row, out in zip(rows, left, strict=True)]
    return [Text(title, "bold"), Text(header, "dim"), *styled]


def _fit(frame: pd.DataFrame, width: int) -> list[str]:
    """The columns that fit into `width`, chosen by how much they matter, in the frame's order."""
    every = [str(name) for name in frame.columns]
    if _width(frame, every) <= width:
        return every
    shown: list[str] = []
    for name in sorted(every, key=_MATTERS.index):
        if _width(frame, [*shown, name]) <= width:
            shown.append(name)
    return [name for name in every if name in shown]


def _width(frame: pd.DataFrame, names: Sequence[str]) -> int:
    present = [str(name) for name in frame.columns if name in names]
    return max(map(len, _render(frame, present).splitlines()))


def _render(frame: pd.DataFrame, names: Sequence[str]) -> str:
    shown = frame[list(names)]
    missing = [place for place, name in enumerate(frame.columns) if name not in names]
    if missing:
        shown.insert(missing[0], "…", "…")
    return shown.to_string()
