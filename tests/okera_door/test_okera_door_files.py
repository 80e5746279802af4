"""Files by their address at the okera door, and what clients keep by key."""

from __future__ import annotations

import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from thriftpy2.thrift import TApplicationException

from doors.servers import TrialServer
from doors.steward import unique
from doors.thrift_client import Wire, log_in, opened
from privet.okera.idl import T

ROWS = "name,ssn\nann,111\nbob,222\n"


@contextmanager
def connected(server: TrialServer, token: str) -> Generator[Wire]:
    """A connection that is logged in."""
    with opened(server.okera, server.ca) as wire:
        log_in(wire, token)
        yield wire


@pytest.fixture
def admin(server: TrialServer) -> Iterator[Wire]:
    with connected(server, server.admin_token) as wire:
        yield wire


@pytest.fixture
def folder(server: TrialServer) -> str:
    """The address of a folder with one file, which is no dataset's."""
    place = Path(server.lake) / unique("files")
    place.mkdir()
    (place / "rows.csv").write_text(ROWS)
    return f"file://{place}"


@pytest.fixture
def reader(server: TrialServer, admin: Wire) -> Iterator[tuple[Wire, str]]:
    """Somebody with a role, and the role."""
    user, role, group = unique("reader"), unique("role"), unique("group")
    ddl(admin, f"CREATE ROLE {role}")
    ddl(admin, f"GRANT ROLE {role} TO GROUP {group}")
    with connected(server, server.token(user, group)) as wire:
        yield wire, role


def ddl(wire: Wire, text: str) -> None:
    """Carry out a statement."""
    wire.call("ExecuteDDL2", ddl=T.TExecDDLParams(ddl=text))


def files(wire: Wire, op: int, uri: str, *, only_ask: bool = False) -> list[str]:
    """What a call about files answers."""
    params = T.TListFilesParams(op=op, object=uri, authorize_only=only_ask)
    return wire.call("ListFiles", params=params).files


def refusal(wire: Wire, op: int, uri: str) -> Any:
    """The text of a refusal, without the number of its record."""
    with pytest.raises(T.TRecordServiceException) as refused:
        files(wire, op, uri)
    return refused.value.message


def fetched(server: TrialServer, url: str) -> httpx2.Response:
    """What is at an address, for somebody without credentials."""
    with httpx2.Client(verify=ssl.create_default_context(cafile=server.ca)) as client:
        return client.get(url)


def test_a_grant_on_the_uri_decides(
    admin: Wire, reader: tuple[Wire, str], folder: str, server: TrialServer
) -> None:
    """Listing needs SHOW and reading SELECT, each by itself; the bytes are those of the file."""
    wire, role = reader
    refusal(wire, T.TListFilesOp.LIST, folder)
    ddl(admin, f"GRANT SHOW ON URI '{folder}' TO ROLE {role}")
    assert files(wire, T.TListFilesOp.LIST, folder) == [f"{folder}/rows.csv"]
    refusal(wire, T.TListFilesOp.READ, folder)
    ddl(admin, f"GRANT SELECT ON URI '{folder}' TO ROLE {role}")
    (url,) = files(wire, T.TListFilesOp.READ, f"{folder}/rows.csv")
    assert fetched(server, url).text == ROWS
    assert fetched(server, url).status_code == 404


def test_what_is_there_and_what_is_not_are_refused_alike(
    reader: tuple[Wire, str], folder: str
) -> None:
    """Without a grant nobody learns whether a file exists."""
    there, not_there = f"{folder}/rows.csv", f"{folder}/nothing.csv"
    for op in (T.TListFilesOp.LIST, T.TListFilesOp.READ):
        assert refusal(reader[0], op, there) == refusal(reader[0], op, not_there)


def test_files_of_a_dataset_are_for_those_who_have_all_of_it(
    admin: Wire, reader: tuple[Wire, str], folder: str
) -> None:
    """A grant on the URI does not lead around what the grants on the dataset leave out."""
    wire, role = reader
    database = unique("filedb")
    ddl(admin, f"CREATE DATABASE {database}")
    ddl(admin, f"CREATE EXTERNAL TABLE {database}.t LOCATION '{folder}'")
    ddl(admin, f"GRANT SELECT ON URI '{folder}' TO ROLE {role}")
    ddl(admin, f"GRANT SELECT(name) ON TABLE {database}.t TO ROLE {role}")
    refusal(wire, T.TListFilesOp.READ, f"{folder}/rows.csv")
    ddl(admin, f"GRANT SELECT ON TABLE {database}.t WHERE name = 'ann' TO ROLE {role}")
    refusal(wire, T.TListFilesOp.READ, folder)
    ddl(admin, f"GRANT SELECT ON TABLE {database}.t TO ROLE {role}")
    for uri in (folder, f"{folder}/rows.csv", folder.rpartition("/")[0]):
        refusal(wire, T.TListFilesOp.READ, uri)
    ddl(admin, f"GRANT ALL ON TABLE {database}.t TO ROLE {role}")
    assert len(files(wire, T.TListFilesOp.READ, folder)) == 1
    with_part = f"GRANT ALL ON TABLE {database}.t WHERE name = 'ann' TO ROLE {role}"
    ddl(admin, f"REVOKE ALL ON TABLE {database}.t FROM ROLE {role}")
    ddl(admin, with_part)
    refusal(wire, T.TListFilesOp.READ, folder)


def test_a_file_with_a_column_that_the_dataset_has_not(
    admin: Wire, reader: tuple[Wire, str], folder: str, server: TrialServer
) -> None:
    """Whoever sees every column of the dataset does not see it, nor by an address from before."""
    wire, role = reader
    database, file = unique("filedb"), Path(folder.removeprefix("file://")) / "rows.csv"
    file.write_text("name\nann\nbob\n")
    ddl(admin, f"CREATE DATABASE {database}")
    ddl(admin, f"CREATE EXTERNAL TABLE {database}.t LOCATION '{folder}'")
    file.write_text(ROWS)
    ddl(admin, f"GRANT SELECT ON URI '{folder}' TO ROLE {role}")
    ddl(admin, f"GRANT SELECT ON TABLE {database}.t TO ROLE {role}")
    refusal(wire, T.TListFilesOp.READ, f"{folder}/rows.csv")
    ddl(admin, f"GRANT ALL ON TABLE {database}.t TO ROLE {role}")
    (url,) = files(wire, T.TListFilesOp.READ, folder)
    ddl(admin, f"REVOKE ALL ON TABLE {database}.t FROM ROLE {role}")
    answered = fetched(server, url)
    assert answered.status_code == 403
    assert "111" not in answered.text


def test_one_user_does_not_use_up_the_keys(
    admin: Wire, reader: tuple[Wire, str], folder: str
) -> None:
    """Who leaves addresses unread gets no more of them, and others do."""
    wire, role = reader
    ddl(admin, f"GRANT SELECT ON URI '{folder}' TO ROLE {role}")
    for _ in range(32):
        files(wire, T.TListFilesOp.READ, folder)
    assert "too many" in refusal(wire, T.TListFilesOp.READ, folder)
    assert len(files(admin, T.TListFilesOp.READ, folder)) == 1


def test_a_key_holds_only_as_long_as_the_grant(
    admin: Wire, reader: tuple[Wire, str], folder: str, server: TrialServer
) -> None:
    """The decision is made again when the file is read."""
    wire, role = reader
    ddl(admin, f"GRANT SELECT ON URI '{folder}' TO ROLE {role}")
    (url,) = files(wire, T.TListFilesOp.READ, folder)
    ddl(admin, f"REVOKE SELECT ON URI '{folder}' FROM ROLE {role}")
    answered = fetched(server, url)
    assert answered.status_code == 403
    assert "ann" not in answered.text


def test_datasets_at_a_path_are_those_one_sees(
    admin: Wire, reader: tuple[Wire, str], folder: str
) -> None:
    """Who knows the path learns which of their datasets are there; others learn no paths."""
    wire, role = reader
    database = unique("filedb")
    ddl(admin, f"CREATE DATABASE {database}")
    ddl(admin, f"CREATE EXTERNAL TABLE {database}.t LOCATION '{folder}'")

    def at(who: Wire, prefix: str) -> dict[str, set[str]]:
        params = T.TGetRegisteredObjectsParams(prefix_path=prefix)
        found = who.call("GetRegisteredObjects", params=params).object_names
        return {uri: set(names) for uri, names in found.items()}

    above = folder.rpartition("/")[0]
    assert at(admin, above)[folder] == {f"{database}.t"}
    assert at(wire, folder) == {}
    ddl(admin, f"GRANT SELECT(name) ON TABLE {database}.t TO ROLE {role}")
    assert at(wire, folder) == {folder: {f"{database}.t"}}
    assert at(wire, above) == {}


def test_keys_are_each_principals_own(admin: Wire, reader: tuple[Wire, str]) -> None:
    """A text is kept, replaced and forgotten under a key; nobody else finds it there."""
    wire, key = reader[0], unique("key")

    def get(who: Wire) -> str | None:
        return who.call("GetFromKvStore", params=T.TKvStoreGetParams(key=key)).value

    def put(value: str | None) -> None:
        wire.call("PutToKvStore", params=T.TKvStorePutParams(key=key, value=value))

    assert get(wire) is None
    for value in ("one", "two", ""):
        put(value)
        assert get(wire) == value
        assert get(admin) is None
    put(None)
    assert get(wire) is None
    with pytest.raises((T.TRecordServiceException, TApplicationException)):
        put("x" * 70_000)
