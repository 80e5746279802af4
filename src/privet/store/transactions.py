"""The two ways to use the store: a snapshot to read from, a transaction to write in."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from privet.model.errors import Conflict, StoreUnavailable
from privet.store.engine import MODE, SINGLE, WRITE


@contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """All statements see the database at one moment.

    Raises:
        StoreUnavailable: the database did not answer.
    """
    with _mapped(), engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def reading_once(engine: Engine) -> Generator[Connection]:
    """For a single statement: no transaction around it, so no round trips to begin and end one.

    Raises:
        StoreUnavailable: the database did not answer.
    """
    with _mapped(), engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="AUTOCOMMIT")
        yield connection.execution_options(**{MODE: SINGLE})


@contextmanager
def writing(engine: Engine) -> Generator[Connection]:
    """Commits, durably, when the block ends; an exception in the block undoes all of it.

    On SQLite there is one writer at a time. On PostgreSQL writers wait for each other's rows.

    Raises:
        Conflict: a constraint refuses the change.
        StoreUnavailable: the database did not answer, is locked, full or read-only.
    """
    with _mapped(), engine.connect() as connection:
        connection.execution_options(**{MODE: WRITE})
        with connection.begin():
            yield connection


@contextmanager
def _mapped() -> Generator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict(
            "the change contradicts what is stored", hint="read it again and repeat the change"
        ) from error
    except SQLAlchemyError as error:
        raise StoreUnavailable(
            "the store did not answer, or could not be written",
            hint="check that its database runs, has space left and was migrated",
        ) from error
