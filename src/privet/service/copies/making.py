"""What a copy takes along of what it is made of: tags, reviews, and whose safeguards bind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from privet.catalog import tags_of_parts
from privet.model.datasets import Column, Copy, Dataset
from privet.model.decisions import Decision, Verdict
from privet.model.names import DatasetName, fold
from privet.query import Traced
from privet.service.deciding import Decided

Plain = Mapping[str, str]


def copy_of(traced: Traced, decided: Mapping[DatasetName, Decided], *, managed: bool) -> Copy:
    """What the answer of a statement is made of, to be remembered with it.

    Args:
        traced: where its columns come from.
        decided: about every dataset that it names, for whoever asks.
        managed: whether the files will be the copy's own.
    """
    bases = {name: d.decision.dataset for name, d in decided.items()}
    origins: dict[DatasetName, Plain] = {}
    for name, each in decided.items():
        origins[name] = _unchanged(traced, each.decision)
        for behind in each.behind():
            origins.setdefault(behind.name, {})
    for plain, dataset in _copies(origins, decided):
        made = dataset.copy
        for name, columns in made.origins.items() if made else ():
            # Seen from the new copy: what is unchanged in both.
            origins.setdefault(name, {c: plain[n] for c, n in columns.items() if n in plain})
    tags = {name: tags_of_parts(parts, bases) for name, parts in traced.rests.items()}
    return Copy(origins, tags, managed)


def _copies(
    origins: Mapping[DatasetName, Plain], decided: Mapping[DatasetName, Decided]
) -> list[tuple[Plain, Dataset]]:
    """The copies among what is read, also behind views."""
    decisions = [d for each in decided.values() for d in (each.decision, *each.behind())]
    datasets = (d.dataset for d in decisions)
    return [(origins[d.name], d) for d in datasets if d is not None and d.copy is not None]


def _unchanged(traced: Traced, decision: Decision) -> Plain:
    """As what columns of a dataset stand in the answer, cell for cell as they are in its files.

    What whoever copied saw otherwise, masked for example, is another column in the copy: a filter
    of a safeguard would be asked about the mask.
    """
    if traced.plain is None:
        return {}
    clear = {c.column.name for c in decision.columns if c.verdict is Verdict.CLEAR}
    named = zip(traced.plain, traced.schema.names, strict=True)
    return {base: fold(name, "column name") for base, name in named if base in clear}


def columns_of(
    traced: Traced, stored: pa.Schema, decided: Mapping[DatasetName, Decided]
) -> tuple[Column, ...]:
    """The columns of a new copy. One is reviewed if all that it is made of is."""
    return tuple(
        Column(
            fold(kept.name, "column name"),
            kept.type,
            kept.name,
            reviewed=is_reviewed(traced, kept.name, decided),
        )
        for kept in stored
    )


def is_reviewed(traced: Traced, column: str, decided: Mapping[DatasetName, Decided]) -> bool:
    """Whether stewards have seen all that a column of an answer is made of."""
    unseen = {
        (name, c.name)
        for name, each in decided.items()
        for c in (each.decision.dataset.columns if each.decision.dataset else ())
        if not c.reviewed
    }
    return not traced.rests[column] & unseen


def by_position(copy: Copy, names: tuple[str, ...], into: Dataset) -> Copy:
    """What is added to a table, in the words of that table.

    Args:
        copy: what an answer is made of.
        names: its columns, in order.
        into: the table, whose columns they become one by one.
    """
    there = dict(zip(map(str.lower, names), into.columns, strict=True))
    origins = {
        name: {base: there[column].name for base, column in plain.items()}
        for name, plain in copy.origins.items()
    }
    tags = {there[name.lower()].source_name: of for name, of in copy.tags.items()}
    return replace(copy, origins=origins, tags=tags)
