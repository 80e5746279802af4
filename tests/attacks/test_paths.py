"""A path has one spelling and one owner, and keeps leading where it led when it was registered."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest

from doors.doors import Wanted, every_answer
from doors.servers import TrialServer
from doors.steward import Reader, Steward, unique, write
from privet.connector import Connectors, S3Location
from privet.model.errors import Conflict, InvalidRequest, PrivetError

pytestmark = pytest.mark.service
TABLE = pa.table({"id": [1, 2], "note": ["a", "b"]})
SECRETS = pa.table({"id": [1, 2], "note": ["SECRETA", "SECRETB"]})


def made(steward: Steward, table: pa.Table) -> tuple[str, Reader]:
    """A dataset, and somebody who may read it."""
    dataset = steward.dataset(table)
    return dataset, steward.reader(f"GRANT SELECT ON TABLE {dataset}")


def nothing_of(server: TrialServer, reader: Reader, dataset: str) -> None:
    """No door gives a row, nor any byte of a secret, and every one says something typed."""
    for door, answer in every_answer(server, reader.token, Wanted(dataset)).items():
        assert answer.table is None, door
        assert answer.code in {"source_unavailable", "source_invalid", "schema_changed", ""}, door
        assert not any(b"SECRET" in part for part in answer.received), door


@pytest.mark.parametrize(
    "spelling",
    [
        "{folder}/",
        "{folder}//",
        "{lake}/./{name}",
        "{lake}//{name}",
        "{lake}/other/../{name}",
        "file://{folder}",
        "file://{folder}/",
        "{link}",
        "{link}/",
        "{link}/part.csv",
        "{folder}/part.csv",
        "{lake_link}/{name}",
    ],
)
def test_other_spellings_have_the_same_owner(
    server: TrialServer, steward: Steward, spelling: str
) -> None:
    """However it is written, it is known as registered, and nobody registers it again."""
    dataset, _ = made(steward, TABLE)
    folder = steward.folder(dataset)
    link, lake_link = server.lake / unique("link"), server.lake / unique("lake")
    link.symlink_to(folder)
    lake_link.symlink_to(server.lake)
    path = spelling.format(
        folder=folder, lake=server.lake, name=folder.name, link=link, lake_link=lake_link
    )
    crawl = steward.crawl(path)
    assert [d["registered_as"] for d in crawl["datasets"]] == [dataset]
    with pytest.raises(Conflict):
        steward.register(crawl, dataset.partition(".")[0], name=unique("again"))
    link.unlink()
    lake_link.unlink()


@pytest.mark.parametrize("path", ["FILE://{folder}", "File://{folder}", "//{folder}", "{percent}"])
def test_what_is_no_spelling_of_it(server: TrialServer, steward: Steward, path: str) -> None:
    """Other cases of the scheme are refused; percent signs are letters of a name."""
    dataset, _ = made(steward, TABLE)
    folder = steward.folder(dataset)
    percent = f"{server.lake}/%{ord(folder.name[0]):02x}{folder.name[1:]}"
    try:
        crawl = steward.crawl(path.format(folder=folder, percent=percent))
    except InvalidRequest:
        return
    assert crawl["status"] == "failed"
    assert crawl["datasets"] == []


def test_around_and_within(server: TrialServer, steward: Steward) -> None:
    """What contains or lies within a registered path is refused, and says nothing of its owner."""
    around = server.lake / unique("around")
    write(TABLE, around / "part.csv")
    write(SECRETS, around / "inner" / "part.csv")
    database = steward.database()
    crawl = steward.crawl(around)
    assert len(crawl["datasets"]) == 2
    steward.register(crawl, database, "inner")
    outer = next(d["name"] for d in crawl["datasets"] if d["name"] != "inner")
    for found in (crawl, steward.crawl(around)):
        with pytest.raises(Conflict) as refused:
            steward.register(found, database, outer)
        assert "SECRET" not in str(refused.value)
    neighbour = around.with_name(f"{around.name}x")
    write(TABLE, neighbour / "part.csv")
    steward.register(steward.crawl(neighbour), database, name="neighbour")


@pytest.mark.parametrize("where", ["its folder", "the folder above", "its file", "a partition"])
@pytest.mark.parametrize("leads", ["into another dataset", "out of the lake"])
def test_a_link_that_comes_later(
    server: TrialServer, steward: Steward, where: str, leads: str
) -> None:
    """What was a folder or file when it was registered is none now: the scan reads nothing."""
    top = unique("top")
    database, name = steward.database(), unique("t")
    folder = server.lake / top / name
    inner = folder / "k=1" if where == "a partition" else folder
    write(TABLE, inner / "part.csv")
    steward.register(steward.crawl(folder), database)
    dataset = f"{database}.{name}"
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    target = server.lake if leads == "into another dataset" else server.home / "outside"
    other = target / unique("other")
    write(SECRETS, other / name / "k=1" / "part.csv")
    write(SECRETS, other / name / "part.csv")
    if leads == "into another dataset":
        steward.register(steward.crawl(other / name / "k=1"), database, name="other")
    moved: dict[str, tuple[Path, Path]] = {
        "its folder": (folder, other / name / "k=1" if inner == folder else other / name),
        "the folder above": (folder.parent, other),
        "its file": (inner / "part.csv", other / name / "part.csv"),
        "a partition": (inner, other / name / "k=1"),
    }
    link, to = moved[where]
    link.rename(link.with_name(f"{link.name}_away"))
    link.symlink_to(to)
    nothing_of(server, reader, dataset)
    link.unlink()
    link.with_name(f"{link.name}_away").rename(link)
    answers = every_answer(server, reader.token, Wanted(dataset)).values()
    assert all(answer.table is not None and answer.table.num_rows == 2 for answer in answers)


def test_a_link_between_crawl_and_registration(server: TrialServer, steward: Steward) -> None:
    """What was looked at is no longer what would be registered."""
    other, _ = made(steward, SECRETS)
    database, folder = steward.database(), server.lake / unique("t")
    write(TABLE, folder / "part.csv")
    crawl = steward.crawl(folder)
    folder.rename(folder.with_name(f"{folder.name}_away"))
    folder.symlink_to(steward.folder(other))
    with pytest.raises(InvalidRequest, match="is a link now"):
        steward.register(crawl, database)
    # The link leads to what another dataset owns, and is known as that.
    assert steward.crawl(folder)["datasets"][0]["registered_as"] == other
    folder.unlink()


def test_a_root_is_where_it_was_when_the_server_began(
    server: TrialServer, steward: Steward
) -> None:
    """The lake is turned into a link to somewhere else: nothing is read from there."""
    dataset, reader = made(steward, TABLE)
    elsewhere = server.home / unique("elsewhere")
    write(SECRETS, elsewhere / steward.folder(dataset).name / "part.csv")
    away = server.lake.with_name("lake_away")
    server.lake.rename(away)
    server.lake.symlink_to(elsewhere)
    try:
        nothing_of(server, reader, dataset)
        with pytest.raises(InvalidRequest):
            steward.crawl(server.lake / steward.folder(dataset).name)
    finally:
        server.lake.unlink()
        away.rename(server.lake)
    assert every_answer(server, reader.token, Wanted(dataset))["rest csv"].table is not None


def test_pipes_and_devices(server: TrialServer, steward: Steward) -> None:
    """A file that becomes a pipe is neither waited for nor read."""
    dataset, reader = made(steward, TABLE)
    file = steward.folder(dataset) / "part.csv"
    file.unlink()
    os.mkfifo(file)
    for answer in every_answer(server, reader.token, Wanted(dataset)).values():
        assert answer.table is None or answer.table.num_rows == 0
    file.unlink()


BUCKETS = Connectors((), (S3Location(endpoint="http://127.0.0.1:9"),))
ONE = "s3://lake/a/b"


@pytest.mark.parametrize(
    "written",
    [
        "S3://lake/a/b",
        "s3a://lake/a/b",
        "s3n://lake/a/b",
        "s3://Lake/a/b",
        "s3://lake:80/a/b",
        "s3://lake:443/a/b",
        "s3://lake//a/b",
        "s3://lake/a//b",
        "s3://lake/a/b//",
        "s3://lake/a/./b",
        "s3://lake/x/../a/b",
        "s3://lake/a/b?versionId=1",
        "s3://lake/a/b#x",
        "s3://user@lake/a/b",
        "s3://lake.s3.amazonaws.com:443/a/b",
        "https://lake.s3.amazonaws.com/a/b",
        "s3://arn:aws:s3:eu:1:accesspoint/lake/a/b",
        "s3://lake-point-metadata-s3alias/a/b",
        "s3://lake-lambda--ol-s3/a/b",
        "s3://mabc.mrap/a/b",
    ],
)
def test_an_object_has_no_second_path(written: str) -> None:
    """What may mean the same object is refused, rather than understood."""
    with pytest.raises(PrivetError):
        BUCKETS.canonical(written)


@pytest.mark.parametrize("written", ["s3://lake/a/b", "s3://lake/a/b/"])
def test_one_path_may_end_in_a_slash(written: str) -> None:
    """The one spelling that is taken for another."""
    assert BUCKETS.canonical(written) == ONE


@pytest.mark.parametrize("written", ["s3://lake/A/b", "s3://lake/%61/b", "s3://lake/a/b "])
def test_other_keys_are_other_objects(written: str) -> None:
    """Keys are compared byte by byte: nothing in them is decoded, folded or trimmed."""
    assert BUCKETS.canonical(written) != ONE
