"""Parse trees of what changes and drops datasets, and of what makes views, to their values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from privet.model.errors import ParseFailed
from privet.model.names import FieldPath
from privet.policy.language import definitions as d
from privet.policy.language.defining import read_columns, read_reading, read_view_columns
from privet.policy.language.expressions import read_name
from privet.policy.language.nodes import (
    at,
    branches,
    dataset,
    dataset_in,
    free_properties,
    has,
    name_in,
    part,
    query_text,
    required,
    tag_in,
    text_of,
    tokens,
)
from privet.policy.language.syntax import Branch, position_of
from privet.policy.language.types import field_name


def _drop_dataset(tree: Branch) -> d.DropDataset:
    if (cascade := part(tree, "cascade")) is not None:
        raise ParseFailed(
            "CASCADE drops what is in a database, and in a dataset there is nothing",
            hint="leave it out, and drop the views over it one by one",
            position=position_of(cascade) if cascade.children else at(tree, "dataset"),
        )
    return d.DropDataset(
        dataset_in(tree),
        has(tree, "if_exists"),
        has(tree, "with_permissions"),
        any(token.type == "VIEW" for token in tokens(tree)),
        at(tree, "dataset"),
    )


def _adds(tree: Branch) -> bool:
    return any(token.type == "ADD" for token in tokens(tree))


def _check_spread(tree: Branch) -> None:
    if has(tree, "not_to_views"):
        raise ParseFailed(
            "DO NOT CASCADE is not supported: a view has the tags of what its columns are made of",
            hint="leave it out, and take the tag off the column of the view: that is on record",
            position=at(tree, "tag"),
        )


def _tag_database(tree: Branch) -> d.TagDatabase:
    _check_spread(tree)
    return d.TagDatabase(
        name_in(tree, "database name"), tag_in(tree), _adds(tree), at(tree, "name")
    )


def _tag_dataset(tree: Branch) -> d.TagDataset:
    _check_spread(tree)
    field = part(tree, "field")
    path = _path(branches(field)) if field else ()
    return d.TagDataset(dataset_in(tree), tag_in(tree), _adds(tree), path, at(tree, "dataset"))


def _path(names: Sequence[Branch]) -> FieldPath:
    column, *inside = names
    return (read_name(column, "column name"), *(field_name(tokens(n)[0]).lower() for n in inside))


def _rename(tree: Branch) -> d.Rename:
    old, new = branches(tree)
    return d.Rename(dataset(old), dataset(new), position_of(old))


def _set_properties(tree: Branch) -> d.SetProperties:
    properties = free_properties(branches(required(tree, "table_properties")))
    return d.SetProperties(dataset_in(tree), properties, at(tree, "dataset"))


def _set_database_properties(tree: Branch) -> d.SetDatabaseProperties:
    properties = free_properties(branches(required(tree, "database_properties")))
    return d.SetDatabaseProperties(name_in(tree, "database name"), properties, at(tree, "name"))


def _load_definitions(tree: Branch) -> d.LoadDefinitions:
    _, *tables = [tokens(name)[0] for name in branches(tree)]
    # They are the database's own names, whose case counts where they are quoted.
    names = (t[1:-1] if t.type == "QUOTED" else t.lower() for t in tables)
    return d.LoadDefinitions(name_in(tree, "database name"), tuple(names), at(tree, "name"))


def _set_serde(tree: Branch) -> d.SetReading:
    if any(each.data == "property" for each in branches(tree)):
        delimiter, quote = read_reading(tree)
        return d.SetReading(dataset_in(tree), delimiter, quote, at(tree, "dataset"))
    raise ParseFailed(
        "SERDE is not supported: files are read as what they are",
        hint="drop the table, whose permissions stay, and create it with ROW FORMAT DELIMITED",
        position=at(tree, "dataset"),
    )


def _replace_columns(tree: Branch) -> d.ReplaceColumns:
    columns = read_columns(required(tree, "columns"))
    return d.ReplaceColumns(dataset_in(tree), columns, at(tree, "dataset"))


def _alter_partition(tree: Branch) -> d.AlterPartitions:
    return d.AlterPartitions(
        dataset_in(tree), "ADD" if _adds(tree) else "DROP", at(tree, "dataset")
    )


def _create_view(tree: Branch) -> d.CreateView:
    text, position = query_text(tokens(tree)[-1], "AS")
    if has(tree, "skip_analysis"):
        raise ParseFailed(
            "SKIP_ANALYSIS is not supported: a view that nobody has read shows nothing",
            hint="leave it out; the view is read now, and by every reader",
            position=at(tree, "dataset"),
        )
    columns, comments = part(tree, "view_columns"), [b for b in branches(tree) if _says(b)]
    if len(comments) > 1:
        raise ParseFailed("COMMENT is given twice", position=position_of(comments[1]))
    return d.CreateView(
        dataset_in(tree),
        text,
        position,
        has(tree, "if_not_exists"),
        read_view_columns(columns) if columns else (),
        text_of(comments[0]) if comments else "",
        at(tree, "dataset"),
    )


def _says(tree: Branch) -> bool:
    return tree.data == "comment"


def _alter_view(tree: Branch) -> d.AlterView:
    text, position = query_text(tokens(tree)[-1], "AS")
    return d.AlterView(dataset_in(tree), text, position, at(tree, "dataset"))


ALTERING: dict[str, Callable[[Branch], d.Definition]] = {
    "alter_database_tag": _tag_database,
    "set_database_properties": _set_database_properties,
    "load_definitions": _load_definitions,
    "drop_dataset": _drop_dataset,
    "alter_tag": _tag_dataset,
    "alter_column_tag": _tag_dataset,
    "autotag": lambda t: d.Autotag(
        dataset_in(t) if any(b.data == "dataset" for b in branches(t)) else None, at(t, "dataset")
    ),
    "rename": _rename,
    "set_properties": _set_properties,
    "set_location": lambda t: d.SetLocation(
        dataset_in(t), text_of(required(t, "location")), at(t, "dataset")
    ),
    "set_serde": _set_serde,
    "replace_columns": _replace_columns,
    "recover_partitions": lambda t: d.AlterPartitions(dataset_in(t), "RECOVER", at(t, "dataset")),
    "alter_partition": _alter_partition,
    "create_view": _create_view,
    "alter_view": _alter_view,
}
