"""`privet dataset`: registered datasets, their columns and tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from privet.cli.output import Json, cell, print_done, print_json, print_table
from privet.cli.session import session
from privet.model.names import DatasetName, TagName, fold

Name = Annotated[str, typer.Argument(metavar="DATASET", help="As database.dataset.")]
Tag = Annotated[str, typer.Argument(metavar="TAG", help="As namespace.key.")]
OnColumn = Annotated[
    str, typer.Option("--column", help="The column; without it, the dataset itself.")
]
group = typer.Typer(help="Registered datasets.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="dataset")


def path_of(dataset: str) -> str:
    """The path of a dataset at the REST door."""
    name = DatasetName.parse(dataset)
    return f"/v1/datasets/{name.database}/{name.name}"


@group.command()
def show(context: typer.Context, dataset: Name, as_json: Json = False) -> None:
    """Show a dataset's columns, types and tags, as far as you may see them."""
    with session(context).rest() as rest:
        found = rest.get(path_of(dataset))
    if as_json:
        print_json(found)
    else:
        print_columns(found)
        print_drift(dataset, found.get("drift") or ())


@group.command()
def lineage(context: typer.Context, dataset: Name, as_json: Json = False) -> None:
    """Show what a dataset is made of, and the views that are made of it."""
    with session(context).rest() as rest:
        found = rest.get(f"{path_of(dataset)}/lineage")
    if as_json:
        print_json(found)
        return
    said = (("parents", "made of"), ("base_tables", "tables below"), ("children", "made of it"))
    rows = [[words, name] for key, words in said for name in found[key]]
    print_table(["", "dataset"], rows)


def print_drift(dataset: str, drift: Iterable[Mapping[str, Any]]) -> None:
    """Print where a source is no longer what was reviewed."""
    lines = [f"  {_drifted(d)}" for d in drift]
    if lines:
        print("drifted since it was reviewed:")
        print("\n".join(lines))
        print(f"accept it as it is now with `privet dataset review {cell(dataset)}`")


def _drifted(drift: Mapping[str, Any]) -> str:
    column, was, now = (cell(drift.get(part)) for part in ("column", "was", "now"))
    match drift.get("kind"):
        case "added":
            return f"column {column} ({now}) is new, and hidden until it is reviewed"
        case "nested":
            return f"column {column} has new fields, left out until they are reviewed: {now}"
        case "missing":
            return f"column {column} is missing: scans end with an error"
        case "retyped":
            return f"column {column} was {was} and is {now}: scans end with an error"
        case "replaced":
            return f"column {column} is another one at the source now: scans end with an error"
        case _:
            return f"the files had {was} and have {now}: scans may end with an error"


def print_columns(found: Mapping[str, Any]) -> None:
    """Print the columns of a dataset as a table."""
    print(cell(found.get("name")))
    rows = [(c.get("name"), c.get("type"), _tags(c), _notes(c)) for c in found.get("columns", [])]
    print_table(("COLUMN", "TYPE", "TAGS", "NOTE"), rows)


def _tags(column: Mapping[str, Any]) -> list[object]:
    return [t.get("tag") if isinstance(t, dict) else t for t in column.get("tags") or []]


def _notes(column: Mapping[str, Any]) -> list[object]:
    unreviewed = ["not reviewed: hidden"] if column.get("reviewed") is False else []
    return [*(n for n in (column.get("verdict"), column.get("comment")) if n), *unreviewed]


@group.command()
def drop(context: typer.Context, dataset: Name, as_json: Json = False) -> None:
    """Forget a dataset. Its files and the permissions on its name stay."""
    with session(context).rest() as rest:
        answer = rest.delete(path_of(dataset))
    print_done(answer, f"dropped dataset {DatasetName.parse(dataset)}", as_json=as_json)


@group.command()
def tag(
    context: typer.Context, dataset: Name, tag: Tag, column: OnColumn = "", as_json: Json = False
) -> None:
    """Put a tag on a column or on the dataset."""
    with session(context).rest() as rest:
        answer = rest.put(_tag_path(dataset, tag), path=_column(column))
    print_done(answer, f"tagged {dataset} {column}".rstrip(), as_json=as_json)


@group.command()
def untag(
    context: typer.Context, dataset: Name, tag: Tag, column: OnColumn = "", as_json: Json = False
) -> None:
    """Take a tag off a column or off the dataset."""
    with session(context).rest() as rest:
        answer = rest.delete(_tag_path(dataset, tag), path=_column(column))
    print_done(answer, f"untagged {dataset} {column}".rstrip(), as_json=as_json)


def _tag_path(dataset: str, tag: str) -> str:
    return f"{path_of(dataset)}/tags/{TagName.parse(tag)}"


def _column(column: str) -> str | None:
    return ".".join(fold(part, "column name") for part in column.split(".")) if column else None


@group.command()
def review(context: typer.Context, dataset: Name, as_json: Json = False) -> None:
    """Accept a dataset as it is at its source: new columns, other types, missing columns."""
    with session(context).rest() as rest:
        seen = rest.get(path_of(dataset))
        if not as_json:
            print_drift(dataset, seen.get("drift") or ())
        # What came after that was not shown, so it is not accepted.
        answer = rest.post(f"{path_of(dataset)}/review", revision=seen.get("revision"))
    print_done(answer, f"reviewed the columns of {dataset}", as_json=as_json)
