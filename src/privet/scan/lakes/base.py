"""What tables of every kind have in common: a version, a schema, and data files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import pyarrow as pa

from privet.connector import Connector, shown
from privet.enforcement import EnforcedPlan
from privet.model.errors import InvalidRequest, SourceInvalid
from privet.model.sources import FieldIds
from privet.scan.pieces import Piece

VERSION = "version"
"""The option of a source that is read as of one version, and not of the newest."""


class LakeTable(Protocol):
    """A table as of one version."""

    @property
    def schema(self) -> pa.Schema:
        """Of all columns, plain."""
        ...

    @property
    def field_ids(self) -> FieldIds | None:
        """The numbers by which columns are told apart; None where names are all there is."""
        ...

    @property
    def table_id(self) -> str | None:
        """What tells it from another table at its place; None where nothing does."""
        ...

    def pieces(self, names: Sequence[str], plan: EnforcedPlan | None) -> Iterator[Piece]:
        """The rows of its data files, with the columns of these names, in this order.

        Args:
            names: of columns.
            plan: what cannot hold rows that it shows may be left out; None for everything.
        """
        ...


def within(connector: Connector, root: str, uri: str) -> str:
    """The canonical address of a file that a table names.

    Raises:
        SourceInvalid: it lies outside the table's own address, or is a link.
    """
    try:
        found = connector.canonical(uri)
    except InvalidRequest as error:
        raise _outside() from error
    if not found.startswith(f"{root}/"):
        raise _outside()
    return found


def _outside() -> SourceInvalid:
    return SourceInvalid(
        "a table of this dataset names files that lie outside its address",
        hint="copy the table as a whole, with a writer of its own",
    )


def not_read(what: str, why: str) -> SourceInvalid:
    """A table that has what is not read."""
    return SourceInvalid(
        f"this dataset is a table of {what}, and has {shown(why)}, which is not read",
        hint="a data steward can have it written without that",
    )
