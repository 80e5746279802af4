"""The files of a copy that was dropped."""

from __future__ import annotations

from privet.connector import CopyRoots
from privet.model.datasets import Dataset
from privet.model.errors import PrivetError, SourceUnavailable


def remove_files(roots: CopyRoots, dataset: Dataset) -> None:
    """Remove the files of a copy that was dropped, if they are its own.

    Raises:
        SourceUnavailable: they could not be removed.
    """
    if dataset.copy is None or not dataset.copy.managed:
        return
    try:
        roots.remove(dataset.source.uri)
    except PrivetError as error:
        raise SourceUnavailable(
            f"`{dataset.name}` is dropped, and its files could not be removed",
            hint="somebody who may write there has to remove them",
        ) from error
