"""Azure and Google: what was written there is listed, read, crawled, and never written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pyarrow import fs

from privet.connector import AzureLocation, Connectors, GcsLocation
from privet.crawler import run_crawl
from privet.model.errors import ConfigurationInvalid, InvalidRequest, NotFound, SourceUnavailable
from services.emulators import ACCOUNT, ACCOUNT_KEY, azure_files, azurite, fake_gcs, gcs_files

pytestmark = pytest.mark.service
CSV = b"id,name\n1,ada\n2,bob\n"
NAMES = ("t/k=1/a.csv", "t/k=2/b.csv", "t/z y#?.csv", "u/c.csv.gz")


class Cloud:
    """A store with a few files in its container `lake`."""

    def __init__(self, scheme: str, reach: Callable[..., Connectors], files: fs.FileSystem) -> None:
        self.root = f"{scheme}://lake"
        self.reach = reach
        self.connectors = reach()
        for name in NAMES:
            with files.open_output_stream(f"lake/{name}", compression=None) as out:
                out.write(CSV)


@contextmanager
def azure(folder: Any) -> Iterator[Cloud]:
    with azurite(folder) as endpoint:

        def reach(**more: Any) -> Connectors:
            given = {"account_key": ACCOUNT_KEY, "endpoint": endpoint, **more}
            return Connectors(azure=[AzureLocation(account=ACCOUNT, **given)])

        yield Cloud("abfs", reach, azure_files(endpoint))


@contextmanager
def google(_: Any) -> Iterator[Cloud]:
    with fake_gcs() as endpoint:

        def reach(**more: Any) -> Connectors:
            return Connectors(gcs=[GcsLocation(**{"endpoint": endpoint, "timeout": 2, **more})])

        yield Cloud("gs", reach, gcs_files(endpoint))


@pytest.fixture(scope="module", params=[azure, google], ids=["azure", "gcs"])
def cloud(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    with request.param(tmp_path_factory.mktemp("cloud")) as made:
        yield made


def test_every_object_is_listed_and_opened_as_stored(cloud: Cloud) -> None:
    """With size and time, by its one spelling, never decompressed."""
    found = list(cloud.connectors.walk(cloud.root))
    assert {info.uri.removeprefix(f"{cloud.root}/") for info in found} == set(NAMES)
    assert all(info.size == len(CSV) and info.modified for info in found)
    for info in found:
        assert [i.uri for i in cloud.connectors.walk(info.uri)] == [info.uri]
        with cloud.connectors.open_file(info.uri) as file:
            assert file.read_at(2, 3) == CSV[3:5]
        with cloud.connectors.open_stream(info.uri) as stream:
            assert stream.read() == CSV


def test_it_is_crawled(cloud: Cloud) -> None:
    """As any other place: partitions, types, problems."""
    by_name = {found.name: found for found in run_crawl(cloud.connectors, cloud.root, ()).found}
    assert set(by_name) == {"t", "u"}
    assert "other partition folders" in by_name["t"].problem


@pytest.mark.parametrize("path", ["none", "none/x.csv", "t/none.csv"])
def test_missing_is_not_found(cloud: Cloud, path: str) -> None:
    """Not empty, and nothing else."""
    with pytest.raises(NotFound):
        list(cloud.connectors.walk(f"{cloud.root}/{path}"))
    with pytest.raises(NotFound):
        cloud.connectors.open_file(f"{cloud.root}/{path}")


def test_nothing_can_be_written(cloud: Cloud) -> None:
    """There is no way to a file system that writes."""
    with pytest.raises(InvalidRequest, match="only read"):
        cloud.connectors.writing(f"{cloud.root}/t")


@pytest.mark.parametrize("path", ["/t/../u", "//t", "/t/", "2/t", "/t?x=1", "@account/t"])
def test_an_address_has_one_spelling(cloud: Cloud, path: str) -> None:
    """What could mean something else is refused; one slash at the end is taken away."""
    if path == "/t/":
        assert cloud.connectors.canonical(cloud.root + path) == f"{cloud.root}/t"
    else:
        with pytest.raises(InvalidRequest):
            cloud.reach(container="lake").canonical(cloud.root + path)


def test_a_location_covers_its_prefix_alone(cloud: Cloud) -> None:
    """Other keys are refused before anything is asked."""
    narrow = cloud.reach(container="lake", prefix="t")
    assert len(list(narrow.walk(f"{cloud.root}/t"))) == 3
    for path in ("", "/u", "/t2"):
        with pytest.raises(InvalidRequest, match="outside the locations"):
            narrow.canonical(cloud.root + path)


def test_a_server_that_is_away_cannot_be_reached(cloud: Cloud) -> None:
    """In bounded time."""
    away = cloud.reach(endpoint="http://127.0.0.1:1")
    with pytest.raises(SourceUnavailable):
        list(away.walk(f"{cloud.root}/t"))


def test_a_wrong_key_of_azure_is_denied(tmp_path: Any) -> None:
    """By a message that says where to look, and holds no key."""
    with azure(tmp_path) as cloud:
        wrong = "A" + ACCOUNT_KEY[1:]
        connectors = cloud.reach(account_key=wrong)
        for use in (
            lambda: list(connectors.walk(cloud.root)),
            lambda: connectors.open_file(f"{cloud.root}/u/c.csv.gz"),
        ):
            with pytest.raises(SourceUnavailable, match="access was denied") as raised:
                use()
            assert wrong not in str(raised.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"account": "No_Account"},
        {"account": ACCOUNT, "container": "A--b"},
        {"account": ACCOUNT, "prefix": "../x"},
        {"account": ACCOUNT, "endpoint": "https://u:p@host"},
        {"account": ACCOUNT, "account_key": "k", "sas_token": "s"},
        {"account": ACCOUNT, "client_secret": "s"},
        {"account": ACCOUNT, "tenant_id": "t", "client_secret": "s"},
    ],
)
def test_half_set_locations_of_azure_are_refused(settings: dict[str, str]) -> None:
    """A server with such settings does not start."""
    with pytest.raises(ConfigurationInvalid):
        AzureLocation(**settings)


@pytest.mark.parametrize(
    "settings", [{"container": "No"}, {"prefix": "a//b"}, {"endpoint": "ftp://host"}]
)
def test_half_set_locations_of_gcs_are_refused(settings: dict[str, str]) -> None:
    """A server with such settings does not start."""
    with pytest.raises(ConfigurationInvalid):
        GcsLocation(**settings)


def test_a_location_never_shows_its_secrets() -> None:
    """Settings may be printed."""
    shown = repr(AzureLocation(account=ACCOUNT, account_key="s3cr3t"))
    shown += repr(AzureLocation(account=ACCOUNT, sas_token="s3cr3t"))
    assert "s3cr3t" not in shown
