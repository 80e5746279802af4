"""Logging in to a database under the name and password of a connection."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privet.model.errors import InvalidRequest, SourceUnavailable

if TYPE_CHECKING:
    import psycopg

DRIVERS = frozenset({"postgresql"})
"""What this server can dial."""
SSLMODES = ("disable", "require", "verify-ca", "verify-full")
"""How a connection is protected, from not at all to the server's name in its certificate."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PORT = 5432
_SECONDS_TO_CONNECT = 5
_SILENT_SECONDS = 30
_TRIAL_SECONDS = 10
_SETTINGS = (
    "default_transaction_read_only=on",
    # Operators and functions are the server's own, whatever its users made.
    "search_path=pg_catalog",
    "timezone=UTC",
    "datestyle=ISO",
    "intervalstyle=postgres",
    "extra_float_digits=1",
    "bytea_output=hex",
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A database server, and who asks it. `port` 0 is the driver's own.

    `sslmode` is one of `SSLMODES`; empty means the server's certificate and name are checked,
    except on loopback.
    """

    driver: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str = ""
    sslmode: str = ""


def options_of(endpoint: Endpoint, ca: Path | None, seconds: int) -> dict[str, Any]:
    """What libpq is told, one by one: a text of options could name files, services, other hosts.

    Args:
        endpoint: where, and who.
        ca: PEM file of the authorities that are trusted; those of the system without it.
        seconds: after which the server ends a statement.
    """
    sslmode = endpoint.sslmode or ("prefer" if endpoint.host in LOOPBACK else "verify-full")
    verified = sslmode.startswith("verify-")
    settings = (*_SETTINGS, f"statement_timeout={seconds}s")
    return {
        "host": endpoint.host,
        "port": endpoint.port or _PORT,
        "user": endpoint.user,
        "password": endpoint.password,
        "dbname": endpoint.database or "postgres",
        "connect_timeout": _SECONDS_TO_CONNECT,
        "keepalives_idle": _SILENT_SECONDS,
        "tcp_user_timeout": _SILENT_SECONDS * 1000,
        "sslmode": sslmode,
        "gssencmode": "disable",
        "client_encoding": "UTF8",
        "application_name": "privet",
        "options": " ".join(f"-c {setting}" for setting in settings),
        **({"sslrootcert": str(ca) if ca else "system"} if verified else {}),
    }


@contextmanager
def session(
    endpoint: Endpoint, ca: Path | None, seconds: int
) -> Generator[psycopg.Connection[tuple[Any, ...]]]:
    """A session that only reads; closed at the end.

    Raises:
        InvalidRequest: the driver is none that this server has.
        SourceUnavailable: nobody answers, or not to these, or not in these words.
    """
    require_driver(endpoint)
    psycopg = _psycopg()
    try:
        with psycopg.connect(**options_of(endpoint, ca, seconds)) as connection:
            yield connection
    except psycopg.Error as error:
        raise told(endpoint, error) from error


def dial(endpoint: Endpoint, ca: Path | None = None) -> None:
    """Log in, and leave.

    Raises:
        As `session`.
    """
    with session(endpoint, ca, _TRIAL_SECONDS) as connection:
        connection.execute("SELECT 1")


def require_driver(endpoint: Endpoint) -> None:
    """Refuse databases that cannot be read here.

    Raises:
        InvalidRequest: the driver is none that this server has.
    """
    if endpoint.driver not in DRIVERS:
        raise InvalidRequest(
            f"driver `{endpoint.driver}` cannot be dialled here",
            hint=f"this server has {', '.join(sorted(DRIVERS))}",
        )


def told(endpoint: Endpoint, error: psycopg.Error) -> SourceUnavailable:
    """An error of the library as ours: its words may hold cells, names or what was sent."""
    where = f"`{endpoint.host}`"
    if error.sqlstate is None and error.pgconn is not None:
        if error.pgconn.used_password:
            return SourceUnavailable(
                f"{where} did not let us in", hint="check user and password, and the database"
            )
        return SourceUnavailable(
            f"{where} did not let us in: nobody answers there, or not with such TLS",
            hint="check host, port and sslmode, and the setting database_ca_file",
        )
    if error.sqlstate == "42501":
        return SourceUnavailable(
            f"access was denied by {where}", hint="grant SELECT to the connection's user there"
        )
    return SourceUnavailable(
        f"{where} could not be asked", hint="try again; its own log says what was wrong"
    )


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError as error:
        raise InvalidRequest(
            "the driver of postgresql is not installed", hint="install privet[postgres]"
        ) from error
    return psycopg
