"""`privet scan`: read what you may see of a dataset, into a file, a pipe or a table."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from privet.cli.datasets import Name as DatasetArgument
from privet.cli.datasets import path_of
from privet.cli.exits import UsageMistake
from privet.cli.output import print_table
from privet.cli.session import session
from privet.cli.users import split_names

if TYPE_CHECKING:
    from privet.client.rest import Rest

PREVIEW_ROWS = 50


class Format(StrEnum):
    """How the rows are written."""

    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"
    ARROW = "arrow"
    PARQUET = "parquet"
    TABLE = "table"


_BINARY = frozenset({Format.ARROW, Format.PARQUET})

FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format", help="By default table on a terminal, csv into a file or another program."
    ),
]
LimitOption = Annotated[int | None, typer.Option(min=0, help="At most that many rows.")]
OutputOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", dir_okay=False, help="Write to this file, all or nothing."),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(scan)


def scan(
    context: typer.Context,
    dataset: DatasetArgument,
    form: FormatOption = None,
    limit: LimitOption = None,
    columns: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    output: OutputOption = None,
) -> None:
    """Read what you may see of a dataset. A table shows the first rows, the others show all."""
    chosen = choose_format(form, output, terminal=sys.stdout.isatty())
    path = f"{path_of(dataset)}/scan"
    query = {"columns": ",".join(split_names(columns)) or None, "limit": limit}
    with session(context).rest() as rest:
        if chosen is Format.TABLE:
            _show(rest, path, query)
        else:
            _copy(rest, path, {**query, "format": chosen.value}, output)


def choose_format(form: Format | None, output: Path | None, *, terminal: bool) -> Format:
    """The format to write: the one asked for, or what fits the place it goes to.

    Raises:
        UsageMistake: the format does not fit the place.
    """
    to_people = terminal and output is None
    if form is None:
        return Format.TABLE if to_people else Format.CSV
    if form in _BINARY and to_people:
        raise UsageMistake(f"{form} is not for terminals", hint="write it to a file with -o FILE")
    if form is Format.TABLE and output is not None:
        raise UsageMistake("a table is for reading, not for files", hint="use --format csv")
    return form


def _show(rest: Rest, path: str, query: dict[str, Any]) -> None:
    asked = {**query, "format": "json", "limit": rows_to_show(query["limit"])}
    with rest.download(path, **asked) as parts:
        rows = json.loads(b"".join(parts))
    print_rows(list(rows[0]) if rows else [], [list(row.values()) for row in rows], query["limit"])


def rows_to_show(limit: int | None) -> int:
    """How many rows to ask for: one more than is shown, to know whether there are more."""
    return PREVIEW_ROWS + 1 if limit is None else limit


def print_rows(headers: Sequence[str], rows: Sequence[Sequence[object]], limit: int | None) -> None:
    """Print rows as a table; without a limit the first of them, and whether there are more."""
    shown = rows if limit is not None else rows[:PREVIEW_ROWS]
    if shown:
        print_table(headers, shown)
    else:
        print("no rows")
    if len(shown) < len(rows):
        print(f"the first {PREVIEW_ROWS} rows; more with --limit N", file=sys.stderr)


def _copy(rest: Rest, path: str, query: dict[str, Any], output: Path | None) -> None:
    with rest.download(path, **query) as parts, sink(output) as written:
        for part in parts:
            written.write(part)


@contextmanager
def sink(output: Path | None) -> Generator[BinaryIO]:
    """Standard output, or a file that is there once everything is in it.

    Raises:
        UsageMistake: it cannot be written.
    """
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    # A scan that breaks must not leave half a file under the name that was asked for.
    scratch = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with scratch.open("xb") as file:
            yield file
        scratch.replace(output)
    except OSError as error:
        raise UsageMistake(f"`{output}` cannot be written: {error.strerror}") from error
    finally:
        scratch.unlink(missing_ok=True)
