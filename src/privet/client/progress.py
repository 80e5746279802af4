"""Counts rows while they arrive. Nobody knows the total: the filter runs while we read."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

Advance = Callable[[int], None]
_REFRESH_SECONDS = 0.2


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


@contextmanager
def counting(what: str, *, progress: bool | None) -> Generator[Advance]:
    """Give a function that counts further rows.

    Args:
        what: what is being read.
        progress: True shows the count, False does not, None does in notebooks and terminals.
    """
    if progress is None:
        progress = in_notebook() or sys.stderr.isatty()
    if not progress:
        yield lambda _: None
    elif in_notebook():
        yield from _notebook(what)
    else:
        yield from _terminal(what)


def _terminal(what: str) -> Generator[Advance]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    count = TextColumn("{task.completed:,.0f} rows")
    columns = (SpinnerColumn(), TextColumn(escape(what)), count, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda rows: bar.advance(task, rows)


def _notebook(what: str) -> Generator[Advance]:
    # IPython's own displays work in every front end; rich's need ipywidgets.
    display = importlib.import_module("IPython.display").display
    handle = display({"text/plain": what}, raw=True, display_id=True)
    started = shown = time.monotonic()
    total = 0

    def show() -> None:
        elapsed = time.monotonic() - started
        handle.update({"text/plain": f"{what}: {total:,} rows, {elapsed:.1f} s"}, raw=True)

    def advance(rows: int) -> None:
        nonlocal total, shown
        total += rows
        if time.monotonic() - shown >= _REFRESH_SECONDS:
            shown = time.monotonic()
            show()

    try:
        yield advance
    finally:
        show()
