"""Tables of databases as pieces: batch by batch, as their servers send them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial

import pyarrow as pa

from privet.connector import Databases, Narrowing, Reading
from privet.enforcement import EnforcedPlan
from privet.model.errors import InvalidRequest, NotFound, SchemaChanged, SourceUnavailable
from privet.model.sources import TablePlace
from privet.scan.files import RECRAWL, bound
from privet.scan.pieces import Piece


def table_pieces(
    plan: EnforcedPlan, databases: Databases, waiting: Callable[[], None]
) -> Iterator[Piece]:
    """The pieces of a table; only the columns that the plan reads, and the rows it cannot spare.

    Args:
        plan: what is read.
        databases: by their connections.
        waiting: called while the server is waited for; raises to end the scan.

    Raises:
        SchemaChanged: the table is gone, or a registered column is, or has another type.
        SourceInvalid: it holds what its types cannot say.
        SourceUnavailable: its server is away, refuses us or broke off.
    """
    place = TablePlace.of(plan.dataset.source)
    spared = plan.spared
    narrowing = spared.asked and Narrowing(spared.asked, exact=spared.exact, clear=spared.clear)
    reading = Reading(plan.reads, bound(plan), spared.policy, narrowing)
    with _without_names(), databases.read(place, reading, waiting) as batches:
        for batch in batches:
            yield Piece(batch.nbytes, partial(_whole, batch))


def _whole(batch: pa.RecordBatch) -> tuple[pa.RecordBatch]:
    return (batch,)


@contextmanager
def _without_names() -> Generator[None]:
    """A connector's errors without the host and table, which a reader may not know."""
    try:
        yield
    except NotFound as error:
        raise SchemaChanged("the table of this dataset is gone", hint=RECRAWL) from error
    except (InvalidRequest, SourceUnavailable) as error:
        raise SourceUnavailable(
            "the database of this dataset cannot be read: it is away, does not let us in, or broke "
            "off",
            hint="try again; a data steward can try its connection",
        ) from error
