"""Tables of databases, by the connections of the catalog."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.types as pat

from privet.connector.databases.describing import describe, names, schemas
from privet.connector.databases.dialing import Endpoint, dial, options_of, session
from privet.connector.databases.reading import Reading
from privet.connector.databases.shapes import ServerColumn, TableShape
from privet.connector.databases.streaming import Statement
from privet.model.datasets import Column, plain_type
from privet.model.errors import InvalidRequest, SchemaChanged, SourceInvalid
from privet.model.sources import TablePlace

_LONGEST_SECONDS = 3600
_ASK_SECONDS = 30
_REGISTER = "a data steward can register the table anew and review what changed"


class Databases:
    """Opens what lies behind connections; everything it opens is opened for reading.

    Args:
        find: a connection by its name, with its secrets; raises what is wrong with it.
        ca: PEM file of the authorities that servers' certificates are checked against.
        seconds: after which a server ends a statement of ours.
        redirect: puts another database for the one of a connection; for servers that tests make.
    """

    def __init__(
        self,
        find: Callable[[str], Endpoint],
        *,
        ca: Path | None = None,
        seconds: int = _LONGEST_SECONDS,
        redirect: Callable[[Endpoint], Endpoint] = lambda endpoint: endpoint,
    ) -> None:
        self._find = find
        self._redirect = redirect
        self._ca = ca
        self._seconds = seconds

    def dial(self, connection: str) -> None:
        """Log in over a connection, and leave.

        Raises:
            As `describe`.
        """
        dial(self._redirect(self._find(connection)), self._ca)

    def dial_to(self, endpoint: Endpoint) -> None:
        """Log in where no connection of the catalog leads yet, and leave.

        Raises:
            As `describe`.
        """
        dial(self._redirect(endpoint), self._ca)

    def describe(self, place: TablePlace) -> TableShape:
        """The columns of a table.

        Raises:
            NotFound: there is no such connection or table.
            InvalidRequest: the connection's driver or secrets are none of this server, or it is to
                another database.
            SourceInvalid: the database cannot be read.
            SourceUnavailable: it is away, or does not let us in.
        """
        with session(self._at(place), self._ca, _ASK_SECONDS) as opened:
            return describe(opened, place)

    def names(self, connection: str, database: str, schema: str) -> tuple[str, ...]:
        """The tables of a schema that may be read.

        Raises:
            As `describe`.
        """
        with session(self._to(connection, database), self._ca, _ASK_SECONDS) as opened:
            return names(opened, schema)

    def schemas(self, connection: str, database: str) -> tuple[str, ...]:
        """The schemas of a database that may be used.

        Raises:
            As `describe`.
        """
        with session(self._to(connection, database), self._ca, _ASK_SECONDS) as opened:
            return schemas(opened)

    @contextmanager
    def read(
        self, place: TablePlace, reading: Reading, waiting: Callable[[], None]
    ) -> Generator[Generator[pa.RecordBatch]]:
        """Batches of a table, under the columns' catalog names; the statement ends with the body.

        Args:
            place: of the table.
            reading: what of it.
            waiting: called while the server is waited for; raises to end the reading.

        Raises:
            As `describe`; SchemaChanged: the table is gone, or a column has another type.
        """
        endpoint = self._at(place)
        with session(endpoint, self._ca, _ASK_SECONDS) as opened:
            shape = describe(opened, place)
        # After that it is sure that the driver is installed.
        from psycopg.conninfo import make_conninfo

        from privet.connector.databases.selecting import Selected, asked, select

        for column in reading.bound:
            _there(shape, column)
        selected = tuple(Selected(c, _there(shape, c)) for c in reading.columns)
        text = select(place, selected, asked(reading, shape, selected), reading.limit)
        conninfo = make_conninfo(**options_of(endpoint, self._ca, self._seconds))
        with closing(Statement(conninfo, text, waiting).batches()) as batches:
            yield _finished(batches, reading.columns)

    def _at(self, place: TablePlace) -> Endpoint:
        return self._to(place.connection, place.database)

    def _to(self, connection: str, database: str) -> Endpoint:
        found = self._find(connection)
        check_database(connection, found.database, database)
        redirected = self._redirect(found)
        return replace(redirected, database=database or redirected.database)


def check_database(connection: str, own: str, wanted: str) -> None:
    """Refuse a database that is not the one of a connection; one without leads to every one.

    Raises:
        InvalidRequest: it is another.
    """
    if own and wanted and wanted != own:
        raise InvalidRequest(
            f"connection `{connection}` is to database `{own}`", hint="define another connection"
        )


def _there(shape: TableShape, column: Column) -> ServerColumn:
    found = shape.find(column.source_name)
    if found is None or not found.reads_as(column.type):
        raise SchemaChanged(
            "the table of this dataset no longer has all its registered columns and types",
            hint=_REGISTER,
        )
    return found


def _finished(
    batches: Generator[pa.RecordBatch], columns: Sequence[Column]
) -> Generator[pa.RecordBatch]:
    """Batches without the guard, each column of the catalog's type."""
    names = [c.name for c in columns]
    for batch in batches:
        *arrays, whole = batch.columns
        if whole.false_count:
            raise SourceInvalid(
                "a row of this dataset holds what its types cannot say: an infinite moment, a "
                "number that is none, or an array of arrays",
                hint="a data steward can declare the column as string",
            )
        if not columns:
            yield batch.select([])
            continue
        plain = [_plain(a, plain_type(c.type)) for a, c in zip(arrays, columns, strict=True)]
        yield pa.RecordBatch.from_arrays(plain, names=names)


def _plain(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if array.type == kind:
        return array
    try:
        # By way of plain lists: the fields of the server's own carry what it calls them.
        return array.cast(kind)
    except pa.ArrowException as error:
        if pat.is_list(kind):
            raise SchemaChanged(
                "the table of this dataset no longer has its registered types", hint=_REGISTER
            ) from error
        # The library's words hold the value.
        raise SourceInvalid(
            "a number of this dataset does not fit the type it was registered with",
            hint="a data steward can declare the column as string",
        ) from None
