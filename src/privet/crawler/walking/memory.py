"""What a crawl remembers from the one before it, and what it opens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, Protocol

import pyarrow as pa

from privet.connector import Connector, Enter, ObjectInfo, OnError, everything
from privet.crawler.walking.survey import stop_if
from privet.model.crawling.crawls import ObjectChange, SeenObject
from privet.model.crawling.remembered import Remembered
from privet.model.datasets import Rule

_LOOKING = 1
"""Grows when what is found in the same files becomes something else."""


class Memory(Protocol):
    """What one crawl remembers. It may be lost at any moment; then more is looked into."""

    def note(self, seen: Sequence[SeenObject]) -> Mapping[str, ObjectChange]:
        """Note objects, and say how each differs from when it was last looked into."""
        ...

    def gone(self) -> Mapping[str, int]:
        """After a whole walk: how many objects were not there any more, by dataset."""
        ...

    def recall(self, dataset: str) -> Remembered | None:
        """What looking into a dataset came to."""
        ...

    def keep(self, dataset: str, remembered: Remembered, *, below: bool = False) -> None:
        """Remember that, and that nothing of the dataset is new or changed any more.

        With `below`, all that lies below its address is of it.
        """
        ...

    def drop(self, dataset: str) -> None:
        """Forget it: the dataset is to be looked into again."""
        ...

    def forget_missing(self) -> None:
        """After a whole walk: forget what is not there any more."""
        ...


class Forgetful:
    """Remembers nothing: everything is new."""

    def note(self, seen: Sequence[SeenObject]) -> Mapping[str, ObjectChange]:
        """All of it is new."""
        return {each.uri: ObjectChange.NEW for each in seen}

    def gone(self) -> Mapping[str, int]:
        """Nothing that it knew of."""
        return {}

    def recall(self, dataset: str) -> Remembered | None:
        """Nothing."""
        del dataset

    def keep(self, dataset: str, remembered: Remembered, *, below: bool = False) -> None:
        """Keep nothing."""

    def drop(self, dataset: str) -> None:
        """There is nothing to forget."""

    def forget_missing(self) -> None:
        """There is nothing to forget."""


def digest_of(rules: Sequence[Rule]) -> str:
    """Stands for all that the same files are looked into by."""
    told = [_LOOKING, version("privet"), [asdict(rule) for rule in rules]]
    return hashlib.sha256(json.dumps(told, default=_listed, sort_keys=True).encode()).hexdigest()


def _listed(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)


class Counting:
    """A connector that counts what it opens, and opens nothing more once the crawl is cancelled."""

    def __init__(self, connector: Connector, cancelled: Callable[[], bool]) -> None:
        self._connector = connector
        self._cancelled = cancelled
        self.opened = 0

    def canonical(self, uri: str) -> str:
        """See `Connector.canonical`."""
        return self._connector.canonical(uri)

    def walk(
        self, uri: str, *, on_error: OnError | None = None, enter: Enter = everything
    ) -> Iterator[ObjectInfo]:
        """See `Connector.walk`."""
        return self._connector.walk(uri, on_error=on_error, enter=enter)

    def open_file(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_file`."""
        self._count()
        return self._connector.open_file(uri)

    def open_stream(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_stream`."""
        self._count()
        return self._connector.open_stream(uri)

    def _count(self) -> None:
        stop_if(self._cancelled)
        self.opened += 1
