"""Writes docs/reference/cli.md from the commands: `python -m privet.cli.reference FILE`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from privet.cli.exits import MEANINGS
from privet.cli.main import app

_WIDTH = 96
_INTRODUCTION = """\
# The command line

<!-- Written by `python -m privet.cli.reference FILE` from the commands; edit those instead. -->

Every command but `serve` and `demo` talks to a server's REST door. Options of `privet` itself stand
before the command: `privet --url https://privet.example.com tag list`.

The variables `PRIVET_URL`, `PRIVET_TOKEN` and `PRIVET_CA` say the same; options go before them.
An address without TLS is refused unless it is this machine's own.

With `--json` a listing prints a bare JSON array of its items, anything else one JSON object, and
nothing else goes to standard output. Errors go to standard error: what is wrong, what to do next,
and the id of the audit event where there is one. Tables write control characters as `\\x1b`; data
written by `privet scan` is exact.

## Exit codes

"""


def render() -> str:
    """The reference as Markdown."""
    codes = [f"* `{code}`: {meaning}" for code, meaning in MEANINGS]
    root = get_command(app)
    sections = [f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in _helps(root, "privet")]
    return _INTRODUCTION + "\n".join(codes) + "\n" + "".join(sections)


def _helps(command: Any, name: str, parent: Any = None) -> Iterator[tuple[str, str]]:
    context = command.context_class(
        command,
        info_name=name if parent is None else command.name,
        parent=parent,
        terminal_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    lines = [line.rstrip() for line in command.get_help(context).splitlines()]
    yield name, "\n".join(lines)
    if isinstance(command, TyperGroup):
        for child in command.commands.values():
            yield from _helps(child, f"{name} {child.name}", context)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(), "utf-8")
