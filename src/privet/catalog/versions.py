"""The version of the catalog, the one way to change what it covers, and caches keyed by it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar
from uuid import uuid4

from sqlalchemy import Connection, Engine, update

from privet.model.errors import StoreUnavailable
from privet.store import writing
from privet.store.tables import catalog_version

Clock = Callable[[], datetime]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Version(NamedTuple):
    """`number` grows with every change; `stamp` is different for every change ever made.

    Caches are keyed by both: after a restored backup the numbers come again with other content.
    """

    number: int
    stamp: str


@contextmanager
def changing(engine: Engine) -> Generator[Connection]:
    """A transaction that changes facts and, with them, the version.

    The version is written first. Its row serialises all changes, so what a change checks cannot
    become false before it commits.

    Raises:
        Conflict: a constraint refuses the change.
        StoreUnavailable: the database did not answer or could not be written.
    """
    with writing(engine) as connection:
        counted = connection.execute(
            update(catalog_version).values(version=catalog_version.c.version + 1, stamp=uuid4().hex)
        )
        if counted.rowcount != 1:
            raise StoreUnavailable("the catalog has lost its version", hint="restore a backup")
        yield connection


class Lru(Generic[K, V]):
    """The `size` values used last, for several threads. Values are never None."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value kept under a key."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: K, value: V) -> V:
        """Keep a value, and give it back."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self._size:
                self._values.popitem(last=False)
            return value
