"""A self-contained server for trying things out, on loopback, with its state in one directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from privet.model.errors import ConfigurationInvalid
from privet.server.certificates import make_loopback_certificate
from privet.server.settings import Settings
from privet.server.wiring import prepare_state

DEV_ADMIN = "admin"
DEV_ROLE = "healthcare_analyst_role"
DEV_LIFETIME = timedelta(days=7)


def dev_settings(directory: Path, **ports: Any) -> Settings:
    """Settings of a trial: state, lake and certificates below `directory`, `PRIVET_S3` honoured.

    Args:
        directory: made if it does not exist.
        ports: settings about ports, instead of the usual ones.

    Raises:
        ConfigurationInvalid: the directory cannot be used, or `PRIVET_S3` is malformed.
    """
    directory = directory.absolute()
    prepare_state(directory)
    (directory / "lake").mkdir(exist_ok=True)
    for stale in ("urls.json", "admin.token"):
        (directory / stale).unlink(missing_ok=True)
    if not (directory / "ca.pem").exists():
        make_loopback_certificate(directory)
    os.environ.pop("PRIVET_MASTER_KEY", None)
    given = {
        "state_dir": directory,
        "database_url": "",
        "audit_url": "",
        "master_key_file": None,
        "key_provider": "",
        "key_provider_options": {},
        "signing_keys_file": None,
        "catalog_admins": [DEV_ADMIN],
        "token_lifetime": 12 * 3600,
        "rest_host": "127.0.0.1",
        "flight_host": "127.0.0.1",
        "okera": True,
        "okera_host": "127.0.0.1",
        "okera_port": 0,
        "okera_tls": True,
        "rewriting": True,
        "one_port": None,
        "one_port_host": "127.0.0.1",
        "public_host": "",
        "tls_cert": directory / "server.pem",
        "tls_key": directory / "server.key",
        # One port leads only to doors with TLS.
        "rest_tls": "one_port" in ports,
        "local_roots": [directory / "lake"],
        "copy_roots": [str(directory / "lake" / "copies")],
    }
    return Settings.load(None, **(given | ports))


@contextmanager
def alone_in(directory: Path) -> Generator[None]:
    """Keep every other server out of a directory for as long as this one is in it.

    Raises:
        ConfigurationInvalid: another one is; nothing of it was touched.
    """
    prepare_state(directory)
    with (directory / "serve.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationInvalid(
                f"a server already runs in `{directory}`",
                hint="stop it, or name another directory; its addresses are in urls.json there",
            ) from error
        yield


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.touch(mode=0o600)
    partial.write_text(text + "\n")
    partial.replace(file)
