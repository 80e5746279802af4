"""Files that misbehave: typed errors with hints, never a cell, and the server serves on."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from doors.doors import DOORS, Wanted, every_answer
from doors.servers import TrialServer
from doors.steward import Reader, Steward, unique, write

pytestmark = pytest.mark.service


def crawled(steward: Steward, content: bytes, suffix: str = "csv") -> dict[str, Any]:
    """What a crawl makes of one file; `crawl` names it."""
    name = unique("odd")
    path = steward.server.lake / name / f"part.{suffix}"
    path.parent.mkdir()
    path.write_bytes(content)
    state = steward.crawl(path.parent)
    assert state["status"] == "completed", state
    return {**state["datasets"][0], "crawl": state["name"]}


def readable(steward: Steward, dataset: str) -> Reader:
    """Somebody who may read all of a dataset."""
    return steward.reader(f"GRANT SELECT ON TABLE {dataset}")


def same_everywhere(server: TrialServer, reader: Reader, dataset: str) -> pa.Table:
    """What every door gives, which is the same."""
    answers = every_answer(server, reader.token, Wanted(dataset))
    reference = answers.pop("flight command").table
    assert reference is not None
    for door, answer in answers.items():
        assert answer.table is not None, (door, answer)
        assert answer.table.cast(reference.schema).equals(reference), door
    return reference


ODD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "csv"),
    "only line ends": (b"\n\n\n", "csv"),
    "a name twice": (b"id,name,name\n1,SECRET,b\n", "csv"),
    "names that fold alike": (b"id,Name,NAME\n1,SECRET,b\n", "csv"),
    "NUL bytes": (b"id,name\n1,a\x00SECRET\n", "csv"),
    "no text at all": (bytes(range(256)) * 40, "csv"),
    "a quote never closed": (b'id,name\n1,"SECRET\n2,b\n3,c\n', "csv"),
    "no Parquet": (b"PAR1 SECRET PAR1", "parquet"),
    "an empty Parquet": (b"", "parquet"),
    "half a Parquet": (b"PAR1\x15\x04", "parquet"),
}


@pytest.mark.parametrize("kind", sorted(ODD))
def test_odd_files_are_found_and_explained(
    server: TrialServer, steward: Steward, kind: str
) -> None:
    """Either it says why it cannot be registered, or it can, and then reads alike at all doors."""
    content, suffix = ODD[kind]
    found = crawled(steward, content, suffix)
    assert "SECRET" not in str(found)
    database = steward.database()
    body = {"dataset": found["name"], "database": database}
    path = f"/v1/crawls/{found['crawl']}/register"
    with server.http(server.admin_token) as http:
        got = http.post(path, json=body)
    if found["problem"]:
        assert got.status_code == 400, got.text
        assert got.json()["hint"]
        return
    assert got.status_code == 201, got.text
    dataset = f"{database}.{found['name']}"
    reader = readable(steward, dataset)
    answers = every_answer(server, reader.token, Wanted(dataset))
    outcomes = {answer.code for answer in answers.values()}
    assert outcomes <= {""} or all(answer.table is None for answer in answers.values()), outcomes


def test_mixed_types_are_text(server: TrialServer, steward: Steward) -> None:
    """A column of numbers and words keeps both as they were written."""
    dataset = steward.dataset("id,mixed\n1,10\n2,ten\n3,10.0\n4,\n")
    table = same_everywhere(server, readable(steward, dataset), dataset)
    assert table.column("mixed").to_pylist()[:3] == ["10", "ten", "10.0"]


def test_a_word_among_numbers_that_the_crawl_did_not_see(
    server: TrialServer, steward: Steward
) -> None:
    """It is an error that names the column and type, and what to do; not the word."""
    dataset = steward.dataset("id,age\n1,30\n2,31\n")
    reader = readable(steward, dataset)
    (steward.folder(dataset) / "part.csv").write_text("id,age\n1,30\n2,SECRET\n")
    with server.http(reader.token) as http:
        got = http.get(f"/v1/datasets/{dataset.replace('.', '/')}/scan")
    problem = got.json()
    assert (got.status_code, problem["code"]) == (422, "source_invalid")
    assert "`age`" in problem["detail"]
    assert problem["hint"]
    assert "SECRET" not in got.text


def test_the_name_of_a_hidden_column_is_not_in_an_error(
    server: TrialServer, steward: Steward
) -> None:
    """Where the filter has to read a hidden column that breaks, the reader is not told which."""
    content = "id,hushed\n1,30\n2,31\n"
    dataset = steward.dataset(content, tags={"hushed": ["phi.phone_number"]})
    reader = steward.reader(
        f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE NOT IN (phi.phone_number)"
        " WHERE hushed > 1"
    )
    (steward.folder(dataset) / "part.csv").write_text("id,hushed\n1,30\n2,SECRET\n")
    for door, answer in every_answer(server, reader.token, Wanted(dataset)).items():
        assert answer.table is None, door
        assert not any(b"hushed" in part for part in answer.received), door


def test_two_hundred_columns(server: TrialServer, steward: Steward) -> None:
    """As many as there are, in order, with odd names folded into identifiers."""
    names = [f"Col {i} (%)" for i in range(200)]
    rows = [",".join(str(i * j) for i in range(200)) for j in range(3)]
    dataset = steward.dataset("\n".join([",".join(names), *rows]) + "\n")
    table = same_everywhere(server, readable(steward, dataset), dataset)
    assert table.num_columns == 200
    assert len(set(table.column_names)) == 200
    assert table.column(199).to_pylist() == [0, 199, 398]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_no_rows_are_rows_too(server: TrialServer, steward: Steward, suffix: str) -> None:
    """A header alone, or a Parquet file without row groups, has a schema and nothing else."""
    empty = pa.table({"id": pa.array([], pa.int64()), "name": pa.array([], pa.string())})
    dataset = steward.dataset(empty, suffix=suffix)
    table = same_everywhere(server, readable(steward, dataset), dataset)
    assert (table.column_names, table.num_rows) == (["id", "name"], 0)


def test_a_file_that_is_emptied(server: TrialServer, steward: Steward) -> None:
    """Has no rows or is an error, alike at every door; never rows of before."""
    dataset = steward.dataset("id\n1\n2\n")
    reader = readable(steward, dataset)
    assert same_everywhere(server, reader, dataset).num_rows == 2
    (steward.folder(dataset) / "part.csv").write_bytes(b"")
    answers = every_answer(server, reader.token, Wanted(dataset))
    rows = {None if a.table is None else a.table.num_rows for a in answers.values()}
    assert rows in ({None}, {0})


def test_one_bad_file_of_a_folder_spoils_the_scan_not_the_server(
    server: TrialServer, steward: Steward
) -> None:
    """It ends in an error at every door; another dataset is read meanwhile; mended, it is whole."""
    table = pa.table({"id": [1, 2, 3]})
    dataset = steward.dataset(table, suffix="parquet")
    other = steward.dataset(table)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}", f"GRANT SELECT ON TABLE {other}")
    bad = steward.folder(dataset) / "qart.parquet"
    bad.write_bytes(b"SECRET")
    for door, answer in every_answer(server, reader.token, Wanted(dataset)).items():
        assert answer.table is None, door
        assert answer.code or answer.message, door
    assert same_everywhere(server, reader, other).num_rows == 3
    write(pa.table({"id": [4]}), bad)
    assert same_everywhere(server, reader, dataset).column("id").to_pylist() == [1, 2, 3, 4]


def test_bits_that_rot(server: TrialServer, steward: Steward) -> None:
    """A Parquet file with any byte changed gives rows or a typed error, never an unknown one."""
    table = pa.table({"id": list(range(500)), "name": [f"n{i % 50}" for i in range(500)]})
    dataset = steward.dataset(table, suffix="parquet")
    reader = readable(steward, dataset)
    path = steward.folder(dataset) / "part.parquet"
    whole = path.read_bytes()
    for place in range(4, len(whole) - 8, max(1, len(whole) // 60)):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0x55
        path.write_bytes(bytes(spoilt))
        answer = DOORS["rest arrow"](server, reader.token, Wanted(dataset), None)
        assert answer.table is not None or answer.code in {
            "source_invalid",
            "source_unavailable",
            "schema_changed",
        }, (place, answer.code, answer.message)


def test_crawls_say_what_is_wrong_with_a_path(server: TrialServer, steward: Steward) -> None:
    """Absent, outside, of a scheme nobody serves, empty: refused or failed with a reason."""
    empty = server.lake / unique("empty")
    empty.mkdir()
    with server.http(server.admin_token) as http:
        for source in (
            "/etc",
            f"{server.lake}/../../x",
            "s3://nowhere/x",
            "ftp://x/y",
            "",
            "\u0000",
            str(server.lake / "absent"),
            str(empty),
        ):
            name = unique("crawl")
            got = http.post("/v1/crawls", json={"name": name, "source": source})
            if got.status_code == 202:
                state = steward.crawl(source, name=unique("crawl"))
                assert state["error"] or not state["datasets"], source
            else:
                assert got.status_code in {400, 404}, (source, got.text)
                assert got.json()["detail"]
    assert "unexpected" not in server.log.read_text()
