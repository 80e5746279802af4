"""The files of tables that begin without a row: one of Parquet, in the place for copies."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import pyarrow as pa

from privet.model.datasets import COPIED, Copy, Source
from privet.policy import definitions as d
from privet.scan import Parts, storable
from privet.service.platform import Platform


def without_files(wanted: d.CreateTable) -> d.CreateTable:
    """The same table, of which only the columns count: there are no folders and no text."""
    columns = (*wanted.columns, *wanted.partitions)
    return replace(wanted, columns=columns, partitions=(), format="", delimiter="")


@contextmanager
def empty_files(platform: Platform, wanted: d.CreateTable) -> Generator[str]:
    """A new folder with a file of these columns and no rows; gone again if the body fails.

    Raises:
        InvalidRequest: the server has no place for it, or a column cannot be stored.
        SourceUnavailable: it cannot be written.
    """
    folder = platform.copies.place(wanted.dataset)
    schema = storable(pa.schema([pa.field(c.name, c.type) for c in wanted.columns]))
    platform.copies.make(folder)
    with Parts.new(platform.copies, folder, schema) as parts:
        parts.write(())
        parts.publish()
        yield folder


def as_own(source: Source) -> Source:
    """The source of a table that nothing was copied into yet, and whose files are its own."""
    return replace(source, options={**source.options, COPIED: Copy({}, {}).to_option()})
