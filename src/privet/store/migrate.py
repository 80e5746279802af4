"""Brings the database to the tables of this version. The migrations are part of the package."""

from __future__ import annotations

import threading

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, text

from privet.model.errors import StoreUnavailable
from privet.store.transactions import writing

_LOCK_KEY = 0x70726976  # "priv": any number that no other user of the database takes
# Alembic keeps its context in module globals: one migration at a time in a process.
_one_at_a_time = threading.Lock()


def migrate(engine: Engine) -> None:
    """Apply what is missing, in one transaction. Several processes may start at once.

    Raises:
        StoreUnavailable: the database did not answer, or is newer than this version of Privet.
    """
    config = Config()
    config.set_main_option("script_location", "privet.store:migrations")
    config.set_main_option("path_separator", "os")
    with _one_at_a_time, writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreUnavailable(
                "the database was made by another version of Privet",
                hint="start the newer version, or restore a backup of this one's database",
            ) from error
