"""What a catalog of tables is asked, and how far it is believed.

A catalog gives names and addresses of metadata, and nothing else is taken from it: no credentials,
no schema, no address outside the place that its connection names.
"""

from __future__ import annotations

from dataclasses import dataclass

from privet.connector.databases import Endpoint
from privet.model.errors import SourceInvalid, SourceUnavailable

REST = "iceberg_rest"
SQL = "iceberg_sql"
SQLITE = "iceberg_sqlite"
CATALOG_DRIVERS = frozenset({REST, SQL, SQLITE})
"""Drivers of connections that lead to catalogs of Iceberg, and to no tables of their own."""

SECONDS = 20
"""The longest time that one question may take, all in all."""
MOST_TABLES = 10_000
"""Tables of one catalog that are listed."""
LONGEST_NAME = 512
"""Characters of the name of a table, or of all of its namespace."""
LONGEST_ADDRESS = 4096


@dataclass(frozen=True, slots=True)
class CatalogName:
    """A table as a catalog calls it."""

    namespace: tuple[str, ...]
    table: str

    @property
    def dotted(self) -> str:
        """The namespace as SQL catalogs keep it."""
        return ".".join(self.namespace)


@dataclass(frozen=True, slots=True)
class CatalogEndpoint:
    """A catalog, and who asks it.

    Attributes:
        server: where it is; of SQLite its `database` is the file.
        location: the address below which its tables lie.
        catalog: of SQL the catalog's name in its table, of REST the warehouse that is asked for.
        path: of REST, what stands before `/v1`.
        prefix: of REST, what stands after it unless the catalog says otherwise.
        scope: of REST, what is asked for when a token is fetched.
    """

    server: Endpoint
    location: str
    catalog: str = ""
    schema: str = ""
    path: str = ""
    prefix: str = ""
    scope: str = ""


def name_of(namespace: object, table: object) -> CatalogName:
    """A name as a catalog gave it.

    Raises:
        SourceInvalid: it is none.
    """
    parts = namespace if isinstance(namespace, list | tuple) else [namespace]
    for text in (*parts, table):
        if not (isinstance(text, str) and text and text.isprintable()):
            raise lies("a name that is none")
    found = CatalogName(tuple(map(str, parts)), str(table))
    if not parts or max(len(found.dotted), len(found.table)) > LONGEST_NAME:
        raise lies("a name that is none")
    return found


def lies(what: str) -> SourceInvalid:
    """A catalog that answers with what cannot be."""
    return SourceInvalid(
        f"the catalog answered with {what}", hint="ask those who run the catalog to look at it"
    )


def slow() -> SourceUnavailable:
    """A catalog that takes too long."""
    return SourceUnavailable(
        f"the catalog did not answer within {SECONDS} seconds", hint="try again later"
    )
