"""A server that cannot start says why, at once."""

import os
from pathlib import Path

import pytest

from privet.demo.devserver import Addresses, DevServer
from privet.model.errors import ConfigurationInvalid


@pytest.mark.service
def test_a_server_that_cannot_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    """Settings that the server refuses end the wait, with the server's own sentence as hint."""
    server = DevServer(tmp_path / "server", s3=[{"no_such_setting": 1}])
    with pytest.raises(ConfigurationInvalid, match="ended with status") as caught, server:
        pass
    assert "s3" in caught.value.hint.lower()
    server.stop()


def test_settings_of_the_person_do_not_reach_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the variables named PRIVET_..., only the demo's own one is handed on."""
    monkeypatch.setenv("PRIVET_DATABASE_URL", "postgresql://elsewhere/privet")
    monkeypatch.setenv("privet_audit_url", "sqlite:////elsewhere")
    environment = DevServer(tmp_path / "server")._environment()
    assert {k: v for k, v in environment.items() if k.upper().startswith("PRIVET_")} == {
        "PRIVET_S3": "[]"
    }
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_addresses_name_host_and_port(host: str) -> None:
    """The notebook cell needs the two parts of the Flight address apart."""
    addresses = Addresses("http://localhost:1", f"grpc+tls://{host}:8815", Path("ca.pem"))
    assert (addresses.flight_host, addresses.flight_port) == (host, 8815)
