"""Opens tables of databases; PostgreSQL is the one that can be read."""

from privet.connector.databases.databases import Databases, check_database
from privet.connector.databases.dialing import DRIVERS, SSLMODES, Endpoint, dial
from privet.connector.databases.reading import Narrowing, Reading
from privet.connector.databases.shapes import ServerColumn, TableShape

__all__ = [
    "DRIVERS",
    "SSLMODES",
    "Databases",
    "Endpoint",
    "Narrowing",
    "Reading",
    "ServerColumn",
    "TableShape",
    "check_database",
    "dial",
]
