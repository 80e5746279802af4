"""The object store is real: it serves those with the right keys and refuses the others."""

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pyarrow import fs

from privet.demo.objectstore import LAKE, SCRATCH, ObjectStore, StoreKeys
from privet.model.errors import SourceUnavailable

pytestmark = pytest.mark.service

KEY = "medical-costs/part-0.csv"
CONTENT = b"id,mrn\n1,MRN00000001\n"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("objectstore")


@pytest.fixture(scope="module")
def store(directory: Path) -> Iterator[ObjectStore]:
    with ObjectStore(directory / "state") as running:
        path = directory / "part-0.csv"
        path.write_bytes(CONTENT)
        assert running.upload(path, KEY) == f"s3://{LAKE}/{KEY}"
        yield running


def read(store: ObjectStore, keys: StoreKeys) -> bytes:
    with store.filesystem(keys).open_input_stream(f"{LAKE}/{KEY}") as stream:
        return stream.read()


def test_reader_reads_and_cannot_write(store: ObjectStore) -> None:
    """The identity that a Privet server gets reads the lake and changes nothing in it."""
    assert read(store, store.reader) == CONTENT
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        store.filesystem(store.reader).delete_file(f"{LAKE}/{KEY}")
    assert read(store, store.reader) == CONTENT


def test_analyst_has_scratch_and_not_the_lake(store: ObjectStore) -> None:
    """The analyst's own keys work, on the scratch bucket only: no read, list or write beyond."""
    client = store.filesystem(store.analyst)
    with client.open_output_stream(f"{SCRATCH}/note") as stream:
        stream.write(b"mine")
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        read(store, store.analyst)
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        client.get_file_info(fs.FileSelector(LAKE, recursive=True))
    with (
        pytest.raises(OSError, match="ACCESS_DENIED"),
        client.open_output_stream(f"{LAKE}/note") as stream,
    ):
        stream.write(b"planted")


def test_wrong_secrets_and_unknown_keys_are_refused(store: ObjectStore) -> None:
    """A signature that does not hold is refused, whether the key id is known or not."""
    forged = StoreKeys("forged", store.platform.access_key, StoreKeys.fresh("forged").secret_key)
    for keys in (forged, StoreKeys.fresh("nobody")):
        with pytest.raises(OSError, match="ACCESS_DENIED"):
            read(store, keys)
        with pytest.raises(OSError, match=r"SIGNATURE_DOES_NOT_MATCH|INVALID_ACCESS_KEY_ID"):
            store.filesystem(keys).get_file_info(fs.FileSelector(LAKE))


def test_nobody_gets_in_without_keys(store: ObjectStore) -> None:
    """A request that is not signed at all is refused."""
    nobody = fs.S3FileSystem(anonymous=True, endpoint_override=store.endpoint, region="us-east-1")
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        nobody.open_input_stream(f"{LAKE}/{KEY}")


def test_secrets_stay_out_of_sight(store: ObjectStore, directory: Path) -> None:
    """Secrets are in no text form of the identities, and their file is its owner's alone."""
    (config,) = (directory / "state").glob("*/identities.json")
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    for keys in (store.platform, store.reader, store.analyst):
        assert keys.secret_key not in repr(keys)
        assert keys.secret_key in config.read_text(encoding="utf-8")


def test_an_upload_that_cannot_be_done_says_so(store: ObjectStore, tmp_path: Path) -> None:
    """A missing file or bucket is a typed error, not one of the library's."""
    with pytest.raises(SourceUnavailable):
        store.upload(tmp_path / "absent.csv", KEY)


def test_stop_frees_the_port_and_may_be_repeated(tmp_path: Path) -> None:
    """After the block nobody listens; stopping what does not run does nothing."""
    with ObjectStore(tmp_path / "state") as running:
        address = urlsplit(running.endpoint)
        with socket.create_connection(("127.0.0.1", address.port or 0), timeout=5):
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", address.port or 0), timeout=5)
    running.stop()
