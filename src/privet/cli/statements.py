"""`privet sql`: run a policy statement, or ask for rows."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privet.cli.exits import UsageMistake
from privet.cli.output import Json, escape, print_json, print_table, print_warnings
from privet.cli.scans import (
    Format,
    FormatOption,
    LimitOption,
    OutputOption,
    choose_format,
    print_rows,
    rows_to_show,
    sink,
)
from privet.cli.session import session
from privet.model.names import fold

if TYPE_CHECKING:
    from privet.client.rest import Rest

_PATH = "/v1/sql"
_NAMED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(sql)


def sql(  # noqa: PLR0917 - the options of the command
    context: typer.Context,
    statement: Annotated[
        str, typer.Argument(metavar="TEXT", help="One statement; - reads it from standard input.")
    ],
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            metavar="VALUE|name=VALUE",
            help="A value for ? or $1, or for $name; once for each. Numbers, true, false, null and"
            " [lists] are read as JSON, anything else is text; in double quotes, always text.",
        ),
    ] = None,
    database: Annotated[
        str, typer.Option(help="Where names without a database are looked for.")
    ] = "",
    form: FormatOption = None,
    limit: LimitOption = None,
    output: OutputOption = None,
    as_json: Json = False,
) -> None:
    """Run a query, or a policy statement: GRANT, REVOKE, CREATE, DROP, SHOW, DESCRIBE.

    A table shows the first rows of a query's answer, the other formats show all. What a policy
    statement answers is printed as a sentence or a table, or as JSON.
    """
    if as_json and form not in {None, Format.JSON}:
        raise UsageMistake(f"--json and --format {form} contradict each other")
    text = sys.stdin.read() if statement == "-" else statement
    context.meta["statement"] = text
    asked: dict[str, Any] = {"statement": text}
    if parameters:
        asked["parameters"] = read_parameters(parameters)
    if database:
        asked["database"] = fold(database, "database name")
    if limit is not None:
        asked["limit"] = limit
    form = Format.JSON if as_json else form
    chosen = choose_format(form, output, terminal=sys.stdout.isatty())
    with session(context).rest() as rest:
        if chosen is Format.TABLE:
            _show(rest, asked)
        elif form is None and output is None:
            _write(rest, asked, None, accept="text/csv")
        else:
            _write(rest, asked, output, format=chosen.value)


def read_parameters(given: Sequence[str]) -> list[Any] | dict[str, Any]:
    """The values of `--parameter`, by position or by name.

    Raises:
        UsageMistake: some have a name and some have none, or a name stands twice.
    """
    named = [_NAMED.fullmatch(text) for text in given]
    if not any(named):
        return [_value(text) for text in given]
    values = {found[1]: _value(found[2]) for found in named if found is not None}
    if len(values) != len(given):
        raise UsageMistake(
            "parameters have a name each, all different, or none has one",
            hint="a text with = in it is written in double quotes within the quotes of your shell",
        )
    return values


def _value(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, dict) else value


def _refuse(text: str) -> None:
    raise ValueError(text)


def _show(rest: Rest, asked: dict[str, Any]) -> None:
    from privet.client.languages import governs

    limit = asked.get("limit")
    if not governs(asked["statement"]):
        asked = {**asked, "limit": rows_to_show(limit)}
    # Not as JSON, whose objects cannot have two columns of one name, as joins do.
    with rest.ask(_PATH, asked, accept="text/csv") as answer:
        body = b"".join(answer.parts).decode()
    if answer.media_type == "application/json":
        _print_statement(json.loads(body))
        return
    # One field may be as long as the answer; the limit is the process's.
    usual = csv.field_size_limit(len(body) + 1)
    headers, *rows = csv.reader(io.StringIO(body, newline=""))
    csv.field_size_limit(usual)
    if headers == ["explain"]:
        print(*(escape(line) for row in rows for line in row[0].splitlines()), sep="\n")
    else:
        print_rows(headers, rows, limit)


def _write(rest: Rest, asked: object, output: Path | None, **how: str) -> None:
    """Write rows as they come; an object instead of them is what a policy statement answers."""
    with rest.ask(_PATH, asked, **how) as answer:
        first = next(answer.parts, b"")
        if answer.media_type != "application/json" or not first.startswith(b"{"):
            with sink(output) as written:
                for part in chain([first], answer.parts):
                    written.write(part)
            return
        told = json.loads(first + b"".join(answer.parts))
    if output is not None:
        with sink(output) as written:
            written.write(json.dumps(told, indent=2).encode() + b"\n")
    elif "format" in how:
        print_warnings(told.get("warnings") or ())
        print_json(told)
    else:
        _print_statement(told)


def _print_statement(told: Mapping[str, Any]) -> None:
    print_warnings(told.get("warnings") or ())
    if told.get("message"):
        print(escape(told["message"]))
    if told.get("columns") == ["statement"]:
        # To be carried out again: lines as they are, in no table.
        print(*(escape(line) for row in told["rows"] for line in row[0].split("\n")), sep="\n")
    elif told.get("columns"):
        print_table(told["columns"], told.get("rows") or ())
