"""S3 as it is found in the field: TLS with an authority of one's own, roles, keys that change."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from botocore.session import Session

from privet.connector import Connectors, CredentialSource, S3Location
from privet.demo.objectstore import LAKE, ObjectStore, StoreKeys, free_ports
from privet.model.errors import ConfigurationInvalid, SourceUnavailable
from privet.server.certificates import make_loopback_certificate

pytestmark = pytest.mark.service
OPEN, CLOSED = f"s3://{LAKE}/open/a.csv", f"s3://{LAKE}/closed/b.csv"
ROLE = "arn:aws:iam::role/LakeReader"


class Secure:
    """A store with TLS, and a role whose sessions can be narrowed."""

    def __init__(self, folder: Path) -> None:
        make_loopback_certificate(folder)
        self.ca = folder / "ca.pem"
        roles = folder / "roles.json"
        roles.write_text(json.dumps(_roles()))
        (self.port,) = free_ports(1)
        self.store = ObjectStore(
            folder / "store",
            more=[
                f"-s3.iam.config={roles}",
                f"-s3.port.https={self.port}",
                f"-s3.cert.file={folder / 'server.pem'}",
                f"-s3.key.file={folder / 'server.key'}",
            ],
        )

    @property
    def https(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def session(self, policy: dict[str, Any] | None = None) -> dict[str, str]:
        """Temporary keys of the role, narrowed by a policy."""
        client = Session().create_client(
            "sts",
            endpoint_url=self.store.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.store.platform.access_key,
            aws_secret_access_key=self.store.platform.secret_key,
        )
        more = {} if policy is None else {"Policy": json.dumps(policy)}
        got = client.assume_role(RoleArn=ROLE, RoleSessionName="privet", **more)["Credentials"]
        return {
            "access_key": got["AccessKeyId"],
            "secret_key": got["SecretAccessKey"],
            "session_token": got["SessionToken"],
        }


def _roles() -> dict[str, Any]:
    allowed = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{LAKE}", f"arn:aws:s3:::{LAKE}/*"],
    }
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole"]}
    return {
        "sts": {
            "tokenDuration": "1h",
            "maxSessionLength": "12h",
            "issuer": "seaweedfs-sts",
            "signingKey": "dGVzdC1zaWduaW5nLWtleS0zMi1jaGFyYWN0ZXJzLWxvbmc=",
        },
        "policy": {"defaultEffect": "Deny", "storeType": "memory"},
        "roles": [
            {
                "roleName": "LakeReader",
                "roleArn": ROLE,
                "attachedPolicies": ["LakeRead"],
                "trustPolicy": {"Version": "2012-10-17", "Statement": [anybody]},
            }
        ],
        "policies": [
            {"name": "LakeRead", "document": {"Version": "2012-10-17", "Statement": [allowed]}}
        ],
    }


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    made = Secure(tmp_path_factory.mktemp("secure"))
    with made.store:
        files = made.store.filesystem(made.store.platform)
        for uri in (OPEN, CLOSED):
            with files.open_output_stream(uri.removeprefix("s3://")) as out:
                out.write(b"id\n1\n")
        yield made


def keys(who: StoreKeys) -> dict[str, str]:
    return {"access_key": who.access_key, "secret_key": who.secret_key}


def reads(location: S3Location, uri: str = OPEN) -> bytes:
    """Both ways that are used: a listing and a file."""
    connectors = Connectors(s3=[location])
    (info,) = connectors.walk(uri.rpartition("/")[0])
    assert info.etag
    with connectors.open_file(info.uri) as file:
        return file.read()


def test_tls_by_an_authority_of_ones_own(secure: Secure) -> None:
    """With its certificate both libraries read; they trust nobody else for it."""
    reader = keys(secure.store.reader)
    assert reads(S3Location(endpoint=secure.https, ca=str(secure.ca), **reader)) == b"id\n1\n"


@pytest.mark.parametrize("trust", ["nobody", "the machine's own", "another authority"])
def test_tls_that_cannot_be_checked_is_not_used(secure: Secure, trust: str, tmp_path: Path) -> None:
    """Neither without the certificate nor with another one, and the message says where to look."""
    ca = ""
    if trust == "another authority":
        make_loopback_certificate(tmp_path)
        ca = str(tmp_path / "ca.pem")
    elif trust == "the machine's own":
        ca = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    location = S3Location(endpoint=secure.https, ca=ca, timeout=2, **keys(secure.store.reader))
    connectors = Connectors(s3=[location])
    with pytest.raises(SourceUnavailable) as raised:
        list(connectors.walk(OPEN.rpartition("/")[0]))
    assert "endpoint" in raised.value.hint
    with pytest.raises(SourceUnavailable):
        connectors.open_file(OPEN)


def test_a_session_reads_what_its_policy_covers_and_no_more(secure: Secure) -> None:
    """Temporary keys of a role, narrowed to a prefix; without their token they are nothing."""
    narrowed = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject"],
                "Resource": [f"arn:aws:s3:::{LAKE}/open/*"],
            },
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": [f"arn:aws:s3:::{LAKE}"],
            },
        ],
    }
    assert reads(S3Location(endpoint=secure.store.endpoint, **secure.session()), CLOSED)
    session = secure.session(narrowed)
    location = S3Location(endpoint=secure.store.endpoint, **session)
    assert reads(location) == b"id\n1\n"
    with pytest.raises(SourceUnavailable, match="access was denied"):
        Connectors(s3=[location]).open_file(CLOSED)
    without = {name: value for name, value in session.items() if name != "session_token"}
    with pytest.raises(SourceUnavailable, match="access was denied"):
        reads(S3Location(endpoint=secure.store.endpoint, **without))


def test_another_region_is_signed_for(secure: Secure) -> None:
    """The region of the settings is what requests are signed for."""
    reader = keys(secure.store.reader)
    location = S3Location(endpoint=secure.store.endpoint, region="eu-central-1", **reader)
    assert reads(location)


def test_keys_in_the_environment(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the names that the settings say; the machine's own are not sent to an endpoint."""
    reader = secure.store.reader
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", reader.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", reader.secret_key)
    with pytest.raises(SourceUnavailable, match="access was denied"):
        reads(S3Location(endpoint=secure.store.endpoint))
    source = CredentialSource.ENVIRONMENT
    assert reads(S3Location(endpoint=secure.store.endpoint, credentials=source))
    lake = S3Location(endpoint=secure.store.endpoint, credentials=source, variables="LAKE_")
    with pytest.raises(SourceUnavailable, match="no credentials were found"):
        reads(lake)
    session = secure.session()
    monkeypatch.setenv("LAKE_AWS_ACCESS_KEY_ID", session["access_key"])
    monkeypatch.setenv("LAKE_AWS_SECRET_ACCESS_KEY", session["secret_key"])
    monkeypatch.setenv("LAKE_AWS_SESSION_TOKEN", session["session_token"])
    assert reads(lake)


def test_keys_in_a_file_that_changes(secure: Secure, tmp_path: Path) -> None:
    """By profile; rotated keys count from the next request, without a restart."""
    file = tmp_path / "credentials"

    def put(who: StoreKeys) -> None:
        file.write_text(
            "[default]\naws_access_key_id = x\naws_secret_access_key = y\n"
            f"[lake]\naws_access_key_id = {who.access_key}\n"
            f"aws_secret_access_key = {who.secret_key}\n"
        )

    location = S3Location(
        endpoint=secure.store.endpoint,
        credentials=CredentialSource.FILE,
        file=file,
        profile="lake",
    )
    connectors = Connectors(s3=[location])
    for use in (lambda: list(connectors.walk(OPEN)), lambda: connectors.open_file(OPEN)):
        file.unlink(missing_ok=True)
        with pytest.raises(SourceUnavailable, match="no credentials were found"):
            use()
        put(secure.store.analyst)
        with pytest.raises(SourceUnavailable, match="access was denied"):
            use()
        put(secure.store.reader)
        os.utime(file, ns=(1, 1))
        assert use()


class Metadata(BaseHTTPRequestHandler):
    """The instance metadata service as EC2 documents its second version: a token for each read."""

    keys: ClassVar[dict[str, str]]
    asked: ClassVar[list[str]] = []

    def do_PUT(self) -> None:
        self._say("a-token" if self.path == "/latest/api/token" else None)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.headers.get("x-aws-ec2-metadata-token") != "a-token":
            self._say(None)
        elif self.path.endswith("/security-credentials/"):
            self._say("lake-role")
        elif self.path.endswith("/security-credentials/lake-role"):
            self._say(json.dumps(self.keys))
        else:
            self._say(None)

    def _say(self, text: str | None) -> None:
        body = (text or "").encode()
        self.send_response(404 if text is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def metadata(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    session = secure.session()
    Metadata.keys = {
        "Code": "Success",
        "Type": "AWS-HMAC",
        "AccessKeyId": session["access_key"],
        "SecretAccessKey": session["secret_key"],
        "Token": session["session_token"],
        "LastUpdated": "2026-01-01T00:00:00Z",
        "Expiration": "2099-01-01T00:00:00Z",
    }
    Metadata.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_the_role_of_the_machine(
    secure: Secure, metadata: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its keys come from the metadata service, once, whatever the environment holds."""
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    location = S3Location(endpoint=secure.store.endpoint, credentials=CredentialSource.INSTANCE)
    connectors = Connectors(s3=[location])
    for _ in range(3):
        assert [info.size for info in connectors.walk(OPEN)] == [5]
        connectors.open_file(OPEN).close()
    assert len([path for path in Metadata.asked if path.endswith("lake-role")]) == 1


def test_a_machine_without_a_role_is_told(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials is not anonymous."""
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
    location = S3Location(endpoint=secure.store.endpoint, credentials=CredentialSource.INSTANCE)
    with pytest.raises(SourceUnavailable, match="this machine's role"):
        reads(location)


def test_without_s3_its_library_is_not_loaded() -> None:
    """A server without buckets starts without what lists them."""
    check = "import sys, privet.server.wiring; assert 'botocore' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True, timeout=120)


@pytest.mark.parametrize(
    "settings",
    [
        {"credentials": CredentialSource.KEYS},
        {"credentials": CredentialSource.FILE},
        {"credentials": CredentialSource.ANONYMOUS, "access_key": "k", "secret_key": "s"},
        {"credentials": CredentialSource.INSTANCE, "file": Path("/x")},
    ],
)
def test_credentials_that_say_two_things_are_refused(settings: dict[str, Any]) -> None:
    """A server with such settings does not start."""
    with pytest.raises(ConfigurationInvalid):
        S3Location(**settings)
