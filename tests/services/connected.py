"""A platform that reads somebody's database: the reader's name and password are its secrets."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from query.platforms import Place, open_place
from services.postgres import DATABASE, PASSWORD, READER, SourceServer


def secrets_in(folder: Path, words: Mapping[str, str]) -> list[dict[str, object]]:
    """The setting of secrets by their names, for servers on loopback; each in a file of its own."""
    for name, word in words.items():
        (folder / name).write_text(word)
    return [{"name": n, "hosts": ["127.0.0.1"], "file": str(folder / n)} for n in words]


def properties_of(source: SourceServer, port: int = 0) -> str:
    """What a statement says of a connection to the database; of another port, if one is given."""
    return (
        f"'driver'='postgresql', 'host'='127.0.0.1', 'port'='{port or source.port}',"
        f" 'database'='{DATABASE}', 'user'='secret:user', 'password'='secret:word'"
    )


@contextmanager
def connected_place(folder: Path, source: SourceServer, connection: str) -> Generator[Place]:
    """A platform with its state in a folder, and a connection to the database."""
    secrets = secrets_in(folder, {"user": READER, "word": PASSWORD})
    with open_place(folder / "place", secrets=secrets) as place:
        place.services.statements.execute(
            place.admin.caller,
            f"CREATE DATACONNECTION {connection} CXNPROPERTIES({properties_of(source)})",
        )
        yield place
