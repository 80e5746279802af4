"""Tags on fields inside nested columns: a grant that knows nothing of them shows what they mark."""

from __future__ import annotations

import pyarrow as pa
import pytest

from doors.doors import DOORS, Wanted
from doors.servers import TrialServer
from doors.steward import Steward
from enforcement.plans import decision, plan
from privet.model.datasets import Column, Dataset, FieldTag, Format, Source
from privet.model.names import DatasetName, TagName

SECRET = "555-SECRET"
PATIENT = pa.struct([("name", pa.string()), ("phone", pa.string())])
ROWS = pa.table(
    {
        "id": [1, 2],
        "patient": pa.array([{"name": f"n{i}", "phone": f"{SECRET}{i}"} for i in (1, 2)], PATIENT),
        "visits": pa.array([[{"name": "a", "phone": SECRET}], []], pa.list_(PATIENT)),
    }
)


def tagged(*inside: str, whole: tuple[str, ...] = ()) -> Dataset:
    """A dataset whose `patient` has tags on its field `phone` and on itself."""
    tags = [FieldTag(("patient", "phone"), TagName.parse(tag)) for tag in inside]
    tags += [FieldTag(("patient",), TagName.parse(tag)) for tag in whole]
    columns = (
        Column("id", pa.int64(), "id"),
        Column("patient", PATIENT, "patient", field_tags=tuple(tags)),
    )
    return Dataset("id-1", DatasetName("db", "t"), Source("file:///t", Format.PARQUET), columns)


def verdict(data: Dataset, *grants: str) -> str:
    """What becomes of `patient`."""
    return str(decision(data, *grants).columns[1].verdict)


HAVING = "GRANT SELECT ON DATABASE db HAVING ATTRIBUTE"


@pytest.mark.parametrize(
    ("having", "seen"),
    [
        ("NOT IN (phi.phone_number)", "hidden"),
        ("phi.phone_number != true", "hidden"),
        ("NOT IN (phi.mrn)", "clear"),
        ("NOT (phi.phone_number AND phi.mrn)", "clear"),
        # What one field is tagged with says nothing in favour of those beside it.
        ("IN (phi.phone_number)", "hidden"),
        ("IN (phi.phone_number, pii.email)", "hidden"),
        ("phi.phone_number OR phi.mrn != true", "clear"),
    ],
)
def test_a_tag_inside_takes_the_column_away_and_shows_nothing(having: str, seen: str) -> None:
    """It counts for all of the column against it, and for none of it in favour."""
    assert verdict(tagged("phi.phone_number"), f"{HAVING} {having}") == seen


def test_a_tag_on_the_column_shows_it_whatever_is_inside() -> None:
    """As that on any other column."""
    data = tagged("phi.phone_number", whole=("phi.mrn",))
    assert verdict(data, f"{HAVING} IN (phi.mrn)") == "clear"
    assert verdict(data, f"{HAVING} IN (phi.mrn) AND NOT IN (phi.phone_number)") == "hidden"


@pytest.mark.parametrize(
    ("call", "seen"),
    [
        ("null()", "transformed"),
        ("tokenize()", "hidden"),
        ("mask()", "hidden"),
        ("zero()", "hidden"),
    ],
)
@pytest.mark.parametrize("clause", ["TRANSFORM", "EXCEPT TRANSFORM"])
def test_a_transform_by_a_tag_inside_is_of_the_whole_column(
    call: str, seen: str, clause: str
) -> None:
    """What cannot be applied to all of it hides all of it."""
    grant = f"GRANT SELECT ON DATABASE db {clause} phi.phone_number WITH {call}"
    data = tagged("phi.phone_number")
    assert verdict(data, grant) == seen
    rows = ROWS.select(["id", "patient"]).to_batches()[0]
    assert SECRET not in str(plan(data, grant).apply(rows).to_pylist())


def test_a_transform_by_what_is_not_inside_is_of_the_whole_column_too() -> None:
    """A field that lacks the tag is meant by the clause as much as a column that lacks it."""
    grant = "GRANT SELECT ON DATABASE db TRANSFORM phi.mrn != true WITH null()"
    assert verdict(tagged("phi.mrn"), grant) == "transformed"


@pytest.mark.service
@pytest.mark.parametrize("path", ["patient.phone", "visits.phone"])
def test_no_door_shows_a_field_that_is_tagged(
    server: TrialServer, steward: Steward, path: str
) -> None:
    """From the request after the tag was put on, and the column's listing bears the tag."""
    name = path.partition(".")[0]
    dataset = steward.dataset(ROWS.select(["id", name]), suffix="parquet", tags={name: []})
    grant = "HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset} {grant}")
    assert DOORS["rest json"](server, reader.token, Wanted(dataset), None).table is not None
    page = f"/v1/datasets/{dataset.replace('.', '/')}"
    with server.http(server.admin_token) as http:
        put = http.put(f"{page}/tags/phi.phone_number", params={"path": path})
    assert put.status_code == 204, put.text
    for door in ("rest json", "rest arrow", "flight path"):
        answer = DOORS[door](server, reader.token, Wanted(dataset), None)
        assert answer.table is not None
        assert answer.table.column_names == ["id"], door
        assert SECRET.encode() not in b"".join(answer.received), door
    everything = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    with server.http(everything.token) as http:
        columns = {c["name"]: c["tags"] for c in http.get(page).json()["columns"]}
    assert "phi.phone_number" in columns[name]
