"""`privet what-if` and `who-can-see`: what a permission would do, and who sees a column."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from privet.cli.datasets import path_of
from privet.cli.exits import FAILED, UsageMistake, print_problem
from privet.cli.output import Json, cell, escape, print_json, print_table, print_warnings
from privet.cli.session import session
from privet.model.names import fold

_NAMED = 8
_SIGNS = {"gains": "+", "loses": "-", "other": "~"}


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("what-if")(what_if)
    app.command("who-can-see")(who_can_see)


def what_if(
    context: typer.Context,
    statements: Annotated[
        list[str],
        typer.Argument(
            metavar="STATEMENT...", help="Carried out in this turn; - reads one from stdin."
        ),
    ],
    count: Annotated[bool, typer.Option(help="Count the rows gained and lost.")] = True,
    as_json: Json = False,
) -> None:
    """Show who would see more and who less by a GRANT, REVOKE, DENY or RESTRICT; nothing is stored.

    For everybody who was seen, with the groups they had then, and for a holder of each role alone.
    The exit code is 1 if a statement would be refused.
    """
    texts = [sys.stdin.read() if text == "-" else text for text in statements]
    with session(context).rest() as rest:
        answer = rest.post("/v1/permissions/what-if", {"statements": texts, "count": count})
    if as_json:
        print_json(answer)
    else:
        print_outlook(answer, counted=count)
    if any(statement["problem"] for statement in answer["statements"]):
        raise typer.Exit(FAILED)


def print_outlook(answer: Mapping[str, Any], *, counted: bool = True) -> None:
    """Print what statements would do: each in English, then a table for each change."""
    for statement in answer["statements"]:
        if statement["english"]:
            removes = "No longer: " if statement["removes"] else ""
            print(escape(f"{removes}{statement['english']}"))
        print_warnings(statement["warnings"])
        if statement["problem"]:
            print_problem(statement["problem"], statement["text"], "it would be refused")
    for change in _alike(answer["changes"]):
        print()
        print(f"{_some(change['datasets'])}, for {subjects_text(change['subjects'])}")
        print(f"rows: {_rows_change(change['rows'], counted=counted)}")
        rows = [
            (_SIGNS[c["direction"]], c["name"], c["before"]["how"], c["after"]["how"])
            for c in change["columns"]
        ]
        if rows:
            print_table(("", "COLUMN", "BEFORE", "AFTER"), rows)
    if not answer["changes"] and not any(s["problem"] for s in answer["statements"]):
        print("nobody would see more or less")
    elif answer["changes"] and answer["unchanged"]:
        print(f"\nall others see what they saw ({answer['unchanged']} users and roles)")
    _print_unfinished(answer)


def _alike(changes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Datasets that change in the same way for the same people, together; counts are added up."""
    found: dict[str, dict[str, Any]] = {}
    for change in changes:
        rows = {when: {**rows, "count": None} for when, rows in change["rows"].items()}
        key = json.dumps([change["subjects"], change["columns"], rows])
        group = found.setdefault(
            key, {**change, "datasets": [], "rows": {w: dict(r) for w, r in rows.items()}}
        )
        for when, counted in change["rows"].items():
            total = group["rows"][when]["count"] if group["datasets"] else 0
            known = total is not None and counted["count"] is not None
            group["rows"][when]["count"] = total + counted["count"] if known else None
        group["datasets"].append(cell(change["dataset"]))
    return list(found.values())


def subjects_text(subjects: Sequence[Mapping[str, Any]]) -> str:
    """Who it is about: users by name, then roles."""
    users = [escape(s["user"]) for s in subjects if "user" in s]
    roles = [escape(s["role"]) for s in subjects if "role" in s]
    parts = [_some(users)] if users else []
    if roles:
        parts.append(f"anyone whose only role is {_some(roles)}")
    return " and ".join(parts)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    more = len(names) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _rows_change(rows: Mapping[str, Any], *, counted: bool) -> str:
    before, after = rows["before"], rows["after"]
    was, will = rows_text(before), rows_text(after)
    text = was if was == will else f"{was} -> {will}"
    if not counted:
        return text
    if before["count"] is None or after["count"] is None:
        return f"{text} (not counted)"
    gained = after["count"] - before["count"]
    return f"{text} ({before['count']:,} -> {after['count']:,}, {gained:+,})"


def rows_text(rows: Mapping[str, Any]) -> str:
    """Which rows are shown, and what is left of the datasets behind a view."""
    own = _part_text(rows)
    behind = (f"of {cell(each['dataset'])} {_part_text(each)}" for each in rows["behind"])
    return "; ".join((own, *behind))


def _part_text(rows: Mapping[str, Any]) -> str:
    return f"where {escape(rows['english'])}" if rows["english"] else cell(rows["shown"])


def who_can_see(
    context: typer.Context,
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="As database.dataset.column.")],
    as_json: Json = False,
) -> None:
    """Show who sees a column, how, and by which permissions.

    Of everybody who was seen, with the groups they had then, and of a holder of each role alone.
    """
    dataset, _, name = column.rpartition(".")
    if dataset.count(".") != 1:
        raise UsageMistake(f"`{column[:64]}` is no column", hint="write database.dataset.column")
    path = f"{path_of(dataset)}/columns/{fold(name, 'column name')}/readers"
    with session(context).rest() as rest:
        answer = rest.get(path)
    if as_json:
        print_json(answer)
    else:
        print_readers(answer)


def print_readers(answer: Mapping[str, Any]) -> None:
    """Print who sees a column, then the permissions that decide it."""
    tags = f" [{cell(answer['tags'])}]" if answer["tags"] else ""
    print(f"{cell(answer['dataset'])}.{cell(answer['column'])} {cell(answer['type'])}{tags}")
    numbers: dict[str, int] = {}
    sentences: list[str] = []
    rows: list[tuple[str, ...]] = []
    for reader in answer["readers"]:
        for permission in reader["permissions"]:
            if permission["id"] not in numbers:
                numbers[permission["id"]] = len(numbers) + 1
                sentences.append(permission["english"])
        by = ", ".join(str(numbers[p["id"]]) for p in reader["permissions"])
        who = subjects_text(reader["subjects"])
        rows.append(
            (who, reader["how"], rows_text(reader["rows"]), "admin" if reader["bypass"] else by)
        )
    if rows:
        print_table(("WHO", "SEES IT", "ROWS", "BY"), rows)
    else:
        print("nobody sees it")
    for number, sentence in enumerate(sentences, start=1):
        print(f"{number}: {escape(sentence)}")
    if answer["hidden"]:
        print(f"hidden from {subjects_text(answer['hidden'])}")
    for view in answer["through"]:
        print("\nthrough a view that is made of it:")
        print_readers(view)
    _print_unfinished(answer)


def _print_unfinished(answer: Mapping[str, Any]) -> None:
    if answer["unknown"]:
        print_warnings([f"not enough is known about {_some(answer['unknown'])}"])
    if not answer["complete"]:
        print_warnings(["the time did not last for everybody: this is not complete"])
