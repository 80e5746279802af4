"""Local files: inside the roots everything is found, outside nothing is."""

import os
from pathlib import Path

import pytest

from privet.connector import Connectors, LocalConnector
from privet.model.errors import (
    ConfigurationInvalid,
    InvalidRequest,
    NotFound,
    PrivetError,
    SourceUnavailable,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    lake = tmp_path / "lake"
    for name in ("b/2.csv", "b/1.csv", "a-b/x.csv", "a/_hidden/y.csv", "a/.z", "top.csv"):
        (lake / name).parent.mkdir(parents=True, exist_ok=True)
        (lake / name).write_text(name)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    return lake


@pytest.fixture
def connectors(root: Path) -> Connectors:
    return Connectors([root])


def test_walk_is_in_order_of_path_parts_and_hides_nothing(
    root: Path, connectors: Connectors
) -> None:
    """Every file comes once, with size and time, folder by folder."""
    found = list(connectors.walk(connectors.canonical(str(root))))
    names = [info.uri.removeprefix(f"file://{root}/") for info in found]
    assert names == ["a/.z", "a/_hidden/y.csv", "a-b/x.csv", "b/1.csv", "b/2.csv", "top.csv"]
    assert found[0].size == 4
    assert found[0].modified is not None
    assert found[0].modified.tzinfo is not None


def test_walk_of_a_file_is_that_file(root: Path, connectors: Connectors) -> None:
    """A source may be one file."""
    uri = connectors.canonical(f"file://{root}/top.csv")
    assert [info.uri for info in connectors.walk(uri)] == [uri]


@pytest.mark.parametrize("spelling", ["{root}/b", "file://{root}/b", "{root}/b/", "{root}/a/../b"])
def test_spellings_have_one_canonical_form(
    root: Path, connectors: Connectors, spelling: str
) -> None:
    """Different spellings of a place are one address, and that address is its own."""
    assert connectors.canonical(spelling.format(root=root)) == f"file://{root}/b"


@pytest.mark.parametrize(
    "address",
    [
        "{root}/../secret.csv",
        "{root}x",
        "/etc/passwd",
        "file:///etc/passwd",
        "relative/path",
        "file://host{root}",
        "file:{root}",
        "{root}/a?b=1",
        "{root}/a#b",
        "{root}/a\\b",
        "{root}/a\nb",
        "{root}/a\0b",
        "{root}/\ud800",
        "http://host/a",
        "FILE://{root}",
        "",
        "/",
    ],
)
def test_addresses_outside_are_refused(root: Path, connectors: Connectors, address: str) -> None:
    """Refused when written, when walked and when opened, without a look at what is there."""
    uri = address.format(root=root)
    with pytest.raises(InvalidRequest):
        connectors.canonical(uri)
    if "?" not in uri and "#" not in uri:
        for use in (lambda: list(connectors.walk(uri)), lambda: connectors.open_file(uri)):
            with pytest.raises(InvalidRequest):
                use()


def test_a_link_that_leads_outside_is_refused(root: Path, connectors: Connectors) -> None:
    """By every method, also in the middle of a path."""
    (root / "out").symlink_to(root.parent)
    with pytest.raises(InvalidRequest, match="outside"):
        connectors.canonical(f"{root}/out/secret.csv")
    for path in ("out/secret.csv", "out"):
        with pytest.raises(PrivetError):
            connectors.open_file(f"file://{root}/{path}")
    with pytest.raises(InvalidRequest, match="link"):
        list(connectors.walk(f"file://{root}/out/secret.csv"))


def test_a_link_inside_is_resolved_once(root: Path, connectors: Connectors) -> None:
    """The address that is registered is the place itself."""
    (root / "latest").symlink_to(root / "b")
    assert connectors.canonical(f"{root}/latest/1.csv") == f"file://{root}/b/1.csv"


def test_a_link_met_on_a_walk_is_told_and_never_followed(
    root: Path, connectors: Connectors
) -> None:
    """It is listed like a file, and opening it is refused."""
    (root / "b" / "3.csv").symlink_to(root / "top.csv")
    (root / "b" / "loop").symlink_to(root)
    uris = [info.uri for info in connectors.walk(f"file://{root}/b")]
    assert [Path(uri).name for uri in uris] == ["1.csv", "2.csv", "3.csv", "loop"]
    for uri in uris[2:]:
        with pytest.raises(InvalidRequest, match="symbolic link"):
            connectors.open_file(uri)


def test_files_are_read_at_any_place_and_as_streams(root: Path, connectors: Connectors) -> None:
    """Both ways of opening give the file's bytes."""
    uri = connectors.canonical(f"{root}/top.csv")
    with connectors.open_file(uri) as file:
        assert file.size() == 7
        assert file.read_at(3, 4) == b"csv"
    with connectors.open_stream(uri) as stream:
        assert stream.read() == b"top.csv"


def test_what_is_no_regular_file_is_refused_without_waiting(
    root: Path, connectors: Connectors
) -> None:
    """A pipe that nobody writes to must not hold us up."""
    os.mkfifo(root / "pipe")
    for name in ("pipe", "b"):
        with pytest.raises(InvalidRequest, match="not a regular file"):
            connectors.open_file(f"file://{root}/{name}")


def test_missing_files_are_not_found(root: Path, connectors: Connectors) -> None:
    """What is not there is NotFound, whether walked or opened."""
    uri = connectors.canonical(f"{root}/none/x.csv")
    for use in (lambda: list(connectors.walk(uri)), lambda: connectors.open_file(uri)):
        with pytest.raises(NotFound, match="does not exist"):
            use()


def test_a_folder_that_cannot_be_listed_is_raised_or_told(
    root: Path, connectors: Connectors
) -> None:
    """A path longer than the system takes stands for every folder that refuses us."""
    folder = os.open(root / "b", os.O_RDONLY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=folder)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    with pytest.raises(SourceUnavailable):
        list(connectors.walk(f"file://{root}"))
    told: list[str] = []
    names = [
        Path(info.uri).name
        for info in connectors.walk(f"file://{root}", on_error=lambda uri, _: told.append(uri))
    ]
    assert names == [".z", "y.csv", "x.csv", "1.csv", "2.csv", "top.csv"]
    assert len(told) == 1


@pytest.mark.parametrize("root_path", [Path("relative"), Path("/")])
def test_roots_that_allow_everything_or_nothing_clear_are_refused(root_path: Path) -> None:
    """A root is an absolute folder, and not the whole machine."""
    with pytest.raises(ConfigurationInvalid):
        LocalConnector([root_path])


def test_without_roots_nothing_is_allowed(tmp_path: Path) -> None:
    """The default opens nothing."""
    with pytest.raises(InvalidRequest):
        Connectors().canonical(str(tmp_path))
