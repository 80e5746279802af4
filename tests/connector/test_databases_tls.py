"""TLS to a real PostgreSQL: whom we tell the password, and in what words we read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from privet.connector import Databases, Endpoint, Reading
from privet.connector.databases.dialing import options_of
from privet.model.datasets import Column
from privet.model.errors import SourceUnavailable
from privet.model.sources import TablePlace
from privet.server.certificates import make_loopback_certificate
from services.postgres import DATABASE, PASSWORD, READER, SourceServer, source_server
from services.postgres_tls import tls_before


@pytest.fixture(scope="module")
def source() -> Iterator[SourceServer]:
    with source_server() as server:
        yield server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority and what it signed for loopback."""
    folder = tmp_path_factory.mktemp("tls")
    make_loopback_certificate(folder)
    return folder


@pytest.fixture(scope="module")
def port(source: SourceServer, authority: Path) -> Iterator[int]:
    """Where the server speaks TLS."""
    with tls_before(source.port, authority / "server.pem", authority / "server.key") as port:
        yield port


def dial(port: int, sslmode: str, ca: Path | None) -> None:
    there = Endpoint("postgresql", "127.0.0.1", port, READER, PASSWORD, DATABASE, sslmode=sslmode)
    Databases(lambda _: there, ca=ca).dial("c")


def test_what_is_told_to_the_driver() -> None:
    """Names and certificates are checked unless the server is this machine, or somebody says no."""
    here = Endpoint("postgresql", "127.0.0.1", 0, "u", "p")
    away = replace(here, host="db.example.org")
    assert options_of(here, None, 9)["sslmode"] == "prefer"
    told = options_of(away, None, 9)
    assert (told["sslmode"], told["sslrootcert"]) == ("verify-full", "system")
    assert options_of(away, Path("/ca.pem"), 9)["sslrootcert"] == "/ca.pem"
    assert options_of(replace(away, sslmode="disable"), None, 9)["sslmode"] == "disable"
    assert "statement_timeout=9s" in told["options"]
    assert "default_transaction_read_only=on" in told["options"]


@pytest.mark.service
def test_a_private_authority(port: int, authority: Path, tmp_path: Path) -> None:
    """A server is let in with the authority that signed its certificate, and with no other."""
    dial(port, "verify-full", authority / "ca.pem")
    dial(port, "verify-ca", authority / "ca.pem")
    dial(port, "require", None)
    make_loopback_certificate(tmp_path)
    for ca in (tmp_path / "ca.pem", None):
        with pytest.raises(SourceUnavailable) as told:
            dial(port, "verify-full", ca)
        assert PASSWORD not in str(told.value)


@pytest.mark.service
def test_tables_are_read_in_tls(source: SourceServer, port: int, authority: Path) -> None:
    """The driver of the rows checks the server as that of the columns does."""
    source.run("CREATE TABLE told AS SELECT 7 AS v")
    place = TablePlace("c", DATABASE, "public", "told")
    column = (Column("v", pa.int32(), "v"),)
    there = Endpoint("postgresql", "127.0.0.1", port, READER, PASSWORD, sslmode="verify-full")
    databases = Databases(lambda _: there, ca=authority / "ca.pem")
    with databases.read(place, Reading(column, column), lambda: None) as batches:
        assert [b.to_pylist() for b in batches] == [[{"v": 7}]]


@pytest.mark.service
def test_a_server_without_tls(source: SourceServer, authority: Path) -> None:
    """Where TLS is asked for, nothing goes in the clear."""
    for sslmode in ("require", "verify-full"):
        with pytest.raises(SourceUnavailable):
            dial(source.port, sslmode, authority / "ca.pem")
    dial(source.port, "disable", None)
