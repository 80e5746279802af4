"""`privet tag export` and `privet tag import`: which tags are on what, as CSV."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from privet.cli.exits import NO_TERMINAL, UsageMistake
from privet.cli.output import Json, escape, print_json
from privet.cli.session import session
from privet.model.errors import InvalidRequest, PrivetError
from privet.model.names import DatasetName, TagName, parse_path, path_text

if TYPE_CHECKING:
    from privet.client.rest import Rest

HEADER = ("dataset", "field", "tag")
_NAMED = 20
Assigned = tuple[str, str, str]
"""A dataset, a field of it (empty: the dataset itself), and a tag on it."""


@dataclass(frozen=True, slots=True)
class There:
    """What a server has: tags, fields by dataset, and which tag is on which."""

    tags: frozenset[str]
    fields: Mapping[str, frozenset[str]]
    assigned: frozenset[Assigned]


def add_to(group: typer.Typer) -> None:
    """Add these commands to those about tags."""
    group.command("export")(export)
    group.command("import")(import_)


def export(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Where to; without it, print.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write which tags are on which datasets and fields, as CSV: dataset, field, tag.

    An empty field is the dataset itself. Tags of views that come from what they are made of are
    left out.
    """
    with session(context).rest() as rest:
        assigned = sorted(_fetch(rest).assigned)
    if as_json:
        print_json([dict(zip(HEADER, row, strict=True)) for row in assigned])
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(assigned)
    if file is None:
        print(text.getvalue(), end="")
    else:
        file.write_text(text.getvalue(), encoding="utf-8")
        print(f"wrote {len(assigned)} tags to {escape(str(file))}")


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV as `export` writes it.")],
    *,
    prune: Annotated[
        bool, typer.Option("--prune", help="Take other tags off the datasets that it names.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Put the tags of a CSV file on datasets and fields: show the changes, ask, and make them.

    Nothing is changed while a dataset, a field or a tag is unknown. Imported again, it has nothing
    to do.
    """
    wanted = read_csv(file)
    if not yes and not sys.stdin.isatty():
        raise UsageMistake(NO_TERMINAL, hint="import with --yes")
    with session(context).rest() as rest:
        there = _fetch(rest)
        check_known(wanted, there)
        changes = plan(wanted, there, prune=prune)
        if not as_json:
            print("\n".join(map(_line, changes)) or "nothing to do")
        if changes and not yes:
            typer.confirm(f"Make {len(changes)} changes?", abort=True, err=True)
        _apply(rest, changes, as_json=as_json)
    if as_json:
        done = [{"change": c, **dict(zip(HEADER, row, strict=True))} for c, row in changes]
        print_json({"changes": done})
    elif changes:
        print(f"made {len(changes)} changes")


def _apply(rest: Rest, changes: Sequence[tuple[str, Assigned]], *, as_json: bool) -> None:
    made = 0
    try:
        for change, (dataset, field, tag) in changes:
            name = DatasetName.parse(dataset)
            address = f"/v1/datasets/{name.database}/{name.name}/tags/{quote(tag, safe='')}"
            call = rest.put if change == "add" else rest.delete
            call(address, path=field or None)
            made += 1
    except PrivetError:
        if not as_json:
            print(f"made {made} of {len(changes)} changes, up to {_line(changes[made])}")
        raise


def read_csv(file: Path) -> frozenset[Assigned]:
    """The rows of a file, folded.

    Raises:
        InvalidRequest: it cannot be read, or is not what `export` writes; with the line.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"`{file.name[:64]}` cannot be read as text") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(cell.strip().lower() for cell in next(reader, [])) == HEADER:
            return frozenset(_assigned(row) for row in reader if row)
    except (csv.Error, InvalidRequest) as error:
        said = error.message if isinstance(error, InvalidRequest) else str(error)
        raise InvalidRequest(f"line {reader.line_num}: {said}") from error
    raise InvalidRequest(
        f"`{file.name[:64]}` does not begin with the line `{','.join(HEADER)}`",
        hint="`privet tag export` writes such a file",
    )


def _assigned(row: Sequence[str]) -> Assigned:
    if len(row) != len(HEADER):
        raise InvalidRequest(f"there are {len(row)} cells instead of {len(HEADER)}")
    dataset, field, tag = (cell.strip() for cell in row)
    path = path_text(parse_path(field)) if field else ""
    return str(DatasetName.parse(dataset)), path, str(TagName.parse(tag))


def check_known(wanted: Iterable[Assigned], there: There) -> None:
    """Refuse names that the server does not have.

    Raises:
        InvalidRequest: with what is unknown.
    """
    unknown: dict[str, None] = {}
    for dataset, field, tag in sorted(wanted):
        if dataset not in there.fields:
            unknown[f"dataset `{dataset}`"] = None
        elif field and field.partition(".")[0] not in there.fields[dataset]:
            unknown[f"column `{field.partition('.')[0]}` of `{dataset}`"] = None
        if tag not in there.tags:
            unknown[f"tag `{tag}`"] = None
    if unknown:
        named = ", ".join(list(unknown)[:_NAMED])
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        raise InvalidRequest(
            f"unknown: {named}{more}", hint="nothing was changed; mend the file and import it again"
        )


def plan(
    wanted: frozenset[Assigned], there: There, *, prune: bool
) -> tuple[tuple[str, Assigned], ...]:
    """What to `add` and what to `remove`, in order."""
    added = [("add", row) for row in sorted(wanted - there.assigned)]
    named = {dataset for dataset, _, _ in wanted}
    others = sorted(row for row in there.assigned - wanted if row[0] in named)
    return (*added, *(("remove", row) for row in others if prune))


def _line(change: tuple[str, Assigned]) -> str:
    kind, (dataset, field, tag) = change
    where = f"{dataset} {field}".rstrip()
    return escape(f"{'+' if kind == 'add' else '-'} {tag} on {where}")


def _fetch(rest: Rest) -> There:
    assigned: set[Assigned] = set()
    fields: dict[str, frozenset[str]] = {}
    for dataset in rest.items("/v1/datasets"):
        name, columns = dataset["name"], dataset["columns"]
        fields[name] = frozenset(column["name"] for column in columns)
        assigned.update((name, "", tag) for tag in dataset.get("tags") or ())
        for column in columns:
            assigned.update((name, *found) for found in _on(column))
    tags = frozenset(tag["tag"] for tag in rest.items("/v1/tags"))
    return There(tags, fields, frozenset(assigned))


def _on(column: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for tagged in column.get("tags") or ():
        # A reader who does not administer the dataset sees tags without where they come from.
        if isinstance(tagged, str):
            yield column["name"], tagged
        elif tagged["origin"] != "lineage":
            yield path_text(tagged["path"]), tagged["tag"]
