"""Columns as they are, for reports and maps that give no value of them away.

They are read by an enforced plan like all else, made for eyes that may see everything. Who may ask
for such work, and that they did, is decided and on record before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from privet.enforcement import enforce
from privet.model.datasets import Dataset, Format
from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName
from privet.model.principals import Principal
from privet.model.requests import ScanRequest
from privet.scan import GovernedStream, Progress
from privet.service.deciding import decide_by_name
from privet.service.platform import Platform
from privet.service.view_runs import start


def require_files(dataset: Dataset) -> None:
    """Refuse views: what they hold is in the tables that they read.

    Raises:
        InvalidRequest: it is one.
    """
    if dataset.source.format is Format.VIEW:
        raise InvalidRequest(
            f"`{dataset.name}` is a view", hint="ask about the tables that it reads"
        )


def read_columns(
    platform: Platform,
    asker: Principal,
    name: DatasetName,
    columns: tuple[str, ...],
    check: Callable[[], None],
) -> GovernedStream:
    """Start to read columns of a dataset as they are.

    Args:
        platform: of the server.
        asker: on whose order; they have the right to what is made of it.
        name: of the dataset.
        columns: some of its columns.
        check: called now and then; raises to end the stream.

    Raises:
        NotFound: no such dataset or column.
    """
    decided = decide_by_name(platform, replace(asker, admin=True), name)
    decided.decision.require()
    plan = enforce(decided.decision, ScanRequest(name, columns), platform.derive)
    return start(platform, decided, plan, _unheard, check=check)


def _unheard(_: Progress) -> None:
    """How it ended is on record with what it was read for."""
