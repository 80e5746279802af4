"""Permissions outlive what they are on; what was reviewed does not."""

from __future__ import annotations

import pyarrow as pa
import pytest

from doors.doors import Run, Wanted, every_answer
from doors.servers import TrialServer
from doors.steward import Reader, Steward, unique

pytestmark = pytest.mark.service
TABLE = pa.table({"number": ["10000001", "10000002"], "note": ["a", "b"]})
TAG = "outlived.number"


def columns(server: TrialServer, reader: Reader, dataset: str) -> list[str] | str:
    """What a reader gets of it."""
    answer = every_answer(server, reader.token, Wanted(dataset))["rest arrow"]
    return answer.code if answer.table is None else answer.table.column_names


def drop(steward: Steward, dataset: str) -> None:
    """Forget a dataset."""
    steward.rest.delete(f"/v1/datasets/{dataset.replace('.', '/')}")


def again(steward: Steward, dataset: str, tags: list[str]) -> None:
    """Register the same folder under the same name."""
    review = [{"name": "number", "tags": tags}]
    steward.register(
        steward.crawl(steward.folder(dataset)), dataset.partition(".")[0], columns=review
    )


def dangling(steward: Steward, role: str) -> list[str]:
    """The permissions of a role on what is not there."""
    found = steward.rest.items("/v1/permissions", role=role, dangling="true")
    return [p["sql"] for p in found]


def test_a_grant_counts_again(server: TrialServer, steward: Steward, command: Run) -> None:
    """Listed as dangling while there is nothing of the name; in force when there is again."""
    dataset = steward.dataset(TABLE)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    assert dangling(steward, reader.role) == []
    drop(steward, dataset)
    assert columns(server, reader, dataset) == "not_found"
    (lost,) = dangling(steward, reader.role)
    assert dataset in lost.replace("`", "")
    listed = command("permission", "list", "--role", reader.role, "--dangling").stdout
    assert dataset in listed.replace("`", "")
    again(steward, dataset, [])
    assert columns(server, reader, dataset) == ["number", "note"]
    assert dangling(steward, reader.role) == []
    assert (
        "no permissions"
        in command("permission", "list", "--role", reader.role, "--dangling").stdout
    )


def test_safeguards_count_again(server: TrialServer, steward: Steward) -> None:
    """What was denied on a name is denied on what comes under it."""
    steward.ensure_tag(TAG)
    dataset = steward.dataset(TABLE, tags={"number": [TAG]})
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    deny = f"DENY SELECT ON TABLE {dataset} HAVING ATTRIBUTE IN ({TAG}) FROM ROLE {reader.role}"
    steward.sql(deny)
    assert columns(server, reader, dataset) == ["note"]
    drop(steward, dataset)
    assert len(dangling(steward, reader.role)) == 2
    again(steward, dataset, [TAG])
    assert columns(server, reader, dataset) == ["note"]


def test_tags_and_reviews_do_not_come_back(server: TrialServer, steward: Steward) -> None:
    """Registered again, it has the tags of that review alone; those of the dataset are gone too."""
    steward.ensure_tag(TAG)
    dataset = steward.dataset(TABLE, tags={"number": [TAG]})
    path = f"/v1/datasets/{dataset.replace('.', '/')}"
    steward.rest.put(f"{path}/tags/{TAG}")
    by_tag = steward.reader(f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE IN ({TAG})")
    assert columns(server, by_tag, dataset) == ["number", "note"]
    drop(steward, dataset)
    again(steward, dataset, [])
    found = steward.rest.get(path)
    assert (found["tags"], [c["tags"] for c in found["columns"]]) == ([], [[], []])
    assert columns(server, by_tag, dataset) == "not_found"


def test_token_domains_do_not_come_back(server: TrialServer, steward: Steward) -> None:
    """A grant that counts again tokenizes by the new dataset's own keys, until it is admitted."""
    steward.ensure_tag(TAG)
    dataset = steward.dataset(TABLE, tags={"number": [TAG]})
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset} TRANSFORM {TAG} WITH tokenize()")

    def tokens() -> list[str]:
        table = every_answer(server, reader.token, Wanted(dataset))["rest arrow"].table
        assert table is not None
        return table.column("number").to_pylist()

    shared = tokens()
    drop(steward, dataset)
    # Tagged as a whole, it is admitted to nothing.
    again(steward, dataset, [])
    steward.rest.put(f"/v1/datasets/{dataset.replace('.', '/')}/tags/{TAG}")
    assert not set(tokens()) & {*shared, *TABLE.column("number").to_pylist()}
    drop(steward, dataset)
    again(steward, dataset, [TAG])
    assert tokens() == shared


def test_on_a_database_that_is_gone(steward: Steward) -> None:
    """The database's own permissions dangle, and those on its datasets."""
    database, role = steward.database(), unique("role")
    steward.rest.post("/v1/roles", {"name": role})
    steward.sql(f"GRANT SELECT ON DATABASE {database} TO ROLE {role}")
    steward.sql(f"GRANT SELECT ON CATALOG TO ROLE {role}")
    assert dangling(steward, role) == []
    steward.rest.delete(f"/v1/databases/{database}")
    assert len(dangling(steward, role)) == 1
    steward.database(database)
    assert dangling(steward, role) == []
