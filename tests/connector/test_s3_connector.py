"""S3: what the locations cover is read with their keys; errors say what to do and no secret."""

from pathlib import Path

import pytest

from privet.connector import Connectors, S3Location
from privet.demo.objectstore import LAKE, SCRATCH, ObjectStore, StoreKeys
from privet.model.errors import (
    ConfigurationInvalid,
    InvalidRequest,
    NotFound,
    PrivetError,
    SourceUnavailable,
)

NAMES = ("a-b/x.csv", "a/k=1/y.csv", "a/z y#?.csv", "b.csv.gz")


def reach(store: ObjectStore, keys: StoreKeys, **changes: str) -> Connectors:
    location = {
        "endpoint": store.endpoint,
        "access_key": keys.access_key,
        "secret_key": keys.secret_key,
        **changes,
    }
    return Connectors(s3=[S3Location(**location)])


@pytest.fixture(scope="module")
def lake(seaweed: ObjectStore) -> ObjectStore:
    files = seaweed.filesystem(seaweed.platform)
    for name in NAMES:
        with files.open_output_stream(f"{LAKE}/walk/{name}", compression=None) as out:
            out.write(name.encode())
    return seaweed


@pytest.mark.service
def test_walk_gives_every_object_in_path_order(lake: ObjectStore) -> None:
    """Every object comes once, with size and time, folder by folder."""
    found = list(reach(lake, lake.reader).walk(f"s3://{LAKE}/walk"))
    prefix = f"s3://{LAKE}/walk/"
    assert [info.uri.removeprefix(prefix) for info in found] == [
        "a/k=1/y.csv",
        "a/z y#?.csv",
        "a-b/x.csv",
        "b.csv.gz",
    ]
    assert found[0].size == len("a/k=1/y.csv")
    assert found[0].modified is not None


@pytest.mark.service
def test_objects_are_opened_as_stored(lake: ObjectStore) -> None:
    """Never decompressed, also where the name ends in .gz; a name with `#` and `?` is only that."""
    connectors = reach(lake, lake.reader)
    for name in ("b.csv.gz", "a/z y#?.csv"):
        uri = f"s3://{LAKE}/walk/{name}"
        assert [info.uri for info in connectors.walk(uri)] == [uri]
        with connectors.open_stream(uri) as stream:
            assert stream.read() == name.encode()
        with connectors.open_file(uri) as file:
            assert file.size() == len(name)
            assert file.read_at(2, 0) == name[:2].encode()


@pytest.mark.service
@pytest.mark.parametrize("uri", [f"s3://{LAKE}/none", f"s3://{LAKE}/none/x.csv", "s3://no-bucket"])
def test_missing_is_not_found(lake: ObjectStore, uri: str) -> None:
    """A missing key and a missing bucket are NotFound, not empty."""
    connectors = reach(lake, lake.platform)
    for use in (lambda: list(connectors.walk(uri)), lambda: connectors.open_file(f"{uri}/x")):
        with pytest.raises(NotFound, match="does not exist"):
            use()


@pytest.mark.service
@pytest.mark.parametrize("who", ["analyst", "wrong secret", "unknown key", "nobody"])
def test_denied_says_so_and_shows_no_secret(lake: ObjectStore, who: str) -> None:
    """Whatever is wrong with the keys, the message says where to look and repeats none."""
    good = lake.reader
    connectors = {
        "analyst": reach(lake, lake.analyst),
        "wrong secret": reach(lake, StoreKeys("x", good.access_key, "not-the-secret")),
        "unknown key": reach(lake, StoreKeys("x", "UNKNOWNKEY", good.secret_key)),
        "nobody": Connectors(s3=[S3Location(endpoint=lake.endpoint)]),
    }[who]
    uri = f"s3://{LAKE}/walk/b.csv.gz"
    for use in (
        lambda: list(connectors.walk(f"s3://{LAKE}/walk")),
        lambda: connectors.open_file(uri),
        lambda: connectors.open_stream(uri),
    ):
        with pytest.raises(SourceUnavailable, match="access was denied") as raised:
            use()
        assert "credentials" in raised.value.hint
        assert good.secret_key not in str(raised.value)
        assert good.access_key not in str(raised.value)


@pytest.mark.service
def test_the_most_specific_location_is_used(lake: ObjectStore) -> None:
    """A bucket's own location wins over `*`, a longer prefix over a shorter one."""

    def location(keys: StoreKeys, **more: str) -> S3Location:
        return S3Location(
            endpoint=lake.endpoint, access_key=keys.access_key, secret_key=keys.secret_key, **more
        )

    connectors = Connectors(
        s3=[
            location(lake.analyst),
            location(lake.analyst, bucket=LAKE),
            location(lake.reader, bucket=LAKE, prefix="walk/a"),
        ]
    )
    assert len(list(connectors.walk(f"s3://{LAKE}/walk/a"))) == 2
    with pytest.raises(SourceUnavailable):
        list(connectors.walk(f"s3://{LAKE}/walk/a-b"))
    with pytest.raises(NotFound):
        list(connectors.walk(f"s3://{SCRATCH}/none"))


def test_an_endpoint_that_nobody_serves_cannot_be_reached() -> None:
    """It ends soon, in a typed error without the address of the machine."""
    connectors = Connectors(
        s3=[S3Location(endpoint="http://127.0.0.1:1", access_key="k", secret_key="hidden")]
    )
    with pytest.raises(SourceUnavailable, match="cannot be reached") as raised:
        list(connectors.walk("s3://bucket/a"))
    assert "127.0.0.1" not in raised.value.message
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://bucket/a/b/", "s3://bucket/a/b"),
        ("s3://bucket/a%20b", "s3://bucket/a%20b"),
        ("s3://bucket/Ü ü", "s3://bucket/Ü ü"),
    ],
)
def test_spellings_have_one_canonical_form(written: str, canonical: str) -> None:
    """Different spellings of a place are one address, and that address is its own."""
    connectors = Connectors(s3=[S3Location()])
    assert connectors.canonical(written) == canonical
    assert connectors.canonical(canonical) == canonical


@pytest.mark.parametrize(
    "uri",
    [
        "s3://",
        "s3:///key",
        "s3://B/key",
        "s3://bucket//key",
        "s3://bucket/a//b",
        "s3://bucket/../other/key",
        "s3://bucket/a/./b",
        "s3://bucket/a?endpoint_override=evil",
        "s3://bucket/a#b",
        "s3://bucket/a\\b",
        "s3://bucket/a\tb",
        "s3://bucket/" + "k" * 1025,
        "S3://bucket/key",
        "s3a://bucket/key",
    ],
)
def test_malformed_addresses_are_refused(uri: str) -> None:
    """Only one spelling of a key can be written, and no way around a prefix."""
    with pytest.raises(InvalidRequest):
        Connectors(s3=[S3Location()]).canonical(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "s3://AKIAKEY:sec/ret@bucket/a",
        "s3://user:hunter2@bucket/a",
        "s3://AKIAKEY@bucket",
        "s3://u:p@b/a?x=1",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(uri: str) -> None:
    """By every method, since a message may travel far."""
    connectors = Connectors(s3=[S3Location()])
    for use in (connectors.canonical, connectors.open_file, lambda u: list(connectors.walk(u))):
        with pytest.raises(InvalidRequest) as raised:
            use(uri)
        assert not any(word in str(raised.value) for word in ("AKIAKEY", "hunter2", "sec", "u:p"))


def test_only_what_locations_cover_may_be_read() -> None:
    """A prefix ends at a slash: `lake` does not cover `lakeside`."""
    connectors = Connectors(s3=[S3Location(bucket="bucket", prefix="lake")])
    assert connectors.canonical("s3://bucket/lake/a") == "s3://bucket/lake/a"
    for uri in ("s3://bucket", "s3://bucket/lakeside/a", "s3://other/lake/a"):
        with pytest.raises(InvalidRequest, match="outside"):
            connectors.canonical(uri)
    with pytest.raises(InvalidRequest, match="outside"):
        Connectors().canonical("s3://bucket/a")


@pytest.mark.parametrize(
    "setting",
    [
        {"access_key": "only"},
        {"secret_key": "only"},
        {"session_token": "only"},
        {"endpoint": "127.0.0.1:9000"},
        {"endpoint": "https://k:s@host"},
        {"endpoint": "https://host/path"},
        {"endpoint": "https://host:99999"},
        {"endpoint": "ftp://host"},
        {"bucket": "Not_A_Bucket"},
        {"prefix": "a//b"},
        {"prefix": "../a"},
    ],
)
def test_half_set_locations_are_refused(setting: dict[str, str]) -> None:
    """A server with such settings does not start."""
    with pytest.raises(ConfigurationInvalid):
        S3Location(**setting)


def test_a_location_never_shows_its_keys() -> None:
    """Settings may be printed."""
    location = S3Location(access_key="AKIAKEY", secret_key="s3cr3t", session_token="t0ken")
    assert not any(word in repr(location) for word in ("AKIAKEY", "s3cr3t", "t0ken"))


def test_a_missing_file_of_certificates_is_a_typed_error(tmp_path: Path) -> None:
    """TLS that cannot be checked is not used."""
    location = S3Location(
        endpoint="https://127.0.0.1:1", access_key="k", secret_key="s", ca=str(tmp_path / "none")
    )
    with pytest.raises(PrivetError):
        list(Connectors(s3=[location]).walk("s3://bucket/a"))
