"""What changes at the source is hidden or closed until a steward has reviewed it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from doors.doors import Run, Wanted, every_answer
from doors.servers import TrialServer
from doors.steward import Reader, Steward, unique, write
from privet.client.errors import from_http
from privet.model.errors import Conflict

pytestmark = pytest.mark.service
TABLE = pa.table({"id": [1, 2, 3], "note": ["a", "b", "c"]})
BOTH = pytest.mark.parametrize("suffix", ["csv", "parquet"])


def page(steward: Steward, dataset: str) -> dict[str, Any]:
    """A dataset as stewards see it."""
    return steward.rest.get(f"/v1/datasets/{dataset.replace('.', '/')}")


def drift(found: dict[str, Any]) -> set[tuple[str, str]]:
    """Kinds and columns of what drifted."""
    return {(d["kind"], d["column"]) for d in found["drift"]}


def review(steward: Steward, dataset: str, **query: int) -> dict[str, Any]:
    """Accept the dataset as it is."""
    return steward.rest.post(f"/v1/datasets/{dataset.replace('.', '/')}/review", **query)


def change(steward: Steward, dataset: str, data: pa.Table | str, suffix: str = "csv") -> Any:
    """Write other content to a dataset's only file and crawl it again; gives what was found."""
    path = steward.folder(dataset) / f"part.{suffix}"
    if isinstance(data, pa.Table):
        write(data, path)
    else:
        path.write_text(data)
    (found,) = steward.crawl(path.parent)["datasets"]
    assert found["registered_as"] == dataset
    return found


def seen(server: TrialServer, reader: Reader, dataset: str, secret: bytes) -> list[str] | str:
    """The columns that a reader gets at every door, or the code of a refusal."""
    found: list[list[str] | str] = []
    for door, answer in every_answer(server, reader.token, Wanted(dataset)).items():
        assert not any(secret in part for part in answer.received), door
        if answer.table is None:
            found += [answer.code] if answer.code else []
        else:
            found.append(answer.table.column_names)
    assert all(each == found[0] for each in found), found
    return found[0]


@BOTH
def test_a_column_that_appears(server: TrialServer, steward: Steward, suffix: str) -> None:
    """Crawled again it is there for stewards with its proposed tag; for readers, once reviewed."""
    dataset = steward.dataset(TABLE, suffix=suffix)
    everything = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    by_tag = steward.reader(f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE IN (pii.email)")
    wider = TABLE.append_column("email", pa.array([f"SECRET{n}@example.com" for n in range(3)]))
    found = change(steward, dataset, wider, suffix)
    assert drift(found) == {("added", "email")}
    known = page(steward, dataset)
    assert drift(known) == {("added", "email")}
    added = known["columns"][-1]
    assert (added["name"], added["reviewed"]) == ("email", False)
    assert [t["tag"] for t in added["tags"]] == ["pii.email"]
    assert seen(server, everything, dataset, b"SECRET") == ["id", "note"]
    # The proposed tag grants nothing.
    assert seen(server, by_tag, dataset, b"SECRET") == "not_found"
    named = every_answer(server, everything.token, Wanted(dataset, ("email",)))
    assert {answer.code for answer in named.values()} == {"not_found"}
    reviewed = review(steward, dataset, revision=known["revision"])
    assert all(c["reviewed"] for c in reviewed["columns"])
    assert drift(page(steward, dataset)) == set()
    assert seen(server, everything, dataset, b"nothing") == ["id", "note", "email"]
    assert seen(server, by_tag, dataset, b"nothing") == ["email"]


@BOTH
def test_a_proposed_tag_counts_for_safeguards(
    server: TrialServer, steward: Steward, suffix: str
) -> None:
    """What was denied by tag before the column was there stays so when it is reviewed."""
    dataset = steward.dataset(TABLE, suffix=suffix)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    steward.sql(
        f"DENY SELECT ON TABLE {dataset} HAVING ATTRIBUTE IN (pii.email) FROM ROLE {reader.role}"
    )
    wider = TABLE.append_column("email", pa.array([f"SECRET{n}@example.com" for n in range(3)]))
    change(steward, dataset, wider, suffix)
    assert seen(server, reader, dataset, b"SECRET") == ["id", "note"]
    review(steward, dataset)
    assert seen(server, reader, dataset, b"SECRET") == ["id", "note"]


@BOTH
def test_a_column_that_nobody_reviewed_may_go_again(
    server: TrialServer, steward: Steward, suffix: str
) -> None:
    """It was never promised, so its going, or another type, closes nothing."""
    dataset = steward.dataset(TABLE, suffix=suffix)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    change(steward, dataset, TABLE.append_column("more", pa.array([1, 2, 3])), suffix)
    write(TABLE, steward.folder(dataset) / f"part.{suffix}")
    assert seen(server, reader, dataset, b"SECRET") == ["id", "note"]
    text = TABLE.append_column("more", pa.array(["SECRET"] * 3))
    assert seen(server, reader, dataset, b"SECRET") == ["id", "note"]
    change(steward, dataset, text, suffix)
    assert page(steward, dataset)["columns"][-1]["type"] == "string"
    assert seen(server, reader, dataset, b"SECRET") == ["id", "note"]


@BOTH
def test_a_column_that_is_renamed(server: TrialServer, steward: Steward, suffix: str) -> None:
    """One is missing, which closes the dataset, and one is new: tags do not follow the rename."""
    steward.ensure_tag("life.kept")
    dataset = steward.dataset(TABLE, suffix=suffix, tags={"note": ["life.kept"]})
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    renamed = TABLE.rename_columns(["id", "remark"])
    assert drift(change(steward, dataset, renamed, suffix)) == {
        ("missing", "note"),
        ("added", "remark"),
    }
    assert seen(server, reader, dataset, b"SECRET") == "schema_changed"
    kept = page(steward, dataset)
    # A crawl takes no tag away.
    assert [[t["tag"] for t in c["tags"]] for c in kept["columns"]] == [[], ["life.kept"], []]
    reviewed = review(steward, dataset)
    assert [(c["name"], c["tags"]) for c in reviewed["columns"]] == [("id", []), ("remark", [])]
    assert seen(server, reader, dataset, b"SECRET") == ["id", "remark"]


@BOTH
def test_a_column_of_another_type(server: TrialServer, steward: Steward, suffix: str) -> None:
    """Readers get a typed error without a value; reviewed, it has the new type and its old tags."""
    steward.ensure_tag("life.kept")
    dataset = steward.dataset(TABLE, suffix=suffix, tags={"id": ["life.kept"]})
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    other = pa.table({"id": ["SECRETA", "SECRETB", "SECRETC"], "note": ["a", "b", "c"]})
    found = change(steward, dataset, other, suffix)
    assert drift(found) == {("retyped", "id")}
    assert (found["drift"][0]["was"], found["drift"][0]["now"]) == ("int64", "string")
    assert seen(server, reader, dataset, b"SECRET") in {"schema_changed", "source_invalid"}
    first = review(steward, dataset)["columns"][0]
    assert (first["type"], [t["tag"] for t in first["tags"]]) == ("string", ["life.kept"])
    assert seen(server, reader, dataset, b"nothing") == ["id", "note"]


NO_PLACE = {"city": None, "more": None}


def test_fields_that_appear_inside_a_column(server: TrialServer, steward: Steward) -> None:
    """They leave by no door until they are reviewed, at whatever depth; what was reviewed does."""
    before = [{"city": "a", "more": [{"k": 1}]}, None, {"city": None, "more": None}]
    after = [
        {"secret": "SECRET", "city": "a", "more": [{"k": 1, "s": "SECRET"}]},
        None,
        {"secret": "SECRET", "city": None, "more": None},
    ]
    dataset = steward.dataset(pa.table({"id": [1, 2, 3], "place": before}), suffix="parquet")
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset} WHERE id > 0")
    found = change(steward, dataset, pa.table({"id": [1, 2, 3], "place": after}), "parquet")
    assert drift(found) == {("nested", "place")}
    for door, answer in every_answer(server, reader.token, Wanted(dataset)).items():
        assert not any(b"SECRET" in part or b"secret" in part for part in answer.received)
        if answer.table is not None and pa.types.is_struct(answer.table.schema.field("place").type):
            # That protocol has no NULL for a struct.
            shown = [row or NO_PLACE for row in before] if door == "thrift" else before
            assert answer.table.column("place").to_pylist() == shown
    assert seen(server, reader, dataset, b"SECRET") == ["id", "place"]
    with server.http(reader.token) as http:
        sql = f"SELECT place.secret FROM {dataset}"
        got = http.post("/v1/sql", json={"statement": sql})
        assert not got.is_success
        assert b"SECRET" not in got.content
    review(steward, dataset)
    named = every_answer(server, reader.token, Wanted(dataset))["rest arrow"].table
    assert named is not None
    assert named.column("place").to_pylist()[0]["secret"] == "SECRET"


def test_a_field_inside_a_column_that_goes(server: TrialServer, steward: Steward) -> None:
    """What was reviewed is no longer there: the dataset is closed."""
    dataset = steward.dataset(
        pa.table({"id": [1], "place": [{"city": "a", "zip": "b"}]}), suffix="parquet"
    )
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    other = pa.table({"id": [1], "place": [{"city": "a", "code": "SECRET"}]})
    assert drift(change(steward, dataset, other, "parquet")) == {("retyped", "place")}
    assert seen(server, reader, dataset, b"SECRET") == "schema_changed"


def test_columns_by_position(server: TrialServer, steward: Steward) -> None:
    """Without a header one more column may be any of them: closed, and nothing of it is added."""
    dataset = steward.dataset("1,a-b\n2,b-c\n3,c-d\n")
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    assert seen(server, reader, dataset, b"SECRET") == ["c1", "c2"]
    mails = [f"{n},SECRET{n}@example.com,{name}" for n, name in enumerate(("a-b", "b-c") * 6)]
    found = change(steward, dataset, "\n".join(mails))
    assert ("source", "") in drift(found)
    known = page(steward, dataset)
    assert [c["name"] for c in known["columns"]] == ["c1", "c2"]
    assert ("source", "") in drift(known)
    assert seen(server, reader, dataset, b"SECRET") == "schema_changed"
    reviewed = review(steward, dataset)["columns"]
    # What stands in the second place now bears the tag that was proposed for it.
    assert [[t["tag"] for t in c["tags"]] for c in reviewed] == [[], ["pii.email"], []]
    assert seen(server, reader, dataset, b"nothing") == ["c1", "c2", "c3"]


def test_files_of_another_kind(server: TrialServer, steward: Steward) -> None:
    """Another delimiter closes the dataset; reviewed, it is read by that one."""
    dataset = steward.dataset(TABLE)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    found = change(steward, dataset, "id;note\n1;a\n2;b\n3;c\n")
    assert drift(found) == {("source", "")}
    assert seen(server, reader, dataset, b"SECRET") == "schema_changed"
    review(steward, dataset)
    assert seen(server, reader, dataset, b"SECRET") == ["id", "note"]


def test_types_that_still_fit(steward: Steward) -> None:
    """Text that looks like numbers now, or whole numbers among decimals, have not drifted."""
    dataset = steward.dataset("code,amount\na,1.5\nb,2.5\n")
    assert drift(change(steward, dataset, "code,amount\n1,1\n2,2\n")) == set()
    assert drift(page(steward, dataset)) == set()


def test_a_name_that_is_taken(server: TrialServer, steward: Steward) -> None:
    """A new column whose folded name another has gets one of its own, with its tags."""
    dataset = steward.dataset(pa.table({"id": [1], "email": ["x"]}), tags={"email": []})
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    wider = pa.table({"EMAIL": ["SECRET@example.com"], "id": [1], "email": ["x"]})
    change(steward, dataset, wider)
    added = page(steward, dataset)["columns"][-1]
    assert (added["name"], added["source_name"]) == ("email_2", "EMAIL")
    assert [(t["tag"], t["path"]) for t in added["tags"]] == [("pii.email", ["email_2"])]
    assert seen(server, reader, dataset, b"SECRET") == ["id", "email"]


def test_what_came_after_was_not_reviewed(steward: Steward) -> None:
    """Of the dataset as one steward saw it, a crawl has made another: the review is refused."""
    dataset = steward.dataset(TABLE)
    wider = TABLE.append_column("one", pa.array([1, 2, 3]))
    change(steward, dataset, wider)
    looked_at = page(steward, dataset)["revision"]
    change(steward, dataset, wider.append_column("two", pa.array([1, 2, 3])))
    with pytest.raises(Conflict):
        review(steward, dataset, revision=looked_at)
    assert [c["reviewed"] for c in page(steward, dataset)["columns"]] == [True, True, False, False]
    same = page(steward, dataset)["revision"]
    steward.crawl(steward.folder(dataset))
    assert page(steward, dataset)["revision"] == same


def test_an_unreviewed_column_admits_to_no_token_domain(
    server: TrialServer, steward: Steward
) -> None:
    """Whoever writes files could name a column so that their dataset gets everybody's tokens."""
    steward.ensure_tag("life.joined")
    rule = {"name": unique("rule"), "tag": "life.joined", "pattern": "^joined$"}
    steward.rest.post("/v1/rules", {**rule, "targets": ["column_name"]})
    values = ["10000001", "10000002", "10000003"]
    shared = steward.dataset(pa.table({"joined": values}), suffix="parquet")
    mine = steward.dataset(pa.table({"known": values}), suffix="parquet")
    path = f"/v1/datasets/{mine.replace('.', '/')}/tags/life.known"
    steward.ensure_tag("life.known")
    steward.rest.put(path, path="known")
    reader = steward.reader("GRANT SELECT ON CATALOG TRANSFORM life.joined WITH tokenize()")
    wider = pa.table({"known": values, "joined": values})
    change(steward, mine, wider, "parquet")

    def tokens(dataset: str) -> list[str]:
        table = every_answer(server, reader.token, Wanted(dataset))["rest arrow"].table
        assert table is not None
        return table.column("joined").to_pylist()

    assert seen(server, reader, mine, b"nothing") == ["known"]
    review(steward, mine)
    assert tokens(mine) == tokens(shared)


def test_by_command(steward: Steward, command: Run) -> None:
    """`privet crawl`, `dataset show` and `dataset review` say what drifted."""
    dataset = steward.dataset(TABLE)
    folder = steward.folder(dataset)
    write(pa.table({"id": [1], "more": ["x"]}), folder / "part.csv")
    said = command("crawl", str(folder), "--name", unique("again"), "--wait").stdout
    lines = (
        "column note is missing: scans end with an error",
        "column more (string) is new, and hidden until it is reviewed",
        f"privet dataset review {dataset}",
    )
    for line in lines:
        assert line in said
        assert line in command("dataset", "show", dataset).stdout
    done = command("dataset", "review", dataset)
    assert lines[0] in done.stdout
    assert "drifted" not in command("dataset", "show", dataset).stdout


def test_drift_is_no_business_of_readers(server: TrialServer, steward: Steward) -> None:
    """Their page of the dataset says nothing of columns that they do not see."""
    dataset = steward.dataset(TABLE)
    reader = steward.reader(f"GRANT SELECT(id) ON TABLE {dataset}")
    change(steward, dataset, TABLE.append_column("secret", pa.array([1, 2, 3])))
    with server.http(reader.token) as http:
        got = http.get(f"/v1/datasets/{dataset.replace('.', '/')}")
        assert got.is_success, from_http(got.status_code, got.content)
        assert b"secret" not in got.content
        assert b"drift" not in got.content


def test_a_hidden_column_that_is_gone_is_not_told(server: TrialServer, steward: Steward) -> None:
    """To who may see a crawl, and of the dataset the other columns."""
    dataset = steward.dataset("id,ssn\n1,111\n")
    reader = steward.reader(f"GRANT SELECT(id) ON TABLE {dataset}")
    assert drift(change(steward, dataset, "id\n1\n")) == {("missing", "ssn")}
    crawls = steward.rest.get("/v1/crawls")["items"]
    # Of the two that saw it, the later: the latest come first.
    crawl = next(c["name"] for c in crawls if dataset in str(c["datasets"]))
    granted = f"GRANT SHOW ON CRAWLER {crawl} TO ROLE {reader.role}"
    steward.rest.post("/v1/sql", {"statement": granted})
    with server.http(reader.token) as http:
        seen = http.get(f"/v1/crawls/{crawl}")
    assert seen.status_code == 200
    assert "ssn" not in seen.text
