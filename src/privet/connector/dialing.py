"""Whether a database answers under the name and password of a connection."""

from __future__ import annotations

from dataclasses import dataclass, field

from privet.model.errors import InvalidRequest, SourceUnavailable

DRIVERS = frozenset({"postgresql"})
"""What this server can dial."""
_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A database server, and who asks it. `port` 0 is the driver's own."""

    driver: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str = ""


def dial(endpoint: Endpoint) -> None:
    """Log in, and leave.

    Raises:
        InvalidRequest: the driver is none that this server has.
        SourceUnavailable: nobody answers, or not to these.
    """
    if endpoint.driver not in DRIVERS:
        raise InvalidRequest(
            f"driver `{endpoint.driver}` cannot be dialled here",
            hint=f"this server has {', '.join(sorted(DRIVERS))}",
        )
    try:
        import psycopg
    except ImportError as error:
        raise InvalidRequest(
            "the driver of postgresql is not installed", hint="install privet[postgres]"
        ) from error
    try:
        # Given one by one: a text of options could name files, services or other hosts.
        with psycopg.connect(
            host=endpoint.host,
            port=endpoint.port or 5432,
            user=endpoint.user,
            password=endpoint.password,
            dbname=endpoint.database or "postgres",
            connect_timeout=_SECONDS,
        ) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        raise SourceUnavailable(
            f"`{endpoint.host}` did not let us in", hint="check host, port, user and password"
        ) from error
