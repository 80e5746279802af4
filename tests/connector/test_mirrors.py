"""Buckets that folders of this machine stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from privet.connector import Connectors
from privet.model.errors import ConfigurationInvalid, InvalidRequest, NotFound, PrivetError


@pytest.fixture
def connectors(tmp_path: Path) -> Connectors:
    (tmp_path / "lake" / "a").mkdir(parents=True)
    (tmp_path / "lake" / "a" / "x.csv").write_text("n\n1\n")
    (tmp_path / "secret.txt").write_text("secret")
    return Connectors(mirrors={"lake": tmp_path / "lake"})


def test_addresses_stay_those_of_the_bucket(connectors: Connectors) -> None:
    """What is walked and opened bears the bucket's address, never the folder's."""
    assert connectors.canonical("s3://lake/a/") == "s3://lake/a"
    found = list(connectors.walk("s3://lake"))
    assert [info.uri for info in found] == ["s3://lake/a/x.csv"]
    assert connectors.open_file("s3://lake/a/x.csv").read() == b"n\n1\n"
    assert connectors.open_stream("s3://lake/a/x.csv").read() == b"n\n1\n"


@pytest.mark.parametrize(
    "uri",
    ["s3://lake/../secret.txt", "s3://lake/a/../../secret.txt", "s3://lake//x", "s3://k@lake"],
)
def test_nothing_outside_the_folder_is_reached(connectors: Connectors, uri: str) -> None:
    """A path that leads out of the folder is refused before anything is opened."""
    for act in (connectors.open_file, connectors.canonical, lambda u: list(connectors.walk(u))):
        with pytest.raises(InvalidRequest):
            act(uri)


def test_links_lead_nowhere(connectors: Connectors, tmp_path: Path) -> None:
    """A link in a mirrored folder cannot be opened."""
    (tmp_path / "lake" / "link").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(PrivetError):
        connectors.open_file("s3://lake/link")


def test_other_buckets_are_not_mirrored(connectors: Connectors) -> None:
    """A bucket without a folder is the business of the S3 locations, which are none here."""
    with pytest.raises(InvalidRequest):
        connectors.canonical("s3://other/a")


def test_what_is_missing_is_told_by_its_address(connectors: Connectors) -> None:
    """A missing object reads as one of the bucket that is not there; no error names the folder."""
    for act in (connectors.open_file, connectors.open_stream, lambda u: list(connectors.walk(u))):
        with pytest.raises(NotFound) as told:
            act("s3://lake/none")
        assert told.value.message == "`s3://lake/none` does not exist"


def test_only_names_of_buckets(tmp_path: Path) -> None:
    """A name that no bucket can have stops the start."""
    with pytest.raises(ConfigurationInvalid):
        Connectors(mirrors={"No Bucket": tmp_path})
