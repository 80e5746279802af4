"""Who owns a source path. Paths are compared by whole parts: `s3://b/a` is not near `s3://b/ab`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from privet.model.names import DatasetName
from privet.store.tables import datasets


class PathOwners:
    """The datasets by the paths that they own."""

    def __init__(self, connection: Connection) -> None:
        self._at: dict[str, DatasetName] = {}
        self._below: dict[str, DatasetName] = {}
        wanted = select(datasets.c.uri, datasets.c.database, datasets.c.name)
        for uri, database, name in connection.execute(wanted.order_by(datasets.c.uri)):
            owner = DatasetName(database, name)
            key, *above = _upwards(uri)
            self._at[key] = owner
            for folder in above:
                self._below.setdefault(folder, owner)

    def find(self, uri: str) -> DatasetName | None:
        """A dataset whose path equals, contains or lies within this one."""
        key, *above = _upwards(uri)
        within = (self._at[folder] for folder in (key, *above) if folder in self._at)
        return next(within, None) or self._below.get(key)


def _upwards(uri: str) -> Iterator[str]:
    """The path, and every folder around it up to the scheme."""
    parts = uri.rstrip("/").split("/")
    return ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
